"""One question about one instance, and the answer it has at present."""

from __future__ import annotations

import uuid
from datetime import tzinfo
from typing import ClassVar

from django.conf import settings
from django.db import models
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from commands.models import Invocation
from diagnostics.speech import zone_of
from instances.models import CloudAccount, Instance, scope_of
from portal.queue import ANALYZE
from portal.work import Work


class CaseQuerySet(models.QuerySet["DiagnosisCase"]):
    def visible_to(self, user) -> CaseQuerySet:
        """Cases of visible instances; evidence-only cases by whoever opened them."""
        if user.is_superuser and user.is_active:
            return self.all()  # an empty Q in an "or" would vanish and narrow instead
        own = models.Q(instance=None, opened_by=user.pk, opened_by__is_active=True)
        return self.filter(scope_of(user, "instance__") | own)


class CaseState(models.TextChoices):
    QUEUED = "queued", _("waiting for a worker")
    GATHERING = "gathering", _("gathering evidence")
    WAITING = "waiting", _("waiting for the instance's answer")
    JUDGING = "judging", _("judging")
    CONCLUDED = "concluded", _("concluded")


class Sight(models.TextChoices):
    """What people see of a machine that went down, or seems to have."""

    REBOOTED = "rebooted", _("it rebooted by itself")
    UNREACHABLE = "unreachable", _("it could not be reached (ping, SSH, RDP)")
    STOPPED = "stopped", _("it is stopped")
    SCREEN = "screen", _("blue screen or kernel panic on the console")
    SLOW = "slow", _("it was very slow or hung")
    SERVICE = "service", _("a service on it was gone")
    ALARM = "alarm", _("an alarm or event was raised")


class DiagnosisCase(Work):
    """One question about one instance: did it go down, when, and why."""

    job: ClassVar[str] = "diagnostics.jobs.advance"
    judging_job: ClassVar[str] = "diagnostics.jobs.judge"
    State = CaseState

    opening = models.UUIDField(
        default=uuid.uuid4, unique=True, editable=False
    )  # one form, one case
    instance = models.ForeignKey(Instance, models.PROTECT, null=True, related_name="cases")
    account = models.ForeignKey(CloudAccount, models.PROTECT, null=True, related_name="+")
    region = models.CharField(_("region"), max_length=40, blank=True)
    instance_text = models.CharField(_("instance, as given"), max_length=128)
    sights = models.JSONField(_("what was seen"), default=list, blank=True)  # of Sight
    symptom = models.TextField(_("in the reporter's words"), blank=True)
    seen_at = models.DateTimeField(_("when"), null=True)  # null: unknown
    seen_zone = models.CharField(_("time zone"), max_length=64, default="UTC")
    seen_within = models.PositiveIntegerField(_("± minutes"), default=30)
    contact = models.CharField(_("contact"), max_length=200, blank=True)
    customer_reference = models.CharField(_("customer reference"), max_length=100, blank=True)
    language = models.CharField(_("report language"), max_length=10, default="en")
    opened_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+"
    )
    opened_at = models.DateTimeField(_("opened"), auto_now_add=True, db_index=True)
    state = models.CharField(_("state"), max_length=10, choices=CaseState, default=CaseState.QUEUED)
    invocation = models.ForeignKey(Invocation, models.PROTECT, null=True, related_name="+")

    window_start = models.DateTimeField(null=True)
    window_end = models.DateTimeField(null=True)
    went_down_at = models.DateTimeField(_("went down"), null=True)
    came_back_at = models.DateTimeField(_("came back"), null=True)

    kind = models.CharField(_("verdict"), max_length=40, blank=True, db_index=True)
    subkind = models.CharField(_("detail"), max_length=40, blank=True)
    crashed = models.BooleanField(_("crashed"), null=True)
    function = models.CharField(_("function"), max_length=200, blank=True)
    bugcheck_code = models.CharField(_("bugcheck"), max_length=20, blank=True)
    planned = models.BooleanField(_("planned"), null=True)
    signature = models.CharField(_("signature"), max_length=200, blank=True)
    kernel = models.CharField(_("kernel or build"), max_length=120, blank=True)
    confidence = models.CharField(_("confidence"), max_length=20, blank=True)
    judgement = models.JSONField(default=dict)  # see diagnostics.judgement.Judgement
    concluded_at = models.DateTimeField(_("concluded"), null=True)
    # The analyzers that read the evidence last, and found this verdict or agreed with it.
    read_by = models.CharField(_("read by"), max_length=20, blank=True, editable=False)

    objects = CaseQuerySet.as_manager()

    class Meta:
        verbose_name = _("diagnosis case")
        verbose_name_plural = _("diagnosis cases")
        indexes = [
            models.Index(fields=["instance", "-opened_at"]),
            models.Index(fields=["-opened_at", "-id"]),
            models.Index(fields=["kind", "-opened_at"]),
            models.Index(fields=["customer_reference"]),
            models.Index(fields=["signature", "-opened_at"]),
            models.Index(  # all that the page of signatures counts, so that it reads no case
                fields=(
                    *("signature", "kind", "instance", "opened_by"),
                    *("went_down_at", "opened_at", "kernel"),
                ),
                condition=models.Q(signature__gt=""),
                name="cases_by_signature",
            ),
        ]
        permissions = [
            ("read_evidence", _("Can read raw evidence of a case")),
        ]
        constraints = [
            models.CheckConstraint(
                name="case_state_known", condition=models.Q(state__in=CaseState.values)
            ),
            models.CheckConstraint(
                name="case_concluded_with_a_verdict",
                condition=~models.Q(state=CaseState.CONCLUDED)
                | (~models.Q(kind="") & models.Q(concluded_at__isnull=False)),
            ),
        ]

    def __str__(self) -> str:
        return f"#{self.pk} {self.instance or self.instance_text}"

    @property
    def over(self) -> bool:
        return self.state == CaseState.CONCLUDED

    @property
    def seen_words(self) -> list[str]:
        labels = dict(Sight.choices)
        return [str(labels[sight]) for sight in self.sights if sight in labels]

    @property
    def zone(self) -> tzinfo:
        return zone_of(self.seen_zone)

    def get_absolute_url(self) -> str:
        return reverse("diagnostics:case", args=[self.pk])

    def bell(self) -> tuple[str, str]:
        if self.state == CaseState.JUDGING:
            return self.judging_job, ANALYZE
        return self.job, self.queue
