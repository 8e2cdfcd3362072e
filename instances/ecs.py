"""The gateway to ECS: what may be asked of it, how often and how fast, and what it answers.

Plain values in and out (`ecs_values`), our own errors (`ecs_errors`), the API's limits as
constants; no models, no Django. Call it as `ecs.instances(...)`: import the module, not its names.

Two families of failure, because they ask for different acts:
`Refused` (it did not happen; `Throttled` may be repeated later) and `NoAnswer` (it may have
happened: repeat only with a ClientToken, otherwise look).

PORTAL_MODE is enforced here and nowhere else:
observe   reads only
diagnose  and the portal's own collection scripts, known by their digest (`allow_read_only`)
commands  and any script
full      and power
"""

from __future__ import annotations

import functools
import itertools
import json
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from instances import ecs_call, ecs_errors, ecs_mode, ecs_pages, ecs_power, ecs_runs
from instances import ecs_wire as wire
from instances.actiontrail import PowerCall as PowerCall
from instances.actiontrail import Trail as Trail
from instances.actiontrail import power_calls as power_calls
from instances.ecs_call import ATTEMPTS as ATTEMPTS
from instances.ecs_call import forget_connections as forget_connections
from instances.ecs_checks import check_invoking as check_invoking
from instances.ecs_checks import check_listing as check_listing
from instances.ecs_checks import check_running as check_running
from instances.ecs_checks import check_stopping as check_stopping
from instances.ecs_errors import EcsError as EcsError
from instances.ecs_errors import ModeForbids as ModeForbids
from instances.ecs_errors import NoAnswer as NoAnswer
from instances.ecs_errors import NotPermitted as NotPermitted
from instances.ecs_errors import NotSigned as NotSigned
from instances.ecs_errors import Refused as Refused
from instances.ecs_errors import Throttled as Throttled
from instances.ecs_library import CommandInfo as CommandInfo
from instances.ecs_library import change_command as change_command
from instances.ecs_library import commands as commands
from instances.ecs_library import drop_command as drop_command
from instances.ecs_library import keep_command as keep_command
from instances.ecs_mode import MODES as MODES
from instances.ecs_mode import allow_read_only as allow_read_only
from instances.ecs_mode import close as close
from instances.ecs_mode import configure as configure
from instances.ecs_mode import is_local as is_local
from instances.ecs_mode import mode as mode
from instances.ecs_pages import side_by_side as side_by_side
from instances.ecs_power import POWER_LIMIT as POWER_LIMIT
from instances.ecs_power import PowerAnswer as PowerAnswer
from instances.ecs_runs import NAME_LIMIT as NAME_LIMIT
from instances.ecs_runs import NOWHERE as NOWHERE
from instances.ecs_runs import RUN_LIMIT as RUN_LIMIT
from instances.ecs_runs import SCRIPT_LIMIT as SCRIPT_LIMIT
from instances.ecs_sdk import key_id as key_id
from instances.ecs_values import Account as Account
from instances.ecs_values import AgentInfo as AgentInfo
from instances.ecs_values import Answer as Answer
from instances.ecs_values import Console as Console
from instances.ecs_values import EventInfo as EventInfo
from instances.ecs_values import InstanceInfo as InstanceInfo
from instances.ecs_values import InvocationInfo as InvocationInfo
from instances.ecs_values import Region as Region
from instances.ecs_values import Result as Result
from instances.ecs_values import Run as Run
from instances.ecs_values import TimedRunInfo as TimedRunInfo

RESULTS_PAGE = 50  # rows in one page of results
OUTPUT_LIMIT = 24 * 1024  # bytes of output that Cloud Assistant keeps
AGENT_IDS = 50  # instances in one DescribeCloudAssistantStatus
INSTANCES_PAGE = 100
EVENTS_PAGE = 100
STOP_LIMIT = 50  # instances in one StopInvocation
HOME_REGION = "cn-hangzhou"  # answers for those operations that are about no region

EVENT_STATUSES = (
    "Inquiring",
    "Scheduled",
    "Executing",
    "Executed",
    "Avoided",
    "Canceled",
    "Failed",
)
FINAL_INVOCATION_STATUSES = frozenset(
    {"Success", "Failed", "Error", "Timeout", "Invalid", "Aborted", "Cancelled", "Terminated"}
)

# --- Reading ------------------------------------------------------------------------------------


