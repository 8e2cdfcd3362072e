"""CreateCommand, ModifyCommand, DeleteCommand and DescribeCommands."""

from __future__ import annotations

import base64
from fnmatch import fnmatchcase

from simulator import scripts
from simulator.actions.instances import tags
from simulator.actions.runs import TYPES, asked_tags
from simulator.cloud import Call
from simulator.errors import Refusal, missing
from simulator.library import QUOTA, Command
from simulator.paging import Limits, page
from simulator.wire import Parameters, seconds

LIMITS = Limits(most=50, assistant=True)


def create_command(call: Call) -> dict:
    region = call.region
    return call.once(lambda: _create(call, region))


def _create(call: Call, region: str) -> dict:
    params = call.params
    name = scripts.within(params, "Name", 128, 403, "CmdName.ExceedLimit")
    if not name:
        raise missing("Name")
    kind = params.required("Type")
    if kind not in TYPES:
        raise Refusal(404, "InvalidCmdType.NotFound", f"Type is one of {', '.join(TYPES)}.")
    content = scripts.content(params, default="base64")
    if takes := params.flag("EnableParameter"):
        scripts.placeholders(content)
    command = Command(
        command_id="",
        name=name,
        type=kind,
        content=content,
        created_at=call.now,
        takes_parameters=takes,
        tags=tuple((key, value or "") for key, value in asked_tags(params, "Tag")),
        resource_group_id=params.text("ResourceGroupId"),
        **_settings(params, 60),
    )
    command_id = call.cloud.library.add(region, command)
    if command_id is None:
        raise Refusal(403, "CmdCount.ExceedQuota", f"A region keeps at most {QUOTA} commands.")
    call.cloud.counters.add("acts", "commands created")
    return {"CommandId": command_id}


def _settings(params: Parameters, timeout: int) -> dict[str, object]:
    within = scripts.within
    return {
        "description": within(params, "Description", 512, 403, "CmdDesc.ExceedLimit"),
        "timeout": scripts.timeout(params) if params.text("Timeout") else timeout,
        "working_dir": within(params, "WorkingDir", 200, 400, "InvalidParameter.WorkingDir"),
        "launcher": within(params, "Launcher", 1024, 403, "InvalidLauncher.LengthLimitExceeded"),
    }


def modify_command(call: Call) -> dict:
    """Name and settings only: the content is ignored, as ECS does now."""
    region, params = call.region, call.params
    command = _own(call, region)
    changes = _settings(params, command.timeout)
    given = {"description": "Description", "working_dir": "WorkingDir", "launcher": "Launcher"}
    changes = {
        name: value
        for name, value in changes.items()
        if name == "timeout" or given[name] in params.values
    }
    if "Name" in params.values:
        changes["name"] = scripts.within(params, "Name", 128, 403, "CmdName.ExceedLimit")
    call.cloud.library.change(region, command.command_id, **changes)
    call.cloud.counters.add("acts", "commands changed")
    return {}


def delete_command(call: Call) -> dict:
    region = call.region
    call.cloud.library.drop(region, _own(call, region).command_id)
    call.cloud.counters.add("acts", "commands deleted")
    return {}


def _own(call: Call, region: str) -> Command:
    command = call.cloud.library.find(region, call.params.required("CommandId"))
    if command is None or command.provider:
        raise Refusal(404, "InvalidCmdId.NotFound", "The specified CommandId does not exist.")
    return command


def describe_commands(call: Call) -> dict:
    params = call.params
    found = [c for c in call.cloud.library.listed(call.region) if _fits(c, params)]
    part = page(found, params, LIMITS, lambda c: c.command_id, call.scope)
    plain = params.text("ContentEncoding").lower() == "plaintext"
    shown = [_shown(command, plain) for command in part.rows]
    return {"Commands": {"Command": shown}, **part.keys}


def _fits(command: Command, params: Parameters) -> bool:
    provider, exact = params.text("Provider"), {"CommandId": command.command_id}
    exact |= {"Type": command.type, "ResourceGroupId": command.resource_group_id}
    if any(params.text(name) not in ("", value) for name, value in exact.items()):
        return False
    if provider and not command.provider.startswith(provider.rstrip("*")):
        return False
    if command.provider and not provider and params.text("CommandId") != command.command_id:
        return False  # public ones are only listed when they are asked for
    own = dict(command.tags)
    if any(k not in own or v not in (None, own[k]) for k, v in tags(params)):
        return False
    wild = {"Name": command.name, "Description": command.description}
    return all(fnmatchcase(text, params.text(name) or "*") for name, text in wild.items())


def _shown(command: Command, plain: bool) -> dict:
    raw = command.content
    names = scripts.placeholders(raw) if command.takes_parameters else []
    return {
        "CommandId": command.command_id,
        "Name": command.name,
        "Type": command.type,
        "CommandContent": raw if plain else base64.b64encode(raw.encode()).decode(),
        "Description": command.description,
        "Timeout": command.timeout,
        "WorkingDir": command.working_dir,
        "EnableParameter": command.takes_parameters,
        "ParameterNames": {"ParameterName": names},
        "ParameterDefinitions": {"ParameterDefinition": []},
        "InvokeTimes": command.invoked,
        "CreationTime": seconds(command.created_at),
        "Category": "Public" if command.provider else "",
        "Provider": command.provider,
        "Version": command.version,
        "Latest": True,
        "Launcher": command.launcher,
        "ResourceGroupId": command.resource_group_id,
        "Tags": {"Tag": [{"TagKey": key, "TagValue": value} for key, value in command.tags]},
    }
