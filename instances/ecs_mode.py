"""Where calls go, and what PORTAL_MODE lets them do. Enforced by the gateway, nowhere else."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from urllib.parse import urlsplit

from instances.ecs_errors import ModeForbids

MODE_FORBIDS = "ModeForbids"  # the code of a refusal that is ours
MODES = ("observe", "diagnose", "commands", "full")
LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})


@dataclass(frozen=True, slots=True)
class Setup:
    """Where calls go and what they may do. Before `configure`: the real cloud, reads only."""

    endpoint: str = ""  # such as http://127.0.0.1:8181; empty: the region's own
    mode: str = "observe"
    trail_endpoint: str = ""  # ActionTrail's, the same way
    connect_seconds: float = 3.0
    read_seconds: float = 10.0
    closed: str = ""  # why no call may be made at all


_setup = Setup()
_read_only: set[tuple[str, str]] = set()  # type and digest of the collection scripts


def configure(*, endpoint: str, mode: str, trail_endpoint: str = "", **seconds: float) -> None:
    """Take over settings; raises ValueError that names the setting and what is allowed.

    The simulator serves the audit trail too: where ECS is local, so is ActionTrail unless told.
    """
    global _setup
    if mode not in MODES:
        raise ValueError(f"PORTAL_MODE={mode!r}: allowed are {', '.join(MODES)}")
    _check("ECS_ENDPOINT", endpoint)
    _check("ACTIONTRAIL_ENDPOINT", trail_endpoint)
    if not trail_endpoint and urlsplit(endpoint).hostname in LOOPBACK:
        trail_endpoint = endpoint
    _setup = Setup(endpoint=endpoint, mode=mode, trail_endpoint=trail_endpoint, **seconds)


def _check(setting: str, endpoint: str) -> None:
    parts = urlsplit(endpoint)
    plain = parts.hostname and not parts.path.strip("/") and not parts.query and not parts.username
    if endpoint and not (parts.scheme in ("http", "https") and plain):
        raise ValueError(f"{setting}={endpoint!r}: must look like http://127.0.0.1:8181")
    if parts.scheme == "http" and (parts.hostname or "").endswith(".aliyuncs.com"):
        raise ValueError(f"{setting}={endpoint!r}: scripts do not travel in the clear; use https")


def close(reason: str) -> None:
    """Make no call at all until `configure` succeeds."""
    global _setup
    _setup = Setup(closed=reason)


def setup() -> Setup:
    return _setup


def mode() -> str:
    """observe | diagnose | commands | full"""
    return _setup.mode


def is_local() -> bool:
    """Whether calls go to this machine, which means to the simulator."""
    return (urlsplit(_setup.endpoint).hostname or "") in LOOPBACK


def allow_read_only(script: str, *, type: str) -> None:
    """Register one of the portal's own collection scripts; the composition root does this."""
    _read_only.add((type, _digest(script)))


def _digest(script: str) -> str:
    return hashlib.sha256(script.encode()).hexdigest()


def permit_any(operation: str) -> None:
    if _setup.closed:
        raise ModeForbids(
            f"no call is made: {_setup.closed}", operation=operation, code=MODE_FORBIDS
        )


def permit(operation: str, needed: str) -> None:
    if MODES.index(_setup.mode) < MODES.index(needed):
        raise ModeForbids(
            f"PORTAL_MODE={_setup.mode} does not allow this; {needed} would",
            operation=operation,
            code=MODE_FORBIDS,
        )


def permit_run(script: str, type: str, read_only: bool, *, bent: bool = False) -> None:
    """`bent`: something beside the text says what happens, so that the text proves nothing."""
    if (type, _digest(script)) in _read_only and not bent:
        permit("RunCommand", "diagnose")
    elif read_only:
        raise ModeForbids(
            "this text is not one of the portal's own collection scripts, so nothing shows that "
            "it only reads",
            operation="RunCommand",
            code=MODE_FORBIDS,
        )
    else:
        permit("RunCommand", "commands")
