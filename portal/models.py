"""The portal's own pulse (which processes live, whether each queue's bells are heard), and its
daily pruning."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _

from portal.work import Work


class Heartbeat(models.Model):
    """When a long-running process was last alive. One row for each role and host."""

    role = models.CharField(_("role"), max_length=40)
    host = models.CharField(_("host"), max_length=100)
    pid = models.PositiveIntegerField(_("process ID"))
    started_at = models.DateTimeField(_("started"))
    at = models.DateTimeField(_("last alive"))

    class Meta:
        verbose_name = _("heartbeat")
        verbose_name_plural = _("heartbeats")
        constraints = [models.UniqueConstraint(fields=["role", "host"], name="heartbeat_once")]

    def __str__(self) -> str:
        return f"{self.role} {self.host}"


class Canary(Work):
    """Work that does nothing but prove that a queue's workers hear their bells."""

    job: ClassVar[str] = "portal.jobs.sing"

    name = models.CharField(_("queue"), max_length=40, unique=True)
    heard_at = models.DateTimeField(_("last heard"), null=True)

    class Meta:
        verbose_name = _("canary")
        verbose_name_plural = _("canaries")

    def __str__(self) -> str:
        return self.name

    def bell(self) -> tuple[str, str]:
        return self.job, self.name


class Pruning(Work):
    """How far the daily pruning has come (see portal.pruning.Walk). There is one row at most."""

    job: ClassVar[str] = "portal.jobs.prune"

    before = models.DateTimeField(_("older than"), null=True)  # null: none is under way
    kind = models.CharField(_("kind"), max_length=40, blank=True)
    after = models.CharField(max_length=100, blank=True, editable=False)  # a key
    gone = models.JSONField(_("taken out"), default=dict)  # model -> rows
    ended_at = models.DateTimeField(_("last ended"), null=True)

    class Meta:
        verbose_name = _("pruning")
        verbose_name_plural = _("prunings")

    def __str__(self) -> str:
        return f"{self.before:%Y-%m-%d}" if self.before else str(self._meta.verbose_name)
