"""What the machine's own checks reported: machine checks, memory controllers, NMIs."""

from __future__ import annotations

from collections.abc import Iterator

from ..findings import Finding
from ..readers.boots import Boot
from ..wording import say as _
from .claims import claim
from .registry import analyzer

WEAK = 28


@analyzer("down")
def errors(down: Boot) -> Iterator[Finding]:
    """Hardware errors that the kernel survived. Fatal ones end in a panic and are found there."""
    subkinds = {
        "fatal": "mce_corrected",
        "corrected": "mce_corrected",
        "nmi_unknown": "nmi_unknown",
    }
    seen: set[str] = set()
    for event in down.of("hardware"):
        subkind = subkinds[event.name]
        if subkind not in seen:
            seen.add(subkind)
            title = {
                "fatal": _("The hardware reported an error that was not corrected"),
                "corrected": _("The hardware corrected an error"),
                "nmi_unknown": _("A non-maskable interrupt came for a reason nobody knows"),
            }[event.name]
            code = f"hardware.{event.name.replace('_', '-')}"
            yield claim(code, title, event, "warning", subkind, WEAK, reason=event.text[:300])
