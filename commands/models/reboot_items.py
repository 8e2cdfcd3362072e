"""One instance of a batch of reboots: what was seen, what was done once, and what proves it."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from commands.models.reboots import RebootBatch, RebootWave
from commands.models.runs import Target
from instances.models import Instance


class ItemState(models.TextChoices):
    PLANNED = "planned", _("waiting for its wave")
    PREPARING = "preparing", _("being prepared")
    ASKED = "asked", _("going down")  # the power call was begun: from here no way leads back
    CHECKING = "checking", _("proven, being checked")
    OVER = "over", _("over")


LIVE = (ItemState.PREPARING, ItemState.ASKED, ItemState.CHECKING)


class Verdict(models.TextChoices):
    """What the proof says."""

    VERIFIED = "verified", _("verified")
    SAME_BOOT = "same_boot", _("running, but the same boot")
    UNVERIFIED = "unverified", _("back, but not proven")
    NOT_BACK = "not_back", _("not back")


class ItemOutcome(models.TextChoices):
    """How an instance's part ended."""

    PROVEN = "proven", _("proven")
    SAME_BOOT = "same_boot", _("same boot")
    UNVERIFIED = "unverified", _("unverified")
    NOT_BACK = "not_back", _("not back")
    CHECK_FAILED = "check_failed", _("proven, but the post-check failed")
    PRE_FAILED = "pre_failed", _("pre-command failed; not taken down")
    REFUSED = "refused", _("refused by ECS; not taken down")
    SKIPPED = "skipped", _("left out: unfit when its turn came")
    NOT_STARTED = "not_started", _("not started")
    REHEARSED = "rehearsed", _("rehearsed")

    @classmethod
    def errors(cls) -> tuple[str, ...]:
        """What counts against the error budget."""
        return (
            cls.SAME_BOOT,
            cls.UNVERIFIED,
            cls.NOT_BACK,
            cls.CHECK_FAILED,
            cls.PRE_FAILED,
            cls.REFUSED,
        )

    @classmethod
    def to_continue(cls) -> tuple[str, ...]:
        """Failed, never started and unverified: what "continue" offers."""
        return (*cls.errors(), cls.SKIPPED, cls.NOT_STARTED)


class RebootItem(models.Model):
    """One instance of a batch: what was seen before, what was done once, and what proves it."""

    batch = models.ForeignKey(RebootBatch, models.PROTECT, related_name="items")
    instance = models.ForeignKey(Instance, models.PROTECT, related_name="reboot_items")
    place = models.PositiveIntegerField(_("place"))
    wave = models.ForeignKey(RebootWave, models.PROTECT, null=True, related_name="items")
    state = models.CharField(
        _("state"), max_length=10, choices=ItemState, default=ItemState.PLANNED
    )
    outcome = models.CharField(_("outcome"), max_length=12, choices=ItemOutcome, blank=True)
    verdict = models.CharField(_("verdict"), max_length=10, choices=Verdict, blank=True)
    reason = models.TextField(_("reason"), blank=True)

    # The pre-flight: when it was asked for, and at the latest look.
    asked_facts = models.JSONField(_("as asked for"), default=dict)
    facts = models.JSONField(_("at the latest look"), default=dict)
    accepted = models.BooleanField(_("accepted without proof"), default=False)  # by the approver

    # Before
    before_boot_id = models.CharField(_("boot ID before"), max_length=64, blank=True)
    before_booted_at = models.DateTimeField(_("booted before"), null=True)
    before_started_at = models.DateTimeField(_("ECS's start time before"), null=True)

    # The power act: once.
    asked_at = models.DateTimeField(_("taken down"), null=True)
    answered_at = models.DateTimeField(_("ECS answered"), null=True)
    in_doubt = models.BooleanField(_("ECS's answer was lost"), default=False)
    request_id = models.CharField(_("RequestId"), max_length=64, blank=True)
    error_code = models.CharField(_("error code"), max_length=100, blank=True)
    back_by = models.DateTimeField(_("has to be back by"), null=True)

    # After
    down_seen_at = models.DateTimeField(_("seen down"), null=True)
    up_seen_at = models.DateTimeField(_("seen running again"), null=True)
    probe_at = models.DateTimeField(_("next probe"), null=True)
    probing = models.BooleanField(_("a probe is out"), default=False)
    probes = models.PositiveSmallIntegerField(_("probes"), default=0)
    after_boot_id = models.CharField(_("boot ID after"), max_length=64, blank=True)
    after_booted_at = models.DateTimeField(_("booted after"), null=True)
    after_started_at = models.DateTimeField(_("ECS's start time after"), null=True)
    after_status = models.CharField(_("status after"), max_length=20, blank=True)
    judged_at = models.DateTimeField(_("judged"), null=True)
    late_at = models.DateTimeField(_("came back late"), null=True)
    late_boot_id = models.CharField(_("boot ID of the late return"), max_length=64, blank=True)
    event_id = models.CharField(_("planned event"), max_length=64, blank=True)
    event_status = models.CharField(_("status of the planned event"), max_length=20, blank=True)
    pre_target = models.ForeignKey(Target, models.PROTECT, null=True, related_name="+")
    post_target = models.ForeignKey(Target, models.PROTECT, null=True, related_name="+")

    class Meta:
        verbose_name = _("instance of a reboot batch")
        verbose_name_plural = _("instances of reboot batches")
        indexes = [
            models.Index(fields=["batch", "state"]),
            models.Index(fields=["batch", "outcome"]),
            models.Index(fields=["instance", "-id"]),
            models.Index(fields=["wave", "state"]),
        ]
        constraints = [
            models.UniqueConstraint(fields=["batch", "instance"], name="reboot_item_once"),
            models.UniqueConstraint(
                fields=["instance"],
                condition=Q(state__in=("preparing", "asked", "checking")),
                name="reboot_item_one_live_power_act",
            ),
            models.CheckConstraint(
                name="reboot_item_state_known", condition=Q(state__in=ItemState.values)
            ),
            models.CheckConstraint(
                name="reboot_item_over_has_outcome", condition=Q(state="over") ^ Q(outcome="")
            ),
            models.CheckConstraint(
                name="reboot_item_asked_has_time",
                condition=~Q(state__in=("asked", "checking")) | Q(asked_at__isnull=False),
            ),
            models.CheckConstraint(
                name="reboot_item_verdict_of_what_was_asked",
                condition=Q(verdict="") | Q(asked_at__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return str(self.instance)

    def get_absolute_url(self) -> str:
        return reverse("commands:reboot-item", args=[self.batch_id, self.pk])
