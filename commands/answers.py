"""Following runs that ECS has taken: look, keep what is new, come back later, end in time.

One listing tells how far all the runs of a claim are; results are read only of those that are
over, or that have had news for a while. A single small run is simply read.
"""

from __future__ import annotations

import time
from collections import defaultdict
from datetime import datetime, timedelta
from functools import partial

from django.db import transaction
from django.db.models import Count
from django.utils import timezone

from commands import endings, keeping, secret_parameters, stopping
from commands.models import Dispatch, Target
from instances import ecs
from portal import work
from portal.kept import kept
from portal.rows import lock
from portal.work import Claim, unheld

YOUNG_LOOKS = (0.2, 0.2, 0.4)  # seconds between, waited inside the job that sent a single run
SOONEST, LATEST = timedelta(seconds=1), timedelta(seconds=30)
CROWD_SOON = timedelta(seconds=1.5)  # between looks at many, once they are as old as that
AT_PACE = timedelta(seconds=0.2)  # before the next look at what is expected to be over now
SLOT = timedelta(seconds=0.25)  # those of a crowd that are due so near come due together
# A run that ECS does not list is looked for again before it counts as forgotten.
MISSED_FOR, MISSED_AGAIN = timedelta(seconds=15), timedelta(seconds=5)
READ_AGAIN = timedelta(seconds=10)  # what goes on ending is read this often

FORGOTTEN = kept("ECS no longer knows this run; what the script did is not known.")
TOO_LATE = kept("No answer arrived in time; what the script did is not known.")


def follow(claims: list[Claim[Dispatch]]) -> None:
    """Look now, keep what is new, then end each one or come back later."""
    with work.held(claims):
        claims = stopping.ask(claims)
        known: dict[str, ecs.InvocationInfo] = {}
        if len(claims) > 1 or any(claim.row.size > ecs.RESULTS_PAGE for claim in claims):
            try:
                known = _listing(claims)
            except ecs.EcsError as error:
                claims = _not_listed(claims, error)
        ready = _worth_reading(claims, known)
        quiet = [claim for claim in claims if claim not in ready]
        _keep_up(quiet, known, _paces(ready, known))
        _read(ready)


def follow_young(claim: Claim[Dispatch]) -> None:
    """The first looks, in short order, by the worker that sent it: most scripts are quick."""
    waits = (0,) if _others_wait() else YOUNG_LOOKS
    with claim.held():
        for wait in waits:
            time.sleep(wait)
            _read([claim], last=wait == waits[-1])
            if claim.released or claim.lost:
                return


def _others_wait() -> bool:
    """A worker that sleeps over a young run is fine only while nothing else wants it."""
    now = timezone.now()
    return Dispatch.objects.filter(unheld(now), due_at__lte=now).exists()


