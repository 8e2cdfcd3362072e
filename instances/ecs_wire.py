"""Values as ECS writes them, read with suspicion: whatever came, the types below come out."""

from __future__ import annotations

import base64
import binascii
from datetime import UTC, datetime, timedelta, timezone

_CHINA = timezone(timedelta(hours=8))
_TIME_LENGTHS = {len("2017-12-10T04:04Z"), len("2017-12-10T04:04:05Z")}


def text(value: object) -> str:
    """A string that every database keeps, without NUL and half characters; None becomes ""."""
    if value is None:
        return ""
    whole = str(value).replace("\0", "�")
    return whole if whole.isascii() else whole.encode(errors="replace").decode()


def number(value: object) -> int | None:
    """A whole number, or None for whatever is none."""
    if isinstance(value, bool):
        return None
    try:
        return int(value)  # type: ignore[call-overload]
    except (TypeError, ValueError, OverflowError):
        return None


def true(value: object) -> bool:
    """ECS and the SDK write booleans as true, "true" and "True"."""
    return text(value).lower() == "true"


def time(value: object) -> datetime | None:
    """`2017-12-10T04:04Z` and `2017-12-10T04:04:05Z` as aware UTC; anything else is None."""
    if not isinstance(value, str) or len(value) not in _TIME_LENGTHS or not value.endswith("Z"):
        return None
    try:
        return datetime.fromisoformat(value)
    except ValueError:
        return None


def china_time(value: object) -> datetime | None:
    """`2017-12-10 12:04:05`, which a few answers give in UTC+8 without saying so, as UTC."""
    try:
        naive = datetime.strptime(text(value), "%Y-%m-%d %H:%M:%S")
    except ValueError:
        return None
    return naive.replace(tzinfo=_CHINA).astimezone(UTC)


def written(moment: datetime) -> str:
    """A time as request parameters want it."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def encoded(script: str) -> str:
    return base64.b64encode(script.encode()).decode("ascii")


def decoded(value: object) -> bytes:
    """Base64 undone; what is not Base64 is kept as it came, so that no output is lost."""
    raw = "" if value is None else str(value)
    try:
        return base64.b64decode(raw, validate=True)
    except (binascii.Error, ValueError):
        return raw.encode(errors="surrogatepass")
