"""Beside stage 3: who else did it. Calls of other keys, by the account's audit trail."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta

from django.utils import timezone

from diagnostics.facts import OutsideAct, Trail
from diagnostics.findings import Window
from diagnostics.models import DiagnosisCase
from diagnostics.steps.outcome import Outcome, Raw, Subject, from_error
from diagnostics.wording import Text, packed, quoted, unpacked
from diagnostics.wording import say as _
from instances import ecs

NAME = "audit_trail"
BEFORE, AFTER = timedelta(hours=24), timedelta(hours=1)
LATELY = timedelta(days=30)
BY_HAND = _(
    "Look up RebootInstance, RebootInstances, StopInstance and StopInstances with this instance as"
    " the resource name in the ActionTrail console, in the instance's own region."
)


@dataclass(frozen=True, slots=True)
class Span:
    """From when to when the trail is asked."""

    since: datetime
    until: datetime


def span(case: DiagnosisCase) -> Span:
    """Around the reported time; without one since a day before the last start that is known."""
    now = timezone.now()
    if case.seen_at:
        within = timedelta(minutes=case.seen_within)
        ends = min(case.seen_at + within + AFTER, now)
        return Span(min(case.seen_at - within, ends) - BEFORE, ends)
    started = case.instance.started_at if case.instance else None
    since = min(started, now) - BEFORE if started else now - LATELY
    return Span(max(since, now - LATELY), now)


def ask(subject: Subject, asked: Span) -> Outcome:
    """What the trail tells, or why it could not be asked and what to do instead."""
    try:
        answer = ecs.power_calls(
            subject.account,
            subject.region,
            subject.instance_id,
            since=asked.since,
            until=asked.until,
        )
        ours = ecs.key_id(subject.account)
    except ecs.EcsError as error:
        failure = from_error(error)
        return replace(failure, instead=(*failure.instead, BY_HAND))
    told = answer.value
    acts = [_act(call, ours) for call in told.calls]
    trail = Trail(asked.since, asked.until, tuple(acts), told.whole)
    kept = json.dumps([asdict(each) for each in told.calls], default=str, indent=1)
    raw = Raw(NAME, kept.encode(), media_type="application/json", complete=told.whole)
    return Outcome(
        summary=(_summary(trail),),
        request_ids=answer.request_ids,
        facts={"trail": packed(trail)},
        evidence=(raw,) if acts else (),
    )


def _act(call: ecs.PowerCall, our_key: str) -> OutsideAct:
    return OutsideAct(
        call.name,
        call.at,
        user=call.user,
        user_type=call.user_type,
        source_ip=call.source_ip,
        agent=call.agent,
        request_id=call.request_id,
        error=call.error,
        forced=call.forced,
        our_key=bool(our_key) and call.key_id == our_key,
    )


def _summary(trail: Trail) -> Text:
    told = {"count": len(trail.acts), "start": trail.since, "end": trail.until}
    if trail.whole:
        return _(
            "Calls that reboot, stop or start it between %(start)s and %(end)s: %(count)s.", **told
        )
    return _(
        "Calls that reboot, stop or start it, among the newest that were read up to %(end)s:"
        " %(count)s.",
        **told,
    )


def read(facts: dict) -> Trail | None:
    told = unpacked(facts.get("trail") or {})
    if not told:
        return None
    acts = tuple(OutsideAct(**act) for act in told["acts"])
    return Trail(told["since"], told["until"], acts, told["whole"])


def lines(acts: Iterable[OutsideAct], window: Window | None) -> tuple[Text, ...]:
    """One line for each call of others in the window."""
    inside = [act for act in acts if window and window.holds(act.at)]
    return tuple(line(act) for act in inside)


def line(act: OutsideAct) -> Text:
    told = {
        "at": act.at,
        "name": act.name,
        "who": act.user or _("somebody whom the trail does not name"),
        "where": act.source_ip or _("an address that it does not tell"),
        "id": act.request_id,
    }
    if act.error:
        return _(
            "%(at)s: %(name)s by %(who)s from %(where)s (RequestId %(id)s), refused by ECS:"
            " %(code)s",
            code=quoted(act.error),
            **told,
        )
    return _("%(at)s: %(name)s by %(who)s from %(where)s (RequestId %(id)s)", **told)
