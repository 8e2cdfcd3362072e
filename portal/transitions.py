"""The one way a row changes its state: once, whoever else tries at the same moment."""

from __future__ import annotations

from django.db import models


class WrongState(Exception):
    """The row was not in the state that the step needs; the message is fit for a person."""


def move(
    row: models.Model, *, source: str | tuple[str, ...], target: str, **changes: object
) -> None:
    """Take `row` from `source` to `target` by compare-and-set, or raise WrongState.

    `row` is read again afterwards, so the caller sees what the database holds.
    """
    sources = (source,) if isinstance(source, str) else source
    matching = type(row)._default_manager.filter(pk=row.pk, state__in=sources)
    moved = matching.update(state=target, **changes)
    row.refresh_from_db()
    if not moved:
        raise WrongState(f"{row} is {row.get_state_display()}, not {' or '.join(sources)}")
