"""The report as one HTML file with its own style sheet: to be kept, mailed or printed."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from django.template.loader import render_to_string
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe

from diagnostics.report.blocks import Report

PAGE = """<!doctype html>
<html lang="{language}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>
{style}</style>
</head>
<body>
<h1>{title}</h1>
{body}
</body>
</html>
"""


def render(report: Report) -> str:
    body = render_to_string("diagnostics/_report.html", {"report": report})
    return format_html(
        PAGE, language=report.language, title=report.title, style=_style(), body=mark_safe(body)
    )


@cache
def _style() -> SafeString:
    return mark_safe((Path(__file__).parent / "report.css").read_text())
