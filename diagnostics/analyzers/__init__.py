"""Analyzers: facts to findings. Pure functions, no Django; the list is what is imported here."""

from . import endings, hang, hardware, oom, panic, programs, storage, warnings

__all__ = ["endings", "hang", "hardware", "oom", "panic", "programs", "storage", "warnings"]
