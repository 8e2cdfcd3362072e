"""What may run where: written rules, and two people where a rule demands them."""

from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Exists, F, OuterRef, Q
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from commands.models.auto_pass import AutoPass
from commands.models.reboots import RebootBatch
from commands.models.runs import Invocation
from portal import patterns
from portal.work import Work


class Verb(models.TextChoices):
    WARN = "warn", _("warns")
    APPROVE = "approve", _("demands approval")
    REFUSE = "refuse", _("refuses")


class PolicyRule(models.Model):
    """Fires where all that it names fits: text, tag of any instance, size. Naming nothing is no
    rule."""

    name = models.CharField(_("name"), max_length=80, unique=True)
    pattern = models.CharField(_("pattern in the text"), max_length=500, blank=True)
    tag_key = models.CharField(_("tag key of an instance"), max_length=128, blank=True)
    tag_value = models.CharField(_("tag value"), max_length=128, blank=True)
    above = models.PositiveIntegerField(_("on more instances than"), null=True, blank=True)
    verb = models.CharField(_("then it"), max_length=8, choices=Verb)
    message = models.CharField(_("what people are told"), max_length=300)
    enabled = models.BooleanField(_("enabled"), default=True)

    class Meta:
        verbose_name = _("policy rule")
        verbose_name_plural = _("policy rules")
        constraints = [
            models.CheckConstraint(
                name="policy_rule_names_something",
                condition=~Q(pattern="", tag_key="", above=None),
                violation_error_message=_("Give a pattern, a tag or a number of instances."),
            ),
            models.CheckConstraint(
                name="policy_rule_verb_known", condition=Q(verb__in=("warn", "approve", "refuse"))
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def words(self) -> str:
        """Which rule it is and what people are told, as rows and messages keep it."""
        return f"{self.name}: {self.message}"

    def clean(self) -> None:
        try:
            patterns.read(self.pattern, any_case=True, by_line=True)
        except patterns.BadPattern as error:
            raise ValidationError({"pattern": _("no regular expression: %s") % error}) from None


class ApprovalQuerySet(models.QuerySet["Approval"]):
    def visible_to(self, user) -> ApprovalQuerySet:
        """Those of runs and batches that this person may see."""
        runs, batches = Invocation.objects.visible_to(user), RebootBatch.objects.visible_to(user)
        run = Exists(runs.filter(pk=OuterRef("invocation")))
        return self.filter(run | Exists(batches.filter(pk=OuterRef("batch"))))

    def for_the_word_of(self, user) -> ApprovalQuerySet:
        """What waits for this person: in their sight and right, never what they asked for."""
        rights = {"invocation": "commands.decide_run", "batch": "commands.decide_reboot"}
        mine = Q(pk__in=())
        for kind, right in rights.items():
            if user.has_perm(right):
                mine |= Q(**{f"{kind}__isnull": False})
        waiting = self.visible_to(user).filter(mine, state="waiting").exclude(requester=user.pk)
        spoken = Decision.objects.filter(person=user.pk).values("approval")
        return waiting.exclude(pk__in=spoken).order_by("expires_at")


class Approval(Work):
    """A run or a reboot batch that waits for somebody else's yes. What is approved is frozen in
    its digest."""

    job: ClassVar[str] = "commands.approvals.expire"

    class State(models.TextChoices):
        WAITING = "waiting", _("waiting")
        APPROVED = "approved", _("approved")
        REJECTED = "rejected", _("rejected")
        EXPIRED = "expired", _("expired")

    invocation = models.OneToOneField(
        Invocation, models.PROTECT, null=True, related_name="approval"
    )
    # A batch is approved once, or twice: its canary first, the rest when that was seen.
    batch = models.ForeignKey(RebootBatch, models.PROTECT, null=True, related_name="approvals")
    requester = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+"
    )
    reasons = models.JSONField(_("why it is asked for"), default=list)  # the rules' own words
    digest = models.CharField(_("digest"), max_length=64)
    quorum = models.PositiveSmallIntegerField(_("people needed"), default=1)
    state = models.CharField(_("state"), max_length=10, choices=State, default=State.WAITING)
    asked_at = models.DateTimeField(_("asked"), auto_now_add=True)
    expires_at = models.DateTimeField(_("expires"))

    objects = ApprovalQuerySet.as_manager()

    class Meta:
        verbose_name = _("approval")
        verbose_name_plural = _("approvals")
        indexes = [models.Index(fields=["state", "-asked_at"])]
        constraints = [
            models.CheckConstraint(
                name="approval_state_known",
                condition=Q(state__in=("waiting", "approved", "rejected", "expired")),
            ),
            models.CheckConstraint(name="approval_needs_somebody", condition=Q(quorum__gte=1)),
            models.CheckConstraint(
                name="approval_of_exactly_one_thing",
                condition=Q(invocation=None) ^ Q(batch=None),
            ),
            models.UniqueConstraint(
                fields=["batch"],
                condition=Q(state="waiting"),
                name="approval_of_a_batch_waits_once",
            ),
        ]

    def __str__(self) -> str:
        return str(self.subject)

    @property
    def subject(self) -> Invocation | RebootBatch:
        return self.invocation or self.batch

    def get_absolute_url(self) -> str:
        return reverse("commands:approval", args=[self.pk])


class Decision(models.Model):
    """One person's, or one written rule's, yes or no. Never on their own request, never on their
    own script, never by a rule of the requester's."""

    approval = models.ForeignKey(Approval, models.PROTECT, related_name="decisions")
    person = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+"
    )
    rule = models.ForeignKey(
        AutoPass, models.PROTECT, null=True, blank=True, related_name="decisions"
    )
    rule_author = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+"
    )
    requester = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+"
    )
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+"
    )
    # A batch has two scripts: what runs before, and what checks afterwards.
    other_author = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+"
    )
    yes = models.BooleanField(_("yes"))
    # What a yes to a batch allows besides.
    canary_only = models.BooleanField(_("only the canary"), default=False)
    may_shrink = models.PositiveSmallIntegerField(_("may become unfit (%)"), null=True, blank=True)
    accepted = models.JSONField(_("accepted without proof"), default=list, blank=True)  # items
    comment = models.CharField(_("comment"), max_length=500, blank=True)
    at = models.DateTimeField(_("at"), auto_now_add=True)

    class Meta:
        verbose_name = _("decision")
        verbose_name_plural = _("decisions")
        constraints = [
            models.UniqueConstraint(fields=["approval", "person"], name="decision_once_a_person"),
            models.CheckConstraint(
                name="decision_by_another_than_the_requester",
                condition=Q(requester=None) | ~Q(person=F("requester")),
                violation_error_message=_("Whoever asks for a run cannot approve it."),
            ),
            models.CheckConstraint(
                name="decision_by_another_than_the_author",
                condition=Q(author=None) | ~Q(person=F("author")),
                violation_error_message=_("Whoever wrote the script cannot approve it."),
            ),
            models.CheckConstraint(
                name="decision_by_another_than_the_other_author",
                condition=Q(other_author=None) | ~Q(person=F("other_author")),
                violation_error_message=_("Whoever wrote the script cannot approve it."),
            ),
            models.CheckConstraint(
                name="decision_allows_a_share",
                condition=Q(may_shrink=None) | Q(may_shrink__lte=100),
                violation_error_message=_("A share from 0 to 100 percent."),
            ),
            models.CheckConstraint(
                name="decision_by_a_person_or_a_rule", condition=Q(person=None) ^ Q(rule=None)
            ),
            models.CheckConstraint(
                name="decision_by_no_rule_of_the_requester",
                condition=Q(rule=None)
                | (Q(rule_author__isnull=False) & ~Q(rule_author=F("requester"))),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.person or self.rule}: {'yes' if self.yes else 'no'}"
