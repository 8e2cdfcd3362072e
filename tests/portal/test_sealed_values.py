"""A secret is kept so that only this portal's key opens it."""

import pytest

from portal import secrets


def test_what_was_sealed_is_opened_again():
    assert secrets.unseal(secrets.seal({"token": "hunter2 密码"})) == {"token": "hunter2 密码"}


def test_the_sealed_form_does_not_hold_the_secret():
    assert b"hunter2" not in secrets.seal({"token": "hunter2"})


def test_nothing_needs_no_seal():
    assert secrets.seal({}) == b""
    assert secrets.unseal(b"") == {}


def test_another_key_opens_nothing(settings):
    sealed = secrets.seal({"token": "hunter2"})
    settings.SECRETS_KEY = "another"
    with pytest.raises(secrets.WrongKey):
        secrets.unseal(sealed)
