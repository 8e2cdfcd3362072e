"""Each time of a schedule kept in ECS as a run of its own, with its targets and outputs.

Everything here belongs into the transaction of the dispatch that ECS keeps, with its run locked:
what was written down and up to which time it was are one fact, so a time is written exactly once.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime, timedelta

from django.utils import timezone

from commands import endings, firing, holding, keeping, telling
from commands.models import Dispatch, Fire, Invocation, Schedule, Script, Target
from instances import ecs
from portal.kept import kept

MOST_MISSED = 50  # times without any answer, of one look
AT_LEAST = timedelta(minutes=1)  # for the answers of the others, also of a time long ago
NOT_SHOWN = kept(
    "ECS shows no run of this machine for this time: it was off or silent, or ECS forgot it."
)
NO_RUN = kept("ECS shows no run for this time on any machine.")
LOST = kept("ECS has forgotten the results of this time.")
BIGGEST = 2**31 - 1  # that databases keep in such a column
Round = ecs.Result


def allowance(run: Invocation) -> timedelta:
    """After its time, so long may a fire take until its last answer must be there."""
    return timedelta(seconds=run.timeout) + holding.ANSWER_ALLOWANCE


def keep(schedule: Schedule, kept: Dispatch, run: Invocation, over: Iterable[Round]) -> None:
    """Write down these ended times of machines, each into the run of its time."""
    members = dict(kept.targets.values_list("instance__instance_id", "instance_id"))
    groups: dict[tuple[datetime, str], list[Round]] = defaultdict(list)
    for told in over:
        if told.instance_id in members:
            groups[_time_of(schedule, told)].append(told)
    for (planned, mark), rounds in sorted(groups.items(), key=lambda group: group[0]):
        late = rounds
        if not mark:
            fire = _existing(schedule, kept, planned) or _at_its_time(schedule, kept, run, planned)
            late = _write(fire, run, rounds)
        for told in late:
            # A machine's own start; or a second fire at that time, or an answer after we gave up.
            member = members[told.instance_id]
            _write(_begun(schedule, kept, run, planned, _own(told), [member]), run, [told])


def _time_of(schedule: Schedule, told: Round) -> tuple[datetime, str]:
    """The planned time, or for a machine's start that start, with its mark."""
    moment = told.started_at or told.finished_at or timezone.now()
    if schedule.repeat_mode != Schedule.Repeat.PERIOD:
        return moment, _own(told)
    return firing.read(schedule).nearest(moment) or moment, ""


def _own(told: Round) -> str:
    return f"{told.instance_id} {told.repeats}"


def _existing(schedule: Schedule, kept: Dispatch, planned: datetime) -> Dispatch | None:
    marks = ("", _part(kept))
    return kept.fires.filter(
        invocation__fire__schedule=schedule,
        invocation__fire__planned_at=planned,
        invocation__fire__mark__in=marks,
    ).first()


def _part(kept: Dispatch) -> str:
    return f"part {kept.pk}"


def _at_its_time(
    schedule: Schedule, kept: Dispatch, run: Invocation, planned: datetime
) -> Dispatch:
    """A new fire of everybody whom ECS still keeps it for."""
    taken = Fire.objects.filter(schedule=schedule, planned_at=planned, mark="").exists()
    members = kept.targets.filter(over=False).values_list("instance_id", flat=True)
    return _begun(schedule, kept, run, planned, _part(kept) if taken else "", list(members))


def _begun(
    schedule: Schedule,
    kept: Dispatch,
    run: Invocation,
    planned: datetime,
    mark: str,
    members: list[int],
) -> Dispatch:
    now, fields = timezone.now(), ("revision_id", "parameters", "takes_parameters", "asked_by_id")
    own = Invocation.objects.create(
        name=run.name,
        size=len(members),
        **{name: getattr(run, name) for name in (*Script.FIELDS, *fields)},
    )
    Invocation.objects.filter(pk=own.pk).update(asked_at=min(planned, now))
    dispatch = Dispatch.objects.create(
        invocation=own,
        account_id=kept.account_id,
        region=kept.region,
        size=len(members),
        state=Dispatch.State.SENT,
        invoke_id=kept.invoke_id,
        sent_at=planned,
        deadline=max(min(planned, now) + allowance(run), now + AT_LEAST),
        fire_of=kept,
    )
    Target.objects.bulk_create(
        Target(dispatch=dispatch, invocation=own, instance_id=member) for member in members
    )
    Fire.objects.create(
        schedule=schedule, planned_at=planned, mark=mark, state=Fire.State.FIRED, invocation=own
    )
    return dispatch


