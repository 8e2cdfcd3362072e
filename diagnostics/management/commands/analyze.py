"""Evidence in, verdict out: a file or standard input, no database.

A log as it is, what the collection script printed, a Windows event log or a print of one, any of
these in gzip or zip, one Windows record, or one case a line.
"""

from __future__ import annotations

import codecs
import json
import sys
from argparse import ArgumentParser
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from importlib import import_module
from typing import Any, BinaryIO

from django.core.management.base import BaseCommand

from diagnostics.findings import Analysis

BLOCK = 1 << 20
BUNDLE, LEADING = b"#ecs-bundle ", 4096  # the mark of a collected bundle, and where it stands
SAMPLE = 1 << 16
MOST_BROUGHT = 64 << 20  # bytes of an event log or archive, and of what comes out of it
LONGEST_CASE = 64 << 20  # one JSON line
ENCODINGS = {
    codecs.BOM_UTF8: "utf-8-sig",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}


class Unusable(Exception):
    """The input cannot be read as what it should be. The message is for the person."""


class Command(BaseCommand):
    help = "Judge a text, or one case a line with --jsonl. Prints JSON. Uses no database."
    requires_system_checks: list[str] = []
    requires_migrations_checks = False

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", nargs="?", default="-", help="a path, or - for standard input")
        parser.add_argument("--os", choices=["linux", "windows"], help="default: by the input")
        parser.add_argument("--jsonl", action="store_true", help="one case a line")

    def handle(self, *args: Any, file: str, jsonl: bool, **options: Any) -> None:
        try:
            with _opened(file) as stream:
                answers = _cases(stream, options["os"]) if jsonl else [_one(stream, options["os"])]
                for answer in answers:
                    self.stdout.write(json.dumps(answer, ensure_ascii=False, default=str))
        except Unusable as problem:
            self.stderr.write(f"analyze: {problem}")
            sys.exit(2)


@contextmanager
def _opened(name: str) -> Iterator[BinaryIO]:
    if name == "-":
        yield sys.stdin.buffer
        return
    try:
        with open(name, "rb") as stream:
            yield stream
    except OSError as error:
        raise Unusable(f"cannot read {name}: {error.strerror}") from None


def _one(stream: BinaryIO, os: str | None) -> dict[str, Any]:
    head = stream.read(BLOCK)
    if _is_brought(head):
        return told(None, _brought(head + stream.read(MOST_BROUGHT), os))
    if os == "windows":
        rest = iter(lambda: stream.read(BLOCK), b"")
        text = b"".join([head, *rest]).decode("utf-8", "replace")
        record = _object(text, "the input")
        if not isinstance(record.get("events"), list):
            raise Unusable("the input needs `events`, a list, as the collection script prints it")
        return told(None, _windows(record))
    if BUNDLE in head[:LEADING]:
        return told(None, _bundle(head + stream.read(BLOCK)))
    return told(None, _log(head, stream))


def _log(head: bytes, stream: BinaryIO) -> Analysis:
    """A log of any size. Bytes that are none, and in which nothing was found, tell nothing."""
    from diagnostics.analyzers import linux
    from diagnostics.readers import encodings

    found = linux.judge_stream(_texts(head, stream))
    if found.findings or encodings.is_text(head):
        return found
    return replace(found, verdict=linux.UNDETERMINED)


def _is_brought(head: bytes) -> bool:
    """Something that is no log by itself: packed, an event log, an exported journal, or printed
    Windows events."""
    from diagnostics.readers import encodings, event_log, journal_export, unpacking, windows_print

    if head.startswith((unpacking.GZIP, unpacking.ZIP, event_log.MAGIC)):
        return True
    if journal_export.looks_like(head):
        return True
    start = encodings.decoded(head[:SAMPLE]).text
    return not start.lstrip().startswith("{") and windows_print.looks_like(start)


