"""Having Cloud Assistant installed or upgraded: one call, at most fifty instances of a region."""

from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Exists, OuterRef, Q
from django.utils.translation import gettext_lazy as _

from instances.models import CloudAccount, Instance
from portal.work import Work


class AgentInstallQuerySet(models.QuerySet["AgentInstall"]):
    def visible_to(self, user) -> AgentInstallQuerySet:
        """Those that reach an instance which this person may see."""
        seen = Instance.objects.visible_to(user).values("pk")
        members = AgentInstall.instances.through.objects.filter(instance__in=seen)
        return self.filter(Exists(members.filter(agentinstall=OuterRef("pk"))))


class AgentInstall(Work):
    """A wish to ECS. It takes effect when each machine next starts, which is not part of it."""

    job: ClassVar[str] = "commands.agents.carry_on"

    class State(models.TextChoices):
        WAITING = "waiting", _("waiting")
        DONE = "done", _("taken by ECS")
        FAILED = "failed", _("failed")

    account = models.ForeignKey(CloudAccount, models.PROTECT, related_name="+")
    region = models.CharField(_("region"), max_length=40)
    instances = models.ManyToManyField(Instance, related_name="+", verbose_name=_("instances"))
    state = models.CharField(_("state"), max_length=10, choices=State, default=State.WAITING)
    request_id = models.CharField(_("RequestId"), max_length=64, blank=True)
    error = models.TextField(_("error"), blank=True)
    asked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+"
    )
    asked_at = models.DateTimeField(_("asked"), auto_now_add=True)

    objects = AgentInstallQuerySet.as_manager()

    class Meta:
        verbose_name = _("installation of Cloud Assistant")
        verbose_name_plural = _("installations of Cloud Assistant")
        constraints = [
            models.CheckConstraint(
                name="agent_install_state_known",
                condition=Q(state__in=("waiting", "done", "failed")),
            )
        ]

    def __str__(self) -> str:
        return f"{self.account} {self.region} {self.asked_at:%Y-%m-%d %H:%M}"
