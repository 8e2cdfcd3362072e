"""A run, the calls it is cut into, and each machine's answer."""

from __future__ import annotations

import uuid
from typing import ClassVar

from django.apps import apps
from django.conf import settings
from django.db import models
from django.db.models import Exists, OuterRef, Q
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from commands.models.outputs import Output
from commands.models.saved import CloudCommand, CommandRevision
from commands.models.scripts import Script
from instances.groups import sees_all
from instances.models import CloudAccount, Instance
from portal.transitions import move
from portal.work import Work

REPEATING = ("Period", "NextRebootOnly", "EveryReboot")  # RepeatModes that stay in ECS


class Outcome(models.TextChoices):
    """How one machine's part ended, in classes that ask for different acts."""

    OK = "ok", _("succeeded")
    GOING_DOWN = "going_down", _("succeeded, going down")  # exit codes 193, 194, 3009, 3010
    FAILED = "failed", _("failed")  # the script ran, and ended badly
    UNREACHED = "unreached", _("not reached")  # ECS says that nothing ran there
    STOPPED = "stopped", _("stopped")
    NOT_STARTED = "not_started", _("not started")  # we never asked for it
    UNKNOWN = "unknown", _("not known")  # no answer: it may have run

    @classmethod
    def good(cls) -> tuple[str, ...]:
        return (cls.OK, cls.GOING_DOWN)


class InvocationQuerySet(models.QuerySet["Invocation"]):
    def visible_to(self, user) -> InvocationQuerySet:
        """Runs that reach an instance which this person may see, and their own."""
        if sees_all(user):
            return self
        # For each run of a page one look, where the targets of all these instances are millions.
        seen = Instance.objects.visible_to(user).values("pk")
        reached = Target.objects.filter(invocation=OuterRef("pk"), instance__in=seen)
        return self.filter(Exists(reached) | Q(asked_by=user.pk))