def _listing(claims: list[Claim[Dispatch]]) -> dict[str, ecs.InvocationInfo]:
    """How far these runs are, as far as ECS's newest pages tell."""
    wanted = {claim.row.invoke_id for claim in claims}
    row = claims[0].row
    pages = -(-len(wanted) // ecs.RESULTS_PAGE) + 2
    found = ecs.invocations(row.account.signing(), row.region, wanted=wanted, most_pages=pages)
    return {key: info for key, info in found.value.items() if key in wanted}


def _not_listed(claims: list[Claim[Dispatch]], error: ecs.EcsError) -> list[Claim[Dispatch]]:
    """Let them rest, except those whose time is up: these are read a last time."""
    now = timezone.now()
    for claim in claims:
        if not _late(claim.row, now):
            with work.apart(claim):
                _failed(claim, error)
    return [claim for claim in claims if not (claim.released or claim.lost)]


def _worth_reading(
    claims: list[Claim[Dispatch]], known: dict[str, ecs.InvocationInfo]
) -> list[Claim[Dispatch]]:
    now, kept = timezone.now(), _kept(claims, known)
    return [
        claim
        for claim in claims
        if worth_reading(claim.row, known.get(claim.row.invoke_id), kept[claim.row.pk], now)
    ]


def worth_reading(
    dispatch: Dispatch, info: ecs.InvocationInfo | None, kept: int, now: datetime
) -> bool:
    """Whether a look at the results would tell more than the `kept` ones and the listing do."""
    if info is None or not info.machines or _late(dispatch, now):
        return True
    ended = _ended(info)
    if ended >= len(info.machines):
        return True
    stood_still = ended == dispatch.ended_seen
    long_ago = now - (dispatch.read_at or dispatch.sent_at) >= READ_AGAIN
    return ended > kept and (stood_still or long_ago)


def _kept(
    claims: list[Claim[Dispatch]], known: dict[str, ecs.InvocationInfo]
) -> defaultdict[int, int]:
    """How many targets are over already, of those dispatches where some machines are."""
    begun = [
        claim.row.pk
        for claim in claims
        if (info := known.get(claim.row.invoke_id)) and 0 < _ended(info) < len(info.machines)
    ]
    over = Target.objects.filter(dispatch__in=begun, over=True).order_by()
    counts = over.values_list("dispatch_id").annotate(Count("pk")) if begun else ()
    return defaultdict(int, counts)


def _ended(info: ecs.InvocationInfo) -> int:
    return sum(status in ecs.FINAL_INVOCATION_STATUSES for status in info.machines.values())


def _paces(
    ready: list[Claim[Dispatch]], known: dict[str, ecs.InvocationInfo]
) -> dict[int, timedelta]:
    """By run: after how long some of its dispatches turned out to be over. Others take as long."""
    now, paces = timezone.now(), {}
    for row in (claim.row for claim in ready):
        info = known.get(row.invoke_id)
        if info and info.machines and _ended(info) == len(info.machines):
            age = now - row.sent_at
            paces[row.invocation_id] = min(age, paces.get(row.invocation_id, age))
    return paces


def _keep_up(
    claims: list[Claim[Dispatch]],
    known: dict[str, ecs.InvocationInfo],
    paces: dict[int, timedelta],
) -> None:
    """Write down where the machines stand, and come back later: those alike with one UPDATE."""
    if not claims:
        return
    now, alike = timezone.now(), defaultdict(list)
    for claim in claims:
        claim.row.missed_at = None
        rest = _rest(claim.row, now, paces.get(claim.row.invocation_id))
        alike[_ended(known[claim.row.invoke_id]), -(-rest // SLOT)].append(claim)
    with transaction.atomic():
        lock(Dispatch.objects.filter(pk__in=[claim.row.pk for claim in claims]))
        for (ended, slot), group in alike.items():
            changes = {"missed_at": None, "ended_seen": ended, **NO_ERROR}
            work.release_alike(group, due_at=now + slot * SLOT, **changes)
        ours = [claim.row for claim in claims if not claim.lost]
        keeping.statuses({row: known[row.invoke_id].machines for row in ours})


def _rest(dispatch: Dispatch, now: datetime, pace: timedelta | None) -> timedelta:
    """Until the next look at one of a crowd; no longer than what is left to its siblings' pace."""
    rest = next_look(dispatch, now, CROWD_SOON) - now
    if pace is not None and (left := pace - (now - dispatch.sent_at)) > timedelta():
        rest = min(rest, max(left, AT_PACE))
    return rest


NO_ERROR = {"error_code": "", "error": ""}


def _read(claims: list[Claim[Dispatch]], *, last: bool = True) -> None:
    """Read the results of each; afterwards it is over or comes back later, if `last`."""
    calls = {
        claim: partial(
            ecs.results, claim.row.account.signing(), claim.row.region, claim.row.invoke_id
        )
        for claim in claims
    }
    for claim, answer in ecs.side_by_side(calls):
        with work.apart(claim):
            if isinstance(answer, ecs.EcsError):
                _failed(claim, answer)
            elif isinstance(answer, Exception):
                raise answer
            else:
                _heard(claim, answer.value, last=last)


def _heard(claim: Claim[Dispatch], results: list[ecs.Result], *, last: bool) -> None:
    now = timezone.now()
    missed = None if results else claim.row.missed_at or now
    ended = sum(result.status in ecs.FINAL_INVOCATION_STATUSES for result in results)
    with transaction.atomic():
        run = endings.locked(claim.row)
        news, still_open = keeping.results(claim.row, run, results)
        seen = {"missed_at": missed, "read_at": now, "ended_seen": ended}
        if not still_open:
            endings.end_answered(claim, run, **seen)
        else:
            claim.write(**seen, **NO_ERROR)
            if news:
                endings.settle(run)
    if still_open and last:
        _come_back_or_end(claim)


def _failed(claim: Claim[Dispatch], error: ecs.EcsError) -> None:
    """A look that failed is made again, not before the operation has had its rest."""
    message = secret_parameters.redactor(claim.row.invocation).text(error.message)
    claim.write(**endings.words(error.code, message, claim.row.request_id))
    rest = timedelta(seconds=getattr(error, "retry_after", None) or 0)
    _come_back_or_end(claim, rest)


def _come_back_or_end(claim: Claim[Dispatch], rest: timedelta = timedelta()) -> None:
    """Come back in time, unless ECS forgot the run or its time is up."""
    dispatch, now = claim.row, timezone.now()
    missed = dispatch.missed_at
    if missed and now - missed >= MISSED_FOR:
        endings.end(claim, Target.NO_ANSWER, "RunForgotten", FORGOTTEN)
    elif _late(dispatch, now):
        words = f"{TOO_LATE} {dispatch.error}".strip()
        endings.end(claim, Target.NO_ANSWER, dispatch.error_code or "NoAnswerInTime", words)
    else:
        _come_back(claim, rest)


def _come_back(claim: Claim[Dispatch], rest: timedelta = timedelta(), **changes: object) -> None:
    now = timezone.now()
    claim.release(due_at=max(next_look(claim.row, now), now + rest), **changes)


def _late(dispatch: Dispatch, now: datetime) -> bool:
    return dispatch.deadline is not None and now >= dispatch.deadline


def next_look(dispatch: Dispatch, now: datetime, soon: timedelta = SOONEST) -> datetime:
    """The older a run, the rarer the looks: an eighth of its age, from `soon` to 30 s.

    While it is younger than `soon` it is looked at each time its age has doubled, after 1 s first.
    """
    if dispatch.missed_at:
        return now + MISSED_AGAIN
    age = now - dispatch.sent_at
    rest = min(max(min(age, soon), age / 8, SOONEST), LATEST)
    return min(now + rest, dispatch.deadline) if dispatch.deadline else now + rest
