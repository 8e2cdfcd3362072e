"""File systems and disks that reported errors."""

from __future__ import annotations

from collections.abc import Iterator

from ..findings import Finding
from ..readers.boots import Boot
from ..wording import say as _
from .claims import claim
from .registry import analyzer

FILESYSTEM, DISK = 29, 12


@analyzer("down")
def filesystems(down: Boot) -> Iterator[Finding]:
    """A file system found itself damaged or stopped taking writes."""
    for event in down.of("fs")[:1]:
        title = _("A file system reported damage or stopped taking writes")
        yield claim("storage.filesystem", title, event, "warning", "fs_error", FILESYSTEM)


@analyzer("down")
def disks(down: Boot) -> Iterator[Finding]:
    """Reads or writes of a disk failed."""
    for event in down.of("io")[:1]:
        yield claim(
            "storage.io-error", _("A disk did not answer rightly"), event, "none", "io_error", DISK
        )
