"""RunCommand, InvokeCommand and StopInvocation."""

from __future__ import annotations

from dataclasses import replace

from simulator import scripts
from simulator.cloud import Call
from simulator.errors import Refusal
from simulator.invocations import Invocation, Order, Row
from simulator.library import Command
from simulator.machine import Machine
from simulator.wire import Parameters

TYPES = ("RunShellScript", "RunBatScript", "RunPowerShellScript")
REPEATS = ("Once", "Period", "NextRebootOnly", "EveryReboot", "DryRun")
RUN_LIMIT = 100
STOP_LIMIT = 50
TAGS = 20


def run_command(call: Call) -> dict:
    region = call.region
    return call.once(lambda: _run(call, region))


def _run(call: Call, region: str) -> dict:
    order, enabled = _order(call.params), call.params.flag("EnableParameter")
    invocation = _start(call, region, order, enabled, "")
    return {"CommandId": invocation.command_id, "InvokeId": invocation.invoke_id}


def _start(call: Call, region: str, order: Order, enabled: bool, command_id: str) -> Invocation:
    values = scripts.checked(order.content, call.params, enabled)
    machines = _targets(call, region)
    if not call.cloud.runs.quota_left(region):
        raise Refusal(
            403, "Invocation.ExceedQuota", "The invocations of this day exceed the quota."
        )

    def script_of(machine: Machine, invoke_id: str, command_id: str) -> str:
        if not enabled:
            return order.content
        return scripts.filled(order.content, values, machine, invoke_id, command_id)

    return call.cloud.runs.start(region, order, machines, script_of, command_id)


def invoke_command(call: Call) -> dict:
    region = call.region
    return call.once(lambda: _invoke(call, region))


def _invoke(call: Call, region: str) -> dict:
    params, library = call.params, call.cloud.library
    command = library.find(region, params.required("CommandId"))
    if command is None:
        raise Refusal(404, "InvalidCmdId.NotFound", "The specified CommandId does not exist.")
    order = _order_of(command, params)
    invocation = _start(call, region, order, command.takes_parameters, command.command_id)
    library.change(region, command.command_id, invoked=command.invoked + 1)
    return {"InvokeId": invocation.invoke_id}


def _order_of(command: Command, params: Parameters) -> Order:
    """A kept command with what this call says about it."""
    own = _order(params, kept=command)
    return replace(
        own,
        operation="InvokeCommand",
        type=command.type,
        content=command.content,
        name=command.name,
        description=command.description,
        timeout=_invoke_timeout(params, command.timeout),
        working_dir=own.working_dir or command.working_dir,
        launcher=own.launcher or command.launcher,
    )


def _invoke_timeout(params: Parameters, default: int) -> int:
    """Less than ten seconds count as ten."""
    return max(10, scripts.timeout(params)) if params.text("Timeout") else default


def _order(params: Parameters, kept: Command | None = None) -> Order:
    kind = kept.type if kept else params.required("Type")
    if kind not in TYPES:
        raise Refusal(404, "InvalidCmdType.NotFound", f"Type is one of {', '.join(TYPES)}.")
    within = scripts.within
    return Order(
        type=kind,
        content=kept.content if kept else scripts.content(params),
        name=within(params, "Name", 128, 403, "CmdName.ExceedLimit"),
        description=within(params, "Description", 512, 403, "CmdDesc.ExceedLimit"),
        timeout=scripts.timeout(params),
        username=_username(params, kind),
        working_dir=within(params, "WorkingDir", 200, 400, "InvalidParameter.WorkingDir"),
        launcher=within(params, "Launcher", 1024, 403, "InvalidLauncher.LengthLimitExceeded"),
        parameters=scripts.given(params, kept.takes_parameters if kept else None),
        tags=tuple((key, value or "") for key, value in asked_tags(params, "Tag")),
        resource_group_id=params.text("ResourceGroupId"),
        repeat_mode=_repeat_mode(params),
        frequency=params.text("Frequency").strip(),
        termination_mode=_termination_mode(params),
    )