class Invocation(Script):
    """One run of one script on any number of instances. What it does never changes once asked."""

    class State(models.TextChoices):
        WAITING = "waiting", _("waiting for approval")
        RUNNING = "running", _("running")
        FINISHED = "finished", _("finished")

    name = models.CharField(_("name"), max_length=128)
    read_only = models.BooleanField(_("read-only guest script"), default=False)
    revision = models.ForeignKey(
        CommandRevision, models.PROTECT, null=True, related_name="runs", verbose_name=_("command")
    )
    # The run is InvokeCommand on this command, not RunCommand with our own text.
    cloud_command = models.ForeignKey(CloudCommand, models.PROTECT, null=True, related_name="runs")
    takes_parameters = models.BooleanField(_("takes parameters"), default=False)
    parameters = models.JSONField(_("parameters"), default=dict)  # without the secret ones
    sealed = models.BinaryField(_("sealed parameters"), default=b"")  # erased when the run ends
    repeat_mode = models.CharField(_("repeats"), max_length=20, blank=True)  # ECS's RepeatMode
    frequency = models.CharField(_("frequency"), max_length=200, blank=True)
    dry_run = models.BooleanField(_("only checked"), default=False)
    concurrency = models.PositiveIntegerField(_("at most at once"), null=True)
    max_errors = models.CharField(_("errors allowed"), max_length=10, blank=True)  # "5" or "10%"
    size = models.PositiveIntegerField(_("instances"), default=0)
    picked = models.JSONField(_("picked by"), default=dict)  # commands.targets.Selection
    left_out = models.JSONField(_("left out"), default=dict)  # reason -> names, and how many
    once = models.UUIDField(null=True, unique=True, editable=False)  # one wish, one run
    rerun_of = models.ForeignKey("self", models.PROTECT, null=True, related_name="reruns")
    freeze_reason = models.TextField(_("why in a freeze"), blank=True)
    state = models.CharField(_("state"), max_length=10, choices=State, default=State.RUNNING)
    asked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+"
    )
    asked_at = models.DateTimeField(_("asked"), auto_now_add=True)
    stop_asked_at = models.DateTimeField(_("stop asked"), null=True)
    stop_asked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+"
    )
    finished_at = models.DateTimeField(_("finished"), null=True)
    outcomes = models.JSONField(_("outcomes"), default=dict)  # outcome -> instances, at the end
    # The row to wake when the run ends: "app_label.Model" and its key (see portal.work.Work.wake).
    then_model = models.CharField(max_length=80, blank=True, editable=False)
    then_key = models.PositiveBigIntegerField(null=True, editable=False)

    objects = InvocationQuerySet.as_manager()

    class Meta:
        verbose_name = _("run")
        verbose_name_plural = _("runs")
        permissions = [
            ("run_saved", _("Can run saved commands")),
            ("run_script", _("Can run free text")),
            ("stop_run", _("Can stop runs")),
            ("decide_run", _("Can approve runs of others")),
        ]
        indexes = [models.Index(fields=["-asked_at", "-id"])]
        constraints = [
            models.CheckConstraint(
                name="invocation_state_known",
                condition=Q(state__in=("waiting", "running", "finished")),
            ),
            models.CheckConstraint(
                name="invocation_finished_has_time",
                condition=Q(state="finished") ^ Q(finished_at=None),
            ),
            models.CheckConstraint(
                name="invocation_finished_holds_no_secret",
                condition=~Q(state="finished") | Q(sealed=b""),
            ),
        ]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return reverse("commands:run", args=[self.pk])

    @property
    def repeats_in_ecs(self) -> bool:
        """Whether ECS keeps it and runs it again and again, or at a later time."""
        return self.repeat_mode in REPEATING

    def tally(self) -> dict[str, int]:
        """How many targets stand at each status."""
        rows = self.targets.order_by().values_list("status").annotate(models.Count("pk"))
        return dict(rows)

    def tally_outcomes(self) -> dict[str, int]:
        """How many targets ended how; "" are those that have not ended."""
        if self.state == self.State.FINISHED:
            return self.outcomes
        rows = self.targets.order_by().values_list("outcome").annotate(models.Count("pk"))
        return dict(rows)

    def end_if_over(self) -> Invocation | None:
        """Finish the run when its last dispatch has, and wake whoever waits for it; the run, or
        None while it goes on.

        Call it in the transaction that finished a dispatch, with the run locked: two dispatches
        that finish at the same moment look one after the other, so that one of them sees the end.
        """
        if self.dispatches.exclude(state=Dispatch.State.FINISHED).exists():
            return None
        outcomes = self.tally_outcomes()
        move(
            self,
            source=("running", "waiting"),
            target="finished",
            finished_at=timezone.now(),
            outcomes=outcomes,
            sealed=b"",
        )
        if self.then_model:
            waiting = apps.get_model(self.then_model)._default_manager.filter(pk=self.then_key)
            for row in waiting:
                row.wake()
        return self