def _brought(body: bytes, os: str | None) -> Analysis:
    """What a person would hand in to a case, judged as there."""
    from diagnostics import reading
    from diagnostics.readers import kinds, unpacking

    try:
        pieces = unpacking.unpacked("the input", body, MOST_BROUGHT)
    except unpacking.Refused as refused:
        raise Unusable(str(refused)) from None
    fit = [piece for piece in pieces if kinds.why_not(piece.body) is None]
    handed = [
        reading.Handed(
            str(number), kinds.recognised(piece.name, piece.body), piece.name, piece.body
        )
        for number, piece in enumerate(fit)
    ]
    found = reading.read({}, os or "", None, handed).guest if handed else None
    if found is None:
        raise Unusable("the input holds nothing that can be judged")
    return found


def _bundle(output: bytes) -> Analysis:
    """What the collection script printed, as a person copied it."""
    from diagnostics.analyzers import linux
    from diagnostics.readers import bundle, windows_record

    brought = bundle.read(output)
    if brought.os == "windows":
        return _windows(windows_record.read(brought.sections))
    return linux.judge(brought.sections)


def _texts(head: bytes, stream: BinaryIO) -> Iterator[str]:
    """The bytes as text, whatever they are: wrong ones become replacement characters."""
    encoding = next((name for mark, name in ENCODINGS.items() if head.startswith(mark)), "utf-8")
    decoder = codecs.getincrementaldecoder(encoding)("replace")
    while head:
        yield decoder.decode(head)
        head = stream.read(BLOCK)
    yield decoder.decode(b"", final=True)


def _cases(stream: BinaryIO, os: str | None) -> Iterable[dict[str, Any]]:
    number = 0
    while line := stream.readline(LONGEST_CASE):
        number += 1
        if line.strip():
            case = _object(line.decode("utf-8", "replace"), f"line {number}")
            yield told(case.get("id"), _judged(case, os, number))


def _judged(case: dict[str, Any], os: str | None, number: int) -> Analysis:
    os = os or ("linux" if "text" in case else "windows")
    if os == "windows":
        if not isinstance(case.get("events"), list):
            raise Unusable(f"line {number}: needs `text` (Linux) or `events`, a list (Windows)")
        return _windows(case)
    if not isinstance(case.get("text"), str):
        raise Unusable(f"line {number}: `text` must be a string with the log")
    from diagnostics.analyzers import linux

    return linux.judge({"text": case["text"]})


def _windows(record: dict[str, Any]) -> Analysis:
    try:
        windows = import_module("diagnostics.analyzers.windows")
    except ModuleNotFoundError:
        raise Unusable("Windows records cannot be judged by this version") from None
    return windows.judge(record)


def _object(text: str, where: str) -> dict[str, Any]:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise Unusable(f"{where} is not JSON: {error}") from None
    if not isinstance(value, dict):
        raise Unusable(f"{where} must be a JSON object with `text` or `events`")
    return value


def told(case_id: object, analysis: Analysis) -> dict[str, Any]:
    """The keys that `analyze` promises, in their order."""
    verdict = analysis.verdict
    names = ("kind", "subkind", "crashed", "function", "bugcheck_code", "planned", "signature")
    answer: dict[str, Any] = {} if case_id is None else {"id": case_id}
    answer |= {name: getattr(verdict, name) for name in names}
    answer["confidence"] = verdict.confidence
    answer["findings"] = [_finding(finding) for finding in analysis.findings]
    answer["ruled_out"] = [
        {"what": str(r.what), "because": str(r.because)} for r in analysis.ruled_out
    ]
    answer["skipped"] = {name: list(missing) for name, missing in analysis.skipped.items()}
    answer["broken"] = dict(analysis.broken)
    return answer


def _finding(finding: Any) -> dict[str, Any]:
    quote = finding.quote
    proof = quote and {"text": quote.text, "source": quote.source, "at": quote.at}
    shown = {"code": finding.code, "severity": finding.severity, "title": str(finding.title)}
    return shown | {"analyzer": finding.analyzer, "quote": proof, "facts": dict(finding.facts)}
