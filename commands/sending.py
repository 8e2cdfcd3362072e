"""Handing a dispatch to Cloud Assistant: write the intent, call, write the answer.

The ClientToken makes a repeat of the same call harmless, so whatever is in doubt is asked again
with the same token and the same parameters. `sending` means in doubt: from there a refusal proves
nothing, because an earlier call of ours may have been heard.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from django.utils import timezone

from commands import answers, endings, secret_parameters
from commands.models import Dispatch, Script, Target
from instances import ecs
from portal.work import Claim

# After this long the token may be forgotten, and a repeat would be a second run.
TOKEN_HOLDS = timedelta(minutes=10)
# ECS delivers within a minute or aborts; then the script's own timeout; then the report.
ANSWER_ALLOWANCE = timedelta(seconds=90)

NEVER_SENT = "The call could not be made in time; nothing ran."
IN_DOUBT = "ECS never answered the call; whether the script ran is not known."


def send(claim: Claim[Dispatch]) -> None:
    """Ask ECS to run it; on success go straight on to the first looks at the answers."""
    dispatch, now = claim.row, timezone.now()
    in_doubt = dispatch.state == Dispatch.State.SENDING
    if now >= _last_moment(dispatch):
        status, words = (Target.NO_ANSWER, IN_DOUBT) if in_doubt else (Target.REFUSED, NEVER_SENT)
        return endings.end(claim, status, dispatch.error_code, f"{words} {dispatch.error}".strip())
    claim.write(state=Dispatch.State.SENDING, asked_at=dispatch.asked_at or now)
    try:
        with claim.held():
            answer = _call(dispatch)
    except ecs.EcsError as error:
        return _not_sent(claim, error, in_doubt=in_doubt)
    _sent(claim, answer)
    answers.follow(claim, young=True)


def _call(dispatch: Dispatch) -> ecs.Answer[ecs.Run]:
    run = dispatch.invocation
    where = dispatch.account.signing(), dispatch.region, dispatch.instance_ids()
    how = {
        name: getattr(run, name)
        for name in Script.FIELDS + ("frequency",)
        if name not in ("script", "type")
    } | {
        "token": str(dispatch.token),
        "repeat_mode": "DryRun" if run.dry_run else run.repeat_mode,
        "parameters": secret_parameters.of(run),
    }
    if run.cloud_command:
        return ecs.run_saved(*where, run.cloud_command.command_id, **how)
    return ecs.run_script(
        *where, run.script, type=run.type, name=run.name, read_only=run.read_only, **how
    )


def _sent(claim: Claim[Dispatch], answer: ecs.Answer[ecs.Run]) -> None:
    now, run = timezone.now(), claim.row.invocation
    claim.write(
        state=Dispatch.State.SENT,
        invoke_id=answer.value.invoke_id,
        request_id=answer.request_ids[-1] if answer.request_ids else "",
        error_code="",
        error="",
        sent_at=now,
        deadline=now + timedelta(seconds=run.timeout) + ANSWER_ALLOWANCE,
    )


def _not_sent(claim: Claim[Dispatch], error: ecs.EcsError, *, in_doubt: bool) -> None:
    """What a failed call means: later, no, or nobody knows."""
    in_doubt = in_doubt or error.in_doubt
    later = isinstance(error, ecs.Throttled)
    if isinstance(error, ecs.Refused) and not later:
        status = Target.NO_ANSWER if in_doubt else Target.REFUSED
        words = f"{IN_DOUBT} Asked again: {error.message}" if in_doubt else error.message
        return endings.end(claim, status, error.code, words, request_id=error.request_id)
    rest = timedelta(seconds=error.retry_after or 0) if later else timedelta()
    claim.release(
        due_at=_next_try(claim.row, rest),
        state=Dispatch.State.WAITING if later and not in_doubt else Dispatch.State.SENDING,
        **endings.words(error.code, error.message, error.request_id),
    )


def _next_try(dispatch: Dispatch, rest: timedelta) -> datetime:
    """Soon at first, then ever later up to 15 s, not before `rest` is over; at last, to end it."""
    now = timezone.now()
    waited = now - (dispatch.asked_at or now)
    rest = max(rest, timedelta(seconds=1), min(waited / 2, timedelta(seconds=15)))
    return min(now + rest, _last_moment(dispatch))


def _last_moment(dispatch: Dispatch) -> datetime:
    if dispatch.asked_at is None:
        return dispatch.deadline
    return min(dispatch.deadline, dispatch.asked_at + TOKEN_HOLDS)
