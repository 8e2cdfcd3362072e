"""A whole run to take away: a line or a block for each machine, written while it is read."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterator

from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from commands.decoding import decoded, plain
from commands.models import Target

COLUMNS = {
    _("Instance ID"): lambda row: row.instance.instance_id,
    _("Name"): lambda row: row.instance.name,
    _("Region"): lambda row: row.instance.region,
    _("Outcome"): lambda row: row.outcome,
    _("Status"): lambda row: row.status,
    _("Exit code"): lambda row: row.exit_code,
    _("Error"): lambda row: " ".join(filter(None, (row.error_code, row.error_info))),
    _("Started"): lambda row: row.started_at,
    _("Finished"): lambda row: row.finished_at,
    _("Bytes dropped"): lambda row: row.dropped,
    _("Output"): lambda row: output_of(row),
}


def output_of(target: Target) -> str:
    """What the machine printed as text; of binary data how much it is."""
    if not target.output:
        return ""
    body = target.output.body()
    read = decoded(body)
    if body and not read.text:
        return _("(%d bytes of binary data)") % len(body)
    return plain(read.text)


def as_json(targets: QuerySet[Target]) -> Iterator[str]:
    """One array, an object for each machine."""
    yield "["
    for place, row in enumerate(_rows(targets)):
        yield ("," if place else "") + "\n" + json.dumps(_object(row), ensure_ascii=False)
    yield "\n]\n"


def _object(row: Target) -> dict[str, object]:
    def at(moment) -> str | None:
        return moment.isoformat() if moment else None

    return {
        "instance_id": row.instance.instance_id,
        "name": row.instance.name,
        "region": row.instance.region,
        "outcome": row.outcome,
        "status": row.status,
        "exit_code": row.exit_code,
        "error_code": row.error_code,
        "error": row.error_info,
        "started_at": at(row.started_at),
        "finished_at": at(row.finished_at),
        "dropped": row.dropped,
        **_printed(row),
    }


def _printed(row: Target) -> dict[str, str]:
    body = row.output.body() if row.output else b""
    text = plain(decoded(body).text)
    if body and not text:
        return {"output": "", "output_base64": base64.b64encode(body).decode()}
    return {"output": text}


def as_text(targets: QuerySet[Target]) -> Iterator[str]:
    """A heading and the output, machine after machine."""
    for row in _rows(targets):
        ended = row.status if row.exit_code is None else f"{row.status}, exit code {row.exit_code}"
        error = f" ({row.error_code}: {row.error_info})" if row.error_code else ""
        place = f"{row.instance} {row.instance.instance_id} {row.instance.region}"
        yield f"=== {place}: {ended}{error}\n"
        body = output_of(row)
        yield body if not body or body.endswith("\n") else f"{body}\n"


def _rows(targets: QuerySet[Target]) -> Iterator[Target]:
    rows = targets.select_related("instance", "output").order_by("pk")
    return rows.iterator(chunk_size=200)


FORMS: dict[str, tuple[str, Callable[[QuerySet[Target]], Iterator[str]]]] = {
    "json": ("application/json", as_json),
    "txt": ("text/plain; charset=utf-8", as_text),
}
