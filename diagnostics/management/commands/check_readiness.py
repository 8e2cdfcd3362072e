"""`manage.py check_readiness`: what a part of the fleet would keep of a crash, from a shell."""

from __future__ import annotations

import time
from argparse import ArgumentParser
from collections.abc import Iterable
from typing import Any

from django.core.management.base import BaseCommand

from commands import jobs as command_jobs
from commands.models import Invocation
from commands.targets import Selection
from diagnostics.models import Readiness, ReadinessRun
from diagnostics.readiness import asking, jobs
from diagnostics.readiness.shown import ReadinessShown
from instances.filters import BadFilter, Filter
from instances.models import InstanceGroup
from portal import cli
from portal.access import NotAllowed, acting_as

POLL = 0.3  # seconds
FILTERS = ("account", "region", "os", "agent")


class Command(BaseCommand):
    help = (
        "Asks instances what they would keep of a crash, waits, and prints what is missing. Exit"
        " codes: 0 asked (whatever is missing), 2 bad usage, 3 unknown instance."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("instances", nargs="*", help="IDs, IPs, names or hostnames")
        parser.add_argument("--of-group", default="", help="the instances of a saved group")
        parser.add_argument("--tag", action="append", default=[], metavar="KEY[=VALUE]")
        parser.add_argument("--match", default="", help="parts of ids, names or addresses")
        parser.add_argument("--resource-group", default="")
        for name in FILTERS:
            parser.add_argument(f"--{name}", default="")
        parser.add_argument("--dry-run", action="store_true", help="show whom, ask nobody")
        parser.add_argument("--no-wait", action="store_true", help="only send it")
        parser.add_argument(
            "--steps", action="store_true", help="print what to do about what is missing"
        )
        parser.add_argument(
            "--as", dest="person", default="", metavar="USER", help="sees and may what USER does"
        )
        cli.add_format(parser)

    def handle(self, *args: Any, **asked: Any) -> None:
        try:
            person = acting_as(asked["person"], "diagnostics.add_readinessrun")
        except NotAllowed as refusal:
            raise cli.BadUsage(f"--as: {refusal}") from None
        selection = _selection(asked)
        try:
            reached = asking.reach(selection, person)
        except BadFilter as problem:
            raise cli.BadUsage(f"{problem.field}: {problem}") from None
        self._tell(reached)
        if asked["dry_run"]:
            return
        actor = person or cli.person()
        runs = asking.ask(reached, by=person, via="command", selection=selection, actor=actor)
        numbers = ", ".join(str(run.pk) for run in runs)
        self.stderr.write(f"run {numbers}: {reached.size} instances")
        if not asked["no_wait"]:
            _carry_on(runs)
            self._show(runs, asked)
        elif asked["format"] == "json":
            told = {"runs": [run.pk for run in runs], "instances": reached.size}
            cli.show(self.stdout, told, "json", str)

    def _tell(self, reached: asking.Asked) -> None:
        for reason, rows in reached.left_out.items():
            names = ", ".join(str(row) for row in rows[:20])
            self.stderr.write(f"left out, {reason.label}: {len(rows)} ({names})")
        for name, rows in reached.ambiguous.items():
            ids = ", ".join(row.instance_id for row in rows)
            self.stderr.write(f"{name} names several instances: {ids}")
        if reached.unknown:
            self.stderr.write(f"unknown: {', '.join(reached.unknown)}")
        if reached.unknown or reached.ambiguous:
            raise cli.UnknownInstance("some instances are unknown or ambiguous; nothing was sent")
        if not reached.size:
            raise cli.UnknownInstance("no instance is left to ask")
        self.stderr.write(f"reaches {reached.size} instances")

    def _show(self, runs: Iterable[Invocation], asked: dict[str, Any]) -> None:
        rows = Readiness.objects.filter(instance__targets__invocation__in=runs)
        rows = rows.select_related("instance").order_by("-lacks", "instance__name", "pk")
        told = [_told(row) for row in rows]
        steps = asked["steps"]
        cli.show(self.stdout, told, asked["format"], lambda told: _text(told, steps=steps))


def _selection(asked: dict[str, Any]) -> Selection:
    given = {name: asked[name] for name in FILTERS}
    given |= {"resource_group": asked["resource_group"], "text": asked["match"]}
    given["tag"] = asked["tag"]
    try:
        narrow = Filter.read(given).saved()
    except BadFilter as problem:
        raise cli.BadUsage(f"{problem.field}: {problem}") from None
    group = None
    if name := asked["of_group"]:
        group = InstanceGroup.objects.filter(name=name).values_list("pk", flat=True).first()
        if group is None:
            raise cli.BadUsage(f"--of-group: there is no group {name}")
    selection = Selection(text="\n".join(asked["instances"]), group=group, filter=narrow)
    if not selection:
        raise cli.BadUsage("name instances, a group or a filter (all of them: --agent alive)")
    return selection


def _carry_on(runs: list[Invocation]) -> None:
    """Do here what workers do elsewhere; with workers about, both may take turns."""
    readers = ReadinessRun.objects.filter(run__in=runs, finished_at=None)
    while keys := list(readers.values_list("pk", flat=True)):
        for run in runs:
            for key in run.dispatches.exclude(state="finished").values_list("pk", flat=True):
                command_jobs.carry_on(key)
        for key in keys:
            jobs.read_answers(key)
        if readers.exists():
            time.sleep(POLL)


def _told(row: Readiness) -> dict[str, Any]:
    shown = ReadinessShown(row)
    return {
        "instance_id": row.instance.instance_id,
        "name": row.instance.name,
        "as_of": row.as_of,
        "needed_and_missing": row.lacks,
        "trouble": row.trouble,
        "checks": [
            {
                "name": check.name,
                "state": check.state,
                "advised": check.advised,
                "found": check.found,
                "line": check.line,
                "why": check.why,
                "steps": check.steps,
            }
            for check in shown.checks
        ],
    }


def _text(told: list[dict[str, Any]], *, steps: bool) -> str:
    lines = []
    for row in told:
        state = f"{row['needed_and_missing']} missing" if row["as_of"] else "no answer"
        lines.append(f"=== {row['name'] or row['instance_id']}: {state}")
        if row["trouble"]:
            lines.append(f"    no answer to the last try: {row['trouble']}")
        for check in row["checks"]:
            advised = " (advised)" if check["advised"] else ""
            lines.append(f"{check['state']:<8} {check['name']}{advised}: {check['found']}")
            if steps and check["state"] != "ok":
                lines += [f"         {n}. {step}" for n, step in enumerate(check["steps"], 1)]
    return "\n".join(lines)
