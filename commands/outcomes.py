"""From ECS's word and exit code to the class of a machine's end."""

from __future__ import annotations

import re

from commands.models import CommandType, Outcome, Target

# Agents from this version on act on these codes after they have reported (both systems).
EXIT_CODES_SINCE = (2, 2, 3, 317)
STOP_CODES = {"linux": 193, "windows": 3009}
RESTART_CODES = {"linux": 194, "windows": 3010}

CLASSES = {
    "Success": Outcome.OK,
    "Failed": Outcome.FAILED,
    "Error": Outcome.FAILED,
    "Timeout": Outcome.FAILED,
    "Invalid": Outcome.UNREACHED,
    "Aborted": Outcome.UNREACHED,
    "Cancelled": Outcome.STOPPED,
    "Terminated": Outcome.STOPPED,
    Target.REFUSED: Outcome.UNREACHED,
    Target.NOT_STARTED: Outcome.NOT_STARTED,
    Target.NO_ANSWER: Outcome.UNKNOWN,
}


def outcome_of(status: str, type: str, exit_code: int | None) -> Outcome:
    """What a final status means; a word that we do not know is a failure. Which word ECS has for
    a script that ended with a code to go down is not documented."""
    os_type = CommandType(type).os_type
    if status in ("Success", "Failed") and exit_code in (
        STOP_CODES[os_type],
        RESTART_CODES[os_type],
    ):
        return Outcome.GOING_DOWN
    return CLASSES.get(status, Outcome.FAILED)


def codes_down(script: str, type: str) -> set[int]:
    """The codes in the script's text that make the agent stop or restart the machine."""
    os_type = CommandType(type).os_type
    codes = f"{STOP_CODES[os_type]}|{RESTART_CODES[os_type]}"
    found = re.findall(rf"exit\b[\s(]*(?:/b\s+)?[\"']?({codes})\b", script, re.I)
    return {int(code) for code in found}


def goes_down(script: str, type: str) -> bool:
    """Whether the script ends with a code that makes the agent stop or restart the machine."""
    return bool(codes_down(script, type))


def stops(script: str, type: str) -> bool:
    """Whether the code with which the script takes the machine down is the one that stops it."""
    return STOP_CODES[CommandType(type).os_type] in codes_down(script, type)
