"""`manage.py run_command`: a saved command or a script on many instances, from a shell."""

from __future__ import annotations

import sys
import time
from argparse import ArgumentParser
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand
from django.http import QueryDict

from commands import asking, grouping, jobs, parameters, stopping
from commands.decoding import plain
from commands.exporting import output_of
from commands.forms.compose import PREFIX, ComposeForm
from commands.models import (
    CommandRevision,
    CommandType,
    Invocation,
    Outcome,
    SavedCommand,
    Target,
)
from commands.plan import Plan, plan
from instances.filters import BadFilter
from instances.models import InstanceGroup
from portal import cli
from portal.access import NotAllowed, acting_as
from portal.transitions import WrongState

NOT_ALL_SUCCEEDED = 1
POLL = 0.3  # seconds
FILTERS = ("region", "os", "resource_group", "agent", "text")


class Host:
    """Whoever has a shell here: the database is theirs anyway, so they see and may everything."""

    pk, is_active, is_superuser = None, True, True

    def has_perm(self, permission: str) -> bool:
        return True

    def get_username(self) -> str:
        return cli.person()


class Command(BaseCommand):
    help = (
        "Runs a saved command or a script on instances. Exit codes: 0 all succeeded (without"
        " --wait: it was sent), 1 not all did, 2 bad usage, 3 unknown instance."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        what = parser.add_mutually_exclusive_group(required=True)
        what.add_argument("--command", help="name of a saved command")
        what.add_argument("--script", metavar="FILE", help="a file with a script; - reads stdin")
        what.add_argument("--text", dest="inline", metavar="SCRIPT", help="the script itself")
        parser.add_argument("--type", choices=CommandType.values, default=CommandType.SHELL)
        parser.add_argument("--timeout", type=int, default=60, help="seconds (default 60)")
        parser.add_argument("--user", default="", help="runs as this user of the machines")
        parser.add_argument("--directory", default="", help="working directory")
        parser.add_argument("--name", default="", help="what the history calls the run")
        parser.add_argument(
            "--parameter",
            action="append",
            default=[],
            metavar="NAME=VALUE",
            help="everybody on this host can read it in the list of processes: no secrets here",
        )
        parser.add_argument(
            "--parameters",
            metavar="FILE",
            help="lines of NAME=VALUE; - reads stdin. This is the way to give secrets",
        )
        parser.add_argument("instances", nargs="*", help="IDs, IPs, names or hostnames")
        parser.add_argument("--of-group", default="", help="the instances of a saved group")
        parser.add_argument(
            "--tag",
            action="append",
            default=[],
            metavar="KEY[=VALUE]",
            help="only instances with this tag (repeatable: with all of them)",
        )
        for name in FILTERS:
            option = "match" if name == "text" else name.replace("_", "-")
            parser.add_argument(f"--{option}", dest=f"f_{name}")
        parser.add_argument("--at-most", type=int, metavar="N", help="so many at once")
        parser.add_argument("--max-errors", default="", metavar="N|P%%")
        parser.add_argument("--why", default="", help="why it cannot wait for the end of a freeze")
        parser.add_argument("--dry-run", action="store_true", help="show on whom, send nothing")
        parser.add_argument("--wait", action="store_true", help="until all is over")
        parser.add_argument(
            "--group", dest="grouped", action="store_true", help="print identical answers once"
        )
        parser.add_argument(
            "--as", dest="person", default="", metavar="USER", help="sees and may what USER does"
        )
        cli.add_format(parser)

    def handle(self, *args: Any, **asked: Any) -> None:
        person = _person(asked["person"])
        form = ComposeForm(_told(asked), user=person)
        planned = _planned(form)
        self._tell_plan(planned)
        if asked["dry_run"]:
            if asked["format"] == "json":
                names = [row.instance_id for row in planned.reach.fit]
                cli.show(self.stdout, {"instances": names}, "json", str)
            return
        if not planned.size:
            raise cli.UnknownInstance("no instance is left to run this on")
        try:
            run = asking.ask(
                form,
                planned,
                by=person,
                once=None,
                via="command",
                freeze_reason=asked["why"].strip()[:1000] if planned.freezes else "",
            )
        except ValidationError as error:
            raise cli.BadUsage(" ".join(error.messages)) from None
        self.stderr.write(f"run {run.pk}: {_many(run.size)}")
        if run.state == Invocation.State.WAITING:
            self.stderr.write("it waits until somebody else has approved it")
        if asked["wait"]:
            self._follow(run, person)
            self._show(run, asked)
        elif asked["format"] == "json":
            cli.show(self.stdout, {"run": run.pk, "instances": run.size}, "json", str)

    def _tell_plan(self, planned: Plan) -> None:
        reach = planned.reach
        for reason, rows in reach.left_out.items():
            names = ", ".join(str(row) for row in rows[:20])
            self.stderr.write(f"left out, {reason.label}: {len(rows)} ({names})")
        for name, rows in reach.ambiguous.items():
            ids = ", ".join(row.instance_id for row in rows)
            self.stderr.write(f"{name} names several instances: {ids}")
        if reach.unknown:
            self.stderr.write(f"unknown: {', '.join(reach.unknown)}")
        if reach.unknown or reach.ambiguous:
            raise cli.UnknownInstance("some instances are unknown or ambiguous; nothing was sent")
        self.stderr.write(f"reaches {_many(planned.size)}")
        for rule in (*planned.judgement.warns, *planned.judgement.demands):
            self.stderr.write(f"{rule.get_verb_display()}: {rule.words}")
        for window in planned.freezes:
            self.stderr.write(f"freeze {window} until {window.ends_at.isoformat()}: say --why")

    def _follow(self, run: Invocation, person: Any) -> None:
        """Carry it on here, with workers or without; Ctrl-C offers to stop the run."""
        said: dict[str, int] = {}
        try:
            while run.state != Invocation.State.FINISHED:
                for key in run.dispatches.exclude(state="finished").values_list("pk", flat=True):
                    jobs.carry_on(key)
                counts = run.tally()
                if counts != said:
                    said = counts
                    self.stderr.write(" ".join(f"{k}={v}" for k, v in sorted(counts.items())))
                time.sleep(POLL)
                run.refresh_from_db()
        except KeyboardInterrupt:
            self._offer_to_stop(run, person)

    def _offer_to_stop(self, run: Invocation, person: Any) -> None:
        self.stderr.write(f"\nrun {run.pk} goes on without you. Stop it? [y/N] ", ending="")
        if not sys.stdin.isatty() or input().strip().lower() not in ("y", "yes"):
            sys.exit(130)
        try:
            stopping.stop(run, person if person.pk else None, via="command")
        except WrongState:
            self.stderr.write("it was over already")
        run.refresh_from_db()
        self._follow(run, person)

    def _show(self, run: Invocation, asked: dict[str, Any]) -> None:
        targets = Target.objects.filter(invocation=run)
        told = _grouped(targets) if asked["grouped"] else _each(targets)
        whole = {"run": run.pk, "outcomes": run.outcomes, "answers": told}
        cli.show(self.stdout, whole, asked["format"], _text)
        good = sum(run.outcomes.get(outcome, 0) for outcome in Outcome.good())
        if good < run.size:
            sys.exit(NOT_ALL_SUCCEEDED)


def _many(instances: int) -> str:
    return "1 instance" if instances == 1 else f"{instances} instances"


def _person(name: str) -> Any:
    try:
        return acting_as(name, "commands.run_saved") or Host()
    except NotAllowed as refusal:
        raise cli.BadUsage(f"--as: {refusal}") from None


def _told(asked: dict[str, Any]) -> QueryDict:
    """The arguments as the page's own form would send them: one set of checks for both."""
    told = QueryDict(mutable=True)
    told["text"] = "\n".join(asked["instances"])
    told["name"] = asked["name"]
    told["concurrency"] = "" if asked["at_most"] is None else str(asked["at_most"])
    told["max_errors"] = asked["max_errors"]
    if asked["of_group"]:
        told["group"] = str(_group_key(asked["of_group"]))
    told.setlist("f-tag", asked["tag"])
    for name in FILTERS:
        told[f"f-{name}"] = asked[f"f_{name}"] or ""
    values: dict[str, str] = {}
    if asked["command"]:
        revision = _newest(asked["command"])
        told["revision"] = str(revision.pk)
        values = {row.name: row.default for row in parameters.declared(revision.parameters)}
    else:
        fields = {"type": asked["type"], "username": asked["user"], "script": _script(asked)}
        told.update(fields)
        told["timeout"], told["working_dir"] = str(asked["timeout"]), asked["directory"]
    for name, value in _given(asked):
        if name not in values:  # a slip of the pen would have the default run instead
            known = ", ".join(values) or "none"
            raise cli.BadUsage(f"there is no parameter {name} (there is: {known})")
        values[name] = value
    for name, value in values.items():
        told[PREFIX + name] = value
    return told


def _given(asked: dict[str, Any]) -> Iterator[tuple[str, str]]:
    for pair in asked["parameter"]:
        name, equals, value = pair.partition("=")
        if not equals:
            raise cli.BadUsage(f"--parameter {pair}: must be NAME=VALUE")
        yield name, value
    for number, line in enumerate(_lines(asked), 1):
        name, equals, value = line.partition("=")
        if equals:
            yield name, value
        elif line:  # it may be a secret: it is not repeated
            raise cli.BadUsage(f"--parameters: line {number} must be NAME=VALUE")


def _lines(asked: dict[str, Any]) -> list[str]:
    if not asked["parameters"]:
        return []
    if asked["parameters"] == asked["script"] == "-":
        raise cli.BadUsage("--script and --parameters cannot both read stdin")
    whole = _read(asked["parameters"], "--parameters")
    return whole.replace("\r\n", "\n").split("\n")


def _group_key(name: str) -> int:
    key = InstanceGroup.objects.filter(name=name).values_list("pk", flat=True).first()
    if key is None:
        raise cli.BadUsage(f"--of-group: there is no group {name}")
    return key


def _newest(name: str) -> CommandRevision:
    command = SavedCommand.objects.filter(name__iexact=name, archived_at=None).first()
    if command is None:
        raise cli.BadUsage(f"--command: there is no saved command {name}")
    return command.newest()


def _script(asked: dict[str, Any]) -> str:
    if asked["inline"]:
        return asked["inline"]
    return _read(asked["script"], "--script")


def _read(file: str, option: str) -> str:
    try:
        return sys.stdin.read() if file == "-" else Path(file).read_text()
    except (OSError, UnicodeDecodeError) as error:
        raise cli.BadUsage(f"{option}: {error}") from None


def _planned(form: ComposeForm) -> Plan:
    if not form.is_valid():
        problems = [
            f"{name.removeprefix(PREFIX)}: {problem}"
            for name, texts in form.errors.items()
            for problem in texts
        ]
        raise cli.BadUsage("; ".join(problems).replace("__all__: ", ""))
    try:
        told = form.cleaned_data
        where = told["selection"], form.user
        return plan(form.what(), told["values"], *where, secrets=told["secrets"])
    except BadFilter as problem:
        raise cli.BadUsage(f"{problem.field}: {problem}") from None


def _each(targets: Any) -> list[dict[str, Any]]:
    rows = targets.select_related("instance", "output").order_by("instance__name", "pk")
    return [
        {
            "instances": [row.instance.instance_id],
            "names": [str(row.instance)],
            "outcome": row.outcome,
            "status": row.status,
            "exit_code": row.exit_code,
            "error": " ".join(filter(None, (row.error_code, row.error_info))),
            "output": output_of(row),
        }
        for row in rows.iterator(chunk_size=200)
    ]


def _grouped(targets: Any) -> list[dict[str, Any]]:
    """Identical answers once, with everybody who gave them; the rarest first."""
    found: dict[tuple, dict[str, Any]] = {}
    for row in _each(targets):
        key = (row["outcome"], row["status"], row["exit_code"], row["error"], row["output"])
        group = found.setdefault(key, {**row, "instances": [], "names": []})
        group["instances"] += row["instances"]
        group["names"] += row["names"]
    rank = {outcome: place for place, outcome in enumerate(grouping.ORDER)}
    return sorted(found.values(), key=lambda g: (rank[g["outcome"]], len(g["instances"])))


def _text(told: dict[str, Any]) -> str:
    parts = []
    for answer in told["answers"]:
        ended = answer["status"]
        if answer["exit_code"] is not None:
            ended += f", exit code {answer['exit_code']}"
        names = ", ".join(answer["names"])
        many = f" ({len(answer['names'])} instances)" if len(answer["names"]) > 1 else ""
        parts.append(f"=== {names}{many}: {ended} {plain(answer['error'])}".rstrip())
        parts.append(answer["output"].rstrip("\n"))
    outcomes = ", ".join(f"{number} {Outcome(o).label}" for o, number in told["outcomes"].items())
    return "\n".join([*parts, outcomes])
