"""The diagnosis report: one model, three forms, two copies. See docs for the fixed structure."""

from __future__ import annotations

import json

from django.utils import translation

from diagnostics.models import DiagnosisCase
from diagnostics.report import around, fixed, html, markdown
from diagnostics.report.blocks import Report
from diagnostics.report.document import document
from diagnostics.report.source import CUSTOMER, INTERNAL, Source

COPIES = (INTERNAL, CUSTOMER)
FORMS = {
    "md": "text/markdown; charset=utf-8",
    "html": "text/html; charset=utf-8",
    "json": "application/json",
}

__all__ = ["COPIES", "FORMS", "build", "rendered"]


def build(case: DiagnosisCase, copy: str = INTERNAL) -> Report:
    """The report of a concluded case, in the case's language. Headings stay English."""
    with translation.override(case.language):
        source = Source(case, copy)
        sections = (*around.before(source), *fixed.sections(source), *around.after(source))
        return Report(f"Diagnosis report, case {case.pk}", copy, case.language, tuple(sections))


def rendered(case: DiagnosisCase, copy: str, form: str) -> str:
    """The report as a document of its own: md, html or json."""
    report = build(case, copy)
    if form == "md":
        return markdown.render(report)
    if form == "json":
        with translation.override(case.language):
            told = document(Source(case, copy), markdown.render(report))
        return json.dumps(told, ensure_ascii=False, indent=2)
    return html.render(report)
