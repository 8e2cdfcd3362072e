"""Panels that higher layers add to an instance's page.

A higher app names its source in `SOURCES` (the composition root does that): a function of an
instance and a person that gives a Block, or None where there is nothing for this person to see.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from instances.models import Instance


@dataclass(frozen=True, slots=True)
class Block:
    """A template, and what it finds under the name `block`."""

    template: str
    context: dict[str, Any] = field(default_factory=dict)


Source = Callable[[Instance, Any], Block | None]
SOURCES: list[Source] = []


def blocks(instance: Instance, user: Any) -> list[Block]:
    return [block for source in SOURCES if (block := source(instance, user))]
