"""What one stage found, or why it could not, ready to be kept on its Step row."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from django.utils import timezone

from diagnostics.models import StepState
from diagnostics.wording import Text
from diagnostics.wording import say as _
from instances import ecs


@dataclass(frozen=True, slots=True)
class Subject:
    """Whom the stages ask about; `account` signs."""

    account: ecs.Account
    region: str
    instance_id: str


@dataclass(frozen=True, slots=True)
class Raw:
    """Evidence to keep: bytes as they came."""

    name: str
    body: bytes
    media_type: str = "text/plain"
    origin: str = "api"
    complete: bool = True
    note: str = ""


@dataclass(frozen=True, slots=True)
class Outcome:
    state: str = StepState.DONE
    summary: tuple[Text, ...] = ()
    reason: tuple[Text, ...] = ()
    instead: tuple[Text, ...] = ()
    request_ids: tuple[str, ...] = ()
    invoke_id: str = ""
    facts: Mapping[str, object] = field(default_factory=dict)
    evidence: tuple[Raw, ...] = ()
    started_at: datetime | None = None
    finished_at: datetime | None = None

    @property
    def done(self) -> bool:
        return self.state == StepState.DONE


def failed(reason: Text, *instead: Text, **fields: object) -> Outcome:
    return Outcome(StepState.FAILED, reason=(reason,), instead=instead, **fields)


def not_needed(reason: Text) -> Outcome:
    return Outcome(StepState.NOT_NEEDED, reason=(reason,))


def asking(ask: Callable[[Subject], Outcome], subject: Subject) -> Outcome:
    """`ask(subject)` with its times; ECS's refusals and silence become a failed Outcome."""
    from dataclasses import replace

    started = timezone.now()
    try:
        outcome = ask(subject)
    except ecs.EcsError as error:
        outcome = from_error(error)
    return replace(outcome, started_at=started, finished_at=timezone.now())


def from_error(error: ecs.EcsError) -> Outcome:
    reason, instead = explain(error)
    return Outcome(
        StepState.FAILED,
        reason=(reason,),
        instead=(instead,),
        request_ids=(error.request_id,) if error.request_id else (),
        facts={"error": type(error).__name__, "code": error.code},
    )


def explain(error: ecs.EcsError) -> tuple[Text, Text]:
    """Why it could not be done, and what to do instead."""
    told = {
        "operation": error.operation or "ECS",
        "code": error.code or type(error).__name__,
        "message": error.message,
    }
    for family, why, instead in EXPLAINED:
        if isinstance(error, family):
            return replace(why, params=told), replace(instead, params=told)
    raise error


# Most special first: ModeForbids, NotPermitted and Throttled are all kinds of Refused.
EXPLAINED = (
    (
        ecs.ModeForbids,
        _("The portal's mode does not allow %(operation)s, so it was not called."),
        _("Have an administrator set PORTAL_MODE=diagnose, or do it by hand."),
    ),
    (
        ecs.NotPermitted,
        _("ECS does not permit %(operation)s to the portal's identity (%(code)s): %(message)s"),
        _("Grant the right (manage.py check_access names it), then open a new case."),
    ),
    (
        ecs.Throttled,
        _("ECS took no more calls of %(operation)s (%(code)s), also after waiting."),
        _("Open a new case in some minutes."),
    ),
    (
        ecs.Refused,
        _("ECS refused %(operation)s (%(code)s): %(message)s"),
        _("Check the instance in the ECS console, then open a new case."),
    ),
    (
        ecs.NoAnswer,
        _("ECS gave no understandable answer to %(operation)s: %(message)s"),
        _("Check the network and the endpoint of the portal (health page), then open a new case."),
    ),
)
