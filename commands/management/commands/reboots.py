"""`manage.py reboots`: ask for a batch, look at it, decide, pause, resume, stop, from a shell."""

from __future__ import annotations

import time
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.exceptions import PermissionDenied, ValidationError
from django.core.management.base import BaseCommand
from django.db.models import Q
from django.http import QueryDict
from django.utils import timezone

from commands import approvals
from commands.forms.reboots import RebootForm
from commands.models import (
    CommandType,
    PauseOption,
    RateMode,
    RebootBatch,
    RebootItem,
    SavedCommand,
    Way,
)
from commands.reboots import approving, asking, looking, planning, report, shown, steering
from commands.targets import resolve
from instances.filters import BadFilter
from instances.models import Instance
from portal import cli
from portal.access import NotAllowed, acting_as
from portal.transitions import WrongState

NOT_ALL_PROVEN = 1
POLL = 1.0  # seconds
LOOK_WITHIN = 60.0  # seconds for a worker to look at the instances before a yes
GOOD = {"proven", "rehearsed"}
RIGHTS = {"approve": "commands.decide_reboot", "reject": "commands.decide_reboot"}
RIGHTS |= {"review": "commands.decide_reboot", "now": "commands.reboot_at_once"}


class Command(BaseCommand):
    help = (
        "Batches of reboots. Exit codes: 0 it did what it says (with --wait: every instance is"
        " proven), 1 not all are proven, 2 bad usage or not allowed, 3 unknown instance."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        acts = parser.add_subparsers(dest="act", required=True)
        ask = self._act(acts, "ask", "ask for a batch; somebody else has to approve it")
        ask.add_argument("instances", nargs="*", help="IDs, IPs, names or hostnames")
        ask.add_argument("--tag", default="", metavar="KEY[=VALUE]")
        ask.add_argument("--region", default="")
        ask.add_argument("--reason", required=True)
        ask.add_argument("--name", default="")
        ask.add_argument("--ticket", default="")
        ask.add_argument("--watcher", default="")
        ask.add_argument("--way", choices=Way.values, default=Way.REBOOT)
        for part, meant in (("pre", "runs before"), ("post", "checks afterwards")):
            ask.add_argument(f"--{part}-command", default="", help=f"saved command that {meant}")
            ask.add_argument(f"--{part}-script", metavar="FILE", help=f"script that {meant}")
        ask.add_argument("--type", choices=CommandType.values, default=CommandType.SHELL)
        ask.add_argument("--opens", default="", metavar="TIME", help="2026-11-30T02:00")
        ask.add_argument("--closes", default="", metavar="TIME")
        ask.add_argument("--mode", choices=RateMode.values, default=RateMode.BATCH)
        ask.add_argument("--sizes", default="25%", metavar="N|P%%,...")
        ask.add_argument("--canary", type=int, default=1)
        ask.add_argument("--max-errors", default="0", metavar="N|P%%")
        ask.add_argument("--pause", choices=PauseOption.values, default=PauseOption.AUTOMATIC)
        ask.add_argument("--rehearsal", action="store_true")
        ask.add_argument("--dry-run", action="store_true", help="show the plan, ask for nothing")
        now = self._act(acts, "now", "the emergency path: one instance, without approval")
        now.add_argument("instance")
        now.add_argument("--reason", required=True)
        now.add_argument("--force", action="store_true")
        yes = self._batch(acts, "approve", "say yes; never to one's own request")
        yes.add_argument("--comment", default="")
        yes.add_argument("--canary", action="store_true", help="only the canary, then ask again")
        yes.add_argument(
            "--may-shrink", type=int, metavar="P", help="percent that may become unfit"
        )
        yes.add_argument("--accept", nargs="*", default=[], help="without proof, by name or ID")
        self._batch(acts, "reject", "say no").add_argument("--comment", default="")
        self._batch(acts, "review", "review an emergency").add_argument("--text", required=True)
        for act in ("pause", "resume", "stop"):
            self._batch(acts, act, f"{act} it")
        show = self._batch(acts, "show", "how far it is")
        show.add_argument("--wait", action="store_true", help="until it is over or paused")

    def _act(self, acts: Any, name: str, help: str) -> ArgumentParser:
        parser = acts.add_parser(name, help=help)
        parser.add_argument(
            "--as", dest="person", default="", metavar="USER", help="sees and may what USER does"
        )
        cli.add_format(parser)
        return parser

    def _batch(self, acts: Any, name: str, help: str) -> ArgumentParser:
        parser = self._act(acts, name, help)
        parser.add_argument("batch", type=int)
        return parser

    def handle(self, *args: Any, **asked: Any) -> None:
        person = _person(asked)
        try:
            getattr(self, f"_{asked['act']}")(person, asked)
        except ValidationError as error:
            raise cli.BadUsage(_problems(error)) from None
        except (WrongState, PermissionDenied) as refusal:
            raise cli.BadUsage(str(refusal) or "this person may not do that") from None

    def _ask(self, person: Any, asked: dict[str, Any]) -> None:
        form = RebootForm(_told(asked), user=person)
        if not form.is_valid():
            wrong = [f"{name}: {' '.join(told)}" for name, told in form.errors.items()]
            raise cli.BadUsage("; ".join(wrong))
        try:
            meant = resolve(form.cleaned_data["selection"], person)
        except BadFilter as problem:
            raise cli.BadUsage(f"{problem.field}: {problem}") from None
        if meant.unknown or meant.ambiguous:
            names = ", ".join([*meant.unknown, *meant.ambiguous])
            raise cli.UnknownInstance(f"unknown or ambiguous, nothing was asked for: {names}")
        batch = form.batch()
        if asked["dry_run"]:
            return self._plan(batch, meant.rows)
        made = asking.ask(batch, meant.rows, by=person, via="command", once=None)
        self._tell(made, asked, f"batch {made.pk}: {made.size} instances; {shown.waits_for(made)}")

    def _plan(self, batch: RebootBatch, rows: list[Instance]) -> None:
        asking.check(batch)
        fit, left_out, _facts = asking.sort_out(batch, rows)
        for why, gone in left_out.items():
            names = ", ".join(str(row) for row in gone[:20])
            self.stderr.write(f"left out, {why.label}: {len(gone)} ({names})")
        plan = planning.plan(batch, fit, timezone.now())
        for number, wave in enumerate(plan.waves, 1):
            self.stdout.write(f"wave {number}: {', '.join(str(row) for row in wave)}")
        self.stdout.write(f"at worst over by {plan.ends_worst:%Y-%m-%d %H:%M %Z}")

    def _now(self, person: Any, asked: dict[str, Any]) -> None:
        named = asked["instance"]
        seen = Instance.objects.visible_to(person).present()
        rows = list(seen.filter(instance_id=named)) or list(seen.filter(name=named))
        if len(rows) != 1:
            raise cli.UnknownInstance(f"{named}: {len(rows)} instances answer to that")
        batch = asking.at_once(
            rows[0], by=person, reason=asked["reason"], force=asked["force"], via="command"
        )
        self._tell(batch, asked, f"batch {batch.pk}: {batch.name}")

    def _approve(self, person: Any, asked: dict[str, Any]) -> None:
        batch = _found(person, asked)
        waiting = _waiting(batch)
        self._look(batch)
        keys = [_item(batch, name).pk for name in asked["accept"]]
        approvals.decide(
            waiting,
            by=person,
            yes=True,
            comment=asked["comment"],
            via="command",
            shell=cli.person(),
            canary_only=asked["canary"],
            may_shrink=asked["may_shrink"],
            accepted=keys,
        )
        batch.refresh_from_db()
        self._tell(batch, asked, shown.waits_for(batch))

    def _look(self, batch: RebootBatch) -> None:
        """A yes is said on what is true now: have the instances looked at first."""
        give_up = time.monotonic() + LOOK_WITHIN
        RebootBatch.objects.filter(pk=batch.pk).update(look_problems=[])  # of an earlier look
        approving.ask_for_a_look(batch)
        while batch.look_at is not None or batch.checked_at is None:
            if time.monotonic() > give_up:
                raise cli.CloudUnreachable("no worker looked at the instances; do workers run?")
            time.sleep(POLL / 4)
            batch.refresh_from_db()
            if batch.look_problems:
                raise cli.CloudUnreachable(looking.unasked(batch))

    def _reject(self, person: Any, asked: dict[str, Any]) -> None:
        batch = _found(person, asked)
        told = {"comment": asked["comment"], "via": "command", "shell": cli.person()}
        approvals.decide(_waiting(batch), by=person, yes=False, **told)
        batch.refresh_from_db()
        self._tell(batch, asked, f"batch {batch.pk}: {batch.get_ending_display()}")

    def _review(self, person: Any, asked: dict[str, Any]) -> None:
        steering.review(_found(person, asked), by=person, text=asked["text"], via="command")

    def _pause(self, person: Any, asked: dict[str, Any]) -> None:
        steering.pause(_found(person, asked), by=person, via="command")

    def _resume(self, person: Any, asked: dict[str, Any]) -> None:
        steering.resume(_found(person, asked), by=person, via="command")

    def _stop(self, person: Any, asked: dict[str, Any]) -> None:
        steering.stop(_found(person, asked), by=person, via="command")

    def _show(self, person: Any, asked: dict[str, Any]) -> None:
        batch, said = _found(person, asked), ""
        while asked["wait"] and batch.state not in ("finished", "paused"):
            if (words := shown.waits_for(batch)) != said:
                self.stderr.write(said := words)
            time.sleep(POLL)
            batch.refresh_from_db()
        seen = Instance.objects.visible_to(person).values("pk")
        items = batch.items.filter(instance__in=seen)
        self._tell(batch, asked, report.markdown(batch, items))
        if asked["wait"] and set(shown.counts(items)) - GOOD:
            raise SystemExit(NOT_ALL_PROVEN)

    def _tell(self, batch: RebootBatch, asked: dict[str, Any], words: str) -> None:
        told = {
            "batch": batch.pk,
            "state": batch.state,
            "ending": batch.ending,
            "instances": batch.size,
            "digest": batch.digest,
            "outcomes": shown.counts(batch.items),
        }
        cli.show(self.stdout, told, asked["format"], lambda _told: words)


def _person(asked: dict[str, Any]) -> Any:
    """Every act here is a person's: a shell of this host is nobody and decides nothing."""
    if not asked["person"]:
        raise cli.BadUsage("--as: name the person who does this")
    try:
        return acting_as(asked["person"], RIGHTS.get(asked["act"], "commands.reboot"))
    except NotAllowed as refusal:
        raise cli.BadUsage(f"--as: {refusal}") from None


def _found(person: Any, asked: dict[str, Any]) -> RebootBatch:
    batch = RebootBatch.objects.visible_to(person).filter(pk=asked["batch"]).first()
    if batch is None:
        raise cli.BadUsage(f"batch: there is no batch {asked['batch']} that this person sees")
    return batch


def _item(batch: RebootBatch, name: str) -> RebootItem:
    """The one instance of the batch that is called so, or has this ID."""
    rows = batch.items.filter(Q(instance__instance_id=name) | Q(instance__name=name))
    if rows.count() != 1:
        raise cli.UnknownInstance(f"--accept: {rows.count()} instances of it answer to {name}")
    return rows.get()


def _waiting(batch: RebootBatch) -> Any:
    waiting = batch.approvals.filter(state="waiting").first()
    if waiting is None:
        raise cli.BadUsage(f"batch {batch.pk} waits for nobody's yes")
    return waiting


def _told(asked: dict[str, Any]) -> QueryDict:
    """The arguments as the form of the page has them."""
    told = QueryDict(mutable=True)
    told["text"] = "\n".join(asked["instances"])
    told["f-tag"], told["f-region"] = asked["tag"], asked["region"]
    for name in ("name", "reason", "ticket", "watcher", "way", "mode", "sizes", "max_errors"):
        told[name] = asked[name]
    told["canary"] = str(asked["canary"])
    told["pause_option"] = asked["pause"]
    told["opens_at"], told["closes_at"] = asked["opens"], asked["closes"]
    if asked["rehearsal"]:
        told["rehearsal"] = "on"
    for part in ("pre", "post"):
        if name := asked[f"{part}_command"]:
            command = SavedCommand.objects.filter(name=name, archived_at=None).first()
            if command is None:
                raise cli.BadUsage(f"--{part}-command: there is no saved command {name}")
            told[f"{part}_saved"] = str(command.newest().pk)
        if path := asked[f"{part}_script"]:
            try:
                told[f"{part}_text"] = Path(path).read_text()
            except (OSError, UnicodeDecodeError) as error:
                raise cli.BadUsage(f"--{part}-script: {error}") from None
            told[f"{part}_type"] = asked["type"]
    return told


def _problems(error: ValidationError) -> str:
    if hasattr(error, "error_dict"):
        return "; ".join(f"{name}: {' '.join(w)}" for name, w in error.message_dict.items())
    return " ".join(error.messages)
