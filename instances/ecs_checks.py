"""Whether a right is there, asked so that nothing can happen: dry runs, and things that are not."""

from __future__ import annotations

from typing import Any

from instances import ecs_errors, ecs_mode, ecs_runs
from instances.ecs_call import call
from instances.ecs_errors import NotPermitted, NotSigned, Refused, Throttled
from instances.ecs_values import Account, Answer


def check_listing(account: Account, region: str) -> Answer[None]:
    """Whether an empty listing can be believed: raises NotPermitted if the right is missing."""
    asked = {"RegionId": region, "DryRun": True}
    return _refused_as_expected(account, region, "DescribeInstances", asked)


def check_running(account: Account, region: str) -> Answer[None]:
    """Ask for a run that cannot happen: a dry run, on an instance that does not exist.

    Raises NotPermitted if the right is missing; ECS checks that before it looks for instances.
    """
    asked = ecs_runs.harmless_run(region)
    return _refused_as_expected(account, region, "RunCommand", asked)


def check_invoking(account: Account, region: str) -> Answer[None]:
    """The same for InvokeCommand: a command that does not exist, on no instance."""
    asked = ecs_runs.harmless_invocation(region)
    return _refused_as_expected(account, region, "InvokeCommand", asked)


def check_stopping(account: Account, region: str) -> Answer[None]:
    """Ask for the end of a run that never was; raises NotPermitted if the right is missing."""
    ecs_mode.permit("StopInvocation", "diagnose")
    asked = {"RegionId": region, "InvokeId": "t-00000000000000000000"}
    return _refused_as_expected(account, region, "StopInvocation", asked)


def _refused_as_expected(
    account: Account, region: str, operation: str, asked: dict[str, Any]
) -> Answer[None]:
    try:
        body = call(account, region, operation, asked)
    except (NotPermitted, NotSigned, Throttled):
        raise
    except Refused as answer:
        return Answer(None, (answer.request_id,))
    return Answer(None, (ecs_errors.request_id_of(body.request_id),))
