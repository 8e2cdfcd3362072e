"""Runs that begin by the clock, what came of each time, and times in which nothing may begin."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Exists, F, OuterRef, Q
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from commands.models.runs import Invocation
from commands.models.saved import CommandRevision
from portal.work import Work


class ScheduleQuerySet(models.QuerySet["Schedule"]):
    def visible_to(self, user) -> ScheduleQuerySet:
        """One's own, those that had a run which one may see, and all for a superuser."""
        if user.is_superuser and user.is_active:
            return self
        runs = Invocation.objects.visible_to(user)
        fired = Exists(runs.filter(fire__schedule=OuterRef("pk")))
        kept = Exists(runs.filter(schedule=OuterRef("pk")))
        return self.filter(Q(owner=user.pk) | fired | kept)


class Schedule(Work):
    """A saved command that begins by the clock, or when machines start.

    Fired by the portal: whom it reaches is looked up anew each time, as its owner sees them.
    Kept in ECS: one run that ECS repeats by itself on fixed instances; its times are mirrored.
    """

    job: ClassVar[str] = "commands.firing.fire"
    job_in_ecs: ClassVar[str] = "commands.timed.settle"

    class Kind(models.TextChoices):
        PORTAL = "portal", _("fired by the portal")
        ECS = "ecs", _("kept in ECS")

    class Repeat(models.TextChoices):
        """ECS's RepeatMode."""

        PERIOD = "Period", _("at its times")
        NEXT_REBOOT = "NextRebootOnly", _("once, at each machine's next start")
        EVERY_REBOOT = "EveryReboot", _("at every start of each machine")

    class Overlap(models.TextChoices):
        SKIP = "skip", _("leave this time out")
        ALLOW = "allow", _("begin all the same")

    class State(models.TextChoices):
        ACTIVE = "active", _("active")
        PAUSED = "paused", _("paused")
        ENDED = "ended", _("ended")

    once = models.UUIDField(null=True, unique=True, editable=False)  # one wish, one schedule
    name = models.CharField(_("name"), max_length=128)
    kind = models.CharField(_("kind"), max_length=8, choices=Kind, default=Kind.PORTAL)
    repeat_mode = models.CharField(
        _("repeats"), max_length=20, choices=Repeat, default=Repeat.PERIOD
    )
    timed_run = models.OneToOneField(
        Invocation, models.PROTECT, null=True, related_name="schedule", verbose_name=_("run in ECS")
    )
    begun_at = models.DateTimeField(_("kept in ECS since"), null=True)  # by ECS's clock
    told_until = models.DateTimeField(_("times told until"), null=True)  # of those kept in ECS
    revision = models.ForeignKey(CommandRevision, models.PROTECT, related_name="schedules")
    parameters = models.JSONField(_("parameters"), default=dict)
    sealed = models.BinaryField(_("sealed parameters"), default=b"")
    picked = models.JSONField(_("picked by"), default=dict)
    concurrency = models.PositiveIntegerField(_("at most at once"), null=True)
    max_errors = models.CharField(_("errors allowed"), max_length=10, blank=True)
    expression = models.CharField(_("when"), max_length=200, blank=True)
    zone = models.CharField(_("time zone"), max_length=60)
    grace = models.PositiveIntegerField(_("seconds that it may be late"), default=300)
    overlap = models.CharField(
        _("while the last run goes on"), max_length=8, choices=Overlap, default=Overlap.SKIP
    )
    state = models.CharField(_("state"), max_length=8, choices=State, default=State.ACTIVE)
    next_at = models.DateTimeField(_("next"), null=True)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    created_at = models.DateTimeField(_("created"), auto_now_add=True)

    objects = ScheduleQuerySet.as_manager()

    class Meta:
        verbose_name = _("schedule")
        verbose_name_plural = _("schedules")
        constraints = [
            models.CheckConstraint(
                name="schedule_state_known", condition=Q(state__in=("active", "paused", "ended"))
            ),
            models.CheckConstraint(
                name="schedule_ended_holds_no_secret",
                condition=~Q(state="ended") | Q(sealed=b""),
            ),
            models.CheckConstraint(
                name="schedule_of_the_portal_has_its_times",
                condition=Q(kind="ecs")
                | Q(kind="portal", repeat_mode="Period", timed_run=None) & ~Q(expression=""),
            ),
            models.CheckConstraint(
                name="schedule_in_ecs_repeats",
                condition=Q(kind="portal")
                | Q(repeat_mode="Period") & ~Q(expression="")
                | Q(repeat_mode__in=("NextRebootOnly", "EveryReboot"), expression=""),
            ),
        ]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return reverse("commands:schedule", args=[self.pk])

    def bell(self) -> tuple[str, str]:
        return (self.job_in_ecs if self.kind == self.Kind.ECS else self.job), self.queue


class Fire(models.Model):
    """One time of a schedule and what came of it. A time is fired at most once.

    `mark` tells apart what ECS fired at one time: a machine's own start, or a second fire of the
    same machine. "" for a time of the clock.
    """

    class State(models.TextChoices):
        FIRED = "fired", _("fired")
        MISSED = "missed", _("missed")
        OVERLAPPED = "overlapped", _("left out: the last run went on")
        FROZEN = "frozen", _("left out: freeze")
        FAILED = "failed", _("could not begin")
        FORGOTTEN = "forgotten", _("forgotten by ECS")

    schedule = models.ForeignKey(Schedule, models.PROTECT, related_name="fires")
    planned_at = models.DateTimeField(_("planned"))
    mark = models.CharField(max_length=100, blank=True, editable=False)
    at = models.DateTimeField(_("at"), auto_now_add=True)
    state = models.CharField(_("state"), max_length=10, choices=State)
    reason = models.TextField(_("reason"), blank=True)
    invocation = models.OneToOneField(
        Invocation, models.PROTECT, null=True, related_name="fire", verbose_name=_("run")
    )

    class Meta:
        verbose_name = _("fire")
        verbose_name_plural = _("fires")
        constraints = [
            models.UniqueConstraint(
                fields=["schedule", "planned_at", "mark"], name="fire_once_at_a_time"
            ),
            models.CheckConstraint(
                name="fire_fired_has_its_run",
                condition=Q(state="fired") ^ Q(invocation=None),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.schedule} {self.planned_at:%Y-%m-%d %H:%M:%S}"


class FreezeWindow(models.Model):
    """A time in which runs begin only for a reason that somebody types."""

    name = models.CharField(_("name"), max_length=80)
    starts_at = models.DateTimeField(_("from"))
    ends_at = models.DateTimeField(_("until"))
    tag_key = models.CharField(_("only instances with the tag"), max_length=128, blank=True)
    tag_value = models.CharField(_("tag value"), max_length=128, blank=True)
    reason = models.CharField(_("reason"), max_length=300, blank=True)

    class Meta:
        verbose_name = _("freeze window")
        verbose_name_plural = _("freeze windows")
        constraints = [
            models.CheckConstraint(
                name="freeze_ends_after_it_starts",
                condition=Q(ends_at__gt=F("starts_at")),
                violation_error_message=_("It must end after it starts."),
            )
        ]

    def __str__(self) -> str:
        return self.name

    def covers(self, moment: datetime) -> bool:
        return self.starts_at <= moment < self.ends_at
