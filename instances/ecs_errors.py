"""What can go wrong with a call to ECS. Read them as `ecs.Refused`, `ecs.NoAnswer` ..."""

from __future__ import annotations

import re
from typing import Any

from instances import ecs_wire as wire


class EcsError(Exception):
    """What went wrong, with ECS's own code and the RequestId where there is one."""

    # An earlier attempt of the same call had no answer, so that a "no" now does not mean that
    # it did not happen then.
    in_doubt = False

    def __init__(
        self, message: str, *, operation: str = "", code: str = "", request_id: str = ""
    ) -> None:
        super().__init__(message)
        self.message, self.operation, self.code = message, operation, code
        self.request_id = request_id

    def __str__(self) -> str:
        known = [part for part in (self.operation, self.code) if part]
        return f"{' '.join(known)}: {self.message}" if known else self.message


class Refused(EcsError):
    """ECS said no: it did not happen."""


class Throttled(Refused):
    """Too many calls: it did not happen; `retry_after` seconds from now it may be repeated."""

    def __init__(self, message: str, *, retry_after: float | None = None, **known: str) -> None:
        super().__init__(message, **known)
        self.retry_after = retry_after


class NotPermitted(Refused):
    """The identity lacks a right; `action` is its name in a RAM policy, such as ecs:RunCommand."""

    def __init__(self, message: str, *, action: str = "", **known: str) -> None:
        super().__init__(message, **known)
        self.action = action


class NotSigned(Refused):
    """No credentials could be found, or ECS does not accept them."""


class ModeForbids(Refused):
    """PORTAL_MODE does not allow this act; no call was made."""


class NoAnswer(EcsError):
    """Nobody answered understandably: it may have happened."""


def strange() -> NoAnswer:
    return NoAnswer("the answer was not in the form that ECS uses")


def request_id_of(value: object) -> str:
    return re.sub(r"[^\w-]", "", wire.text(value))[:64]


NOT_SIGNED = (  # how the codes begin that mean: these credentials, or this host's clock
    "InvalidAccessKeyId",
    "InvalidSecurityToken",
    "InvalidTimeStamp",
    "IncompleteSignature",
    "SignatureDoesNotMatch",
    "Forbidden.AccessKeyDisabled",
)


def answered_no(operation: str, error: Any, product: str = "ecs") -> EcsError:
    """ECS, or something that speaks for it, answered with an error in JSON."""
    answer = error.data if isinstance(error.data, dict) else {}
    code = wire.text(answer.get("Code") or answer.get("code"))
    message = wire.text(answer.get("Message") or answer.get("message")) or "no reason given"
    known = {
        "operation": operation,
        "code": code,
        "request_id": request_id_of(answer.get("RequestId") or answer.get("requestId")),
    }
    status = error.status_code or 0
    if code.startswith("Throttling") or (error.retry_after and status < 500):
        wish = error.retry_after / 1000 if error.retry_after else None
        return Throttled(message, retry_after=wish, **known)
    if not code or status >= 500 or code == "IdempotentProcessing":
        return NoAnswer(f"HTTP {status}: {message}", **known)
    if code.startswith(NOT_SIGNED):
        return NotSigned(message, **known)
    lacks = code.startswith(("Forbidden", "NoPermission")) and code != "Forbidden.RiskControl"
    if status == 403 and (lacks or _denied(error)):
        action = wire.text(_denied(error).get("AuthAction")) or f"{product}:{operation}"
        return NotPermitted(f"the identity lacks {action}: {message}", action=action, **known)
    return Refused(message, **known)


def _denied(error: Any) -> dict[str, Any]:
    detail = getattr(error, "access_denied_detail", None)
    return detail if isinstance(detail, dict) else {}


def not_answered(error: Any, status: int | None) -> EcsError:
    """The transport failed, or what came back was no JSON."""
    inner = getattr(error, "inner_exception", None) or error
    if type(inner).__name__ == "CredentialException":
        reason = wire.text(inner).partition("result:")[0]
        return NotSigned(f"no usable credentials: {reason}")
    if status is not None:
        return NoAnswer(f"HTTP {status} with something that is not JSON")
    reason = wire.text(getattr(inner, "message", None) or inner)
    return NoAnswer(f"no answer: {_without_query(reason)}"[:500])


def _without_query(reason: str) -> str:
    """Transport errors quote the address called, which holds the whole script."""
    return re.sub(r"\?\S*", "?...", reason)
