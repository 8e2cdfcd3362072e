"""Who did what to what: append-only, written in the transaction of the act."""

from __future__ import annotations

from typing import Any, NoReturn

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _


class AppendOnly(Exception):
    """An audit entry is never changed and never deleted."""


class AuditQuerySet(models.QuerySet["AuditEntry"]):
    def visible_to(self, user: Any) -> AuditQuerySet:
        """Entries name things of every scope: all of them for who may audit, else one's own."""
        if user.has_perm("audit.view_auditentry"):
            return self
        return self.filter(actor=user.pk)

    def update(self, **changes: object) -> NoReturn:
        raise AppendOnly

    def delete(self) -> NoReturn:
        raise AppendOnly


class AuditEntry(models.Model):
    """One act of a person or one power act, chained by an HMAC to the entry before it."""

    number = models.PositiveBigIntegerField(_("number"), unique=True)
    at = models.DateTimeField(_("at"), db_index=True)
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
    previous = models.CharField(max_length=64, blank=True, editable=False)
    mac = models.CharField(max_length=64, unique=True, editable=False)

    objects = AuditQuerySet.as_manager()

    class Meta:
        verbose_name = _("audit entry")
        verbose_name_plural = _("audit entries")
        ordering = ("-number",)

    def __str__(self) -> str:
        return f"{self.actor_label} {self.act} {self.subject_label}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        if not self._state.adding:
            raise AppendOnly
        super().save(*args, **kwargs)

    def delete(self, *args: Any, **kwargs: Any) -> NoReturn:
        raise AppendOnly


class ChainHead(models.Model):
    """The end of the chain; the one row that everybody who appends has to lock."""

    number = models.PositiveBigIntegerField(default=0)
    mac = models.CharField(max_length=64, blank=True)

    class Meta:
        verbose_name = _("audit head")
        verbose_name_plural = _("audit head")

    def __str__(self) -> str:
        return f"{self.number} {self.mac[:12]}"
