"""Runs that ECS repeats and that were made elsewhere: in the console, by another tool."""

from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from instances.groups import sees_all
from instances.models import CloudAccount, Instance, Region
from portal.work import Work


class TimedLook(Work):
    """When one account and region was last asked for its timed runs, and what came of it."""

    job: ClassVar[str] = "commands.elsewhere.look"

    region = models.OneToOneField(Region, models.CASCADE, related_name="timed_look")
    looked_at = models.DateTimeField(_("as of"), null=True)
    problem = models.TextField(_("problem"), blank=True)

    class Meta:
        verbose_name = _("look at timed runs")
        verbose_name_plural = _("looks at timed runs")

    def __str__(self) -> str:
        return str(self.region)


class TimedRunQuerySet(models.QuerySet["TimedRun"]):
    def visible_to(self, user) -> TimedRunQuerySet:
        """Those that reach an instance which this person may see."""
        if sees_all(user):
            return self
        seen = Instance.objects.visible_to(user).values("pk")
        return self.filter(
            pk__in=TimedRun.instances.through.objects.filter(instance__in=seen).values("timedrun")
        )


class TimedRun(Work):
    """One timed run of ECS as last listed. As work: the wish that it be stopped."""

    job: ClassVar[str] = "commands.elsewhere.carry_on"

    class Stop(models.TextChoices):
        NONE = "", _("not asked")
        WANTED = "wanted", _("wanted")  # ECS has not taken the wish yet
        ASKED = "asked", _("asked")  # it has, and the machines have not answered
        CONFIRMED = "confirmed", _("confirmed")
        ENDED = "ended", _("over by itself")
        LOST = "lost", _("lost")  # no final word came
        REFUSED = "refused", _("refused")

    account = models.ForeignKey(CloudAccount, models.PROTECT, related_name="+")
    region = models.CharField(_("region"), max_length=40)
    invoke_id = models.CharField(_("InvokeId"), max_length=64)
    command_id = models.CharField(_("CommandId"), max_length=64, blank=True)
    name = models.CharField(_("name"), max_length=128, blank=True)
    type = models.CharField(_("type"), max_length=40, blank=True)
    script = models.TextField(_("script"), blank=True)
    username = models.CharField(_("runs as"), max_length=255, blank=True)
    timeout = models.PositiveIntegerField(_("timeout"), default=60)
    repeat_mode = models.CharField(_("repeats"), max_length=20, blank=True)
    frequency = models.CharField(_("frequency"), max_length=300, blank=True)
    status = models.CharField(_("status"), max_length=20, blank=True)  # InvocationStatus
    created_at = models.DateTimeField(_("created"), null=True)
    size = models.PositiveIntegerField(_("instances"), default=0)
    repeats = models.PositiveIntegerField(_("times"), default=0)  # of the machine with most
    instances = models.ManyToManyField(Instance, related_name="+")  # those that we know
    seen_at = models.DateTimeField(_("as of"))
    gone_at = models.DateTimeField(_("gone"), null=True)  # over, or no longer listed
    stop = models.CharField(_("stop"), max_length=10, choices=Stop, blank=True, default=Stop.NONE)
    stop_asked_at = models.DateTimeField(_("stop asked"), null=True)
    stop_asked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+"
    )
    error = models.TextField(_("error"), blank=True)

    objects = TimedRunQuerySet.as_manager()

    class Meta:
        verbose_name = _("timed run made elsewhere")
        verbose_name_plural = _("timed runs made elsewhere")
        constraints = [
            models.UniqueConstraint(
                fields=["account", "region", "invoke_id"], name="timed_run_once"
            ),
            models.CheckConstraint(
                name="timed_run_stop_known",
                condition=Q(
                    stop__in=("", "wanted", "asked", "confirmed", "ended", "lost", "refused")
                ),
            ),
            models.CheckConstraint(
                name="timed_run_stop_has_its_time",
                condition=Q(stop="") ^ Q(stop_asked_at__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return self.name or self.invoke_id
