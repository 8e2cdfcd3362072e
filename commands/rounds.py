"""Following runs that ECS repeats: slowly between their times, more closely around one.

One listing tells of all that are due in an account and region how often each machine ran. Results
are read only where that grew: two calls for a hundred machines, and the history of a machine only
where its last row does not say all.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial

from django.db import transaction
from django.utils import timezone

from commands import (
    answers,
    endings,
    fires,
    firing,
    keeping,
    secret_parameters,
    stopping,
    timed_rows,
)
from commands.models import Dispatch, Invocation, Schedule, Target
from commands.timed_rows import Mark, Told
from instances import ecs
from portal import work
from portal.work import Claim

FIRST_LOOK = timedelta(seconds=1)  # after a planned time
LATEST_AROUND = timedelta(seconds=30)  # between looks while an answer is awaited
AFTER_TROUBLE = timedelta(seconds=15)
LATEST = timedelta(minutes=5)  # between looks at what waits for its next time
BETWEEN_STARTS = timedelta(minutes=1)  # at what waits for machines to start
MOST_PAGES = 20  # of the listing; what lies beyond is read by itself


@dataclass
class Look:
    """What is known of one run before and after ECS was asked."""

    claim: Claim[Dispatch]
    marks: dict[str, Mark]
    over: set[str]  # machines whose part is over
    rows: list[ecs.Result] | None = None  # None: not read
    told: dict[str, Told] = field(default_factory=dict)
    unread: set[str] = field(default_factory=set)  # machines whose history could not be had


def follow(claims: list[Claim[Dispatch]]) -> None:
    """Look now, write down what is new, come back around the next time."""
    with work.held(claims):
        claims = stopping.ask(claims)
        looks = [_look(claim) for claim in claims]
        try:
            known = _listing(looks)
        except ecs.EcsError as error:
            looks, known = _not_listed(looks, error), {}
        ready = [look for look in looks if _worth_reading(look, known)]
        quiet = [look for look in looks if look not in ready]
        _read_rows(ready)
        _read_histories(ready)
        for look in _ours(quiet + [look for look in ready if look.rows is not None]):
            with work.apart(look.claim):
                _keep(look, known.get(look.claim.row.invoke_id))


def _ours(looks: list[Look]) -> list[Look]:
    """Those that are not put off already, nor in other hands."""
    return [look for look in looks if not (look.claim.released or look.claim.lost)]


def _look(claim: Claim[Dispatch]) -> Look:
    targets = claim.row.targets.order_by("pk")
    rows = list(targets.values_list("instance__instance_id", "repeats", "started_at", "over"))
    marks = {name: Mark(repeats or 0, started) for name, repeats, started, _over in rows}
    return Look(claim, marks, {name for name, _r, _s, over in rows if over})


def _listing(looks: list[Look]) -> dict[str, ecs.TimedRunInfo]:
    if not looks:
        return {}
    row, wanted = looks[0].claim.row, {look.claim.row.invoke_id for look in looks}
    alone = {"invoke_id": row.invoke_id} if len(wanted) == 1 else {}
    found = ecs.timed_runs(
        row.account.signing(), row.region, wanted=wanted, most_pages=MOST_PAGES, **alone
    )
    return {key: info for key, info in found.value.items() if key in wanted}


def _not_listed(looks: list[Look], error: ecs.EcsError) -> list[Look]:
    """Let them rest, except those whose time is up."""
    now, left = timezone.now(), []
    for look in looks:
        if _late(look.claim.row, now):
            left.append(look)
        else:
            _failed(look, error)
    return left


def _failed(look: Look, error: ecs.EcsError) -> None:
    claim = look.claim
    rest = timedelta(seconds=getattr(error, "retry_after", None) or 0)
    with work.apart(claim):
        message = secret_parameters.redactor(claim.row.invocation).text(error.message)
        said = endings.words(error.code, message, claim.row.request_id)
        claim.release(due_at=timezone.now() + max(rest, AFTER_TROUBLE), **said)


def _late(dispatch: Dispatch, now: datetime) -> bool:
    return dispatch.deadline is not None and now >= dispatch.deadline


def _worth_reading(look: Look, known: dict[str, ecs.TimedRunInfo]) -> bool:
    row, now = look.claim.row, timezone.now()
    info = known.get(row.invoke_id)
    if info is None or not info.machines or _late(row, now):
        return True
    if any(fire.deadline and fire.deadline <= now for fire in fires.open_ones(row)):
        return True  # before somebody is given up, their row is read
    return any(
        times > look.marks.get(name, Mark()).repeats for name, times in info.repeats.items()
    ) or any(
        status in ecs.FINAL_INVOCATION_STATUSES and name not in look.over
        for name, status in info.machines.items()
    )


def _read_rows(looks: list[Look]) -> None:
    calls = {
        look.claim: partial(
            ecs.results,
            look.claim.row.account.signing(),
            look.claim.row.region,
            look.claim.row.invoke_id,
        )
        for look in looks
    }
    of = {look.claim: look for look in looks}
    for claim, answer in ecs.side_by_side(calls) if calls else ():
        with work.apart(claim):
            if isinstance(answer, ecs.EcsError):
                if _late(claim.row, timezone.now()):
                    of[claim].rows = []
                else:
                    _failed(of[claim], answer)
            elif isinstance(answer, Exception):
                raise answer
            else:
                of[claim].rows = answer.value


def _read_histories(looks: list[Look]) -> None:
    """Tell each machine's times by its row, or by its history where the row does not do."""
    wanted: dict[tuple[int, str], tuple[Look, ecs.Result]] = {}
    for number, look in enumerate(looks):
        with work.apart(look.claim):
            wanted |= {(number, row.instance_id): (look, row) for row in _not_told(look)}
    calls = {key: partial(_history, look.claim.row, row) for key, (look, row) in wanted.items()}
    for key, answer in ecs.side_by_side(calls) if calls else ():
        look, row = wanted[key]
        with work.apart(look.claim):
            if isinstance(answer, ecs.EcsError):
                look.unread.add(row.instance_id)
            elif isinstance(answer, Exception):
                raise answer
            else:
                given_up = timezone.now() - fires.allowance(look.claim.row.invocation)
                told = timed_rows.by_history(
                    row, look.marks[row.instance_id], answer.value, given_up
                )
                look.told[row.instance_id] = told


