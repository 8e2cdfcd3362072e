"""Reports that left the house: kept exactly as they were, whatever is found later."""

from __future__ import annotations

import hashlib
import zlib

from django.conf import settings
from django.db import models
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from diagnostics.models.cases import DiagnosisCase
from diagnostics.models.judgings import Judging


class Copy(models.TextChoices):
    INTERNAL = "internal", _("internal copy")
    CUSTOMER = "customer", _("customer copy")


class SentReportQuerySet(models.QuerySet["SentReport"]):
    def visible_to(self, user) -> SentReportQuerySet:
        return self.filter(case__in=DiagnosisCase.objects.visible_to(user).values("pk"))

    def to_tell(self) -> SentReportQuerySet:
        """Reports that a later judging contradicts, and whose receiver got no newer one."""
        newer = SentReport.objects.filter(
            case=models.OuterRef("case"),
            receiver=models.OuterRef("receiver"),
            pk__gt=models.OuterRef("pk"),
        )
        return self.filter(~models.Exists(newer), outdated_at__isnull=False)


class SentReport(models.Model):
    """One copy of one version of a report, as somebody got it."""

    case = models.ForeignKey(DiagnosisCase, models.PROTECT, related_name="sent")
    judging = models.ForeignKey(Judging, models.PROTECT, related_name="sent")
    copy = models.CharField(_("copy"), max_length=10, choices=Copy)
    sent_to = models.CharField(_("sent to"), max_length=200)
    receiver = models.CharField(max_length=200, editable=False)  # sent_to, for comparing
    note = models.CharField(_("note"), max_length=500, blank=True)
    sent_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    sent_at = models.DateTimeField(_("sent"), auto_now_add=True)
    # Since when the case says otherwise; null while it says what this report says.
    outdated_at = models.DateTimeField(_("outdated"), null=True)

    objects = SentReportQuerySet.as_manager()

    class Meta:
        verbose_name = _("sent report")
        verbose_name_plural = _("sent reports")
        indexes = [
            models.Index(fields=["-sent_at", "-id"]),
            models.Index(fields=["case", "receiver"]),
            models.Index(
                fields=["outdated_at"],
                condition=models.Q(outdated_at__isnull=False),
                name="sent_reports_outdated",
            ),
        ]
        constraints = [
            models.UniqueConstraint(fields=["judging", "copy", "receiver"], name="sent_once"),
            models.CheckConstraint(
                name="sent_copy_known", condition=models.Q(copy__in=Copy.values)
            ),
            models.CheckConstraint(name="sent_to_somebody", condition=~models.Q(receiver="")),
        ]

    def __str__(self) -> str:
        return f"{self.judging}, {self.sent_to}"

    def get_absolute_url(self) -> str:
        return reverse("diagnostics:sent-report", args=[self.pk])


class SentDocument(models.Model):
    """One form of a sent report (md, html or json), byte for byte."""

    report = models.ForeignKey(SentReport, models.PROTECT, related_name="documents")
    form = models.CharField(_("form"), max_length=5)
    packed = models.BinaryField()
    sha256 = models.CharField("SHA-256", max_length=64)
    size = models.PositiveIntegerField(_("bytes"))

    class Meta:
        verbose_name = _("sent document")
        verbose_name_plural = _("sent documents")
        constraints = [models.UniqueConstraint(fields=["report", "form"], name="sent_form_once")]

    def __str__(self) -> str:
        return f"{self.report} {self.form}"

    @classmethod
    def of(cls, report: SentReport, form: str, text: str) -> SentDocument:
        body = text.encode()
        return cls(
            report=report,
            form=form,
            packed=zlib.compress(body),
            sha256=hashlib.sha256(body).hexdigest(),
            size=len(body),
        )

    def body(self) -> bytes:
        """The document as it was sent. Raises ValueError where the row was tampered with."""
        try:
            body = zlib.decompress(bytes(self.packed))
        except zlib.error as error:
            raise ValueError(f"{self} cannot be unpacked") from error
        if hashlib.sha256(body).hexdigest() != self.sha256:
            raise ValueError(f"{self} is not what was sent: its SHA-256 differs")
        return body
