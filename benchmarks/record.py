"""Keep a benchmark's raw output with the commit and the machine it was measured on."""

from __future__ import annotations

import contextlib
import io
import os
import platform
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def machine() -> str:
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2**30
    return (
        f"{os.cpu_count()} cores, {memory} GiB, {platform.system()} {platform.release()}, "
        f"Python {platform.python_version()}"
    )


def commit() -> str:
    """Of what is measured; the records of other benchmarks do not count as changes of it."""
    measured = _git("describe", "--always")
    changed = _git("status", "--porcelain", "--", ".", ":!docs/benchmarks")
    return f"{measured or 'no commit'}{'-dirty' if changed else ''}"


def _git(*words: str) -> str:
    return subprocess.run(["git", *words], cwd=ROOT, capture_output=True, text=True).stdout.strip()


class Tee(io.TextIOBase):
    """Writes to two places, so that the person sees what the record keeps."""

    def __init__(self, first, second) -> None:
        self.first, self.second = first, second

    def write(self, text: str) -> int:
        self.first.write(text)
        self.first.flush()
        return self.second.write(text)


@contextlib.contextmanager
def recorded(name: str) -> Iterator[None]:
    """Print as usual; afterwards docs/benchmarks/NAME.txt holds the same text."""
    kept = io.StringIO()
    with contextlib.redirect_stdout(Tee(sys.stdout, kept)):
        print(f"{name} · commit {commit()} · {datetime.now(UTC):%Y-%m-%d %H:%M} UTC")
        print(machine())
        yield
    target = ROOT / "docs" / "benchmarks" / f"{name}.txt"
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(kept.getvalue())
