"""Which rights each mode needs, and how to find out harmlessly whether the identity has them.

No probe changes anything or runs on a machine. Where ECS answers rights with an explicit yes the
result is sure; elsewhere "it was not refused for lack of a right" is the best there is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import timedelta

from django.utils import timezone

from instances import ecs

ALLOWED, MISSING, UNKNOWN, NOT_PROBED = "allowed", "missing", "unknown", "not probed"

Probe = Callable[[ecs.Account, str, str], object]  # account, region, an instance of it


@dataclass(frozen=True, slots=True)
class Right:
    operation: str
    mode: str  # the lowest PORTAL_MODE that needs it
    probe: Probe | None
    note: str = ""  # how sure the probe is, or why there is none
    needs_instance: bool = False
    product: str = "ecs"
    optional: bool = False  # a diagnosis says that it could not ask, and goes on

    @property
    def action(self) -> str:
        """Its name in a RAM policy."""
        return f"{self.product}:{self.operation}"


@dataclass(frozen=True, slots=True)
class Finding:
    region: str
    action: str
    mode: str
    state: str  # allowed | missing | unknown | not probed
    note: str = ""


def _events(account: ecs.Account, region: str, _instance: str) -> object:
    return ecs.system_events(account, region, since=timezone.now() - timedelta(hours=1))


def _trail(account: ecs.Account, region: str, instance: str) -> object:
    now = timezone.now()
    since = now - timedelta(hours=1)
    return ecs.power_calls(account, region, instance or ecs.NOWHERE, since=since, until=now)


LIKELY = "likely: it was not refused"
KEPT = "what ECS keeps is never changed as a test"
NO_POWER = "a power call is never sent as a test"
RIGHTS = (
    Right("DescribeRegions", "observe", lambda a, r, i: ecs.regions(a), LIKELY),
    Right(
        "DescribeInstances",
        "observe",
        lambda a, r, i: ecs.check_listing(a, r),
        "sure: ECS confirms it to a dry run",
    ),
    Right("DescribeInstanceHistoryEvents", "observe", _events, LIKELY),
    Right(
        "DescribeCloudAssistantStatus",
        "observe",
        lambda a, r, i: ecs.agents(a, r, [i or ecs.NOWHERE]),
        LIKELY,
    ),
    Right(
        "GetInstanceConsoleOutput",
        "observe",
        lambda a, r, i: ecs.console_output(a, r, i),
        LIKELY,
        needs_instance=True,
    ),
    Right(
        "GetInstanceScreenshot",
        "observe",
        lambda a, r, i: ecs.screenshot(a, r, i),
        LIKELY,
        needs_instance=True,
    ),
    Right(
        "DescribeAccountAttributes",
        "observe",
        lambda a, r, i: ecs.runs_a_day(a, r),
        LIKELY,
    ),
    Right(
        "LookupEvents",
        "observe",
        lambda a, r, i: _trail(a, r, i),
        LIKELY,
        product="actiontrail",
        optional=True,
    ),
    Right(
        "DescribeInvocations",
        "diagnose",
        lambda a, r, i: ecs.invocations(a, r, wanted=()),
        LIKELY,
    ),
    Right(
        "DescribeInvocationResults",
        "diagnose",
        lambda a, r, i: ecs.results(a, r, "t-00000000000000000000"),
        LIKELY,
    ),
    Right(
        "RunCommand",
        "diagnose",
        lambda a, r, i: ecs.check_running(a, r),
        "likely: a dry run on an instance that does not exist was not refused for a right",
    ),
    Right(
        "InvokeCommand",
        "diagnose",
        lambda a, r, i: ecs.check_invoking(a, r),
        "likely: a command that does not exist was not refused for a right",
    ),
    Right(
        "StopInvocation",
        "diagnose",
        lambda a, r, i: ecs.check_stopping(a, r),
        "likely: stopping a run that never was, was not refused for a right",
    ),
    Right("DescribeCommands", "diagnose", lambda a, r, i: ecs.commands(a, r), LIKELY),
    Right("CreateCommand", "full", None, KEPT),
    Right("ModifyCommand", "full", None, KEPT),
    Right("DeleteCommand", "full", None, KEPT),
    Right("InstallCloudAssistant", "full", None, "an installation is never sent as a test"),
    Right("RebootInstances", "full", None, NO_POWER),
    Right("StopInstances", "full", None, NO_POWER),
    Right("StartInstances", "full", None, NO_POWER),
)


def needed(mode: str) -> list[Right]:
    """The rights of this mode and of those below it."""
    return [right for right in RIGHTS if ecs.MODES.index(right.mode) <= ecs.MODES.index(mode)]


def check(account: ecs.Account, region: str) -> list[Finding]:
    """Probe every right in one region. Raises NotSigned if nothing can be asked at all."""
    instance = _any_instance(account, region)
    return [_found(right, account, region, instance) for right in RIGHTS]


def _any_instance(account: ecs.Account, region: str) -> str:
    """A running instance to look at, Linux if there is one; empty if there is none to see."""
    try:
        _count, infos = ecs.first_page(account, region).value
    except ecs.NotSigned:
        raise
    except ecs.EcsError:
        return ""
    running = [info for info in infos if info.status == "Running"]
    running.sort(key=lambda info: info.os_type != "linux")
    return running[0].instance_id if running else ""


def _found(right: Right, account: ecs.Account, region: str, instance: str) -> Finding:
    state, note = NOT_PROBED, right.note
    if right.probe is None:
        pass
    elif right.needs_instance and not instance:
        note = "there is no running instance to look at"
    else:
        state, note = _tried(right, account, region, instance)
    return Finding(region, right.action, right.mode, state, note)


def _tried(right: Right, account: ecs.Account, region: str, instance: str) -> tuple[str, str]:
    try:
        right.probe(account, region, instance)
    except ecs.NotPermitted as error:
        return MISSING, error.message
    except ecs.ModeForbids as error:
        return NOT_PROBED, error.message
    except (ecs.Throttled, ecs.NotSigned, ecs.NoAnswer) as error:
        return UNKNOWN, str(error)
    except ecs.Refused as error:
        return ALLOWED, f"{right.note} for a right (but: {error})"
    return ALLOWED, right.note


def possible(mode: str, findings: Iterable[Finding]) -> str:
    """Whether these findings let this mode work: yes | no | unknown.

    A right that one region showed and another could not be asked for, because no instance is
    there to look at, counts as shown: most accounts have empty regions. Optional ones do not count.
    """
    states: dict[str, set[str]] = {
        right.action: set() for right in needed(mode) if not right.optional
    }
    for finding in findings:
        if finding.action in states:
            states[finding.action].add(finding.state)
    if any(MISSING in each for each in states.values()):
        return "no"
    shown = all(ALLOWED in each and UNKNOWN not in each for each in states.values())
    return "yes" if shown else "unknown"
