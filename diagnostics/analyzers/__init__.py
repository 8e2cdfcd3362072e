"""Analyzers: facts to findings. Pure functions, no Django; the list is what is imported here."""

from . import (
    asked,
    endings,
    hang,
    hardware,
    oom,
    panic,
    programs,
    storage,
    warnings,
    wtmp,
)

__all__ = [
    "asked",
    "endings",
    "hang",
    "hardware",
    "oom",
    "panic",
    "programs",
    "storage",
    "warnings",
    "wtmp",
]
