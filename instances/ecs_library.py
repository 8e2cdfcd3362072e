"""What to ask ECS about the commands that it keeps, and how to read what it tells of them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from instances import ecs_wire as wire

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


def listing(region: str, *, public: bool) -> dict[str, Any]:
    """DescribeCommands' parameters: the account's own commands, or the public ones."""
    asked = {"RegionId": region, "MaxResults": COMMANDS_PAGE, "ContentEncoding": "Base64"}
    return asked | ({"Provider": PUBLIC, "Latest": True} if public else {})


def creation(region: str, *, script: str, type: str, token: str, **told: Any) -> dict[str, Any]:
    """CreateCommand's parameters."""
    return {
        "RegionId": region,
        "Type": type,
        "CommandContent": wire.encoded(script),
        "ContentEncoding": "Base64",
        "ClientToken": token,
        "EnableParameter": bool(told.pop("takes_parameters", False)),
        **settings(**told),
    }


def settings(
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