def _write(fire: Dispatch, run: Invocation, rounds: list[Round]) -> list[Round]:
    """Keep the answers; those whose target has its end already are given back."""
    open_ones = set(fire.targets.filter(over=False).values_list("instance__instance_id", flat=True))
    fit = [told for told in rounds if told.instance_id in open_ones]
    keeping.results(fire, run, fit)
    number(fire, fit)
    _end_if_over(fire)
    return [told for told in rounds if told.instance_id not in open_ones]


def number(dispatch: Dispatch, rounds: list[Round], **also: str) -> None:
    """Write on its targets which time this was, and `also` columns from attributes; most machines
    are alike, and one UPDATE does for these."""
    alike: dict[tuple, list[str]] = defaultdict(list)
    for told in rounds:
        values = (min(told.repeats, BIGGEST), *(getattr(told, name) for name in also.values()))
        alike[values].append(told.instance_id)
    for values, names in alike.items():
        targets = Target.objects.filter(dispatch=dispatch, instance__instance_id__in=names)
        targets.update(**dict(zip(("repeats", *also), values, strict=True)))


def _end_if_over(fire: Dispatch) -> None:
    if fire.targets.filter(over=False).exists():
        return
    ended = Dispatch.objects.filter(pk=fire.pk, state=Dispatch.State.SENT)
    if ended.update(state=Dispatch.State.FINISHED, finished_at=timezone.now()):
        endings.finish(fire.invocation)


def open_ones(kept: Dispatch) -> list[Dispatch]:
    """The fires that still wait for an answer."""
    return list(kept.fires.filter(state=Dispatch.State.SENT).select_related("invocation"))


def end_late(kept: Dispatch, now: datetime, *, all_of_them: bool = False) -> None:
    """What has no answer at its deadline ends as not known. Other times are left as they are."""
    for fire in open_ones(kept):
        if all_of_them or (fire.deadline and fire.deadline <= now):
            waiting = fire.targets.filter(over=False)
            endings.close(waiting, Target.NO_ANSWER, "NotShown", NOT_SHOWN, now)
            _end_if_over(fire)


def awaited(schedule: Schedule, now: datetime) -> datetime | None:
    """The oldest time that has come and of which nothing is written down yet."""
    if schedule.repeat_mode != Schedule.Repeat.PERIOD or schedule.told_until is None:
        return None
    known = Fire.objects.filter(schedule=schedule, planned_at__gt=schedule.told_until)
    told = set(known.values_list("planned_at", flat=True))
    at, expression = schedule.told_until, firing.read(schedule)
    while (at := expression.after(at)) and at <= now:
        if at not in told:
            return at
    return None


def tell_missed(
    schedule: Schedule, run: Invocation, now: datetime, *, forgotten: bool
) -> datetime | None:
    """Write down the times for which no answer came at all; up to when that is told now."""
    if schedule.repeat_mode != Schedule.Repeat.PERIOD or schedule.told_until is None:
        return None
    until, expression = now - allowance(run), firing.read(schedule)
    at, number, last = schedule.told_until, 0, schedule.told_until
    state, reason = (Fire.State.FORGOTTEN, LOST) if forgotten else (Fire.State.MISSED, NO_RUN)
    while (at := expression.after(at)) and at <= until and number < MOST_MISSED:
        if not Fire.objects.filter(schedule=schedule, planned_at=at).exists():
            Fire.objects.create(schedule=schedule, planned_at=at, state=state, reason=reason)
            number, last = number + 1, at
        schedule.told_until = at
    if number:
        telling.missed(schedule, last, number, reason)
    return schedule.told_until


def tell_forgotten(
    schedule: Schedule, forgotten: dict[str, tuple[int, int]], now: datetime
) -> None:
    """Write down the starts of machines that ECS tells nothing of any more."""
    if schedule.repeat_mode == Schedule.Repeat.PERIOD:
        return  # these have planned times, which `tell_missed` names
    for name, (mark, number) in forgotten.items():
        Fire.objects.create(
            schedule=schedule,
            planned_at=now,
            mark=f"{name} after {mark}",
            state=Fire.State.FORGOTTEN,
            reason=f"{LOST} {name}: {number}",
        )
