"""The end of a dispatch: every target in a final status, the run finished, the waiter woken."""

from __future__ import annotations

from django.db import transaction
from django.utils import timezone

from commands.models import Dispatch, Target
from commands.outcomes import CLASSES
from portal.work import Claim


def end(
    claim: Claim[Dispatch],
    status: str = "",
    error_code: str = "",
    error: str = "",
    *,
    request_id: str = "",
) -> None:
    """Finish the dispatch; targets that are not over yet get `status` and the reason."""
    dispatch, now = claim.row, timezone.now()
    said = words(error_code, error, request_id or dispatch.request_id)
    with transaction.atomic():
        # First, because it proves that the dispatch is ours until the commit.
        claim.release(due_at=None, state=Dispatch.State.FINISHED, finished_at=now, **said)
        open_targets = Target.objects.filter(dispatch=dispatch, over=False)
        open_targets.update(
            over=True,
            status=status or Target.NO_ANSWER,
            outcome=CLASSES[status or Target.NO_ANSWER],
            error_code=said["error_code"],
            error_info=said["error"],
            finished_at=now,
        )
        dispatch.invocation.end_if_over()


def words(code: str, message: str, request_id: str) -> dict[str, str]:
    """ECS's words, cut to what the columns hold; databases refuse NUL in text."""
    return {
        "error_code": plain(code)[:100],
        "error": plain(message)[:2000],
        "request_id": plain(request_id)[:64],
    }


def plain(text: str) -> str:
    return text.replace("\0", "\N{REPLACEMENT CHARACTER}")
