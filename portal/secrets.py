"""Values that nobody may read in the database: sealed with SECRETS_KEY, opened only for use."""

from __future__ import annotations

import base64
import hashlib
import json

from cryptography.fernet import Fernet, InvalidToken
from django.conf import settings


class WrongKey(Exception):
    """SECRETS_KEY is not the key that sealed this."""


def seal(values: dict[str, str]) -> bytes:
    """The values, unreadable without the key; b"" for none."""
    return _box().encrypt(json.dumps(values).encode()) if values else b""


def unseal(sealed: bytes) -> dict[str, str]:
    """What was sealed. Raises WrongKey where the key has changed since."""
    if not sealed:
        return {}
    try:
        return json.loads(_box().decrypt(bytes(sealed)))
    except InvalidToken:
        raise WrongKey("SECRETS_KEY is not the key that sealed this value") from None


def _box() -> Fernet:
    key = settings.SECRETS_KEY or settings.SECRET_KEY  # as for the seals of the audit
    digest = hashlib.sha256(b"portal.secrets:" + key.encode()).digest()
    return Fernet(base64.urlsafe_b64encode(digest))
