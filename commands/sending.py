"""Handing dispatches to Cloud Assistant: write the intents, call, write each answer as it comes.

The ClientToken makes a repeat of the same call harmless, so whatever is in doubt is asked again
with the same token and the same parameters. `sending` means in doubt: from there a refusal proves
nothing, because an earlier call of ours may have been heard.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial

from django.db import transaction
from django.utils import timezone

from commands import answers, doubts, endings, holding, secret_parameters, splitting, stopping
from commands.models import Dispatch, Invocation, Script, Target
from instances import ecs
from portal import work
from portal.kept import kept
from portal.secrets import WrongKey
from portal.work import Claim

# After this long the token may be forgotten, and a repeat would be a second run.
TOKEN_HOLDS = timedelta(minutes=10)

NEVER_SENT = kept("The call could not be made in time; nothing ran.")
IN_DOUBT = kept("ECS never answered the call; whether the script ran is not known.")
ASKED_AGAIN = kept("Asked again: %(words)s")

Call = Callable[[], ecs.Answer[ecs.Run]]


def send(claims: list[Claim[Dispatch]], *, alone: bool) -> None:
    """Ask ECS to run them, side by side; the first answers are waited for if it is `alone`."""
    doubtful = {claim for claim in claims if claim.row.state == Dispatch.State.SENDING}
    calls = _calls(_intended(claims), doubtful)
    with work.held(claims):
        for claim, answer in ecs.side_by_side(calls):
            with work.apart(claim):
                _heard(claim, answer, in_doubt=claim in doubtful)
    sent = [claim for claim in calls if not (claim.released or claim.lost)]
    if alone and sent and not sent[0].row.invocation.repeats_in_ecs:
        with work.apart(sent[0]):
            answers.follow_young(sent[0])
    elif sent:
        now = timezone.now()
        work.release_alike(sent, due_at=min(answers.next_look(claim.row, now) for claim in sent))


def _intended(claims: list[Claim[Dispatch]]) -> list[Claim[Dispatch]]:
    """Those that are to be asked now, their intent committed; the others are over."""
    intended = []
    with transaction.atomic():
        keys = {claim.row.invocation_id for claim in claims}
        runs = Invocation.objects.select_for_update().filter(pk__in=keys).order_by("pk")
        given_up = {run.pk: _given_up(run) for run in runs}
        for claim in claims:
            with work.apart(claim):
                if _intend(claim, given_up[claim.row.invocation_id]):
                    intended.append(claim)
    return intended


def _given_up(run: Invocation) -> tuple[str, str]:
    """Code and reason why nothing more of this run is sent."""
    if run.stop_asked_at is not None:
        return "Stopped", stopping.NEVER_ASKED
    if holding.too_many_errors(run):
        return "TooManyErrors", endings.TOO_MANY_ERRORS
    return "", ""


def _intend(claim: Claim[Dispatch], given_up: tuple[str, str]) -> bool:
    dispatch, now = claim.row, timezone.now()
    in_doubt = dispatch.state == Dispatch.State.SENDING
    if now >= _last_moment(dispatch):
        status, words = (Target.NO_ANSWER, IN_DOUBT) if in_doubt else (Target.REFUSED, NEVER_SENT)
        endings.end(claim, status, dispatch.error_code, f"{words} {dispatch.error}".strip())
    elif given_up[0] and not in_doubt:
        endings.end(claim, Target.NOT_STARTED, *given_up)
    else:
        claim.write(state=Dispatch.State.SENDING, asked_at=dispatch.asked_at or now)
    return not claim.released


def _calls(
    claims: list[Claim[Dispatch]], doubtful: set[Claim[Dispatch]]
) -> dict[Claim[Dispatch], Call]:
    """What to ask for each; the members always in the same order, for a repeat is the same call."""
    members = defaultdict(list)
    targets = Target.objects.filter(dispatch__in=[claim.row.pk for claim in claims]).order_by("pk")
    for key, name in targets.values_list("dispatch_id", "instance__instance_id"):
        members[key].append(name)
    calls = {}
    for claim in claims:
        with work.apart(claim):
            try:
                calls[claim] = _call(claim.row, members[claim.row.pk])
            except WrongKey as error:
                status = Target.NO_ANSWER if claim in doubtful else Target.REFUSED
                endings.end(claim, status, "WrongKey", str(error))
    return calls


def _call(dispatch: Dispatch, members: list[str]) -> Call:
    run, account = dispatch.invocation, dispatch.account.signing()
    how = {name: getattr(run, name) for name in Script.FIELDS if name not in ("script", "type")}
    how |= {
        "token": str(dispatch.token),
        "repeat_mode": "DryRun" if run.dry_run else run.repeat_mode,
        "frequency": run.frequency,
        "parameters": secret_parameters.of(run),
    }
    if run.cloud_command:
        where = account, dispatch.region, members, run.cloud_command.command_id
        return partial(ecs.run_saved, *where, **how)
    how |= {"type": run.type, "name": run.name, "read_only": run.read_only}
    return partial(ecs.run_script, account, dispatch.region, members, run.script, **how)


def _heard(
    claim: Claim[Dispatch], answer: ecs.Answer[ecs.Run] | Exception, *, in_doubt: bool
) -> None:
    if isinstance(answer, ecs.EcsError):
        _not_sent(claim, answer, in_doubt=in_doubt)
    elif isinstance(answer, Exception):
        raise answer
    else:
        _sent(claim, answer)


def _sent(claim: Claim[Dispatch], answer: ecs.Answer[ecs.Run]) -> None:
    now, run = timezone.now(), claim.row.invocation
    ends = now + timedelta(seconds=run.timeout) + holding.ANSWER_ALLOWANCE
    claim.write(
        state=Dispatch.State.SENT,
        invoke_id=answer.value.invoke_id,
        request_id=answer.request_ids[-1] if answer.request_ids else "",
        error_code="",
        error="",
        sent_at=now,
        # What is kept in ECS and repeats goes on until somebody stops it.
        deadline=None if run.repeats_in_ecs else ends,
    )


def _not_sent(claim: Claim[Dispatch], error: ecs.EcsError, *, in_doubt: bool) -> None:
    """What a failed call means: later, no, not with these, or nobody knows."""
    in_doubt = in_doubt or error.in_doubt
    later = isinstance(error, ecs.Throttled)
    message = secret_parameters.redactor(claim.row.invocation).text(error.message)
    if isinstance(error, ecs.Refused) and not later:
        if in_doubt and error.code.startswith(splitting.UNFIT):
            in_doubt = _look_whether_heard(claim, error, message)
        if claim.released or claim.row.state == Dispatch.State.SENT:
            return None
        if not in_doubt and splitting.split(claim, error):
            return None
        status = Target.NO_ANSWER if in_doubt else Target.REFUSED
        words = f"{IN_DOUBT} {ASKED_AGAIN % {'words': message}}" if in_doubt else message
        return endings.end(claim, status, error.code, words, request_id=error.request_id)
    rest = timedelta(seconds=error.retry_after or 0) if later else timedelta()
    return claim.release(
        due_at=_next_try(claim.row, rest),
        state=Dispatch.State.WAITING if later and not in_doubt else Dispatch.State.SENDING,
        **endings.words(error.code, message, error.request_id),
    )


def _look_whether_heard(claim: Claim[Dispatch], error: ecs.Refused, message: str) -> bool:
    """ECS does not take an instance (any more): find out whether it took the call before.

    If so the dispatch is sent; if that cannot be told yet, it is released. The answer is whether
    there still is a doubt. Only a second clean refusal, a while after the last unanswered call,
    lets the list of runs speak.
    """
    dispatch = claim.row
    said = endings.words(error.code, message, error.request_id)
    again = dispatch.error_code.startswith(splitting.UNFIT) and not error.in_doubt
    try:
        found = doubts.heard(dispatch) if again else None
    except ecs.EcsError:
        found = None
    if found is None:
        claim.release(due_at=_next_try(dispatch, doubts.SETTLES), **said)
    elif isinstance(found, str):
        _sent(claim, ecs.Answer(ecs.Run(found)))
    return found is not doubts.Heard.NO


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
