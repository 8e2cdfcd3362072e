"""Following a run that ECS has taken: look, keep what is new, come back later, end in time."""

from __future__ import annotations

import time
from datetime import datetime, timedelta

from django.db import transaction
from django.utils import timezone

from commands import endings
from commands.models import Dispatch, Output, Target, digest_of
from commands.outcomes import outcome_of
from instances import ecs
from portal.work import Claim, unheld

YOUNG_LOOKS = (0.2, 0.4, 0.8)  # seconds, waited inside the job that sent it
SOONEST, LATEST = timedelta(seconds=1), timedelta(seconds=30)
# A run that ECS does not list is looked for again before it counts as forgotten.
MISSED_FOR, MISSED_AGAIN = timedelta(seconds=15), timedelta(seconds=5)
OUTPUT_KEPT = 1 << 20  # bytes; Cloud Assistant itself sends at most 24 KiB
BIGGEST_EXIT_CODE = 2**63

FORGOTTEN = "ECS no longer knows this run; what the script did is not known."
TOO_LATE = "No answer arrived in time; what the script did is not known."


def follow(claim: Claim[Dispatch], *, young: bool = False) -> None:
    """Look now (a young run: a few times in short order), then end it or come back later."""
    waits = YOUNG_LOOKS if young and not _others_wait() else (0,)
    try:
        with claim.held():
            over = any(_look_after(claim, wait) for wait in waits)
    except ecs.EcsError as error:
        over = False
        claim.write(**endings.words(error.code, error.message, claim.row.request_id))
    if over:
        endings.end(claim)
    else:
        _later(claim)


def _others_wait() -> bool:
    """A worker that sleeps over a young run is fine only while nothing else wants it."""
    now = timezone.now()
    return Dispatch.objects.filter(unheld(now), due_at__lte=now).exists()


def _look_after(claim: Claim[Dispatch], wait: float) -> bool:
    time.sleep(wait)
    return look(claim)


def look(claim: Claim[Dispatch]) -> bool:
    """Read the results once and keep what is new; True when every target is over."""
    dispatch = claim.row
    answer = ecs.results(dispatch.account.signing(), dispatch.region, dispatch.invoke_id)
    results = {result.instance_id: result for result in answer.value}
    with transaction.atomic():
        first_missed = None if results else dispatch.missed_at or timezone.now()
        claim.write(missed_at=first_missed, error_code="", error="")
        targets = list(
            dispatch.targets.filter(over=False).select_related("instance").order_by("pk")
        )
        changed = [
            target
            for target in targets
            if (result := results.get(target.instance.instance_id))
            and _take(target, result, dispatch.invocation.type)
        ]
        Output.keep(kept(results[target.instance.instance_id]) for target in changed if target.over)
        Target.objects.bulk_update(changed, KEPT)
    return all(target.over for target in targets)


KEPT = (
    "status",
    "over",
    "outcome",
    "exit_code",
    "output",
    "dropped",
    "error_code",
    "error_info",
    "started_at",
    "finished_at",
)


def _take(target: Target, result: ecs.Result, type: str) -> bool:
    """Put what ECS says on the target; whether that changed anything."""
    final = result.status in ecs.FINAL_INVOCATION_STATUSES
    if not final and result.status == target.status:
        return False
    target.status = endings.plain(result.status)[:20]
    target.started_at = result.started_at
    if final:
        target.over = True
        code = result.exit_code
        target.exit_code = code if code is None or abs(code) < BIGGEST_EXIT_CODE else None
        target.outcome = outcome_of(target.status, type, target.exit_code)
        target.output_id = digest_of(kept(result))
        lost = len(result.output) - len(kept(result))
        target.dropped = min(max(0, result.dropped) + lost, 2**31 - 1)
        target.error_code = endings.plain(result.error_code)[:100]
        target.error_info = endings.plain(result.error_info)
        target.finished_at = result.finished_at or timezone.now()
    return True


def kept(result: ecs.Result) -> bytes:
    return result.output[:OUTPUT_KEPT]


def _later(claim: Claim[Dispatch]) -> None:
    """Come back in time, unless ECS forgot the run or its time is up."""
    dispatch, now = claim.row, timezone.now()
    missed = dispatch.missed_at
    if missed and now - missed >= MISSED_FOR:
        endings.end(claim, Target.NO_ANSWER, "RunForgotten", FORGOTTEN)
    elif now >= dispatch.deadline:
        words = f"{TOO_LATE} {dispatch.error}".strip()
        endings.end(claim, Target.NO_ANSWER, dispatch.error_code or "NoAnswerInTime", words)
    else:
        claim.release(due_at=_next_look(dispatch, now))


def _next_look(dispatch: Dispatch, now: datetime) -> datetime:
    """The older a run, the rarer the looks: an eighth of its age, 1 to 30 s."""
    if dispatch.missed_at:
        return now + MISSED_AGAIN
    rest = min(max((now - dispatch.sent_at) / 8, SOONEST), LATEST)
    return min(now + rest, dispatch.deadline)
