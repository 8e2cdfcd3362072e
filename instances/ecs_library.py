"""The commands that ECS keeps: read, kept, changed, dropped."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from instances import ecs_call, ecs_errors, ecs_mode
from instances import ecs_wire as wire
from instances.ecs_errors import Refused
from instances.ecs_values import Account, Answer

COMMANDS_PAGE = 50
PUBLIC = "AlibabaCloud"  # the beginning of every public command's Provider
NAME_LIMIT, DESCRIPTION_LIMIT = 128, 512


@dataclass(frozen=True, slots=True)
class CommandInfo:
    """A command as ECS keeps it; `provider` is empty for the account's own."""

    command_id: str
    name: str = ""
    type: str = ""
    script: str = ""
    description: str = ""
    timeout: int = 60
    working_dir: str = ""
    launcher: str = ""
    takes_parameters: bool = False
    parameter_names: tuple[str, ...] = ()
    provider: str = ""
    version: int | None = None
    created_at: datetime | None = None

    @classmethod
    def read(cls, row: Any) -> CommandInfo:
        names = getattr(row.parameter_names, "parameter_name", None) or ()
        return cls(
            command_id=wire.text(row.command_id),
            name=wire.text(row.name),
            type=wire.text(row.type),
            script=wire.text(wire.decoded(row.command_content).decode(errors="replace")),
            description=wire.text(row.description),
            timeout=wire.number(row.timeout) or 60,
            working_dir=wire.text(row.working_dir),
            launcher=wire.text(row.launcher),
            takes_parameters=bool(row.enable_parameter),
            parameter_names=tuple(wire.text(name) for name in names),
            provider=wire.text(row.provider),
            version=wire.number(row.version),
            created_at=wire.time(row.creation_time),
        )


def _listing(region: str, *, public: bool) -> dict[str, Any]:
    """DescribeCommands' parameters: the account's own commands, or the public ones."""
    asked = {"RegionId": region, "MaxResults": COMMANDS_PAGE, "ContentEncoding": "Base64"}
    return asked | ({"Provider": PUBLIC, "Latest": True} if public else {})


def _creation(region: str, *, script: str, type: str, token: str, **told: Any) -> dict[str, Any]:
    """CreateCommand's parameters."""
    return {
        "RegionId": region,
        "Type": type,
        "CommandContent": wire.encoded(script),
        "ContentEncoding": "Base64",
        "ClientToken": token,
        "EnableParameter": bool(told.pop("takes_parameters", False)),
        **_settings(**told),
    }


def _settings(
    *, name: str, timeout: int, description: str = "", working_dir: str = "", launcher: str = ""
) -> dict[str, Any]:
    """What CreateCommand and ModifyCommand both take; what is empty is left to ECS."""
    optional = {
        "Description": description[:DESCRIPTION_LIMIT],
        "WorkingDir": working_dir,
        "Launcher": launcher,
    }
    kept = {key: value for key, value in optional.items() if value}
    return {"Name": name[:NAME_LIMIT], "Timeout": timeout, **kept}


def commands(account: Account, region: str, *, public: bool = False) -> Answer[list[CommandInfo]]:
    """The commands that ECS keeps for this account, or those that it offers to everybody."""
    asked = _listing(region, public=public)
    rows = ("commands", "command")
    return ecs_call.listing(account, region, "DescribeCommands", asked, rows, CommandInfo.read)


def keep_command(account: Account, region: str, **told: Any) -> Answer[str]:
    """Have ECS keep a command; its id. Repeating it with the same token gives the same one."""
    ecs_mode.permit("CreateCommand", "full")
    body = ecs_call.call(account, region, "CreateCommand", _creation(region, **told))
    if not body.command_id:
        raise ecs_errors.strange()
    return Answer(wire.text(body.command_id), (ecs_errors.request_id_of(body.request_id),))


def change_command(account: Account, region: str, command_id: str, **told: Any) -> Answer[None]:
    """Change its name and settings. ECS does not change the text of a command."""
    ecs_mode.permit("ModifyCommand", "full")
    asked = {"RegionId": region, "CommandId": command_id, **_settings(**told)}
    body = ecs_call.call(account, region, "ModifyCommand", asked)
    return Answer(None, (ecs_errors.request_id_of(body.request_id),))


def drop_command(account: Account, region: str, command_id: str) -> Answer[None]:
    """Have ECS forget a command; one that is gone already is fine."""
    ecs_mode.permit("DeleteCommand", "full")
    asked = {"RegionId": region, "CommandId": command_id}
    try:
        body = ecs_call.call(account, region, "DeleteCommand", asked)
    except Refused as error:
        if error.code != "InvalidCmdId.NotFound":
            raise
        return Answer(None, (error.request_id,))
    return Answer(None, (ecs_errors.request_id_of(body.request_id),))
