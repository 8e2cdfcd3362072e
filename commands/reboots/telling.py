"""What people are told of a batch, wherever they are."""

from __future__ import annotations

from commands.models import RebootBatch


def asked(batch: RebootBatch) -> None:
    """Somebody has to decide."""


def started(batch: RebootBatch) -> None:
    """Its first wave begins."""


def paused(batch: RebootBatch) -> None:
    """It waits for a person."""


def finished(batch: RebootBatch) -> None:
    """It is over, with what came of it."""


def emergency(batch: RebootBatch) -> None:
    """Somebody reboots an instance without asking first."""
