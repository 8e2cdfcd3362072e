"""Taking instances down in waves: the request, and its waves."""

from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Exists, F, OuterRef, Q
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from commands.models.runs import Invocation
from commands.models.saved import CommandRevision
from instances.groups import sees_all
from instances.models import Instance
from portal.work import Work


class Way(models.TextChoices):
    """How an instance is taken down."""

    REBOOT = "reboot", _("reboot through the API")
    FORCE = "force", _("forced reboot through the API")  # like pulling the plug
    STOP = "stop", _("stop")
    START = "start", _("start")
    EXIT_CODE = "exit_code", _("the script's own exit code")


class RateMode(models.TextChoices):
    """OOS's own words."""

    CONCURRENCY = "Concurrency", _("so many at once")
    BATCH = "Batch", _("batch after batch")


class PauseOption(models.TextChoices):
    """OOS's BatchPauseOption."""

    AUTOMATIC = "Automatic", pgettext_lazy("pause", "never")
    FIRST = "FirstBatchPause", _("after the first batch")
    EVERY = "EveryBatchPause", _("after every batch")


class BatchState(models.TextChoices):
    WAITING = "waiting", _("waiting for approval")
    READY = "ready", _("approved, waiting for its window")
    RUNNING = "running", _("running")
    PAUSED = "paused", _("paused")
    FINISHED = "finished", _("finished")


class Ending(models.TextChoices):
    DONE = "done", _("every instance had its turn")
    BUDGET = "budget", _("more errors than allowed")
    STOPPED = "stopped", _("stopped by a person")
    WINDOW = "window", _("the window closed")
    SHRUNK = "shrunk", _("too many instances had become unfit")
    CHANGED = "changed", _("it was no longer what had been approved")
    REJECTED = "rejected", _("rejected")
    EXPIRED = "expired", _("nobody approved it in time")


class Cleared(models.TextChoices):
    """How much of it may be done."""

    NOTHING = "", _("nothing yet")
    CANARY = "canary", _("the canary")
    ALL = "all", _("all of it")


class RebootBatchQuerySet(models.QuerySet["RebootBatch"]):
    def visible_to(self, user) -> RebootBatchQuerySet:
        """Batches with an instance that this person may see, and their own."""
        if sees_all(user):
            return self
        seen = Instance.objects.visible_to(user).filter(reboot_items__batch=OuterRef("pk"))
        return self.filter(Exists(seen) | Q(asked_by=user.pk))


class RebootBatch(Work):
    """A request to take instances down in waves. What was asked for never changes."""

    job: ClassVar[str] = "commands.reboots.conducting.carry_on"

    # What is to be done
    name = models.CharField(_("name"), max_length=128)
    way = models.CharField(_("way down"), max_length=10, choices=Way, default=Way.REBOOT)
    stopped_mode = models.CharField(_("StoppedMode"), max_length=20, default="KeepCharging")
    pre_script = models.JSONField(_("pre-command"), default=dict, blank=True)  # Script.FIELDS
    pre_revision = models.ForeignKey(
        CommandRevision, models.PROTECT, null=True, related_name="+", verbose_name=_("pre-command")
    )
    post_script = models.JSONField(_("post-check"), default=dict, blank=True)
    post_revision = models.ForeignKey(
        CommandRevision, models.PROTECT, null=True, related_name="+", verbose_name=_("post-check")
    )
    comes_back = models.BooleanField(_("runs afterwards"), default=True)  # else it is stopped
    rehearsal = models.BooleanField(_("rehearsal"), default=False)
    picked = models.JSONField(_("picked by"), default=dict)  # commands.targets.Selection
    left_out = models.JSONField(_("left out"), default=dict)  # reason -> names, and how many
    size = models.PositiveIntegerField(_("instances"), default=0)

    # Why, who, when
    reason = models.TextField(_("reason"))
    ticket = models.CharField(_("ticket"), max_length=120, blank=True)
    watcher = models.CharField(_("who watches"), max_length=120, blank=True)
    opens_at = models.DateTimeField(_("window opens"))
    closes_at = models.DateTimeField(_("window closes"))
    asked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+"
    )
    asked_at = models.DateTimeField(_("asked"), auto_now_add=True)
    continues = models.ForeignKey(
        "self", models.PROTECT, null=True, related_name="continued_by", verbose_name=_("continues")
    )
    once = models.UUIDField(null=True, unique=True, editable=False)  # one wish, one batch
    emergency = models.BooleanField(_("emergency"), default=False)
    digest = models.CharField(_("digest"), max_length=64)

    # How carefully
    mode = models.CharField(_("mode"), max_length=12, choices=RateMode, default=RateMode.BATCH)
    sizes = models.JSONField(_("sizes"), default=list)  # "5" or "10%"; the last one repeats
    max_errors = models.CharField(_("errors allowed"), max_length=10, default="0")
    pause_option = models.CharField(
        _("pause"), max_length=16, choices=PauseOption, default=PauseOption.AUTOMATIC
    )
    canary = models.PositiveIntegerField(_("canary"), default=1)
    spread = models.JSONField(_("at most down at once"), default=dict)  # tag key or "zone" -> %
    linux_back_within = models.PositiveIntegerField(_("Linux back within (s)"), default=600)
    windows_back_within = models.PositiveIntegerField(_("Windows back within (s)"), default=2400)

    # What the approver allowed
    cleared = models.CharField(_("cleared"), max_length=8, choices=Cleared, blank=True)
    may_shrink = models.PositiveSmallIntegerField(_("may become unfit (%)"), default=10)

    # How it goes
    state = models.CharField(
        _("state"), max_length=10, choices=BatchState, default=BatchState.WAITING
    )
    ending = models.CharField(_("ending"), max_length=10, choices=Ending, blank=True)
    passed_wave = models.PositiveBigIntegerField(null=True, editable=False)  # seen by a person
    paused_why = models.TextField(_("why it is paused"), blank=True)
    checked_at = models.DateTimeField(_("instances checked"), null=True)
    look_at = models.DateTimeField(_("a fresh look was asked for"), null=True, editable=False)
    # Where the last look could not ask: {"account", "region", "instances", "why"} of each place.
    look_problems = models.JSONField(_("could not be asked"), default=list, editable=False)
    stop_asked_at = models.DateTimeField(_("stop asked"), null=True)
    stop_asked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+"
    )
    started_at = models.DateTimeField(_("started"), null=True)
    finished_at = models.DateTimeField(_("finished"), null=True)

    # Emergency: somebody else looks at it afterwards.
    review_due_at = models.DateTimeField(_("review due"), null=True)
    reviewed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+"
    )
    reviewed_at = models.DateTimeField(_("reviewed"), null=True)
    review = models.TextField(_("review"), blank=True)

    objects = RebootBatchQuerySet.as_manager()

    class Meta:
        verbose_name = _("reboot batch")
        verbose_name_plural = _("reboot batches")
        permissions = [
            ("reboot", _("Can ask for batch reboots")),
            ("decide_reboot", _("Can approve batch reboots of others")),
            ("reboot_at_once", _("Can reboot one instance in an emergency")),
        ]
        indexes = [models.Index(fields=["-asked_at", "-id"]), models.Index(fields=["state"])]
        constraints = [
            models.CheckConstraint(
                name="reboot_batch_state_known", condition=Q(state__in=BatchState.values)
            ),
            models.CheckConstraint(
                name="reboot_batch_finished_has_ending",
                condition=Q(state="finished") ^ Q(ending=""),
            ),
            models.CheckConstraint(
                name="reboot_batch_finished_has_time",
                condition=Q(state="finished") ^ Q(finished_at=None),
            ),
            models.CheckConstraint(
                name="reboot_batch_begins_only_when_cleared",
                condition=Q(state__in=("waiting", "finished")) | ~Q(cleared=""),
            ),
            models.CheckConstraint(
                name="reboot_batch_window_ends_after_it_starts",
                condition=Q(closes_at__gt=F("opens_at")),
                violation_error_message=_("The window must close after it opens."),
            ),
            models.CheckConstraint(
                name="reboot_batch_shrinks_by_a_share", condition=Q(may_shrink__lte=100)
            ),
            models.CheckConstraint(
                name="reboot_batch_emergency_is_one",
                condition=Q(emergency=False) | Q(size=1, asked_by__isnull=False),
            ),
            models.CheckConstraint(
                name="reboot_batch_reviewed_by_another",
                condition=Q(reviewed_by=None) | ~Q(reviewed_by=F("asked_by")),
                violation_error_message=_("Somebody else has to review it."),
            ),
        ]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return reverse("commands:reboot", args=[self.pk])

    @property
    def over(self) -> bool:
        return self.state == BatchState.FINISHED

    def back_within(self, instance: Instance) -> int:
        """Seconds in which this instance has to be back."""
        return self.windows_back_within if instance.os_type == "windows" else self.linux_back_within