def regions(account: Account) -> Answer[list[Region]]:
    """Every region that this account may use."""
    body = ecs_call.call(account, HOME_REGION, "DescribeRegions", {"AcceptLanguage": "en-US"})
    page = [(body, ecs_errors.request_id_of(body.request_id))]
    return ecs_pages.listed(page, ("regions", "region"), Region.read)


def instances(
    account: Account,
    region: str,
    *,
    ids: Iterable[str] | None = None,
    private_ips: Iterable[str] | None = None,
    public_ips: Iterable[str] | None = None,
    name: str | None = None,
) -> Answer[list[InstanceInfo]]:
    """The instances of a region, or those that match one filter.

    An identity without the right gets an empty list, not an error: see `check_listing`.
    """
    wanted: list[dict[str, Any]] = [{}]
    if ids is not None:
        wanted = _asked_for(ids, "InstanceIds")
    elif private_ips is not None:
        wanted = _asked_for(private_ips, "PrivateIpAddresses")
    elif public_ips is not None:  # ECS joins filters by "and", so these are two questions
        wanted = _asked_for(public_ips, "PublicIpAddresses", "EipAddresses")
    elif name is not None:
        wanted = [{"InstanceName": name}]
    answer = ecs_pages.each(functools.partial(_instances, account, region), wanted)
    unique = {info.instance_id: info for info in answer.value}
    return replace(answer, value=list(unique.values()))


def _asked_for(values: Iterable[str], *names: str) -> list[dict[str, str]]:
    """A hundred values a call, as the JSON text that this operation wants."""
    parts = [json.dumps(part) for part in ecs_pages.chunks(values, INSTANCES_PAGE)]
    return [{name: part} for part in parts for name in names]


def _instances(account: Account, region: str, wanted: dict[str, Any]) -> Answer[list[InstanceInfo]]:
    asked = {"RegionId": region, "MaxResults": INSTANCES_PAGE, **wanted}
    read = functools.partial(InstanceInfo.read, region=region)
    return ecs_call.listing(
        account, region, "DescribeInstances", asked, ("instances", "instance"), read
    )


def first_page(account: Account, region: str) -> Answer[tuple[int, list[InstanceInfo]]]:
    """How many instances a region holds, and some of them, by one cheap call."""
    asked = {"RegionId": region, "PageNumber": 1, "PageSize": 20}
    body = ecs_call.call(account, region, "DescribeInstances", asked)
    read = functools.partial(InstanceInfo.read, region=region)
    page = [(body, ecs_errors.request_id_of(body.request_id))]
    answer = ecs_pages.listed(page, ("instances", "instance"), read)
    total = wire.number(body.total_count)
    return Answer((len(answer.value) if total is None else total, answer.value), answer.request_ids)


def system_events(
    account: Account,
    region: str,
    *,
    instance_id: str | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
) -> Answer[list[EventInfo]]:
    """System events in every cycle status; `since` and `until` bound the time of publication."""
    asked: dict[str, Any] = {
        "RegionId": region,
        "MaxResults": EVENTS_PAGE,
        "InstanceEventCycleStatus": list(EVENT_STATUSES),
    }
    published = {"Start": since, "End": until}
    if bounds := {key: wire.written(moment) for key, moment in published.items() if moment}:
        asked["EventPublishTime"] = bounds
    if instance_id:
        asked["InstanceId"] = instance_id
    rows = ("instance_system_event_set", "instance_system_event_type")
    operation = "DescribeInstanceHistoryEvents"
    return ecs_call.listing(account, region, operation, asked, rows, EventInfo.read)


def agents(
    account: Account, region: str, ids: Iterable[str] | None = None
) -> Answer[list[AgentInfo]]:
    """Cloud Assistant's status on the named instances, or on all that it knows.

    Instances that are gone are left out, although ECS refuses a whole list for one of them.
    """
    if ids is None:
        return _agents(account, region, {})
    call = functools.partial(_agents_of, account, region)
    return ecs_pages.each(call, ecs_pages.chunks(ids, AGENT_IDS))


def _agents_of(account: Account, region: str, ids: list[str]) -> Answer[list[AgentInfo]]:
    try:
        return _agents(account, region, {"InstanceId": ids})
    except Refused as error:
        if not error.code.startswith("InvalidInstance"):
            raise
        if len(ids) == 1:
            return Answer([], (error.request_id,))
    half = len(ids) // 2
    parts = [_agents_of(account, region, part) for part in (ids[:half], ids[half:])]
    return Answer([*parts[0].value, *parts[1].value], parts[0].request_ids + parts[1].request_ids)


