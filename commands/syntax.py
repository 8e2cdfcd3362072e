"""What a shell says of a script's grammar, without running any of it. Only ever a warning: the
machine's own shell may know more."""

from __future__ import annotations

import re
import shutil
import subprocess

from commands.models.scripts import CommandType
from commands.parameters import BUILT_IN, PLACE

SECONDS = 2.0
PARSE_ONLY = ("--noprofile", "--norc", "-n")


def complaint(script: str, type: str) -> str:
    """The first thing wrong with a shell script; "" if nothing is, or nobody here can tell."""
    bash = shutil.which("bash")
    if type != CommandType.SHELL or bash is None or _for_another(script):
        return ""
    # Places for parameters stand for words; braces would be read as the shell's own.
    text = BUILT_IN.sub("x", PLACE.sub("x", script))
    try:
        done = subprocess.run(
            [bash, *PARSE_ONLY],
            input=text.encode(),
            capture_output=True,
            timeout=SECONDS,
            env={"LC_ALL": "C", "PATH": ""},
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    if done.returncode == 0:
        return ""
    lines = done.stderr.decode(errors="replace").splitlines()
    return re.sub(r"^[^:]*: ", "", lines[0])[:200] if lines else ""


def _for_another(script: str) -> bool:
    """Whether its first line names an interpreter that is no shell."""
    first = script.lstrip().partition("\n")[0]
    return first.startswith("#!") and not re.search(r"\b(ba|da|k|z)?sh\b", first)
