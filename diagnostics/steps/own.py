"""Stage 3: did we do it. What this portal itself ran on the instance lately."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import timedelta

from django.db.models import Q
from django.utils import timezone

from commands.models import Approval, Decision, RebootItem, Target
from diagnostics.facts import OwnAct, Unready
from diagnostics.findings import Window
from diagnostics.models import DiagnosisCase, Readiness
from diagnostics.readiness.checks import ADVISED
from diagnostics.steps.outcome import Outcome, failed
from diagnostics.wording import Text, packed, unpacked
from diagnostics.wording import say as _

LATELY, MOST = timedelta(days=30), 200
# Exit codes by which a script asks Cloud Assistant to stop or restart the machine.
ENDING_CODES = {193, 194, 3009, 3010}
# At the place of a command: at the start of a line or after ; & | ( and the like.
POWER = re.compile(
    r"""(?:^|[;&|({]|\bsudo\b|\bthen\b|\bdo\b|\bexec\b|\bnohup\b)\s*
        (?:/\S*/)?(?:systemctl\s+(?:\S+\s+)*)?
        (?:reboot|shutdown|poweroff|halt|init\s+[06]|telinit\s+[06]|kexec\s+-e)\b
        |sysrq-trigger|\b(?:Restart|Stop)-Computer\b|\bshutdown(?:\.exe)?\s+[/-][rsg]\b""",
    re.M | re.X | re.I,
)


def look(case: DiagnosisCase) -> Outcome:
    """Runs of the last 30 days; the window decides later which of them count."""
    if case.instance is None:
        return failed(
            _("The instance is not in this portal's accounts, so it never acted on it."),
            _("Ask the team that runs the instance what it did at that time."),
        )
    since = min(filter(None, (case.seen_at, timezone.now()))) - LATELY
    targets = (
        Target.objects.filter(instance=case.instance, invocation__asked_at__gte=since)
        .filter(Q(invocation__read_only=False))
        .select_related("invocation__asked_by", "dispatch")
        .order_by("-invocation__asked_at")[:MOST]
    )
    reboots = (
        RebootItem.objects.filter(instance=case.instance, asked_at__gte=since)
        .select_related("batch__asked_by")
        .order_by("-asked_at")[:MOST]
    )
    agreed = _approvers(targets, reboots)
    acts = [_act(target, agreed) for target in targets]
    acts += [_power_act(item, agreed) for item in reboots]
    acts.sort(key=lambda act: act["at"], reverse=True)
    return Outcome(facts={"acts": packed(acts), "unready": packed(_unready(case))})


def _unready(case: DiagnosisCase) -> dict | None:
    """What the instance lacked for a crash; kept with the case, for the next check may differ."""
    row = Readiness.objects.filter(instance=case.instance).exclude(as_of=None).first()
    if row is None:
        return None
    lacking = [name for name in row.missing.split() if name not in ADVISED]
    return {"at": row.as_of, "lacking": lacking}


Subject = tuple[str, int]  # "run" or "batch", and its key


def _approvers(targets: Iterable[Target], items: Iterable[RebootItem]) -> dict[Subject, str]:
    """Who said yes, people and written rules, for each run and batch that was approved."""
    runs = {target.invocation_id for target in targets}
    batches = {item.batch_id for item in items}
    agreed = (
        Decision.objects.filter(yes=True, approval__state=Approval.State.APPROVED)
        .filter(Q(approval__invocation__in=runs) | Q(approval__batch__in=batches))
        .select_related("approval", "person", "rule")
        .order_by("at")
    )
    names: dict[Subject, list[str]] = {}
    for decision in agreed:
        approval = decision.approval
        kind = "batch" if approval.batch_id else "run"
        who = decision.person.get_username() if decision.person else str(decision.rule)
        names.setdefault((kind, approval.batch_id or approval.invocation_id), []).append(who)
    return {subject: ", ".join(dict.fromkeys(people)) for subject, people in names.items()}


def _power_act(item: RebootItem, agreed: dict[Subject, str]) -> dict:
    batch = item.batch
    return {
        "name": batch.name,
        "at": item.asked_at,
        "asked_by": batch.asked_by.get_username() if batch.asked_by else "",
        "approved_by": agreed.get(("batch", batch.pk), ""),
        "takes_down": True,
        "reference": item.request_id,
    }


def _act(target: Target, agreed: dict[Subject, str]) -> dict:
    run = target.invocation
    return {
        "name": run.name,
        "at": target.started_at or target.dispatch.sent_at or run.asked_at,
        "asked_by": run.asked_by.get_username() if run.asked_by else "",
        "approved_by": agreed.get(("run", run.pk), ""),
        "takes_down": target.exit_code in ENDING_CODES or takes_down(run.script),
        "reference": target.dispatch.invoke_id,
    }


def takes_down(script: str) -> bool:
    """The script names a command that stops or restarts the machine, outside of comments."""
    code = "\n".join(line for line in script.splitlines() if not line.lstrip().startswith("#"))
    return bool(POWER.search(code))


def read(facts: dict) -> tuple[OwnAct, ...]:
    return tuple(OwnAct(**unpacked(act)) for act in facts.get("acts", ()))


def read_unready(facts: dict) -> Unready | None:
    told = unpacked(facts.get("unready") or {})
    return Unready(told["at"], tuple(told["lacking"])) if told else None


def lines(acts: Iterable[OwnAct], window: Window | None) -> tuple[Text, ...]:
    inside = [act for act in acts if window and window.holds(act.at)]
    if not inside:
        return (_("This portal did nothing to the instance in the window."),)
    return tuple(
        _(
            "%(at)s: %(name)s (%(reference)s)%(power)s",
            at=act.at,
            name=act.name,
            reference=act.reference or _("never sent"),
            power=_(", which can take the instance down") if act.takes_down else "",
        )
        for act in inside
    )
