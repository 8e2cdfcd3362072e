"""Takes out what is old, as portal.retention allows; without --apply it only tells of it."""

from __future__ import annotations

from argparse import ArgumentParser
from collections import Counter
from datetime import datetime, timedelta
from typing import Any

from django.core.management.base import BaseCommand
from django.utils import timezone

from portal import cli, pruning, retention


class Command(BaseCommand):
    help = "Tells how many old rows could go and, with --apply, takes them out in small portions."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--days", help="keep what is younger; RETENTION_DAYS by default")
        parser.add_argument("--apply", action="store_true", help="do it")
        cli.add_format(parser)

    def handle(self, *, days: str | None, apply: bool, format: str, **options: Any) -> None:
        before = timezone.now() - timedelta(days=_days(days))
        told = _apply(before) if apply else _look(before)
        cli.show(self.stdout, told, format, _as_text)


def _days(given: str | None) -> int:
    if given is None and not (days := retention.days()):
        raise cli.BadUsage("everything is kept: give --days N, or set RETENTION_DAYS")
    days = given if given is not None else days
    if not retention.is_sound(days):
        raise cli.BadUsage(f"--days takes {retention.SHORTEST} to {retention.LONGEST}")
    return int(days)


def _look(before: datetime) -> dict[str, Any]:
    kinds = []
    for kind in retention.kinds():
        found = kind.find(before)
        kinds.append({"kind": kind.name, "rows": dict(+found.rows), "oldest": found.oldest})
    return {"applied": False, "before": before, "kinds": kinds}


def _apply(before: datetime) -> dict[str, Any]:
    walk = pruning.Walk(before)
    try:
        while not walk.over:
            walk.step()
    finally:
        pruning.record(walk, actor=cli.person(), via="command")
    return {"applied": True, "before": before, "rows": dict(walk.gone)}


def _as_text(told: dict[str, Any]) -> str:
    day = told["before"].isoformat(" ", "minutes")
    if told["applied"]:
        return "\n".join([f"Older than {day}, gone:", *_counts(told["rows"])])
    lines = [f"Older than {day}; with --apply these would go:"]
    for kind in told["kinds"]:
        oldest = kind["oldest"]
        since = f", the oldest of {oldest.isoformat(' ', 'minutes')}" if oldest else ""
        lines += [f"{kind['kind']}{since if kind['rows'] else ''}", *_counts(kind["rows"])]
    return "\n".join(lines)


def _counts(rows: Counter[str] | dict[str, int]) -> list[str]:
    return [f"{count:>12,}  {name}" for name, count in rows.items()] or [f"{0:>12,}"]
