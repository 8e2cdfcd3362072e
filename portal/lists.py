"""Long lists: pages by key, not by number, so that a million rows answer like fifty.

`page` gives one page of a queryset in a total order. Rows whose leading value is missing come
last. The place in the list is a signed cursor: one that we did not write means the first page.
"""

from __future__ import annotations

import csv as csv_format
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Generic, TypeVar

from django.core import signing
from django.core.exceptions import FieldDoesNotExist
from django.db.models import Field, Model, Q, QuerySet
from django.http import HttpRequest, QueryDict, StreamingHttpResponse
from django.utils import timezone

MOST = 10_000  # counted no further: nobody reads "284,113", and counting it costs seconds
CURSOR, SORT = "at", "sort"
Row = TypeVar("Row", bound=Model)
Order = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Count:
    """A number of rows, honest about where counting stopped."""

    number: int
    more: bool = False

    def __str__(self) -> str:
        return f"{self.number:,}{'+' if self.more else ''}"


@dataclass(frozen=True, slots=True)
class Column:
    name: str
    descending: bool
    field: Field
    nullable: bool

    def flipped(self) -> Column:
        return Column(self.name, not self.descending, self.field, self.nullable)


@dataclass(frozen=True)
class Page(Generic[Row]):
    """Rows in order, links (query strings; "" where there is no such page), a bounded count."""

    rows: list[Row]
    count: Count
    next: str
    previous: str
    params: QueryDict
    sort: str = ""

    def __iter__(self) -> Iterator[Row]:
        return iter(self.rows)

    def __len__(self) -> int:
        return len(self.rows)

    @property
    def csv(self) -> str:
        return _link(self.params, csv="1", **{CURSOR: None})

    def sort_link(self, key: str) -> str:
        """Sort by `key`; the other way round where it is sorted so already."""
        return _link(self.params, **{SORT: f"-{key}" if self.sort == key else key, CURSOR: None})

    def arrow(self, key: str) -> str:
        """ascending | descending | "" for a column that the list is not sorted by."""
        if self.sort.removeprefix("-") != key:
            return ""
        return "descending" if self.sort.startswith("-") else "ascending"


def page(
    request: HttpRequest,
    queryset: QuerySet[Row],
    order: Order,
    *,
    sorts: Mapping[str, Order] | None = None,
    size: int = 50,
    known: int | None = None,
    unique: str = "pk",
) -> Page[Row]:
    """One page of `queryset`, ordered by `order` or by the person's choice among `sorts`.

    `known` says how many rows there are where the caller counted them already. Of grouped rows
    (`values`) `unique` is the column that they are grouped by.
    An order is field names with an optional leading "-"; only its first may hold nulls.
    """
    sort, chosen = _choice(request.GET, order, sorts or {})
    columns = _columns(queryset, chosen, unique)
    back, after = _read_cursor(request.GET.get(CURSOR, ""), sort, columns)
    found = _walk(queryset, columns, after, back, size + 1)
    more, rows = len(found) > size, found[:size]
    if back:
        rows.reverse()
    has_next, has_previous = (True, more) if back else (more, after is not None)
    return Page(
        rows=rows,
        count=count(queryset) if known is None else Count(min(known, MOST), known > MOST),
        next=_turn(request.GET, sort, columns, rows[-1], False) if has_next and rows else "",
        previous=_turn(request.GET, sort, columns, rows[0], True) if has_previous and rows else "",
        params=request.GET,
        sort=sort,
    )


def count(queryset: QuerySet, most: int = MOST) -> Count:
    """How many rows, up to `most`."""
    number = queryset.order_by()[: most + 1].count()
    return Count(min(number, most), number > most)


def csv(
    request: HttpRequest,
    queryset: QuerySet[Row],
    columns: Mapping[str, Callable[[Row], object]],
    *,
    name: str,
    order: Order,
    sorts: Mapping[str, Order] | None = None,
    unique: str = "pk",
) -> StreamingHttpResponse:
    """Every row of `queryset` as a CSV download, in the order of the page; heading -> value."""
    _sort, chosen = _choice(request.GET, order, sorts or {})
    rows = queryset.order_by(*chosen, unique).iterator(chunk_size=1000)
    body = _csv_lines(rows, columns)
    return StreamingHttpResponse(
        body,
        content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{name}.csv"'},
    )


def cell(value: object) -> object:
    """A value for a spreadsheet, which must never take a machine's text for a formula."""
    if value is None:
        return ""
    if isinstance(value, datetime):
        return timezone.localtime(value).isoformat(timespec="seconds")
    if isinstance(value, bool | int | float | date):
        return value
    text = str(value)
    return f"'{text}" if text.lstrip().startswith(("=", "+", "-", "@")) else text


class _Echo:
    """csv.writer wants a file; this one hands each line straight on."""

    def write(self, line: str) -> str:
        return line


