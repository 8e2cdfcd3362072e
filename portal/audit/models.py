"""Who did what to what: append-only, written in the transaction of the act."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _


class AuditEntry(models.Model):
    """One act of a person or one power act, chained by an HMAC to the entry before it."""

    at = models.DateTimeField(_("at"), auto_now_add=True, db_index=True)
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+", verbose_name=_("who")
    )
    actor_label = models.CharField(_("who, by name"), max_length=150)  # "conductor" for nobody
    via = models.CharField(_("through"), max_length=20)  # page | admin | command | job
    act = models.CharField(_("act"), max_length=60, db_index=True)  # such as case.opened
    subject_label = models.CharField(_("subject"), max_length=200)
    subject_key = models.CharField(_("key"), max_length=100, db_index=True)  # such as case:12
    subject_url = models.CharField(_("page"), max_length=300, blank=True)
    details = models.JSONField(_("details"), default=dict)
    previous = models.CharField(max_length=64, editable=False)
    mac = models.CharField(max_length=64, unique=True, editable=False)

    class Meta:
        verbose_name = _("audit entry")
        verbose_name_plural = _("audit entries")
        ordering = ("-pk",)

    def __str__(self) -> str:
        return f"{self.actor_label} {self.act} {self.subject_label}"
