"""Runs that are over, made in the database."""

from collections.abc import Iterable

from django.utils import timezone

from commands.models import Dispatch, Invocation, Output, Target, digest_of
from commands.outcomes import outcome_of
from instances.models import Instance


def over(
    answers: Iterable[tuple[Instance, str, int | None, bytes]], *, name: str = "uname", **fields
) -> Invocation:
    """A finished run; an answer is (instance, InvocationStatus, exit code, output)."""
    answers, now = list(answers), timezone.now()
    run = Invocation.objects.create(
        name=name, script="uname -r", type="RunShellScript", size=len(answers), **fields
    )
    account = answers[0][0].account
    dispatch = Dispatch.objects.create(
        invocation=run, account=account, region="cn-hangzhou", state="finished", finished_at=now
    )
    Output.keep({body for _i, _s, _c, body in answers})
    Target.objects.bulk_create(
        Target(
            dispatch=dispatch,
            invocation=run,
            instance=instance,
            status=status,
            over=True,
            outcome=outcome_of(status, run.type, code),
            exit_code=code,
            output_id=digest_of(body),
            finished_at=now,
        )
        for instance, status, code, body in answers
    )
    run.end_if_over()
    run.refresh_from_db()
    return run
