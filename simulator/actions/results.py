"""DescribeInvocations and DescribeInvocationResults: the two views of the same runs."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from dataclasses import replace
from fnmatch import fnmatchcase

from simulator.actions.instances import tags
from simulator.cloud import Call
from simulator.errors import invalid
from simulator.invocations import Invocation, Order, Row
from simulator.paging import Limits, page
from simulator.wire import Parameters, seconds

Encode = Callable[[bytes], str]
LIMITS = Limits(most=50, assistant=True)
OLD_STATUSES = ("Running", "Finished", "Failed", "PartialFailed", "Stopped", "Stopping")
STATUSES = (*OLD_STATUSES, "Success", "Pending", "Scheduled")


def describe_invocations(call: Call) -> dict:
    region, params = call.region, call.params
    one = params.text("InstanceId")
    with_output = params.flag("IncludeOutput")
    if with_output and not (one or params.text("InvokeId")):
        raise invalid("IncludeOutput", "it needs InvokeId or InstanceId")
    found = [i for i in call.cloud.runs.listed(region) if _fits(i, params)]
    part = page(found, params, LIMITS, lambda i: i.invoke_id, call.scope)
    encode = _encoder(params)
    shown = []
    for invocation in part.rows:
        rows = call.cloud.runs.looked_at(invocation.rows)
        seen = replace(invocation, rows=rows)
        shown.append(_invocation(seen, one, with_output, encode))
    return {"Invocations": {"Invocation": shown}, **part.keys}


def _fits(invocation: Invocation, params: Parameters) -> bool:
    order, one = invocation.order, params.text("InstanceId")
    exact = {
        "InvokeId": invocation.invoke_id,
        "CommandId": invocation.command_id,
        "CommandType": order.type,
        "ResourceGroupId": order.resource_group_id,
    }
    if any(params.text(name) not in ("", value) for name, value in exact.items()):
        return False
    if params.text("Timed") and params.flag("Timed") != invocation.timed:
        return False
    wanted = params.text("InvokeStatus")
    if wanted and wanted not in STATUSES:
        raise invalid("InvokeStatus", f"one of {', '.join(STATUSES)}")
    if wanted and wanted not in (invocation.old_status, invocation.status):
        return False
    own = dict(order.tags)
    if any(k not in own or v not in (None, own[k]) for k, v in tags(params)):
        return False
    if one:
        return any(row.instance_id == one for row in invocation.rows)
    if params.text("RepeatMode") not in ("", order.repeat_mode):
        return False
    return fnmatchcase(order.name, params.text("CommandName") or "*")


def _encoder(params: Parameters) -> Encode:
    if params.text("ContentEncoding").lower() == "plaintext":
        return lambda raw: raw.decode("utf-8", "replace")
    return lambda raw: base64.b64encode(raw).decode()


def _invocation(invocation: Invocation, one: str, with_output: bool, encode: Encode) -> dict:
    order = invocation.order
    rows = [row for row in invocation.rows if not one or row.instance_id == one]
    return {
        "InvokeId": invocation.invoke_id,
        "CommandId": invocation.command_id,
        "CreationTime": seconds(invocation.created_at),
        "InvocationStatus": invocation.status,
        "InvokeStatus": invocation.old_status,
        **_order(order, encode),
        "Timed": invocation.timed,
        "InvokeInstances": {
            "InvokeInstance": [
                _instance(row, invocation.timed, with_output, encode) for row in rows
            ]
        },
    }


def _order(order: Order, encode: Encode) -> dict:
    return {
        "CommandName": order.name,
        "CommandType": order.type,
        "CommandContent": encode(order.content.encode()),
        "CommandDescription": order.description,
        "Frequency": order.frequency,
        "RepeatMode": order.repeat_mode,
        "Timeout": order.timeout,
        "Username": order.username,
        "WorkingDir": order.working_dir,
        "Parameters": json.dumps(order.parameters, ensure_ascii=False),
        "TerminationMode": order.termination_mode,
        "Launcher": order.launcher,
        "ContainerId": order.container_id,
        "ContainerName": order.container_name,
        "Tags": _tags(order),
    }


def _tags(order: Order) -> dict:
    return {"Tag": [{"TagKey": key, "TagValue": value} for key, value in order.tags]}


def _instance(row: Row, timed: bool, with_output: bool, encode: Encode) -> dict:
    return {
        **_row(row),
        "InstanceInvokeStatus": row.record_status,
        "Output": encode(row.output) if with_output else "",
        "CreationTime": seconds(row.created_at),
        "FinishTime": seconds(row.finished_at),
        "UpdateTime": seconds(row.updated_at),
        "Timed": timed,
    }


def _row(row: Row) -> dict:
    """What both views tell in the same words; ExitCode only where there is one."""
    shown = {
        "InstanceId": row.instance_id,
        "InvocationStatus": row.status,
        "Dropped": row.dropped,
        "ErrorCode": row.error_code,
        "ErrorInfo": row.error_info,
        "StartTime": seconds(row.started_at),
        "StopTime": seconds(row.stopped_at),
        "Repeats": row.repeats,
    }
    return shown if row.exit_code is None else shown | {"ExitCode": row.exit_code}


def describe_invocation_results(call: Call) -> dict:
    region, params = call.region, call.params
    history = params.flag("IncludeHistory")
    if history and not params.text("InvokeId"):
        raise invalid("IncludeHistory", "it needs InvokeId")
    wanted = params.text("InvokeRecordStatus")
    if wanted and wanted not in STATUSES:
        raise invalid("InvokeRecordStatus", f"one of {', '.join(STATUSES)}")
    rows = [
        (invocation, row)
        for invocation in _named(call, region)
        for timed in invocation.rows
        for row in (reversed(timed.fires) if history and invocation.timed else [timed])
        if params.text("InstanceId") in ("", row.instance_id)
        and wanted in ("", row.record_status, row.status)
    ]
    part = page(rows, params, LIMITS, _key, call.scope)
    encode = _encoder(params)
    rows = call.cloud.runs.looked_at([row for _, row in part.rows])
    shown = [
        _result(invocation, row, encode)
        for (invocation, _), row in zip(part.rows, rows, strict=True)
    ]
    return {"Invocation": {"InvocationResults": {"InvocationResult": shown}, **part.keys}}


def _key(pair: tuple[Invocation, Row]) -> str:
    invocation, row = pair
    return f"{invocation.invoke_id} {row.instance_id} {row.repeats if row.fired_by else ''}"


def _named(call: Call, region: str) -> list[Invocation]:
    params = call.params
    invoke_id = params.text("InvokeId")
    if invoke_id:  # the common question: no need to look at every run
        found = call.cloud.runs.find(region, invoke_id)
        candidates = [found] if found else []
    else:
        candidates = call.cloud.runs.listed(region)
    wanted = tags(params)
    return [
        i
        for i in candidates
        if params.text("CommandId") in ("", i.command_id)
        and params.text("ResourceGroupId") in ("", i.order.resource_group_id)
        and all(k in dict(i.order.tags) and v in (None, dict(i.order.tags)[k]) for k, v in wanted)
    ]


def _result(invocation: Invocation, row: Row, encode: Encode) -> dict:
    order = invocation.order
    return {
        "CommandId": invocation.command_id,
        "InvokeId": invocation.invoke_id,
        **_row(row),
        "InvokeRecordStatus": row.record_status,
        "Output": encode(row.output),
        "FinishedTime": seconds(row.finished_at),
        "Username": order.username,
        "Launcher": order.launcher,
        "ContainerId": order.container_id,
        "ContainerName": order.container_name,
        "TerminationMode": order.termination_mode,
        "OssOutputDelivery": "",
        "OssOutputStatus": "",
        "OssOutputUri": "",
        "OssOutputErrorCode": "",
        "OssOutputErrorInfo": "",
        "Tags": _tags(order),
    }
