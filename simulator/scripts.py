"""The text of a command: decoding, its limits, and `{{name}}` parameters."""

from __future__ import annotations

import base64
import json
import re

from simulator.errors import Refusal, invalid
from simulator.machine import Machine
from simulator.wire import Parameters

CONTENT_LIMIT = 24 * 1024  # bytes after Base64, parameters included
PLACEHOLDER = re.compile(r"\{\{\s*([^{}]*?)\s*\}\}")
NAME = re.compile(r"[A-Za-z0-9_-]+")
ACCOUNT_ID = "1000000000000001"
BUILT_IN = {
    "acs::regionid": lambda m, run, command: m.region,
    "acs::accountid": lambda m, run, command: ACCOUNT_ID,
    "acs::instanceid": lambda m, run, command: m.instance_id,
    "acs::instancename": lambda m, run, command: m.name,
    "acs::invokeid": lambda m, run, command: run,
    "acs::commandid": lambda m, run, command: command,
}


def content(params: Parameters, default: str = "plaintext") -> str:
    """The script in clear text, within its limit; each operation has its own default encoding."""
    sent = params.required("CommandContent")
    if (params.text("ContentEncoding").lower() or default) != "base64":
        _fits(sent.encode())
        return sent
    if len(sent) > CONTENT_LIMIT:
        raise _too_long()
    try:
        return base64.b64decode(sent, validate=True).decode()
    except ValueError:  # binascii's, of signs that are not ASCII, of text that is not UTF-8
        raise Refusal(
            400, "CmdContent.DecodeError", "The CommandContent can not be base64 decoded."
        ) from None


def _fits(script: bytes) -> None:
    if len(base64.b64encode(script)) > CONTENT_LIMIT:
        raise _too_long()


def _too_long() -> Refusal:
    return Refusal(
        403,
        "CmdContent.ExceedLimit",
        f"The length of the command content exceeds {CONTENT_LIMIT} bytes after Base64.",
    )


def placeholders(script: str) -> list[str]:
    """The custom parameters named in the script, in lower case, each once."""
    names = []
    for name in PLACEHOLDER.findall(script):
        if name.lower().startswith("acs::"):
            if name.lower() not in BUILT_IN:
                raise Refusal(
                    400, "CmdParam.InvalidParamName", f"There is no built-in parameter {name}."
                )
            continue
        _named_well(name)
        names.append(name.lower())
    names = list(dict.fromkeys(names))
    if len(names) > 20:
        raise Refusal(403, "CmdParamCount.ExceedLimit", "At most 20 parameters are allowed.")
    return names


def _named_well(name: str) -> None:
    if not name:
        raise Refusal(400, "CmdParam.EmptyKey", "The name of a parameter is empty.")
    if len(name.encode()) > 64:
        raise Refusal(403, "CmdParamName.ExceedLimit", "A parameter's name exceeds 64 bytes.")
    if not NAME.fullmatch(name):
        raise Refusal(
            400, "CmdParam.InvalidParamName", f"{name!r}: letters, digits, - and _ are allowed."
        )


def given(params: Parameters, enabled: bool | None = None) -> dict[str, str]:
    """The sent parameters by their lower-case names, within their limits.

    `enabled` says whether the command takes any; None: the call itself says so.
    """
    sent = params.text("Parameters")
    if not sent:
        return {}
    pairs = _pairs(sent)
    enabled = params.flag("EnableParameter") if enabled is None else enabled
    if pairs and not enabled:
        raise Refusal(400, "Parameter.Disabled", "Parameters need EnableParameter=true.")
    if len(pairs) > 10:
        raise Refusal(403, "ParameterCount.ExceedLimit", "At most 10 parameters are allowed.")
    if any(not 1 <= len(name) <= 64 for name, _ in pairs):
        raise Refusal(403, "ParameterKey.ExceedLimit", "A key has 1 to 64 characters.")
    values = {name.lower(): value for name, value in pairs}
    if len(values) < len(pairs):
        raise Refusal(403, "ParameterKey.Duplicate", "A key is given twice.")
    return values


def _pairs(sent: str) -> list[tuple[str, str]]:
    try:
        pairs = json.loads(sent, object_pairs_hook=lambda found: ("object", found))
    except (ValueError, RecursionError):
        pairs = None
    if not isinstance(pairs, tuple):
        raise Refusal(400, "InvalidParameter.Parameters", "Parameters is a JSON object.")
    if not all(isinstance(value, str) for _, value in pairs[1]):
        raise Refusal(400, "InvalidParameter.Parameters", "Values of Parameters are strings.")
    return pairs[1]


def checked(script: str, params: Parameters, enabled: bool) -> dict[str, str]:
    """The values for the script's placeholders; every one must be given, and no other."""
    values = given(params, enabled)
    if not enabled:
        return {}
    wanted = placeholders(script)
    if unknown := sorted(set(values) - set(wanted)):
        raise Refusal(403, "Parameter.NotMatched", f"Not in the command: {', '.join(unknown)}.")
    if absent := [name for name in wanted if name not in values]:
        raise Refusal(400, "Parameter.MissingValue", f"No value for {', '.join(absent)}.")
    _fits((script + "".join(values.values())).encode())
    return values


def filled(
    script: str, values: dict[str, str], machine: Machine, invoke_id: str, command_id: str
) -> str:
    """The script for one machine, every placeholder replaced."""

    def value(match: re.Match[str]) -> str:
        name = match[1].lower()
        if name in BUILT_IN:
            return BUILT_IN[name](machine, invoke_id, command_id)
        return values[name]

    return PLACEHOLDER.sub(value, script)


def within(params: Parameters, name: str, most: int, status: int, code: str) -> str:
    """A text of at most `most` characters."""
    text = params.text(name)
    if len(text) > most:
        raise Refusal(status, code, f"{name} allows at most {most} characters.")
    return text


def timeout(params: Parameters, most: int = 86_400) -> int:
    seconds = params.integer("Timeout", 60)
    if seconds < 1:
        raise invalid("Timeout", "at least 1 second")
    if seconds > most:
        raise Refusal(403, "InvalidTimeout.ExceedLimit", f"Timeout is at most {most} seconds.")
    return seconds
