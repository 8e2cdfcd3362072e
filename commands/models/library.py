"""An act on the commands that ECS keeps: reading them, and putting ours there."""

from __future__ import annotations

import uuid
from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from commands.models.saved import CloudCommand, CommandRevision
from instances.models import CloudAccount
from portal.work import Work


class LibraryAct(Work):
    """One wish about one account and region."""

    job: ClassVar[str] = "commands.library.carry_on"

    class Kind(models.TextChoices):
        READ = "read", _("read")
        CREATE = "create", _("export")
        RENAME = "rename", _("rename")
        DELETE = "delete", _("delete")

    class State(models.TextChoices):
        WAITING = "waiting", _("waiting")
        DONE = "done", _("done")
        FAILED = "failed", _("failed")

    kind = models.CharField(_("act"), max_length=8, choices=Kind)
    account = models.ForeignKey(CloudAccount, models.PROTECT, related_name="+")
    region = models.CharField(_("region"), max_length=40)
    revision = models.ForeignKey(CommandRevision, models.PROTECT, null=True, related_name="+")
    cloud_command = models.ForeignKey(CloudCommand, models.PROTECT, null=True, related_name="+")
    token = models.UUIDField(default=uuid.uuid4, editable=False, unique=True)
    state = models.CharField(_("state"), max_length=10, choices=State, default=State.WAITING)
    request_id = models.CharField(_("RequestId"), max_length=64, blank=True)
    error = models.TextField(_("error"), blank=True)
    asked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+"
    )
    asked_at = models.DateTimeField(_("asked"), auto_now_add=True)

    class Meta:
        verbose_name = _("act on ECS's commands")
        verbose_name_plural = _("acts on ECS's commands")
        constraints = [
            models.CheckConstraint(
                name="library_act_known",
                condition=Q(kind__in=("read", "create", "rename", "delete"))
                & Q(state__in=("waiting", "done", "failed")),
            ),
            models.CheckConstraint(
                name="library_act_has_its_object",
                condition=Q(kind="read")
                | Q(kind="create", revision__isnull=False)
                | Q(kind__in=("rename", "delete"), cloud_command__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.account} {self.region}"
