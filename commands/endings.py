"""The end of a dispatch: every target in a final status, the run finished, the waiter woken.

Whoever writes both a run and its dispatches locks the run first: one order, no deadlock.
"""

from __future__ import annotations

from datetime import datetime

from django.db import transaction
from django.db.models import F, Q, QuerySet
from django.utils import timezone

from commands import holding, telling
from commands.models import Dispatch, Invocation, Target
from commands.outcomes import CLASSES
from portal.kept import kept
from portal.work import Claim, unheld

TOO_MANY_ERRORS = kept(
    "The run had more errors than it was allowed; this instance was never asked."
)


def end(
    claim: Claim[Dispatch],
    status: str = "",
    error_code: str = "",
    error: str = "",
    *,
    request_id: str = "",
    run: Invocation | None = None,
    **changes: object,
) -> None:
    """Finish the dispatch; targets that are not over yet get `status` and the reason.

    `run` is its run where the caller has locked it already.
    """
    dispatch, now = claim.row, timezone.now()
    said = words(error_code, error, request_id or dispatch.request_id)
    with transaction.atomic():
        run = run or locked(dispatch)
        # Before the targets, because it proves that the dispatch is ours until the commit.
        _let_go(claim, now, **said, **changes)
        open_targets = Target.objects.filter(dispatch=dispatch, over=False)
        close(open_targets, status or Target.NO_ANSWER, said["error_code"], said["error"], now)
        settle(run)


def end_answered(claim: Claim[Dispatch], run: Invocation, **changes: object) -> None:
    """Finish a dispatch of which every target is over already; its run is locked."""
    _let_go(claim, timezone.now(), error_code="", error="", **changes)
    settle(run)


def _let_go(claim: Claim[Dispatch], now: datetime, **changes: object) -> None:
    claim.release(due_at=None, state=Dispatch.State.FINISHED, finished_at=now, **changes)


def locked(dispatch: Dispatch) -> Invocation:
    """The run of this dispatch, nobody else's until the transaction ends."""
    return Invocation.objects.select_for_update().get(pk=dispatch.invocation_id)


def settle(run: Invocation) -> None:
    """What some targets' end means for the rest of a locked run: stop for its errors, let held
    ones go, finish it."""
    if holding.too_many_errors(run):
        give_up(run, "TooManyErrors", TOO_MANY_ERRORS)
    if run.concurrency is not None:
        holding.let_go(run)
    _finish(run)


def finish(run: Invocation) -> None:
    """End a run whose last dispatch has ended, and have people told if it went badly."""
    _finish(Invocation.objects.select_for_update().get(pk=run.pk))


def _finish(run: Invocation) -> None:
    if ended := run.end_if_over():
        telling.finished(ended)


def give_up(run: Invocation, code: str, reason: str) -> None:
    """End what was never asked for. What a worker holds at this moment, it gives up itself."""
    now = timezone.now()
    never_asked = run.dispatches.filter(
        Q(state=Dispatch.State.HELD) | Q(unheld(now), state=Dispatch.State.WAITING)
    )
    never_asked.update(
        state=Dispatch.State.FINISHED,
        finished_at=now,
        due_at=None,
        fence=F("fence") + 1,
        error_code=code,
        error=reason,
    )
    finished = Target.objects.filter(
        invocation=run, over=False, dispatch__state=Dispatch.State.FINISHED
    )
    close(finished, Target.NOT_STARTED, code, reason, now)


def close(targets: QuerySet[Target], status: str, code: str, reason: str, now: datetime) -> None:
    """Give these, which must be open, a final status and its reason."""
    targets.update(
        over=True,
        status=status,
        outcome=CLASSES[status],
        error_code=code,
        error_info=reason,
        finished_at=now,
    )


def words(code: str, message: str, request_id: str) -> dict[str, str]:
    """ECS's words, cut to what the columns hold; databases refuse NUL in text."""
    return {
        "error_code": plain(code)[:100],
        "error": plain(message)[:2000],
        "request_id": plain(request_id)[:64],
    }


def plain(text: str) -> str:
    return text.replace("\0", "\N{REPLACEMENT CHARACTER}")
