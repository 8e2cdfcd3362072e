"""Stage 1: does the instance exist, where, in which state, with which system."""

from __future__ import annotations

from diagnostics.steps.outcome import Outcome, Subject, failed
from diagnostics.wording import packed
from diagnostics.wording import say as _
from instances import ecs


def ask(subject: Subject) -> Outcome:
    answer = ecs.instances(subject.account, subject.region, ids=[subject.instance_id])
    found = [info for info in answer.value if info.instance_id == subject.instance_id]
    if not found:
        return _absent(subject, answer.request_ids)
    info = found[0]
    return Outcome(
        summary=(
            _(
                "%(id)s in %(region)s: %(os)s, %(status)s.",
                id=info.instance_id,
                region=info.region,
                os=info.os_name or info.os_type,
                status=info.status,
            ),
        ),
        request_ids=answer.request_ids,
        facts=packed(
            {
                "listed": True,
                "name": info.name,
                "hostname": info.hostname,
                "os_type": info.os_type.lower(),
                "os_name": info.os_name,
                "status": info.status,
                "zone": info.zone,
                "instance_type": info.instance_type,
                "started_at": info.started_at,
                "created_at": info.created_at,
                "expires_at": info.expires_at,
                "locks": list(info.lock_reasons),
            }
        ),
    )


def _absent(subject: Subject, request_ids: tuple[str, ...]) -> Outcome:
    return failed(
        _(
            "ECS lists no instance %(id)s in %(region)s: it is released, it is in another region or"
            " account, or the portal's identity may not see it (ECS then answers with an empty"
            " list).",
            id=subject.instance_id,
            region=subject.region,
        ),
        _("Check the instance ID and the region, and the identity with manage.py check_access."),
        request_ids=request_ids,
        facts={"listed": False},
    )
