"""A case with its steps, evidence and findings, its verdicts over time, and what was made of it."""

from diagnostics.models.cases import CaseQuerySet as CaseQuerySet
from diagnostics.models.cases import CaseState as CaseState
from diagnostics.models.cases import DiagnosisCase as DiagnosisCase
from diagnostics.models.cases import Sight as Sight
from diagnostics.models.evidence import KINDS as KINDS
from diagnostics.models.evidence import Evidence as Evidence
from diagnostics.models.evidence import Finding as Finding
from diagnostics.models.judgings import Judging as Judging
from diagnostics.models.judgings import Occasion as Occasion
from diagnostics.models.marks import Mark as Mark
from diagnostics.models.marks import Truth as Truth
from diagnostics.models.sent import Copy as Copy
from diagnostics.models.sent import SentDocument as SentDocument
from diagnostics.models.sent import SentReport as SentReport
from diagnostics.models.steps import Step as Step
from diagnostics.models.steps import StepState as StepState
from diagnostics.readiness.models import Readiness as Readiness
from diagnostics.readiness.models import ReadinessRun as ReadinessRun