def _not_told(look: Look) -> Iterable[ecs.Result]:
    """Note what the last rows tell; those rows of our machines that do not say all."""
    for row in look.rows or ():
        mark = look.marks.get(row.instance_id)
        if mark is None:
            continue  # none of ours
        told = timed_rows.by_last_row(row, mark)
        if told is None:
            yield row
        else:
            look.told[row.instance_id] = told


def _history(dispatch: Dispatch, row: ecs.Result) -> ecs.Answer[list[ecs.Result]]:
    where = dispatch.account.signing(), dispatch.region, dispatch.invoke_id
    return ecs.results(*where, history_of=row.instance_id)


# --- Writing what was learned -------------------------------------------------------------------


def _keep(look: Look, info: ecs.TimedRunInfo | None) -> None:
    claim, now = look.claim, timezone.now()
    rows = look.rows
    missed = claim.row.missed_at
    if rows is not None:
        missed = None if rows else missed or now
    with transaction.atomic():
        run = endings.locked(claim.row)
        claim.write(
            missed_at=missed, read_at=now if rows else claim.row.read_at, **answers.NO_ERROR
        )
        schedule = _schedule(run, claim.row, info)
        _keep_rounds(look, run, schedule, now)
        if rows:
            keeping.results(claim.row, run, _final_enough(look, now))
        fires.end_late(claim.row, now)
        _plan_ahead(schedule, run, now, look.told.values())
        _rest_or_end(claim, run, schedule, now)