def _agents(account: Account, region: str, named: dict[str, Any]) -> Answer[list[AgentInfo]]:
    asked = {"RegionId": region, "MaxResults": AGENT_IDS, **named}
    rows = ("instance_cloud_assistant_status_set", "instance_cloud_assistant_status")
    operation = "DescribeCloudAssistantStatus"
    return ecs_call.listing(account, region, operation, asked, rows, AgentInfo.read)


def invocations(
    account: Account,
    region: str,
    *,
    invoke_id: str | None = None,
    status: str | None = None,
    wanted: Collection[str] | None = None,
    most_pages: int | None = None,
) -> Answer[dict[str, InvocationInfo]]:
    """How far runs are, by InvokeId, the newest first.

    ECS keeps up to 100,000 of them: with `wanted`, paging ends as soon as all those were seen,
    and at the latest after `most_pages`.
    """
    asked = _if_given(InvokeId=invoke_id, InvokeStatus=status)
    return _invocations(account, region, asked, InvocationInfo.read, wanted, most_pages)


def timed_runs(
    account: Account,
    region: str,
    *,
    invoke_id: str | None = None,
    status: str | None = None,
    wanted: Collection[str] | None = None,
    most_pages: int | None = None,
) -> Answer[dict[str, TimedRunInfo]]:
    """The same of runs that ECS repeats, which the list leaves out unless it is asked for them."""
    asked = {"Timed": True, **_if_given(InvokeId=invoke_id, InvokeStatus=status)}
    return _invocations(account, region, asked, TimedRunInfo.read, wanted, most_pages)


def _if_given(**values: str | None) -> dict[str, str]:
    return {name: value for name, value in values.items() if value}


def _invocations(
    account: Account,
    region: str,
    asked: dict[str, Any],
    read: Callable[[Any], ecs_call.Outcome],
    wanted: Collection[str] | None,
    most_pages: int | None,
) -> Answer[dict[str, ecs_call.Outcome]]:
    asked = {"RegionId": region, "MaxResults": RESULTS_PAGE, "ContentEncoding": "Base64", **asked}
    found: dict[str, ecs_call.Outcome] = {}
    request_ids: list[str] = []
    call = functools.partial(ecs_call.call, account, region, "DescribeInvocations")
    for page in itertools.islice(ecs_pages.pages(call, asked), most_pages):
        part = ecs_pages.listed([page], ("invocations", "invocation"), read)
        found |= {info.invoke_id: info for info in part.value}
        request_ids += part.request_ids
        if wanted is not None and found.keys() >= set(wanted):
            break
    return Answer(found, tuple(request_ids))


def results(
    account: Account, region: str, invoke_id: str, *, history_of: str = ""
) -> Answer[list[Result]]:
    """What each instance of one run answered so far; no rows if ECS does not know the run.

    With `history_of` an instance: every time that ECS remembers of a timed run there.
    """
    asked = {
        "RegionId": region,
        "InvokeId": invoke_id,
        "MaxResults": RESULTS_PAGE,
        "ContentEncoding": "Base64",
    }
    asked |= {"InstanceId": history_of, "IncludeHistory": True} if history_of else {}
    rows = ("invocation_results", "invocation_result")
    operation = "DescribeInvocationResults"
    return ecs_call.listing(
        account, region, operation, asked, rows, Result.read, inside="invocation"
    )


def runs_a_day(account: Account, region: str) -> Answer[int | None]:
    """How many runs ECS allows this account in the region and day; None where it does not tell."""
    asked = {"RegionId": region, "AttributeName": ["max-axt-invocation-daily"]}
    rows = ("account_attribute_items", "account_attribute_item")
    body = ecs_call.call(account, region, "DescribeAccountAttributes", asked)
    page = [(body, ecs_errors.request_id_of(body.request_id))]
    answer = ecs_pages.listed(page, rows, lambda row: row.attribute_values.value_item[0].value)
    told = next((wire.text(value) for value in answer.value), "")
    known = int(told) if told.isdecimal() and len(told) < 9 else None
    return Answer(known, answer.request_ids)


def console_output(account: Account, region: str, instance_id: str) -> Answer[Console]:
    """The serial console's text of the last start or stop (Linux only)."""
    asked = {"RegionId": region, "InstanceId": instance_id}
    body = ecs_call.call(account, region, "GetInstanceConsoleOutput", asked)
    text = wire.text(wire.decoded(body.console_output).decode(errors="replace"))
    console = Console(text, wire.china_time(body.last_update_time))
    return Answer(console, (ecs_errors.request_id_of(body.request_id),))


