"""Which analyzers these are: the digest of everything that has a say in a verdict."""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path

HERE = Path(__file__).parent
PARTS = ("findings.py", "facts.py", "incident.py", "readers", "analyzers", "reading", "conclusions")


@cache
def analyzers() -> str:
    """Ten hex digits that change with any line of readers, analyzers or conclusions."""
    digest = hashlib.sha256()
    for path in _files():
        digest.update(f"{path.relative_to(HERE).as_posix()}\0".encode())
        digest.update(path.read_bytes().replace(b"\r\n", b"\n") + b"\0")
    return digest.hexdigest()[:10]


def _files() -> list[Path]:
    roots = [HERE / part for part in PARTS]
    files = [path for root in roots for path in (root.rglob("*") if root.is_dir() else [root])]
    return sorted(path for path in files if path.is_file() and "__pycache__" not in path.parts)
