"""Who is calling: signatures checked byte for byte, dates and nonces included.

Each scheme is one function from a request to the identity that signed it, or a Refusal.
"""

from __future__ import annotations

import base64
import hmac
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from hashlib import sha1, sha256
from urllib.parse import quote

from simulator.errors import Refusal
from simulator.wire import Request

WINDOW = timedelta(minutes=15)
ALGORITHM = "ACS3-HMAC-SHA256"
MUST_BE_SIGNED = (
    "host",
    "x-acs-action",
    "x-acs-version",
    "x-acs-date",
    "x-acs-signature-nonce",
    "x-acs-content-sha256",
)
RPC1_MUST_BE_SENT = (
    "AccessKeyId",
    "Signature",
    "SignatureMethod",
    "SignatureNonce",
    "SignatureVersion",
    "Timestamp",
)


@dataclass(frozen=True)
class AccessKey:
    """One identity: its pair, and what it may not do (`*` is everything)."""

    id: str
    secret: str
    denied: frozenset[str] = frozenset()

    def may(self, operation: str) -> bool:
        return "*" not in self.denied and operation not in self.denied

    @classmethod
    def parse(cls, text: str) -> AccessKey:
        """`ID:SECRET`, `ID:SECRET:noread`, or `ID:SECRET:deny=RunCommand+StopInvocation`."""
        parts = text.split(":")
        if len(parts) not in (2, 3) or not all(parts):
            raise ValueError(f"an access key is ID:SECRET[:noread|:deny=A+B], not {text!r}")
        rights = parts[2] if len(parts) == 3 else ""
        if rights == "noread":
            return cls(parts[0], parts[1], frozenset("*"))
        if rights and not rights.startswith("deny="):
            raise ValueError(f"rights are noread or deny=A+B, not {rights!r}")
        return cls(parts[0], parts[1], frozenset(filter(None, rights[5:].split("+"))))


@dataclass
class Nonces:
    """Every nonce once, remembered for as long as its date is accepted."""

    seen: dict[str, datetime] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)
    sweep_at: datetime = datetime.min.replace(tzinfo=UTC)

    def spend(self, nonce: str, now: datetime) -> None:
        with self.lock:
            if now >= self.sweep_at:
                self.seen = {n: at for n, at in self.seen.items() if now - at <= 2 * WINDOW}
                self.sweep_at = now + timedelta(minutes=1)
            if nonce in self.seen:
                raise Refusal(
                    400, "SignatureNonceUsed", "The request signature nonce has been used."
                )
            self.seen[nonce] = now


@dataclass
class Verifier:
    """Checks requests against the access keys it knows."""

    keys: dict[str, AccessKey]
    nonces: Nonces = field(default_factory=Nonces)

    def identify(self, request: Request, now: datetime) -> AccessKey:
        for belongs, verify in SCHEMES:
            if belongs(request):
                return verify(self, request, now)
        raise incomplete("no Authorization header of a known scheme")

    def key(self, access_key_id: str) -> AccessKey:
        if access_key_id not in self.keys:
            raise Refusal(404, "InvalidAccessKeyId.NotFound", "Specified access key is not found.")
        return self.keys[access_key_id]


def asked_for(request: Request) -> tuple[str, str]:
    """Operation and version, taken only from where the request's own scheme signs them."""
    if "authorization" in request.headers:
        headers = request.headers
        return headers.get("x-acs-action", ""), headers.get("x-acs-version", "")
    params = dict(request.pairs)
    return params.get("Action", ""), params.get("Version", "")


def incomplete(why: str) -> Refusal:
    return Refusal(400, "IncompleteSignature", f"The request signature does not conform: {why}.")


def mismatch(why: str) -> Refusal:
    return Refusal(
        400,
        "SignatureDoesNotMatch",
        f"Specified signature is not matched with our calculation: {why}.",
    )


