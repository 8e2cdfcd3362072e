"""`manage.py rejudge`: what today's analyzers say of yesterday's evidence."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import datetime, time
from typing import Any

from django.core.management.base import BaseCommand
from django.utils import timezone
from django.utils.dateparse import parse_date, parse_datetime

from diagnostics import rejudging, version
from diagnostics.models import DiagnosisCase, SentReport
from diagnostics.rejudging import Outcome, Result
from diagnostics.speech import clock
from portal import cli
from portal.access import NotAllowed, acting_as


class Command(BaseCommand):
    help = (
        "Read the kept evidence of concluded cases again with today's analyzers, without asking"
        " the cloud, and list the verdicts that would change. Cases that these analyzers have"
        " read are passed over, so a run that was broken off goes on where it stopped."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--since", metavar="D", help="opened since then: a date or ISO 8601")
        parser.add_argument(
            "--case", dest="keys", type=int, nargs="+", default=[], metavar="ID", help="only these"
        )
        parser.add_argument("--again", action="store_true", help="also what was read already")
        parser.add_argument("--apply", action="store_true", help="write the new verdicts")
        parser.add_argument(
            "--as", dest="person", default="", metavar="USER", help="sees and may what USER does"
        )
        cli.add_format(parser)

    def handle(self, *args: Any, keys: list[int], apply: bool, **asked: Any) -> None:
        try:
            person = acting_as(asked["person"], "diagnostics.add_diagnosiscase")
        except NotAllowed as refusal:
            raise cli.BadUsage(f"--as: {refusal}") from None
        seen = DiagnosisCase.objects.all()
        seen = seen.visible_to(person) if person else seen
        _all_concluded(seen, keys)
        due = rejudging.due(seen, since=_since(asked["since"]), keys=keys, again=asked["again"])
        outcomes = rejudging.rejudged(due, apply=apply, by=person, via="command")
        tally: Counter[Result] = Counter()
        lines = _as_json if asked["format"] == "json" else _as_text
        for line in lines(_counted(outcomes, tally), tally, apply):
            self.stdout.write(line)


def _all_concluded(seen: Any, keys: list[int]) -> None:
    """Name what was asked for and cannot be judged again."""
    found = dict(seen.filter(pk__in=keys).values_list("pk", "state"))
    if missing := sorted(set(keys) - set(found)):
        raise cli.BadUsage(f"--case: there is no case {', '.join(map(str, missing))}")
    open_cases = [pk for pk, state in sorted(found.items()) if state != "concluded"]
    if open_cases:
        raise cli.BadUsage(f"--case: not concluded yet: {', '.join(map(str, open_cases))}")


def _since(text: str | None) -> datetime | None:
    if text is None:
        return None
    try:
        day = parse_date(text)
        at = datetime.combine(day, time.min) if day else parse_datetime(text)
    except ValueError:
        at = None
    if at is None:
        raise cli.BadUsage("--since: a date or time is allowed, such as 2026-11-20")
    return at if at.tzinfo else timezone.make_aware(at)


def _counted(outcomes: Iterable[Outcome], tally: Counter[Result]) -> Iterator[Outcome]:
    """The outcomes that are worth a line; the others only count."""
    for outcome in outcomes:
        tally[outcome.result] += 1
        if outcome.result != Result.SAME:
            yield outcome


def _as_text(outcomes: Iterable[Outcome], tally: Counter[Result], apply: bool) -> Iterator[str]:
    for outcome in outcomes:
        yield _line(outcome)
        if outcome.why:
            yield f"  why: {outcome.why}"
        yield from (f"  tell {_receiver(report)}" for report in outcome.to_tell)
    yield (
        f"{tally.total()} read by analyzers {version.analyzers()}:"
        f" {tally[Result.CHANGED]} {'changed' if apply else 'would change'},"
        f" {tally[Result.SAME]} the same, {tally[Result.UNREADABLE]} could not be read,"
        f" {tally[Result.BUSY]} in other hands."
    )
    if tally[Result.CHANGED] and not apply:
        yield "Nothing was written; --apply writes it."


def _line(outcome: Outcome) -> str:
    name = f"case {outcome.case.pk} {outcome.case.instance or outcome.case.instance_text}"
    if outcome.result == Result.CHANGED:
        before, after = _words(outcome.before), _words(outcome.after)
        return f"{name}: {before} -> {after if after != before else _finer(outcome)}"
    return f"{name}: {outcome.result}"


def _words(verdict: dict[str, Any]) -> str:
    told = [verdict[name] for name in ("kind", "subkind", "function", "bugcheck_code")]
    return f"{' '.join(str(word) for word in told if word)} ({verdict['confidence']})"


def _finer(outcome: Outcome) -> str:
    """The fields that differ where the words of the verdict do not."""
    changed = [name for name in outcome.before if outcome.before[name] != outcome.after[name]]
    return "; ".join(f"{name} {_value(outcome.after[name])}" for name in changed)


def _value(value: Any) -> str:
    return clock(value) if isinstance(value, datetime) else str(value) or "none"


def _receiver(report: SentReport) -> str:
    return (
        f"{report.sent_to}: has the {report.copy} copy of version {report.judging.number},"
        f" sent {clock(report.sent_at)} by {report.sent_by.get_username()}"
    )


def _as_json(outcomes: Iterable[Outcome], tally: Counter[Result], apply: bool) -> Iterator[str]:
    """One document, written as it is found: a fleet's changes need not fit into memory."""
    yield f'{{"analyzers": "{version.analyzers()}", "applied": {json.dumps(apply)}, "cases": ['
    comma = ""
    for outcome in outcomes:
        yield comma + json.dumps(_plain(outcome), ensure_ascii=False)
        comma = ","
    counts = {result.value: tally[result] for result in Result}
    yield f'], "read": {tally.total()}, "counts": {json.dumps(counts)}}}'


def _plain(outcome: Outcome) -> dict[str, Any]:
    return {
        "case": outcome.case.pk,
        "instance": str(outcome.case.instance or outcome.case.instance_text),
        "result": outcome.result.value,
        "before": rejudging.told(outcome.before),
        "after": rejudging.told(outcome.after),
        "why": outcome.why,
        "tell": [
            {
                "to": report.sent_to,
                "copy": report.copy,
                "version": report.judging.number,
                "sent_at": report.sent_at.isoformat(),
                "sent_by": report.sent_by.get_username(),
            }
            for report in outcome.to_tell
        ],
    }