def screenshot(account: Account, region: str, instance_id: str) -> Answer[bytes]:
    """The screen of a running instance as JPEG; ECS allows one in ten seconds."""
    asked = {"RegionId": region, "InstanceId": instance_id}
    body = ecs_call.call(account, region, "GetInstanceScreenshot", asked)
    picture = wire.decoded(body.screenshot)
    if not picture.startswith(b"\xff\xd8"):
        raise NoAnswer("the screenshot is not a JPEG", operation="GetInstanceScreenshot")
    return Answer(picture, (ecs_errors.request_id_of(body.request_id),))


# --- Acting -------------------------------------------------------------------------------------


def run_script(
    account: Account, region: str, ids: Sequence[str], script: str, **how: Any
) -> Answer[Run]:
    """Start `script` on the instances, all or none; `how` as in `ecs_runs.run_command`. Repeating
    it with the same token and the same parameters gives the first run's answer.

    `read_only` is not believed: such a text must be one that `allow_read_only` was told of.
    """
    return _start(account, "RunCommand", ecs_runs.run_command(region, ids, script, **how))


def run_saved(
    account: Account, region: str, ids: Sequence[str], command_id: str, **how: Any
) -> Answer[Run]:
    """The same for a command that lives in ECS; `how` as in `ecs_runs.invoke_command`."""
    return _start(account, "InvokeCommand", ecs_runs.invoke_command(region, ids, command_id, **how))


def _start(account: Account, operation: str, asked: dict[str, Any]) -> Answer[Run]:
    body = ecs_call.call(account, asked["RegionId"], operation, asked)
    if not body.invoke_id:
        raise ecs_errors.strange()
    # InvokeCommand's answer does not name the command: the caller did.
    command_id = asked.get("CommandId") or body.command_id
    run = Run(wire.text(body.invoke_id), wire.text(command_id))
    return Answer(run, (ecs_errors.request_id_of(body.request_id),))


def install_agents(account: Account, region: str, ids: Iterable[str]) -> Answer[None]:
    """Have Cloud Assistant installed or upgraded; it works from each machine's next start on."""
    ecs_mode.permit("InstallCloudAssistant", "full")
    request_ids = []
    for part in ecs_pages.chunks(ids, AGENT_IDS):
        asked = {"RegionId": region, "InstanceId": part}
        body = ecs_call.call(account, region, "InstallCloudAssistant", asked)
        request_ids.append(ecs_errors.request_id_of(body.request_id))
    return Answer(None, tuple(request_ids))


def power(
    account: Account,
    region: str,
    ids: Sequence[str],
    act: str,
    *,
    force: bool = False,
    stopped_mode: str = "KeepCharging",
) -> Answer[list[PowerAnswer]]:
    """Have instances rebooted, stopped or started: `act` is reboot | stop | start. Instance by
    instance what ECS said.

    One attempt: ECS knows no ClientToken here, so after `NoAnswer` it may have happened to any of
    them, and only a look at the machines tells. `Refused`, `Throttled` included: it did not.
    """
    operation = ecs_power.ACTS[act]
    ecs_mode.permit(operation, "full")
    asked = ecs_power.asking(act, region, ids, force=force, stopped_mode=stopped_mode)
    body = ecs_call.call(account, region, operation, asked)
    return Answer(ecs_power.answered(body), (ecs_errors.request_id_of(body.request_id),))


def stop(
    account: Account,
    region: str,
    invoke_id: str,
    ids: Iterable[str] | None = None,
    *,
    ours: bool = True,
) -> Answer[None]:
    """Ask for the end of a run, on the named instances or on all. Look at `results` for what
    came of it: machines may have finished, or finish before they hear of it.

    What is not `ours` may be anything, and ending it needs the mode that running it would."""
    ecs_mode.permit("StopInvocation", "diagnose" if ours else "commands")
    parts: list[dict[str, Any]] = [{}]
    if ids is not None:
        parts = [{"InstanceId": part} for part in ecs_pages.chunks(ids, STOP_LIMIT)]
    request_ids = []
    for part in parts:
        asked = {"RegionId": region, "InvokeId": invoke_id, **part}
        body = ecs_call.call(account, region, "StopInvocation", asked)
        request_ids.append(ecs_errors.request_id_of(body.request_id))
    return Answer(None, tuple(request_ids))
