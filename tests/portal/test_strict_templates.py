"""What the strict content policy forbids is in no template, so no page breaks under it."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
TEMPLATES = sorted((ROOT / "templates").rglob("*.html"))
FORBIDDEN = {
    "an inline style": r"\sstyle\s*=",
    "a style block": r"<style\b",
    "an inline script": r"<script(?![^>]*\bsrc=)",
    "a handler": r"\son[a-z]+\s*=",
    "an htmx handler": r"\shx-on\b|\shx-vals\s*=\s*.js:",
    "a filtered trigger, which needs eval": r"hx-trigger=\"[^\"]*\[",
    "an address outside": r"(?:src|href)=\"https?:",
    "unescaped text": r"\|\s*safe\b|autoescape off",
}


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda path: path.name)
@pytest.mark.parametrize("what", FORBIDDEN)
def test_no_template_holds(template, what):
    assert not re.search(FORBIDDEN[what], template.read_text(), re.IGNORECASE)


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda path: path.name)
def test_every_form_that_acts_carries_a_token(template):
    for form in re.findall(r"<form\b.*?</form>", template.read_text(), re.DOTALL | re.IGNORECASE):
        if re.search(r"method=.post", form, re.IGNORECASE):
            assert "{% csrf_token %}" in form or "{% crispy" in form


@pytest.mark.django_db
def test_the_policy_is_sent_and_allows_nothing_inline(client):
    answer = client.get("/login/")
    policy = answer["Content-Security-Policy"]
    assert "default-src 'none'" in policy and "unsafe" not in policy
    assert answer["X-Frame-Options"] == "DENY"
    assert b'<html lang="en"' in answer.content
