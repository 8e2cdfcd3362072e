"""From raw evidence to analyses and states. Plain values, no Django, no database."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, tzinfo

from diagnostics.findings import Window
from diagnostics.readers import bundle
from diagnostics.reading import handed, linux, windows
from diagnostics.reading.handed import Handed
from diagnostics.reading.value import Reading

__all__ = ["Handed", "Reading", "read"]


def read(
    bodies: Mapping[str, bytes],
    os_type: str,
    window: Window | None,
    pieces: Sequence[Handed] = (),
    zone: tzinfo = UTC,
) -> Reading:
    """Everything that the evidence of one case tells; `bodies` by the name of the evidence,
    `pieces` what people handed in, `zone` that of the case."""
    console = linux.console(bodies.get("console"), window)
    output = bodies.get("guest_output")
    found = bundle.read(output) if output is not None else None
    legible = found is not None and any(text.strip() for text in found.sections.values())
    if pieces:
        whole = handed.read(pieces, found if legible else None, os_type, console, window, zone)
        illegible = found.problems if found and not legible and not whole.scripted else ()
        return replace(whole, problems=(*illegible, *whole.problems))
    if not legible:
        problems = found.problems if found else ()
        return Reading(console=console, complete=found is None, problems=problems)
    of_system = windows.read if (found.os or os_type) == "windows" else linux.read
    return replace(of_system(found, console, window), scripted=True)
