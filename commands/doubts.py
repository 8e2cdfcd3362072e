"""Was a call heard that never was answered? When ECS then refuses its repeat, the token tells
nothing any more, but its list of runs does."""

from __future__ import annotations

from datetime import timedelta
from enum import Enum

from commands.models import Dispatch
from instances import ecs

PAGES = 4  # of the newest runs that are looked through
CLOCKS = timedelta(minutes=1)  # by which ECS's clock and ours may differ
SETTLES = timedelta(seconds=15)  # after a call went unanswered its run would be listed


class Heard(Enum):
    NO = "no"
    UNKNOWN = "unknown"


def heard(dispatch: Dispatch) -> str | Heard:
    """The InvokeId of the run that this dispatch's unanswered call started, or NO, or UNKNOWN.

    A run is it if it is of our command, has exactly these instances, is young enough and belongs
    to no other dispatch. Raises EcsError where the list cannot be had.
    """
    listing = ecs.timed_runs if dispatch.invocation.repeats_in_ecs else ecs.invocations
    found = listing(dispatch.account.signing(), dispatch.region, most_pages=PAGES).value
    earliest = dispatch.asked_at - CLOCKS
    members = set(dispatch.instance_ids())
    alike = {
        key
        for key, info in found.items()
        if info.machines.keys() == members
        and _ours(info, dispatch)
        and (info.created_at is None or info.created_at > earliest)
    }
    alike -= set(Dispatch.objects.filter(invoke_id__in=alike).values_list("invoke_id", flat=True))
    if len(alike) == 1:
        return alike.pop()
    times = [info.created_at for info in found.values() if info.created_at]
    whole = len(found) < PAGES * ecs.RESULTS_PAGE or (times and min(times) < earliest)
    return Heard.NO if whole and not alike else Heard.UNKNOWN


def _ours(info: ecs.InvocationInfo, dispatch: Dispatch) -> bool:
    run = dispatch.invocation
    if run.cloud_command:
        return info.command_id in ("", run.cloud_command.command_id)
    return info.name in ("", run.name)
