"""How the endpoint says no: ECS's code, its HTTP status and a message naming the parameter."""

from __future__ import annotations


class Refusal(Exception):
    """A call that was not carried out; becomes the documented JSON error."""

    def __init__(
        self, status: int, code: str, message: str, *, headers: dict[str, str] | None = None
    ) -> None:
        super().__init__(f"{code}: {message}")
        self.status, self.code, self.message = status, code, message
        self.headers = headers or {}
        self.detail: dict[str, str] | None = None


def missing(name: str, *, status: int = 400) -> Refusal:
    return Refusal(
        status,
        "MissingParameter",
        f'The input parameter "{name}" that is mandatory for processing this request '
        "is not supplied.",
    )


def invalid(name: str, allowed: str, *, status: int = 400) -> Refusal:
    return Refusal(
        status, f"InvalidParameter.{name}", f"The specified {name} is not valid: {allowed}."
    )


def forbidden(operation: str, identity: str, product: str = "ecs") -> Refusal:
    """The answer of access control (RAM) to an identity that lacks the right."""
    refusal = Refusal(
        403, "Forbidden.RAM", "User not authorized to operate on the specified resource."
    )
    refusal.detail = {
        "AuthAction": f"{product}:{operation}",
        "AuthPrincipalDisplayName": identity,
        "AuthPrincipalType": "SubUser",
        "NoPermissionType": "ImplicitDeny",
        "PolicyType": "AccountLevelIdentityBasedPolicy",
    }
    return refusal
