"""What was gathered, as it came, and what analyzers claim of it."""

from __future__ import annotations

import hashlib
import zlib
from datetime import UTC, tzinfo

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy
from django.utils.translation import gettext_lazy as _

from diagnostics.models.cases import DiagnosisCase
from diagnostics.models.steps import Step
from diagnostics.readers import kinds
from diagnostics.speech import spoken
from diagnostics.wording import unpacked

KINDS = [(name, gettext_lazy(label.message)) for name, label in kinds.LABELS.items()]


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
    told = models.JSONField(default=dict, editable=False)  # the title as a sentence; {}: an old row
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

    def words(self, zone: tzinfo = UTC) -> str:
        """The title in the language that is active."""
        return spoken(unpacked(self.told) or self.title, zone)

    @property
    def also(self) -> list[str]:
        """The other records in which the same stands."""
        told = self.facts.get("also_seen") or ()
        return [name for name in dict.fromkeys(told) if name and name != self.source]
