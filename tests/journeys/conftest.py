"""A real portal as processes, with its demo people, and a real browser before it."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import requires
from tests.stack import Stack, running

CHROMIUM = Path("/usr/bin/chromium")


@pytest.fixture(scope="module")
def portal(tmp_path_factory) -> Iterator[Stack]:
    """One portal for the tests of a file."""
    with running(tmp_path_factory.mktemp("portal")) as stack:
        stack.wait_for_mirror()
        yield stack


@pytest.fixture(scope="module")
def browser() -> Iterator[object]:
    requires("browser", CHROMIUM.exists(), f"there is no {CHROMIUM}")
    playwright = pytest.importorskip("playwright.sync_api")
    # The driver's event loop must not make Django refuse the test's own database calls.
    os.environ.setdefault("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
    with playwright.sync_playwright() as driver:
        started = driver.chromium.launch(
            executable_path=str(CHROMIUM), args=["--no-sandbox", "--disable-gpu"]
        )
        yield started
        started.close()


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
