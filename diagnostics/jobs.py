"""The jobs of this app; each takes a case's key and may run twice."""

from __future__ import annotations

from diagnostics import pipeline
from diagnostics.models import DiagnosisCase
from portal import work


@work.job(DiagnosisCase)
def advance(claim: work.Claim[DiagnosisCase]) -> None:
    """Carry the case on as far as it goes without waiting for anybody."""
    pipeline.advance(claim)


@work.job(DiagnosisCase)
def judge(claim: work.Claim[DiagnosisCase]) -> None:
    """Judge on the `analyze` queue, where big evidence holds nobody up."""
    pipeline.judge(claim, here=True)