def check_date(text: str, now: datetime) -> None:
    try:
        moment = datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
    except ValueError:
        raise Refusal(
            400,
            "InvalidTimeStamp.Format",
            "Specified time stamp or date value is not well formatted.",
        ) from None
    if abs(now - moment) > WINDOW:
        raise Refusal(
            400, "InvalidTimeStamp.Expired", "Specified time stamp or date value is expired."
        )


def _acs3(verifier: Verifier, request: Request, now: datetime) -> AccessKey:
    parts = _authorization(request.headers["authorization"])
    signed = parts["SignedHeaders"].split(";")
    for name in MUST_BE_SIGNED:
        if name not in signed:
            raise incomplete(f"{name} is not among the signed headers")
    for name in signed:
        if name not in request.headers:
            raise incomplete(f"the signed header {name} is absent")
    key = verifier.key(parts["Credential"])
    check_date(request.headers["x-acs-date"], now)
    if request.headers["x-acs-content-sha256"] != sha256(request.body).hexdigest():
        raise mismatch("x-acs-content-sha256 is not the hash of the body")
    expected = acs3_signature(request, signed, key.secret)
    if not hmac.compare_digest(expected.encode(), parts["Signature"].encode()):
        raise mismatch("the calculated signature differs")
    verifier.nonces.spend(request.headers["x-acs-signature-nonce"], now)
    return key


def _authorization(header: str) -> dict[str, str]:
    rest = header.removeprefix(ALGORITHM).strip()
    parts = dict(part.strip().partition("=")[::2] for part in rest.split(","))
    if set(parts) != {"Credential", "SignedHeaders", "Signature"}:
        raise incomplete("Credential, SignedHeaders and Signature are needed")
    return parts


def acs3_signature(request: Request, signed: list[str], secret: str) -> str:
    """The signature in hex that `secret` makes of this request."""
    canonical = "\n".join(
        [
            request.method,
            request.path or "/",
            "&".join(f"{_quoted(k)}={_quoted(v)}" for k, v in sorted(request.query_pairs)),
            "".join(f"{name}:{request.headers[name].strip()}\n" for name in signed),
            ";".join(signed),
            sha256(request.body).hexdigest(),
        ]
    )
    to_sign = f"{ALGORITHM}\n{sha256(canonical.encode()).hexdigest()}"
    return hmac.new(secret.encode(), to_sign.encode(), sha256).hexdigest()


def _quoted(text: str) -> str:
    return quote(text, safe="~")


def _rpc1(verifier: Verifier, request: Request, now: datetime) -> AccessKey:
    """The older scheme: everything in the parameters, HMAC-SHA1."""
    params = dict(request.pairs)
    for name in RPC1_MUST_BE_SENT:
        if not params.get(name):
            raise incomplete(f"{name} is not supplied")
    if (params["SignatureMethod"], params["SignatureVersion"]) != ("HMAC-SHA1", "1.0"):
        raise incomplete("SignatureMethod is HMAC-SHA1, SignatureVersion is 1.0")
    key = verifier.key(params["AccessKeyId"])
    check_date(params["Timestamp"], now)
    expected = rpc1_signature(request, key.secret)
    if not hmac.compare_digest(expected.encode(), params["Signature"].encode()):
        raise mismatch("the calculated signature differs")
    verifier.nonces.spend(params["SignatureNonce"], now)
    return key


def rpc1_signature(request: Request, secret: str) -> str:
    """The Base64 signature that `secret` makes of all parameters but Signature itself."""
    pairs = sorted((k, v) for k, v in request.pairs if k != "Signature")
    canonical = "&".join(f"{_quoted(k)}={_quoted(v)}" for k, v in pairs)
    to_sign = f"{request.method}&{_quoted('/')}&{_quoted(canonical)}"
    digest = hmac.new(f"{secret}&".encode(), to_sign.encode(), sha1).digest()
    return base64.b64encode(digest).decode()


SCHEMES: list[
    tuple[Callable[[Request], bool], Callable[[Verifier, Request, datetime], AccessKey]]
] = [
    (lambda request: request.headers.get("authorization", "").startswith(ALGORITHM + " "), _acs3),
    (lambda request: "SignatureVersion" in dict(request.pairs), _rpc1),
]