def _csv_lines(
    rows: Iterable[Row], columns: Mapping[str, Callable[[Row], object]]
) -> Iterator[str]:
    writer = csv_format.writer(_Echo())
    yield "\ufeff"  # without it spreadsheets read Chinese names as Latin-1
    yield writer.writerow([str(label) for label in columns])
    for row in rows:
        yield writer.writerow([cell(value(row)) for value in columns.values()])


def _choice(params: QueryDict, order: Order, sorts: Mapping[str, Order]) -> tuple[str, Order]:
    asked = params.get(SORT, "")
    chosen = sorts.get(asked.removeprefix("-"))
    if chosen is None:
        return "", order
    return asked, _reversed(chosen) if asked.startswith("-") else chosen


def _reversed(order: Order) -> Order:
    return tuple(name[1:] if name.startswith("-") else f"-{name}" for name in order)


def _columns(queryset: QuerySet, order: Order, unique: str) -> list[Column]:
    last = f"-{unique}" if order[0].startswith("-") else unique
    names = order if order[-1].lstrip("-") in ("pk", "id", unique) else (*order, last)
    return [_column(queryset, name) for name in names]


def _column(queryset: QuerySet, text: str) -> Column:
    name = text.removeprefix("-")
    descending = text.startswith("-")
    if annotation := queryset.query.annotations.get(name):
        counted = annotation.contains_aggregate and annotation.empty_result_set_value is not None
        return Column(name, descending, annotation.output_field, nullable=not counted)
    model, nullable = queryset.model, False
    for part in name.split("__"):
        if model is None:
            raise FieldDoesNotExist(name)
        field = model._meta.pk if part == "pk" else model._meta.get_field(part)
        nullable = nullable or field.null
        model = field.related_model
    return Column(name, descending, field, nullable)


def _walk(
    queryset: QuerySet[Row], columns: list[Column], after: list | None, back: bool, size: int
) -> list[Row]:
    if back:
        columns = [column.flipped() for column in columns]
    names = [f"{'-' if column.descending else ''}{column.name}" for column in columns]
    rows: list[Row] = []
    for part in _parts(columns, after, back):
        rows += queryset.filter(part).order_by(*names)[: size - len(rows)]
        if len(rows) >= size:
            break
    return rows


def _parts(columns: list[Column], after: list | None, back: bool) -> list[Q]:
    """What is left of the list, in stretches that an index can walk: with a value, without."""
    lead = columns[0]
    if not lead.nullable:
        return [_beyond(columns, after)]
    valued = Q(**{f"{lead.name}__isnull": False})
    empty = Q(**{f"{lead.name}__isnull": True})
    if after is None:
        return [valued, empty]
    if after[0] is None:
        rest = empty & _beyond(columns[1:], after[1:])
        return [rest, valued] if back else [rest]
    rest = valued & _beyond(columns, after)
    return [rest] if back else [rest, empty]


def _beyond(columns: list[Column], after: list | None) -> Q:
    """Rows that come later than these values. The leading bound lets the index find the place."""
    if after is None:
        return Q()
    later = Q()
    for place, column in enumerate(columns):
        same = {earlier.name: value for earlier, value in zip(columns[:place], after, strict=False)}
        step = f"{column.name}__{'lt' if column.descending else 'gt'}"
        later |= Q(**same, **{step: after[place]})
    bound = f"{columns[0].name}__{'lte' if columns[0].descending else 'gte'}"
    return Q(**{bound: after[0]}) & later


def _turn(params: QueryDict, sort: str, columns: list[Column], row: Model, back: bool) -> str:
    values = [_text(_value(row, column.name)) for column in columns]
    return _link(params, **{CURSOR: signing.dumps([sort, back, values], salt="lists")})


def _value(row: Model, name: str) -> Any:
    for part in name.split("__"):
        row = row.get(part) if isinstance(row, Mapping) else getattr(row, part, None)
    return row


def _text(value: Any) -> Any:
    return value.isoformat() if isinstance(value, date) else None if value is None else str(value)


def _read_cursor(text: str, sort: str, columns: list[Column]) -> tuple[bool, list | None]:
    """Direction and values; (False, None), the first page, for anything that is not ours."""
    try:
        signed_sort, back, values = signing.loads(text, salt="lists")
    except (signing.BadSignature, ValueError):
        return False, None
    if signed_sort != sort or len(values) != len(columns):
        return False, None
    pairs = zip(columns, values, strict=True)
    return back, [None if v is None else column.field.to_python(v) for column, v in pairs]


def _link(params: QueryDict, **changes: str | None) -> str:
    """The query string with some parameters set (or, with None, taken out)."""
    changed = params.copy()
    for name, value in changes.items():
        changed.pop(name, None)
        if value is not None:
            changed[name] = value
    return f"?{changed.urlencode()}"
