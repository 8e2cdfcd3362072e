"""What the management commands share: exit codes, --format, and who sits at the keyboard."""

from __future__ import annotations

import getpass
import json
from argparse import ArgumentParser
from collections.abc import Callable
from typing import Any, TextIO

from django.core.management.base import CommandError

# 0: it did what it says. Django's own failures give 1.
USAGE, UNKNOWN_INSTANCE, UNREACHABLE = 2, 3, 4


class BadUsage(CommandError):
    """An argument names something that does not exist or does not fit."""

    def __init__(self, message: str) -> None:
        super().__init__(message, returncode=USAGE)


class UnknownInstance(CommandError):
    def __init__(self, message: str) -> None:
        super().__init__(message, returncode=UNKNOWN_INSTANCE)


class CloudUnreachable(CommandError):
    """ECS could not be asked, or not about everything."""

    def __init__(self, message: str) -> None:
        super().__init__(message, returncode=UNREACHABLE)


def add_format(parser: ArgumentParser, *formats: str) -> None:
    """--format with these choices, the first one by default; text and json if none are given."""
    choices = formats or ("text", "json")
    parser.add_argument("--format", choices=choices, default=choices[0])


def show(stdout: TextIO, value: Any, format: str, as_text: Callable[[Any], str]) -> None:
    """Print `value` as JSON or as `as_text` writes it."""
    if format == "json":
        stdout.write(json.dumps(value, ensure_ascii=False, indent=2, default=str))
    else:
        stdout.write(as_text(value))


def person() -> str:
    """Who runs the command, for the audit."""
    try:
        return f"shell:{getpass.getuser()}"
    except (KeyError, OSError):  # a user id without a name
        return "shell"
