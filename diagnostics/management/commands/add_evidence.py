"""`manage.py add_evidence`: hand files in to a case and have it judged with them, right here."""

from __future__ import annotations

import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

from diagnostics import jobs, uploads
from diagnostics.models import DiagnosisCase
from diagnostics.readers.unpacking import Refused
from diagnostics.speech import spoken_lines
from diagnostics.uploads import Offer, Taken
from portal import cli
from portal.access import NotAllowed, acting_as


class Command(BaseCommand):
    help = (
        "Hand logs, crash texts, event logs or the script's output in to a case, also packed with"
        " gzip or zip. Judges the case with them and prints the verdict."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("case", type=int, help="number of the case")
        parser.add_argument("files", nargs="+", help="paths, or - for standard input")
        parser.add_argument(
            "--as", dest="person", default="", metavar="USER", help="sees and may what USER does"
        )
        cli.add_format(parser)

    def handle(self, *args: Any, case: int, files: list[str], **asked: Any) -> None:
        found, person = _case(case, asked["person"])
        try:
            offers = [_offer(name) for name in files]
            taken = uploads.hand_in(found, offers, by=person, via="command")
        except Refused as refused:
            raise cli.BadUsage(f"files: {refused.text}") from None
        jobs.judge(found.pk)
        found.refresh_from_db()
        cli.show(self.stdout, _told(found, taken), asked["format"], _as_text)


def _case(pk: int, name: str) -> tuple[DiagnosisCase, Any]:
    try:
        person = acting_as(name, "diagnostics.add_evidence")
    except NotAllowed as refusal:
        raise cli.BadUsage(f"--as: {refusal}") from None
    seen = DiagnosisCase.objects.all()
    found = (seen.visible_to(person) if person else seen).filter(pk=pk).first()
    if found is None:
        raise cli.BadUsage(f"case: there is no case {pk}")
    return found, person


def _offer(name: str) -> Offer:
    most = settings.UPLOAD_MOST
    try:
        if name == "-":
            body = sys.stdin.buffer.read(most + 1)
        else:
            with Path(name).open("rb") as stream:
                body = stream.read(most + 1)
    except OSError as error:
        raise cli.BadUsage(f"files: cannot read {name}: {error.strerror}") from None
    if len(body) > most:
        raise cli.BadUsage(f"files: {name} is larger than {most >> 20} MB")
    return Offer("standard input" if name == "-" else name, body, pasted=name == "-")


def _told(case: DiagnosisCase, taken: Taken) -> dict[str, Any]:
    return {
        "case": case.pk,
        "taken": [
            {"file": row.file_name, "kind": row.kind, "size": row.size, "sha256": row.sha256}
            for row in taken.rows
        ],
        "left_out": spoken_lines(taken.left_out),
        "state": case.state,
        "verdict": {
            "kind": case.kind,
            "subkind": case.subkind or None,
            "function": case.function or None,
            "bugcheck_code": case.bugcheck_code or None,
            "confidence": case.confidence,
        },
    }


def _as_text(told: dict[str, Any]) -> str:
    lines = [f"taken: {row['file']} ({row['kind']}, {row['size']} bytes)" for row in told["taken"]]
    lines += [f"left out: {line}" for line in told["left_out"]]
    verdict = " ".join(str(word) for word in told["verdict"].values() if word)
    return "\n".join([*lines, f"case {told['case']} {told['state']}: {verdict}"])
