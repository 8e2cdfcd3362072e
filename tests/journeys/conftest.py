"""A real portal as processes, with its demo people, and a real browser before it."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import pytest

from tests.stack import Stack, running


@pytest.fixture(scope="module")
def portal(tmp_path_factory) -> Iterator[Stack]:
    """One portal for the tests of a file."""
    with running(tmp_path_factory.mktemp("portal")) as stack:
        stack.wait_for_mirror()
        yield stack


@contextlib.contextmanager
def person(browser, portal: Stack, role: str, **options) -> Iterator[object]:
    """A page of somebody who logged in; the block fails on any error in the browser's console."""
    context = browser.new_context(**{"viewport": {"width": 1280, "height": 900}, **options})
    page, errors = context.new_page(), []
    page.on("console", lambda said: errors.append(said.text) if said.type == "error" else None)
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.goto(f"{portal.url}/login/")
    page.get_by_label("Username").fill(role)
    page.get_by_label("Password").fill(f"demo-{role}")
    page.keyboard.press("Enter")
    page.wait_for_url(f"{portal.url}/")
    try:
        yield page
    finally:
        context.close()
    assert not errors, errors
