"""The two ways to page: NextToken (opaque, bound to its query) and PageNumber."""

from __future__ import annotations

import base64
import hmac
import json
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from simulator.errors import Refusal, invalid
from simulator.wire import Parameters

_SEAL = secrets.token_bytes(16)
Key = Callable[[Any], str]  # names a row, so that the next page can go on after it
_NOT_QUERY = {"NextToken", "MaxResults", "PageNumber", "PageSize"}


@dataclass(frozen=True)
class Limits:
    """How far one page may go and how the operation says no."""

    most: int
    least: int = 1  # a smaller MaxResults is raised to this where `clamps`
    default: int = 10
    clamps: bool = False
    assistant: bool = False  # Cloud Assistant has its own two codes


@dataclass(frozen=True)
class Page:
    rows: Sequence[Any]
    keys: dict[str, object]  # NextToken, PageNumber, PageSize, TotalCount


def page(rows: Sequence[Any], params: Parameters, limits: Limits, key: Key, scope: str) -> Page:
    """The asked part of `rows`; `key` names a row, `scope` is the operation and who asks."""
    if params.text("NextToken") or params.text("MaxResults"):
        return _by_token(rows, params, limits, key, scope)
    number, size = _numbered(params, limits)
    start = (number - 1) * size
    part = rows[start : start + size]
    after = _token(params, scope, key(part[-1]), start + size) if _more(rows, start, part) else ""
    return Page(
        part,
        {"NextToken": after, "PageNumber": number, "PageSize": size, "TotalCount": len(rows)},
    )


def _by_token(
    rows: Sequence[Any], params: Parameters, limits: Limits, key: Key, scope: str
) -> Page:
    size = _size(params, limits)
    start = 0
    if token := params.text("NextToken"):
        last, offset = _opened(token, params, scope)
        start = next((n + 1 for n, row in enumerate(rows) if key(row) == last), offset)
    part = rows[start : start + size]
    after = _token(params, scope, key(part[-1]), start + size) if _more(rows, start, part) else ""
    # With a token these three say nothing; zeros keep callers from believing them.
    return Page(part, {"NextToken": after, "PageNumber": 0, "PageSize": 0, "TotalCount": 0})


def _more(rows: Sequence, start: int, part: Sequence) -> bool:
    return bool(part) and start + len(part) < len(rows)


def _size(params: Parameters, limits: Limits) -> int:
    size = params.integer("MaxResults", limits.default)
    if limits.clamps:
        return min(max(size, limits.least), limits.most)
    if not limits.least <= size <= limits.most:
        raise invalid("MaxResults", f"{limits.least} to {limits.most} is allowed")
    return size


def _numbered(params: Parameters, limits: Limits) -> tuple[int, int]:
    number, size = params.integer("PageNumber", 1), params.integer("PageSize", limits.default)
    for name, wrong in (("PageNumber", number < 1), ("PageSize", not 1 <= size <= limits.most)):
        if wrong and limits.assistant:
            raise Refusal(403, f"InvalidParam.{name}", f"The specified {name} is not valid.")
        if wrong:
            raise invalid(name, f"1 to {limits.most} is allowed" if name == "PageSize" else ">= 1")
    return number, size


def _query(params: Parameters, scope: str) -> str:
    asked = sorted((k, v) for k, v in params.values.items() if k not in _NOT_QUERY)
    return sha256(json.dumps([scope, asked]).encode()).hexdigest()[:16]


def _token(params: Parameters, scope: str, last: str, offset: int) -> str:
    text = json.dumps([_query(params, scope), last, offset]).encode()
    seal = hmac.digest(_SEAL, text, "sha256")[:8]
    return base64.urlsafe_b64encode(seal + text).decode().rstrip("=")


def _opened(token: str, params: Parameters, scope: str) -> tuple[str, int]:
    wrong = invalid("NextToken", "a token belongs to the query that returned it")
    try:
        raw = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4))
    except ValueError:
        raise wrong from None
    seal, text = raw[:8], raw[8:]
    if not hmac.compare_digest(seal, hmac.digest(_SEAL, text, "sha256")[:8]):
        raise wrong
    query, last, offset = json.loads(text)
    if query != _query(params, scope):
        raise wrong
    return last, offset
