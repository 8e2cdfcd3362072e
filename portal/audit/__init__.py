"""Who did what to what. `record` is the only way in; nothing is ever changed or taken out."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from django.contrib.auth.models import User
    from django.db.models import Model

    from portal.audit.models import AuditEntry


def record(
    *,
    actor: User | str | None,
    act: str,
    subject: Model | tuple[str, str, str],
    via: str,
    **details: object,
) -> AuditEntry:
    """Write one entry, inside the caller's transaction, as the last thing it does.

    `actor` is a person, or the name of what acted without one ("conductor").
    `subject` is a row or (label, key, url). `via` is page, admin, command or job.
    """
    from portal.audit import chain  # models cannot be imported while the apps load

    return chain.append(actor=actor, act=act, subject=subject, via=via, details=details)


def genuine(subject: Model, *acts: str) -> list[AuditEntry]:
    """The entries of these acts on this row that only the portal can have written."""
    from portal.audit import chain

    return chain.genuine(subject, acts)
