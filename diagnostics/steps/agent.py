"""Stage 5: is the Cloud Assistant agent there to be asked."""

from __future__ import annotations

from django.utils import timezone

from diagnostics.steps.outcome import Outcome, Subject, failed
from diagnostics.wording import packed
from diagnostics.wording import say as _
from instances import ecs
from instances.models import AGENT_SILENCE

REINSTALL = _(
    "Start or reinstall the Cloud Assistant agent on the instance (VNC, SSH or RDP), or collect the"
    " evidence by hand with the script of this case."
)


def ask(subject: Subject) -> Outcome:
    answer = ecs.agents(subject.account, subject.region, [subject.instance_id])
    found = [info for info in answer.value if info.instance_id == subject.instance_id]
    if not found:
        return failed(
            _("ECS knows no Cloud Assistant agent of this instance."),
            REINSTALL,
            request_ids=answer.request_ids,
            facts={"alive": False},
        )
    info = found[0]
    heartbeat = info.heartbeat_at
    fresh = bool(heartbeat and timezone.now() - heartbeat < AGENT_SILENCE)
    return Outcome(
        summary=(_said(info, fresh),),
        instead=() if info.running and fresh else (REINSTALL,),
        request_ids=answer.request_ids,
        facts=packed(
            {
                "alive": info.running and fresh,
                "running": info.running,
                "heartbeat_at": heartbeat,
                "version": info.version,
            }
        ),
    )


def _said(info: ecs.AgentInfo, fresh: bool):
    told = {
        "version": info.version or _("not told by ECS"),
        "heartbeat": info.heartbeat_at or _("never seen"),
    }
    if info.running and fresh:
        return _("The agent runs: version %(version)s, last heartbeat %(heartbeat)s.", **told)
    if info.running:
        return _(
            "ECS calls the agent running, but its last heartbeat is stale (%(heartbeat)s), so it is"
            " not relied on. Version: %(version)s.",
            **told,
        )
    return _(
        "The agent does not run (last heartbeat: %(heartbeat)s; version: %(version)s).", **told
    )