class WaveStage(models.TextChoices):
    """What a wave waits for; in this order."""

    CHECKING = "checking", _("looking at the instances")
    PRE = "pre", _("running the pre-command")
    BEFORE = "before", _("reading the boot before")
    POWER = "power", _("taking them down")
    PROVING = "proving", _("waiting for their return")
    POST = "post", _("running the post-check")
    LATE = "late", _("over; looking for late ones")
    OVER = "over", _("over")


class RebootWave(Work):
    """Instances that go down together."""

    job: ClassVar[str] = "commands.reboots.waves.carry_on"

    batch = models.ForeignKey(RebootBatch, models.PROTECT, related_name="waves")
    number = models.PositiveIntegerField(_("wave"))
    canary = models.BooleanField(_("canary"), default=False)
    stage = models.CharField(
        _("stage"), max_length=10, choices=WaveStage, default=WaveStage.CHECKING
    )
    started_at = models.DateTimeField(_("started"), auto_now_add=True)
    ended_at = models.DateTimeField(_("ended"), null=True)
    looked_at = models.DateTimeField(_("instances looked at"), null=True)

    class Meta:
        verbose_name = _("wave")
        verbose_name_plural = _("waves")
        constraints = [
            models.UniqueConstraint(fields=["batch", "number"], name="reboot_wave_once"),
            models.CheckConstraint(
                name="reboot_wave_stage_known", condition=Q(stage__in=WaveStage.values)
            ),
        ]

    def __str__(self) -> str:
        return f"{self.batch} #{self.number}"

    def get_absolute_url(self) -> str:
        return self.batch.get_absolute_url()


class WaveRun(models.Model):
    """A run that a wave made, and what for."""

    class Purpose(models.TextChoices):
        PRE = "pre", _("pre-command")
        BEFORE = "before", _("boot before")
        POWER = "power", _("way down")
        AFTER = "after", _("boot after")
        POST = "post", _("post-check")

    wave = models.ForeignKey(RebootWave, models.PROTECT, related_name="runs")
    invocation = models.OneToOneField(Invocation, models.PROTECT, related_name="wave_run")
    purpose = models.CharField(_("purpose"), max_length=8, choices=Purpose)
    taken = models.BooleanField(_("answers taken over"), default=False)

    class Meta:
        verbose_name = _("run of a wave")
        verbose_name_plural = _("runs of waves")

    def __str__(self) -> str:
        return f"{self.wave} {self.get_purpose_display()}"
