"""What a run is asked for with: parameters checked and named as ECS names them. No calls here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from instances import ecs_mode
from instances import ecs_wire as wire
from instances.ecs_errors import Refused

RUN_LIMIT = 100  # instances in one RunCommand
SCRIPT_LIMIT = 24 * 1024  # bytes of a script after Base64
NAME_LIMIT = 128  # characters of a run's name
TOKEN_LIMIT = 64  # ASCII characters of a ClientToken
NOWHERE = "i-00000000000000000000"  # an instance that cannot exist

OPTIONS = {
    "username": "Username",
    "windows_password_name": "WindowsPasswordName",
    "working_dir": "WorkingDir",
    "launcher": "Launcher",
    "termination_mode": "TerminationMode",
    "container_id": "ContainerId",
    "container_name": "ContainerName",
    "repeat_mode": "RepeatMode",
    "frequency": "Frequency",
}
# With one of these the same text may do something else than it says.
BENDING = ("launcher", "container_id", "container_name", "repeat_mode", "frequency")


def run_command(
    region: str,
    ids: Sequence[str],
    script: str,
    *,
    type: str,
    token: str,
    timeout: int,
    name: str = "",
    parameters: Mapping[str, str] | None = None,
    read_only: bool = False,
    **options: str,
) -> dict[str, Any]:
    """RunCommand's parameters. Raises Refused for what ECS would refuse, or the mode forbids."""
    bent = parameters is not None or any(options.get(name) for name in BENDING)
    ecs_mode.permit_run(script, type, read_only, bent=bent)
    _fit(ids, token, "RunCommand")
    _fit_script(script)
    asked = {
        "RegionId": region,
        "Type": type,
        "CommandContent": wire.encoded(script),
        "ContentEncoding": "Base64",
        "InstanceId": list(ids),
        "Timeout": timeout,
        "ClientToken": token,
        "KeepCommand": False,
    }
    asked |= {"Name": name[:NAME_LIMIT]} if name else {}
    if parameters is not None:
        asked |= {"EnableParameter": True, "Parameters": dict(sorted(parameters.items()))}
    return asked | _named(options)


def invoke_command(
    region: str,
    ids: Sequence[str],
    command_id: str,
    *,
    token: str,
    timeout: int,
    parameters: Mapping[str, str] | None = None,
    **options: str,
) -> dict[str, Any]:
    """InvokeCommand's parameters. Raises Refused for what ECS would refuse, or the mode forbids."""
    ecs_mode.permit("InvokeCommand", "commands")
    _fit(ids, token, "InvokeCommand")
    asked = {
        "RegionId": region,
        "CommandId": command_id,
        "InstanceId": list(ids),
        "Timeout": timeout,
        "ClientToken": token,
    }
    asked |= {"Parameters": dict(sorted(parameters.items()))} if parameters else {}
    return asked | _named(options)


def harmless_run(region: str) -> dict[str, Any]:
    """A run that cannot happen: a dry run, on an instance that does not exist."""
    ecs_mode.permit("RunCommand", "diagnose")
    return {
        "RegionId": region,
        "Type": "RunShellScript",
        "CommandContent": wire.encoded("# does the portal have the right to run scripts?\n"),
        "ContentEncoding": "Base64",
        "InstanceId": [NOWHERE],
        "RepeatMode": "DryRun",
        "KeepCommand": False,
    }


def harmless_invocation(region: str) -> dict[str, Any]:
    """A run of a command that does not exist, which therefore cannot happen."""
    ecs_mode.permit("InvokeCommand", "diagnose")
    return {
        "RegionId": region,
        "CommandId": "c-00000000000000000000",
        "InstanceId": [NOWHERE],
        "RepeatMode": "DryRun",
    }


def _named(options: Mapping[str, str]) -> dict[str, str]:
    return {OPTIONS[name]: value for name, value in options.items() if value}


def _fit(ids: Sequence[str], token: str, operation: str) -> None:
    """ECS would refuse these too, but only after a script's journey through the network."""
    problem = ""
    if not 1 <= len(set(ids)) == len(ids) <= RUN_LIMIT:
        problem = f"a run takes 1 to {RUN_LIMIT} different instances, not {len(ids)}"
    elif not (token and token.isascii() and len(token) <= TOKEN_LIMIT):
        problem = f"a run needs a token of 1 to {TOKEN_LIMIT} ASCII characters"
    if problem:
        raise Refused(problem, operation=operation, code="InvalidParameter")


def _fit_script(script: str) -> None:
    problem = ""
    if len(wire.encoded(script)) > SCRIPT_LIMIT:
        problem = f"the script is longer than {SCRIPT_LIMIT} bytes in Base64"
    elif not script.strip():
        problem = "the script is empty"
    if problem:
        raise Refused(problem, operation="RunCommand", code="InvalidParameter")
