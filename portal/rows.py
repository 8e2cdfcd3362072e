"""Many rows at once: inserted without an object for each, and locked without a deadlock."""

from __future__ import annotations

import zlib
from collections.abc import Iterable

from django.db import connection, connections, models, router


def insert_alike(
    model: type[models.Model], field: str, values: Iterable[object], **alike: object
) -> None:
    """Insert one row for each of `values` of `field`, in their order; `alike` in all else.

    Columns (named as attributes, such as `run_id`) that are not given take the model's default.
    No object is made, so nothing of `save()` happens: no `auto_now`, no signal.
    """
    connection = connections[router.db_for_write(model)]
    meta, quoted = model._meta, connection.ops.quote_name
    columns = [column for column in meta.concrete_fields if not column.primary_key]
    varies = next(column for column in columns if column.attname == field)
    row = {
        column: column.get_db_prep_save(alike.get(column.attname, column.get_default()), connection)
        for column in columns
        if column is not varies
    }
    places = ", ".join(["%s"] * len(columns))
    names = ", ".join(quoted(column.column) for column in (varies, *row))
    with connection.cursor() as cursor:
        cursor.executemany(
            f"INSERT INTO {quoted(meta.db_table)} ({names}) VALUES ({places})",  # noqa: S608
            [(varies.get_db_prep_save(value, connection), *row.values()) for value in values],
        )


def lock(rows: models.QuerySet) -> None:
    """Take rows in the order of their keys, before one UPDATE that takes them as they lie.

    Two transactions that do so wait for one another, and never both.
    """
    if connection.features.has_select_for_update:
        list(rows.order_by("pk").select_for_update().values_list("pk", flat=True))


def free_now(rows: models.QuerySet) -> models.QuerySet:
    """Those of the rows that no transaction is busy with, locked: nobody waits for anybody."""
    if connection.features.has_select_for_update_skip_locked:
        rows = rows.select_for_update(skip_locked=True, of=("self",))
    return rows


def together(model: type[models.Model]) -> None:
    """Until the transaction ends nobody is `alone` with these rows; any number may be together.

    SQLite has one writing transaction at a time, and needs nothing of this.
    """
    _advise("pg_advisory_xact_lock_shared", model)


def alone(model: type[models.Model]) -> None:
    """Wait for whoever is `together` with these rows, and keep them out while we write."""
    _advise("pg_advisory_xact_lock", model)


def _advise(function: str, model: type[models.Model]) -> None:
    connection = connections[router.db_for_write(model)]
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            key = zlib.crc32(model._meta.db_table.encode())
            cursor.execute(f"SELECT {function}(%s)", [key])  # noqa: S608
