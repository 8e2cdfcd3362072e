"""The report as JSON: the verdict and its reasons as values, and the Markdown as one string."""

from __future__ import annotations

from datetime import UTC, datetime

from diagnostics import history, stages
from diagnostics.report import around
from diagnostics.report.source import Source
from diagnostics.speech import spoken_lines
from diagnostics.wording import unpacked


def document(source: Source, markdown: str) -> dict[str, object]:
    case, told = source.case, source.conclusion
    return {
        "case": case.pk,
        "version": history.number_shown(case),
        "copy": source.copy,
        "instance_id": case.instance.instance_id if case.instance else case.instance_text,
        "region": case.region,
        "customer_reference": case.customer_reference,
        "verdict": {
            "kind": case.kind,
            "subkind": case.subkind or None,
            "crashed": case.crashed,
            "function": case.function or None,
            "bugcheck_code": case.bugcheck_code or None,
            "planned": case.planned,
            "signature": case.signature or None,
            "confidence": case.confidence,
        },
        "root_cause": around.root_cause(source),
        "order_of_causes": list(source.told_lines("chain")),
        "impact": source.told("impact"),
        "went_down_at": _iso(told["went_down_at"]),
        "went_down_at_is_last_sign": bool(told.get("last_sign")),
        "came_back_at": _iso(told["came_back_at"]),
        "outage_minutes": told["outage_minutes"],
        "recommendations": list(around.recommendations(source)),
        "next_step": {"what": around.next_step(source), "whose": source.told("owner")},
        "not_checked": list(around.not_checked(source)),
        "steps": [_step(source, key) for key in stages.ORDER],
        "findings": [_finding(source, row) for row in source.findings],
        "skipped": _checks(source, "skipped"),
        "broken": _checks(source, "broken"),
        "evidence": [
            {
                "name": row.name,
                "origin": row.origin,
                "kind": row.kind,
                "file_name": row.file_name,
                "sha256": row.sha256,
                "size": row.size,
                "complete": row.complete,
            }
            for row in source.evidence
        ],
        "report": markdown,
    }


def _iso(at: datetime | None) -> str | None:
    return at.astimezone(UTC).isoformat() if at else None


def _step(source: Source, key: str) -> dict[str, object]:
    step = source.steps[key]
    shown = source.internal or key not in (stages.OWN, stages.VERDICT, stages.ADVICE)
    why = list(source.why_not(key)) if step.state in ("failed", "not_needed") else []
    return {
        "key": key,
        "title": str(stages.TITLES[key]),
        "state": step.state,
        "summary": spoken_lines(unpacked(step.summary), source.case.zone) if shown else [],
        "why_not": why,
        "started_at": _iso(step.started_at),
        "finished_at": _iso(step.finished_at),
        "request_ids": step.request_ids,
        "invoke_id": step.invoke_id or None,
    }


def _finding(source: Source, row) -> dict[str, object]:
    return {
        "code": row.code,
        "severity": row.severity,
        "title": row.words(source.case.zone),
        "quote": row.quote or None,
        "source": row.source or None,
        "at": _iso(row.at),
        "analyzer": row.analyzer,
    }


def _checks(source: Source, what: str) -> list[dict[str, object]]:
    rows = []
    for name in ("guest", "console"):
        analysis = source.judgement.get(name) or {}
        for check, why in (analysis.get(what) or {}).items():
            rows.append({"analyzer": check, "evidence": name, "why": why})
    return rows