def _schedule(run: Invocation, kept: Dispatch, info: ecs.TimedRunInfo | None) -> Schedule | None:
    """The run's schedule, locked; from the first look on it counts its times as ECS does."""
    schedule = Schedule.objects.select_for_update().filter(timed_run=run).first()
    if schedule and schedule.begun_at is None:
        begun = (info and info.created_at) or kept.sent_at
        schedule.begun_at = schedule.told_until = begun
        Schedule.objects.filter(pk=schedule.pk).update(begun_at=begun, told_until=begun)
    return schedule


def _keep_rounds(look: Look, run: Invocation, schedule: Schedule | None, now: datetime) -> None:
    over = [past for told in look.told.values() for past in told.over]
    if schedule and over:
        fires.keep(schedule, look.claim.row, run, over)
    if schedule:
        forgotten = {
            name: (look.marks[name].repeats, told.forgotten)
            for name, told in look.told.items()
            if told.forgotten
        }
        fires.tell_forgotten(schedule, forgotten, now)
    last = [told.over[-1] for told in look.told.values() if told.over]
    fires.number(look.claim.row, last, started_at="started_at")


def _final_enough(look: Look, now: datetime) -> list[ecs.Result]:
    """The rows that may be kept: one that is final only once all its times are written down."""
    late = _late(look.claim.row, now)
    return [
        row
        for row in look.rows or ()
        if row.status not in ecs.FINAL_INVOCATION_STATUSES
        or late
        or not (row.instance_id in look.unread or _goes_on(look.told.get(row.instance_id)))
    ]


def _goes_on(told: Told | None) -> bool:
    return told is not None and told.going


def _plan_ahead(
    schedule: Schedule | None, run: Invocation, now: datetime, told: Iterable[Told]
) -> None:
    if schedule is None:
        return
    forgotten = any(part.forgotten for part in told)
    until = fires.tell_missed(schedule, run, now, forgotten=forgotten)
    timed = schedule.repeat_mode == Schedule.Repeat.PERIOD
    next_at = firing.read(schedule).after(now) if timed else None
    Schedule.objects.filter(pk=schedule.pk).update(next_at=next_at, told_until=until)


def _rest_or_end(
    claim: Claim[Dispatch], run: Invocation, schedule: Schedule | None, now: datetime
) -> None:
    kept = claim.row
    if kept.missed_at and now - kept.missed_at >= answers.MISSED_FOR:
        end = Target.NO_ANSWER, "RunForgotten", answers.FORGOTTEN
    elif _late(kept, now):
        end = Target.NO_ANSWER, kept.error_code or "NoAnswerInTime", answers.TOO_LATE
    elif not kept.targets.filter(over=False).exists():
        end = ("", "", "")
    else:
        return claim.release(due_at=_next_look(kept, run, schedule, now))
    fires.end_late(kept, now, all_of_them=True)
    endings.end(claim, *end, run=run)


def _next_look(
    kept: Dispatch, run: Invocation, schedule: Schedule | None, now: datetime
) -> datetime:
    """Soon while an answer is awaited, the longer the rarer; else just after the next time."""
    if kept.missed_at:
        return now + answers.MISSED_AGAIN
    soonest = [now + LATEST]
    if kept.deadline:
        soonest += [kept.deadline, now + LATEST_AROUND]
    if kept.stop_asked_at:
        soonest.append(_again(kept.stop_asked_at, now))
    soonest += [_again(fire.sent_at, now) for fire in fires.open_ones(kept)]
    if schedule and schedule.repeat_mode == Schedule.Repeat.PERIOD:
        if following := firing.read(schedule).after(now):
            soonest.append(following + FIRST_LOOK)
        if awaited := fires.awaited(schedule, now):
            soonest.append(_again(awaited, now))
    else:
        soonest.append(_full_minute(now))
    return min(soonest)


def _again(since: datetime, now: datetime) -> datetime:
    return now + min(max((now - since) / 2, answers.SOONEST), LATEST_AROUND)


def _full_minute(now: datetime) -> datetime:
    """The same moment for all of them, so that one listing does for all."""
    return now.replace(second=0, microsecond=0) + BETWEEN_STARTS
