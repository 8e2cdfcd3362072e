"""The stages of a case, each with its outcome."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from diagnostics.models.cases import DiagnosisCase
from diagnostics.speech import spoken_lines, zone_of
from diagnostics.stages import TITLES
from diagnostics.wording import unpacked


class StepState(models.TextChoices):
    PENDING = "pending", _("waiting")
    RUNNING = "running", _("running")
    DONE = "done", _("done")
    NOT_NEEDED = "not_needed", _("not run")
    FAILED = "failed", _("could not be done")


class Step(models.Model):
    """One stage of the pipeline, with its outcome and why it could not run.

    `summary`, `reason` and `instead` are lists of sentences (see diagnostics.wording).
    """

    State = StepState

    case = models.ForeignKey(DiagnosisCase, models.CASCADE, related_name="steps")
    position = models.PositiveSmallIntegerField()
    key = models.CharField(max_length=40)
    state = models.CharField(
        _("state"), max_length=12, choices=StepState, default=StepState.PENDING
    )
    started_at = models.DateTimeField(_("started"), null=True)
    finished_at = models.DateTimeField(_("finished"), null=True)
    summary = models.JSONField(_("found"), default=list, blank=True)
    reason = models.JSONField(_("why not"), default=list, blank=True)
    instead = models.JSONField(_("what to do instead"), default=list, blank=True)
    request_ids = models.JSONField(default=list)
    invoke_id = models.CharField(max_length=64, blank=True)
    facts = models.JSONField(default=dict)

    class Meta:
        verbose_name = _("step")
        verbose_name_plural = _("steps")
        ordering = ("position",)
        constraints = [
            models.UniqueConstraint(fields=["case", "key"], name="step_once"),
            models.CheckConstraint(
                name="step_state_known", condition=models.Q(state__in=StepState.values)
            ),
        ]

    def __str__(self) -> str:
        return self.key

    @property
    def title(self) -> str:
        return TITLES.get(self.key, self.key)

    @property
    def over(self) -> bool:
        return self.state not in (StepState.PENDING, StepState.RUNNING)

    @property
    def summary_lines(self) -> list[str]:
        return self._spoken(self.summary)

    @property
    def reason_lines(self) -> list[str]:
        return self._spoken(self.reason)

    @property
    def instead_lines(self) -> list[str]:
        return self._spoken(self.instead)

    def _spoken(self, said: list) -> list[str]:
        return spoken_lines(unpacked(said), zone_of(self.case.seen_zone))
