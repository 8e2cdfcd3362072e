"""What ECS takes of a script, with the numbers; checked before anything is written or sent."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterable, Mapping

from django.utils.translation import gettext as _

from commands.models.scripts import CommandType, TerminationMode
from instances import ecs

NAME_LIMIT = ecs.NAME_LIMIT
SHORTEST, LONGEST = 10, 86_400  # seconds that a script may run
MOST_PARAMETERS = 10
PARAMETER_NAME_LIMIT = 64
LENGTHS = {
    "username": 255,
    "windows_password_name": 255,
    "working_dir": 200,
    "launcher": 1024,
    "container_id": 128,
    "container_name": 255,
}
REPEAT_MODES = ("Once", "Period", "NextRebootOnly", "EveryReboot", "DryRun")
PLACEHOLDER = re.compile(r"\{\{\s*([A-Za-z0-9_-]+)\s*\}\}")  # {{ACS::...}} are ECS's own
ROOTED = re.compile(r"/|[A-Za-z]:[\\/]")


def problems(
    *,
    script: str,
    type: str,
    timeout: int,
    username: str = "",
    windows_password_name: str = "",
    working_dir: str = "",
    launcher: str = "",
    termination_mode: str = "",
    container_id: str = "",
    container_name: str = "",
    parameters: Mapping[str, str] | None = None,
) -> dict[str, str]:
    """What ECS would refuse, by field, in words for a person; {} if it fits."""
    found = {}
    given = {
        "username": username,
        "windows_password_name": windows_password_name,
        "working_dir": working_dir,
        "launcher": launcher,
        "container_id": container_id,
        "container_name": container_name,
    }
    if problem := _script(script, parameters or {}):
        found["script"] = problem
    if type not in CommandType.values:
        found["type"] = _("The type must be one of: %(types)s.") % {
            "types": ", ".join(CommandType.values)
        }
    if problem := _timeout(timeout):
        found["timeout"] = problem
    for name, value in given.items():
        if len(value) > LENGTHS[name]:
            found[name] = _("At most %d characters.") % LENGTHS[name]
        elif not value.isprintable():
            found[name] = _("Only one line of visible characters is allowed.")
    if termination_mode and termination_mode not in TerminationMode.values:
        found["termination_mode"] = _("One of: %s.") % ", ".join(TerminationMode.values)
    return _together(type, given) | found


def _script(script: str, parameters: Mapping[str, str]) -> str:
    if not script.strip() or "\0" in script:
        return _("The script must hold some text and no NUL character.")
    size = len(base64.b64encode(script.encode()))
    extra = len(json.dumps(dict(parameters), ensure_ascii=False).encode()) if parameters else 0
    if size + extra > ecs.SCRIPT_LIMIT:
        return _("The script takes %(size)d bytes in Base64; Cloud Assistant allows %(limit)d.") % {
            "size": size + extra,
            "limit": ecs.SCRIPT_LIMIT,
        }
    return ""


def _timeout(timeout: int) -> str:
    if SHORTEST <= timeout <= LONGEST:
        return ""
    said = _("The timeout must be %(low)d to %(high)d seconds.") % {
        "low": SHORTEST,
        "high": LONGEST,
    }
    if timeout < SHORTEST:
        said += " " + _("ECS itself would silently take %d for less.") % SHORTEST
    return said


def _together(type: str, given: Mapping[str, str]) -> dict[str, str]:
    """What does not go with each other."""
    found, windows = {}, type in (CommandType.POWERSHELL, CommandType.BATCH)
    if windows and given["username"] and not given["windows_password_name"]:
        found["windows_password_name"] = _(
            "A Windows user needs the name of its password in the Parameter Store."
        )
    if given["windows_password_name"] and not (windows and given["username"]):
        found["windows_password_name"] = _("Only for a script that runs as a Windows user.")
    if given["working_dir"] and not ROOTED.match(given["working_dir"]):
        found["working_dir"] = _("A whole path, such as /opt or C:\\Windows\\Temp.")
    for name in ("container_id", "container_name"):
        if given[name] and type != CommandType.SHELL:
            found[name] = _("Only shell scripts run in containers.")
    return found


def name_problem(name: str) -> str:
    if 0 < len(name) <= NAME_LIMIT:
        return ""
    return _("Give the run a name of 1 to %(limit)d characters.") % {"limit": NAME_LIMIT}


def parameter_problems(names: Iterable[str]) -> str:
    names = list(names)
    if len(names) > MOST_PARAMETERS:
        return _("ECS takes at most %d parameters.") % MOST_PARAMETERS
    if long := [name for name in names if len(name) > PARAMETER_NAME_LIMIT]:
        return _("The name %s is longer than 64 characters.") % long[0]
    return ""


def without_value(script: str, names: Iterable[str]) -> list[str]:
    """The script's own `{{name}}` that are not among `names`; ECS takes upper case for lower."""
    known = {name.lower() for name in names}
    found = dict.fromkeys(PLACEHOLDER.findall(script))
    return [name for name in found if name.lower() not in known]


def allowed_errors(budget: str, size: int) -> int | None:
    """How many errors "5" or "10%" allow among `size` instances; None for no bound.

    Raises ValueError for anything else: see `budget_problem`.
    """
    if not budget:
        return None
    number = int(budget.removesuffix("%"))
    return size * number // 100 if budget.endswith("%") else number


def budget_problem(budget: str) -> str:
    match = re.fullmatch(r"(\d{1,6})(%?)", budget or "0", re.ASCII)
    if match and not (match[2] and int(match[1]) > 100):
        return ""
    return _("A number such as 5, or a share from 0% to 100%.")
