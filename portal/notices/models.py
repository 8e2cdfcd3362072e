"""Where messages go, who is told of what, and each message with how far it came."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from portal import secrets
from portal.notices.events import TONES, Severity, find
from portal.work import Work


class Kind(models.TextChoices):
    EMAIL = "email", _("e-mail")
    DINGTALK = "dingtalk", _("DingTalk robot")
    WEBHOOK = "webhook", _("signed webhook")
    LIBRARY = "library", _("another service")
    PEOPLE = "people", _("e-mail to persons")  # one row, made by a migration


def default_language() -> str:
    return settings.LANGUAGE_CODE


class Channel(models.Model):
    """One place that messages go to. Its address is sealed, and shown to nobody again."""

    name = models.CharField(_("name"), max_length=80, unique=True)
    kind = models.CharField(_("kind"), max_length=10, choices=Kind)
    sealed = models.BinaryField(_("sealed address"), default=b"", editable=False)
    enabled = models.BooleanField(_("enabled"), default=True)
    language = models.CharField(
        _("language"), max_length=10, choices=settings.LANGUAGES, default=default_language
    )
    # Where the far side is away, all of the channel's messages rest together.
    failures = models.PositiveIntegerField(_("failures in a row"), default=0, editable=False)
    resting_until = models.DateTimeField(_("resting until"), null=True, editable=False)
    trouble = models.CharField(_("last trouble"), max_length=300, blank=True, editable=False)
    # One worker sends to a channel at a time, until then at the latest.
    lease_until = models.DateTimeField(null=True, editable=False)
    lease_owner = models.CharField(max_length=100, blank=True, editable=False)

    class Meta:
        verbose_name = _("channel")
        verbose_name_plural = _("channels")
        constraints = [
            models.CheckConstraint(
                name="channel_kind_known",
                condition=Q(kind__in=("email", "dingtalk", "webhook", "library", "people")),
            ),
            models.CheckConstraint(
                name="channel_has_an_address", condition=Q(kind="people") ^ ~Q(sealed=b"")
            ),
            models.UniqueConstraint(
                fields=["kind"], condition=Q(kind="people"), name="channel_to_people_once"
            ),
        ]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return reverse("notices:channel", args=[self.pk])

    @property
    def rests(self) -> bool:
        """Whether nothing is tried at this moment, because the far side was away."""
        return self.resting_until is not None and self.resting_until > timezone.now()

    def opened(self) -> dict[str, str]:
        """The address, for the moment of sending. Raises secrets.WrongKey."""
        return secrets.unseal(self.sealed)


class Rule(models.Model):
    """Who is told of which events. What is left empty does not narrow."""

    name = models.CharField(_("name"), max_length=80, unique=True)
    enabled = models.BooleanField(_("enabled"), default=True)
    events = models.JSONField(_("events"), default=list, blank=True)
    groups = models.JSONField(_("instance groups"), default=list, blank=True)
    accounts = models.JSONField(_("accounts"), default=list, blank=True)
    least = models.PositiveSmallIntegerField(
        _("from severity"), choices=Severity, default=Severity.INFO
    )
    channels = models.ManyToManyField(Channel, blank=True, related_name="rules")
    people = models.ManyToManyField(settings.AUTH_USER_MODEL, blank=True, related_name="+")
    concerned = models.BooleanField(_("also tell those whom it concerns"), default=False)

    class Meta:
        verbose_name = _("rule")
        verbose_name_plural = _("rules")
        constraints = [
            models.CheckConstraint(
                name="notice_rule_severity_known", condition=Q(least__in=(10, 20, 30))
            )
        ]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return reverse("notices:rule", args=[self.pk])

    def titles(self) -> list[str | Promise]:
        """The events it is about, in words; empty for all."""
        return [find(name).title for name in self.events]

    def wants(self, event: str, severity: int) -> bool:
        return severity >= self.least and (not self.events or event in self.events)

    def fits(self, groups: Iterable[str], accounts: Iterable[str]) -> bool:
        return _meets(self.groups, groups) and _meets(self.accounts, accounts)


def _meets(named: list[str], given: Iterable[str]) -> bool:
    return not named or bool({n.casefold() for n in named} & {g.casefold() for g in given})


class NotificationQuerySet(models.QuerySet["Notification"]):
    def visible_to(self, user: Any) -> NotificationQuerySet:
        """Messages name things of every scope: all of them for administrators, else one's own."""
        if user.has_perm("notices.view_notification"):
            return self
        return self.filter(person=user.pk)


class Notification(Work):
    """One message of one event to one channel, whatever is repeated or killed."""

    job: ClassVar[str] = "portal.notices.sending.send"
    crowded_by: ClassVar[tuple[str, ...]] = ("channel_id",)

    class State(models.TextChoices):
        WAITING = "waiting", _("waiting")
        FAILED = "failed", _("failed, tried again")
        SENT = "sent", _("sent")
        GIVEN_UP = "given_up", _("given up")

    # Of the event, the channel and the person; the far side can know a repeat by it.
    key = models.CharField(_("key"), max_length=64, unique=True, editable=False)
    once = models.CharField(max_length=200, db_index=True, editable=False)
    event = models.CharField(_("event"), max_length=40, db_index=True)
    severity = models.PositiveSmallIntegerField(_("severity"), choices=Severity)
    subject_label = models.CharField(_("subject"), max_length=200)
    subject_key = models.CharField(_("subject's key"), max_length=100, db_index=True)
    url = models.CharField(_("page"), max_length=300, blank=True)
    title = models.CharField(_("title"), max_length=200)
    body = models.TextField(_("text"), blank=True)
    channel = models.ForeignKey(
        Channel, models.PROTECT, related_name="notifications", verbose_name=_("channel")
    )
    person = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+", verbose_name=_("to")
    )
    state = models.CharField(_("state"), max_length=10, choices=State, default=State.WAITING)
    tries = models.PositiveIntegerField(_("tries"), default=0)
    trouble = models.CharField(_("last trouble"), max_length=300, blank=True)
    made_at = models.DateTimeField(_("made"), auto_now_add=True)
    sent_at = models.DateTimeField(_("sent at"), null=True)

    objects = NotificationQuerySet.as_manager()

    class Meta:
        verbose_name = _("notification")
        verbose_name_plural = _("notifications")
        indexes = [
            models.Index(fields=["-made_at", "-id"]),
            models.Index(fields=["state", "-made_at"]),
        ]
        constraints = [
            models.CheckConstraint(
                name="notification_state_known",
                condition=Q(state__in=("waiting", "failed", "sent", "given_up")),
            ),
            models.CheckConstraint(
                name="notification_sent_has_time", condition=Q(state="sent") ^ Q(sent_at=None)
            ),
        ]

    def __str__(self) -> str:
        return self.title

    def get_absolute_url(self) -> str:
        return reverse("notices:message", args=[self.pk])

    @property
    def is_over(self) -> bool:
        return self.state in (self.State.SENT, self.State.GIVEN_UP)

    @property
    def event_title(self) -> str | Promise:
        return find(self.event).title

    @property
    def state_tone(self) -> str:
        return STATE_TONES[self.state]

    @property
    def tone(self) -> str:
        return TONES[Severity(self.severity)]

    def get_severity_name(self) -> str:
        """info | attention | bad."""
        return Severity(self.severity).name.lower()


STATE_TONES = {"waiting": "going", "failed": "attention", "sent": "good", "given_up": "bad"}
