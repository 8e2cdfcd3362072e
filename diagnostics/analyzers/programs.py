"""Programs that failed while the system stayed up, and looks that someone took by sysrq."""

from __future__ import annotations

from collections.abc import Iterator

from ..findings import Finding
from ..readers.boots import Boot
from ..wording import say as _
from .claims import claim
from .registry import analyzer

QUIET = 10


@analyzer("down")
def failures(down: Boot) -> Iterator[Finding]:
    """Segmentation faults and programs that gave up: not the system's end."""
    rules = {
        "segfault": ("user_segfault", _("A program crashed; the system did not")),
        "failure": ("app_failure", _("A program failed; the system did not")),
    }
    for name, (subkind, title) in rules.items():
        for event in [event for event in down.of("user") if event.name == name][:1]:
            yield claim(f"program.{name}", title, event, "none", subkind, QUIET)


@analyzer("down")
def looks(down: Boot) -> Iterator[Finding]:
    """Someone had the kernel list its state: nothing by itself."""
    for event in [event for event in down.of("sysrq") if event.name == "show"][:1]:
        title = _("Someone had the kernel print its state (sysrq)")
        yield claim("sysrq.show", title, event, "none", "sysrq_show", QUIET + 3)