def asked_tags(params: Parameters, name: str) -> list[tuple[str, str | None]]:
    """`Tag` or `ResourceTag`: at most 20 with distinct, well-formed keys."""
    asked = params.structures(name)
    if len(asked) > TAGS:
        raise Refusal(400, f"NumberExceed.{name}s", f"At most {TAGS} of {name} are allowed.")
    keys = [tag.get("Key", "") for tag in asked]
    if not all(keys):
        raise Refusal(400, f"MissingParameter.{name}Key", f"{name}.N.Key must not be empty.")
    if any(len(key) > 64 or key.startswith(("aliyun", "acs:")) or "://" in key for key in keys):
        raise Refusal(400, f"Invalid{name}Key.Malformed", "64 characters, not aliyun or acs:.")
    if any(len(tag.get("Value", "")) > 128 for tag in asked):
        raise Refusal(400, f"Invalid{name}Value.Malformed", "A value has at most 128 characters.")
    if len(set(keys)) < len(keys):
        raise Refusal(400, f"Duplicate.{name}Key", f"A key of {name} is given twice.")
    return [(tag["Key"], tag.get("Value")) for tag in asked]


def _username(params: Parameters, kind: str) -> str:
    """Who runs the script; on Windows anyone but System needs a stored password."""
    name = scripts.within(params, "Username", 255, 403, "Username.ExceedLimit")
    password = scripts.within(
        params, "WindowsPasswordName", 255, 403, "WindowsPasswordName.ExceedLimit"
    )
    windows = kind != "RunShellScript"
    if windows and name and name.lower() != "system" and not password:
        raise Refusal(
            403, "WindowsPasswordName.Missed", "Username on Windows needs WindowsPasswordName."
        )
    return name


def _repeat_mode(params: Parameters) -> str:
    timed = params.text("Frequency") or params.flag("Timed")
    mode = params.text("RepeatMode") or ("Period" if timed else "Once")
    if mode not in REPEATS:
        raise Refusal(
            404, "InvalidRepeatMode.NotFound", f"RepeatMode is one of {', '.join(REPEATS)}."
        )
    if mode == "Period" and not params.text("Frequency"):
        raise Refusal(400, "MissingParam.Frequency", "RepeatMode Period needs Frequency.")
    if params.text("ContainerId") or params.text("ContainerName"):
        raise Refusal(400, "UnsupportedParameter", "The simulator has no containers.")
    return mode


def _termination_mode(params: Parameters) -> str:
    mode = params.text("TerminationMode") or "Process"
    if mode not in ("Process", "ProcessTree"):
        raise Refusal(
            404,
            "InvalidTerminationMode.NotFound",
            "TerminationMode is one of Process, ProcessTree.",
        )
    return mode


def _targets(call: Call, region: str) -> list[Machine]:
    """The named or tagged machines; one that does not exist here refuses the whole call."""
    ids = list(dict.fromkeys(call.params.listed("InstanceId")))
    if call.params.structures("ResourceTag"):
        return _tagged(call, region, bool(ids))
    if not ids:
        raise Refusal(400, "MissingParam.InstanceId", "The parameter instanceId is missing.")
    _at_most(ids, RUN_LIMIT)
    return [call.machine(instance_id) for instance_id in ids]


def _tagged(call: Call, region: str, named_too: bool) -> list[Machine]:
    if named_too:
        raise Refusal(
            400,
            "InvalidResourceTag.ConflictWithInstanceIds",
            "ResourceTag and InstanceId exclude each other.",
        )
    wanted = asked_tags(call.params, "ResourceTag")
    machines = [
        machine
        for machine in call.cloud.machines(region)
        if all(k in machine.tags and v in (None, machine.tags[k]) for k, v in wanted)
    ]
    if not machines:
        raise Refusal(400, "InvalidResourceTag.InstanceNotFound", "No instance carries the tags.")
    _at_most(machines, RUN_LIMIT)
    return machines


def _at_most(rows: list, most: int) -> None:
    if len(rows) > most:
        raise Refusal(
            403, "InstanceIds.ExceedLimit", f"The number of instances exceeds the limit {most}."
        )


def stop_invocation(call: Call) -> dict:
    invocation = call.cloud.runs.find(call.region, call.params.required("InvokeId"))
    if invocation is None:
        raise Refusal(404, "InvalidInvokeId.NotFound", "The specified InvokeId does not exist.")
    ids = call.params.listed("InstanceId")
    _at_most(ids, STOP_LIMIT)
    known = {row.instance_id for row in invocation.rows}
    if unknown := [instance_id for instance_id in ids if instance_id not in known]:
        raise Refusal(
            404, "InvalidInstanceId.NotFound", f"Not part of the run: {', '.join(unknown)}."
        )
    rows: list[Row] = [row for row in invocation.rows if not ids or row.instance_id in ids]
    call.cloud.runs.stop(invocation, rows)
    return {}