class Dispatch(Work):
    """One RunCommand or InvokeCommand: at most 100 instances of one account and region, with
    frozen parameters."""

    job: ClassVar[str] = "commands.jobs.carry_on"
    crowded_by: ClassVar[tuple[str, ...]] = ("account_id", "region")

    class State(models.TextChoices):
        HELD = "held", _("held back")  # until others are over, or somebody approved
        WAITING = "waiting", _("waiting to be sent")  # no call was made, or each was refused
        SENDING = "sending", _("being sent")  # a call was made whose outcome is not known
        SENT = "sent", _("sent, waiting for answers")
        FINISHED = "finished", _("finished")

    invocation = models.ForeignKey(Invocation, models.PROTECT, related_name="dispatches")
    account = models.ForeignKey(CloudAccount, models.PROTECT)
    region = models.CharField(_("region"), max_length=40)
    size = models.PositiveIntegerField(_("instances"), default=0)
    token = models.UUIDField(_("client token"), default=uuid.uuid4, editable=False)
    state = models.CharField(_("state"), max_length=10, choices=State, default=State.WAITING)
    invoke_id = models.CharField(_("InvokeId"), max_length=64, blank=True, db_index=True)
    request_id = models.CharField(_("RequestId"), max_length=64, blank=True)
    error_code = models.CharField(_("error code"), max_length=100, blank=True)
    error = models.TextField(_("error"), blank=True)
    asked_at = models.DateTimeField(_("first asked"), null=True)
    sent_at = models.DateTimeField(_("sent"), null=True)
    missed_at = models.DateTimeField(_("first missed"), null=True)  # ECS listed no such run
    read_at = models.DateTimeField(_("results as of"), null=True)
    ended_seen = models.PositiveIntegerField(_("ended at the last look"), default=0)
    stop_asked_at = models.DateTimeField(_("ECS asked to stop"), null=True)  # and it said yes
    finished_at = models.DateTimeField(_("finished"), null=True)
    # One time of a run that ECS repeats: the dispatch that ECS keeps, and which follows this one.
    fire_of = models.ForeignKey("self", models.PROTECT, null=True, related_name="fires")

    class Meta:
        verbose_name = _("dispatch")
        verbose_name_plural = _("dispatches")
        indexes = [models.Index(fields=["account", "region", "state"])]
        constraints = [
            models.UniqueConstraint(fields=["token"], name="dispatch_token_once"),
            models.CheckConstraint(
                name="dispatch_state_known",
                condition=Q(state__in=("held", "waiting", "sending", "sent", "finished")),
            ),
            models.CheckConstraint(
                name="dispatch_sent_has_invoke_id", condition=~Q(state="sent") | ~Q(invoke_id="")
            ),
            models.CheckConstraint(
                name="dispatch_finished_has_time",
                condition=~Q(state="finished") | Q(finished_at__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.invocation} {self.region}"

    def instance_ids(self) -> list[str]:
        """The members, always in the same order: a repeated call must be the same call."""
        targets = self.targets.order_by("pk")
        return list(targets.values_list("instance__instance_id", flat=True))


class Target(models.Model):
    """One machine's answer. `status` is ECS's InvocationStatus or one of our own words."""

    WAITING = "waiting"  # not sent yet
    NOT_STARTED = "not_started"  # never asked for: held back until it was given up
    REFUSED = "refused"  # nothing ran: ECS refused the call, or it never could be made
    NO_ANSWER = "no_answer"  # nobody knows: asked, and no answer by the deadline

    dispatch = models.ForeignKey(Dispatch, models.PROTECT, related_name="targets")
    invocation = models.ForeignKey(Invocation, models.PROTECT, related_name="targets")
    instance = models.ForeignKey(Instance, models.PROTECT, related_name="targets")
    status = models.CharField(_("status"), max_length=20, default=WAITING)
    over = models.BooleanField(_("over"), default=False)
    outcome = models.CharField(_("outcome"), max_length=12, choices=Outcome, blank=True)
    exit_code = models.BigIntegerField(_("exit code"), null=True)
    output = models.ForeignKey(Output, models.PROTECT, null=True, related_name="targets")
    dropped = models.PositiveIntegerField(_("bytes dropped"), default=0)
    error_code = models.CharField(_("error code"), max_length=100, blank=True)
    error_info = models.TextField(_("error"), blank=True)
    started_at = models.DateTimeField(_("started"), null=True)
    finished_at = models.DateTimeField(_("finished"), null=True)
    # Which time this was; of a run that ECS repeats, the last time that we have written down.
    repeats = models.PositiveIntegerField(_("time"), null=True)

    class Meta:
        verbose_name = _("target")
        verbose_name_plural = _("targets")
        indexes = [
            models.Index(fields=["invocation", "outcome"]),
            models.Index(fields=["instance", "-id"]),
        ]
        constraints = [
            models.UniqueConstraint(fields=["invocation", "instance"], name="target_once"),
            models.CheckConstraint(
                name="target_over_is_final",
                condition=Q(over=False) | ~Q(status__in=("waiting", "Pending", "Running")),
            ),
            models.CheckConstraint(
                name="target_over_has_outcome", condition=Q(over=False) ^ ~Q(outcome="")
            ),
        ]

    def __str__(self) -> str:
        return f"{self.instance} {self.status}"

    def get_absolute_url(self) -> str:
        return reverse("commands:answer", args=[self.invocation_id, self.pk])
