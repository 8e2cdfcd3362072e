"""From raw evidence to analyses and states. Plain values, no Django, no database."""

from __future__ import annotations

from collections.abc import Mapping

from diagnostics.findings import Window
from diagnostics.readers import bundle
from diagnostics.reading import linux, windows
from diagnostics.reading.value import Reading

__all__ = ["Reading", "read"]


def read(bodies: Mapping[str, bytes], os_type: str, window: Window | None) -> Reading:
    """Everything that the evidence of one case tells; `bodies` by the name of the evidence."""
    console = linux.console(bodies.get("console"), window)
    output = bodies.get("guest_output")
    if output is None:
        return Reading(console=console)
    found = bundle.read(output)
    if not any(text.strip() for text in found.sections.values()):
        return Reading(console=console, complete=False, problems=found.problems)
    of_system = windows.read if (found.os or os_type) == "windows" else linux.read
    return of_system(found, console, window)
