"""The verdicts of a case over time: one row for each judging, never changed."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from diagnostics.models.cases import DiagnosisCase
from diagnostics.speech import spoken
from diagnostics.wording import unpacked


class Occasion(models.TextChoices):
    """Why the evidence was read."""

    FIRST = "first", _("first judging")
    AGAIN = "again", _("judged again, by request or with more evidence")
    REJUDGED = "rejudged", _("read again by newer analyzers")


class Judging(models.Model):
    """One verdict on one case: version `number` of its report."""

    case = models.ForeignKey(DiagnosisCase, models.CASCADE, related_name="judgings")
    number = models.PositiveIntegerField(_("version"))
    at = models.DateTimeField(_("judged"))
    occasion = models.CharField(_("occasion"), max_length=10, choices=Occasion)
    # See diagnostics.version; "" for verdicts of the time before it was kept.
    analyzers = models.CharField(_("analyzers"), max_length=20, blank=True)
    rests_on = models.CharField(_("rests on"), max_length=80, blank=True)  # analyzer or source
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")

    kind = models.CharField(_("verdict"), max_length=40)
    subkind = models.CharField(_("detail"), max_length=40, blank=True)
    crashed = models.BooleanField(_("crashed"), null=True)
    function = models.CharField(_("function"), max_length=200, blank=True)
    bugcheck_code = models.CharField(_("bugcheck"), max_length=20, blank=True)
    planned = models.BooleanField(_("planned"), null=True)
    signature = models.CharField(_("signature"), max_length=200, blank=True)
    confidence = models.CharField(_("confidence"), max_length=20, blank=True)
    went_down_at = models.DateTimeField(_("went down"), null=True)
    root_cause = models.JSONField(_("root cause"), default=dict)  # a sentence, see wording
    # What people said of the case, held against this verdict; null: nobody told.
    right = models.BooleanField(_("right"), null=True)

    class Meta:
        verbose_name = _("judging")
        verbose_name_plural = _("judgings")
        ordering = ("case", "number")
        constraints = [
            models.UniqueConstraint(fields=["case", "number"], name="judging_once"),
            models.CheckConstraint(
                name="judging_occasion_known", condition=models.Q(occasion__in=Occasion.values)
            ),
            models.CheckConstraint(name="judging_has_a_verdict", condition=~models.Q(kind="")),
        ]
        indexes = [
            models.Index(
                fields=["at", "kind"],
                condition=models.Q(right__isnull=False),
                name="judgings_told_right_or_wrong",
            ),
        ]

    def __str__(self) -> str:
        return f"#{self.case_id} v{self.number}"

    @property
    def cause(self) -> str:
        """The root cause as a sentence, in the reader's language."""
        return spoken(unpacked(self.root_cause), self.case.zone) if self.root_cause else ""
