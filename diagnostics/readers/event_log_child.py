"""Reads one .evtx from standard input and prints the records whose ids are its arguments, a JSON
document a line, and last how many records there were.

A program of its own, without the portal: whatever the file does to it, only this process dies.
"""

from __future__ import annotations

import io
import json
import resource
import sys

MEMORY = 1 << 30  # bytes of address space; a log of 64 MB needs half of it
SECONDS = 20
MOST = 2_000_000  # records
MOST_PRINTED = 100_000
MOST_DAMAGED = 10_000  # errors after which nothing more is expected


def limit() -> None:
    for what, most in (
        (resource.RLIMIT_AS, MEMORY),
        (resource.RLIMIT_CPU, SECONDS),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_NPROC, 0),
        (resource.RLIMIT_FSIZE, 128 << 20),
    ):
        resource.setrlimit(what, (most, most))


def number(document: dict) -> int:
    """The event's id; -1 where there is none."""
    id = document.get("Event", {}).get("System", {}).get("EventID")
    if isinstance(id, dict):
        id = id.get("#text")
    return int(id) & 0xFFFF if str(id).isdecimal() else -1


def main(wanted: set[int]) -> None:
    limit()
    from evtx import PyEvtxParser

    printed, seen, damaged, error = 0, [], 0, ""
    try:
        parser = PyEvtxParser(io.BytesIO(sys.stdin.buffer.read()), number_of_threads=1)
        records = iter(parser.records_json())
        while len(seen) < MOST and damaged < MOST_DAMAGED and printed < MOST_PRINTED:
            try:
                record = next(records)
                seen.append(record["event_record_id"])
                document = json.loads(record["data"])
                if number(document) in wanted:
                    print(json.dumps(document))
                    printed += 1
            except StopIteration:
                break
            except (RuntimeError, OSError, ValueError, AttributeError, RecursionError):
                damaged += 1
    except (RuntimeError, OSError, ValueError, MemoryError) as trouble:
        error = f"{type(trouble).__name__}: {trouble}"
    told = {"first": min(seen, default=0), "last": max(seen, default=0)}
    print(json.dumps({"records": len(seen), "damaged": damaged, "error": error, **told}))


if __name__ == "__main__":
    main({int(id) for id in sys.argv[1:]})
