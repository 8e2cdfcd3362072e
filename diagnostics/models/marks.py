"""What people say of a verdict, once they know what really happened."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from diagnostics.models.cases import DiagnosisCase
from diagnostics.models.judgings import Judging


class Truth(models.TextChoices):
    RIGHT = "right", _("right")
    WRONG = "wrong", _("wrong")
    UNKNOWN = "unknown", _("not known")


class Mark(models.Model):
    """One person's word on one verdict; of several on a case the latest counts."""

    case = models.ForeignKey(DiagnosisCase, models.CASCADE, related_name="marks")
    judging = models.ForeignKey(Judging, models.CASCADE, related_name="marks")
    truth = models.CharField(_("the verdict is"), max_length=8, choices=Truth)
    # What it really was, in the words of verdicts; the marked verdict's own where it is right.
    true_kind = models.CharField(_("true cause"), max_length=40, blank=True)
    true_subkind = models.CharField(_("its detail"), max_length=40, blank=True)
    words = models.TextField(_("in words"), blank=True)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    at = models.DateTimeField(_("marked"), auto_now_add=True)

    class Meta:
        verbose_name = _("mark")
        verbose_name_plural = _("marks")
        ordering = ("case", "-pk")
        constraints = [
            models.CheckConstraint(name="mark_truth_known", condition=Q(truth__in=Truth.values)),
            models.CheckConstraint(
                name="mark_wrong_says_why",
                condition=~Q(truth=Truth.WRONG) | ~Q(true_kind="") | ~Q(words=""),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.judging} {self.truth}"
