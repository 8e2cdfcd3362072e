"""One question about one instance: the case, its steps, its evidence, its findings."""

from __future__ import annotations

import hashlib
import uuid
import zlib
from datetime import tzinfo
from typing import ClassVar

from django.conf import settings
from django.db import models
from django.urls import reverse
from django.utils.translation import gettext_lazy
from django.utils.translation import gettext_lazy as _

from commands.models import Invocation
from diagnostics.readers import kinds
from diagnostics.speech import spoken_lines, zone_of
from diagnostics.stages import TITLES
from diagnostics.wording import unpacked
from instances.models import CloudAccount, Instance, scope_of
from portal.queue import ANALYZE
from portal.work import Work

KINDS = [(name, gettext_lazy(label.message)) for name, label in kinds.LABELS.items()]


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
    signature = models.CharField(_("signature"), max_length=200, blank=True, db_index=True)
    confidence = models.CharField(_("confidence"), max_length=20, blank=True)
    judgement = models.JSONField(default=dict)  # see diagnostics.judgement.Judgement
    concluded_at = models.DateTimeField(_("concluded"), null=True)

    objects = CaseQuerySet.as_manager()

    class Meta:
        verbose_name = _("diagnosis case")
        verbose_name_plural = _("diagnosis cases")
        indexes = [
            models.Index(fields=["instance", "-opened_at"]),
            models.Index(fields=["-opened_at", "-id"]),
            models.Index(fields=["kind", "-opened_at"]),
            models.Index(fields=["customer_reference"]),
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


class Evidence(models.Model):
    """Raw text as it came, hashed and kept."""

    class Origin(models.TextChoices):
        API = "api", _("ECS API")
        GUEST = "guest", _("guest script through Cloud Assistant")
        UPLOAD = "upload", _("uploaded by a person, unverified")
        PASTE = "paste", _("pasted by a person, unverified")

    case = models.ForeignKey(DiagnosisCase, models.PROTECT, related_name="evidence")
    step = models.ForeignKey(Step, models.SET_NULL, null=True, related_name="evidence")
    name = models.CharField(_("name"), max_length=60)  # guest_output, console, screenshot, events
    origin = models.CharField(_("origin"), max_length=10, choices=Origin)
    # Of what people hand in: see diagnostics.readers.kinds; their name for it; what it was
    # packed in, with the SHA-256 of that; who brought it.
    kind = models.CharField(_("kind"), max_length=20, blank=True, choices=KINDS)
    file_name = models.CharField(_("file name"), max_length=200, blank=True)
    packed_in = models.CharField(_("packed in"), max_length=250, blank=True)
    given_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+"
    )
    media_type = models.CharField(_("type"), max_length=60, default="text/plain")
    packed = models.BinaryField()
    sha256 = models.CharField("SHA-256", max_length=64)
    size = models.PositiveIntegerField(_("bytes"))
    complete = models.BooleanField(_("complete"), default=True)
    note = models.TextField(_("note"), blank=True)
    collected_at = models.DateTimeField(_("collected"), auto_now_add=True)

    class Meta:
        verbose_name = _("evidence")
        verbose_name_plural = _("evidence")
        constraints = [models.UniqueConstraint(fields=["case", "name"], name="evidence_once")]

    def __str__(self) -> str:
        return self.name

    @property
    def by_hand(self) -> bool:
        return self.origin in (self.Origin.UPLOAD, self.Origin.PASTE)

    @classmethod
    def pack(cls, body: bytes) -> dict[str, object]:
        """Fields that hold `body`: `Evidence(case=..., **Evidence.pack(body))`."""
        digest = hashlib.sha256(body).hexdigest()
        return {"packed": zlib.compress(body), "sha256": digest, "size": len(body)}

    def body(self) -> bytes:
        return zlib.decompress(bytes(self.packed))


class Finding(models.Model):
    """A claim of an analyzer with the line that proves it; replaced when the case is re-judged."""

    case = models.ForeignKey(DiagnosisCase, models.CASCADE, related_name="findings")
    position = models.PositiveIntegerField()
    code = models.CharField(_("code"), max_length=80, db_index=True)
    severity = models.CharField(_("severity"), max_length=10)
    title = models.TextField(_("finding"))
    quote = models.TextField(_("line"), blank=True)
    source = models.CharField(_("from"), max_length=80, blank=True)
    at = models.DateTimeField(_("at"), null=True)
    analyzer = models.CharField(_("analyzer"), max_length=80, blank=True)
    evidence = models.ForeignKey(Evidence, models.SET_NULL, null=True, related_name="findings")
    facts = models.JSONField(default=dict)

    class Meta:
        verbose_name = _("finding")
        verbose_name_plural = _("findings")
        ordering = ("position",)

    def __str__(self) -> str:
        return self.title
