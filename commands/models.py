"""What we do to instances: one run, its calls, each machine's answer."""

from __future__ import annotations

import hashlib
import uuid
import zlib
from collections.abc import Iterable
from typing import ClassVar

from django.apps import apps
from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from instances.models import CloudAccount, Instance
from portal.transitions import move
from portal.work import Work


class CommandType(models.TextChoices):
    SHELL = "RunShellScript", _("shell script (Linux)")
    POWERSHELL = "RunPowerShellScript", _("PowerShell script (Windows)")
    BATCH = "RunBatScript", _("batch script (Windows)")


def digest_of(body: bytes) -> str:
    """The key under which an output is stored."""
    return hashlib.sha256(body).hexdigest()


class Output(models.Model):
    """An output text, stored once however many machines printed it."""

    digest = models.CharField(_("SHA-256"), max_length=64, primary_key=True)
    packed = models.BinaryField()
    size = models.PositiveIntegerField(_("bytes"))

    class Meta:
        verbose_name = _("output")
        verbose_name_plural = _("outputs")

    def __str__(self) -> str:
        return self.digest[:12]

    @classmethod
    def keep(cls, bodies: Iterable[bytes]) -> None:
        """Store those that are not stored yet. In one order, so that two writers cannot lock up."""
        new = {digest_of(body): body for body in bodies}
        for known in cls.objects.filter(pk__in=new).values_list("pk", flat=True):
            del new[known]
        cls.objects.bulk_create(
            (
                cls(digest=digest, packed=zlib.compress(body), size=len(body))
                for digest, body in sorted(new.items())
            ),
            ignore_conflicts=True,
        )

    def body(self) -> bytes:
        return zlib.decompress(bytes(self.packed))


class Invocation(models.Model):
    """One run of one script on any number of instances. Never changed once it was asked for."""

    class State(models.TextChoices):
        RUNNING = "running", _("running")
        FINISHED = "finished", _("finished")

    name = models.CharField(_("name"), max_length=128)
    script = models.TextField(_("script"))
    type = models.CharField(_("type"), max_length=24, choices=CommandType)
    timeout = models.PositiveIntegerField(_("timeout (seconds)"), default=60)
    username = models.CharField(_("run as"), max_length=255, blank=True)
    working_dir = models.CharField(_("working directory"), max_length=200, blank=True)
    read_only = models.BooleanField(_("read-only guest script"), default=False)
    state = models.CharField(_("state"), max_length=10, choices=State, default=State.RUNNING)
    asked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+"
    )
    asked_at = models.DateTimeField(_("asked"), auto_now_add=True)
    finished_at = models.DateTimeField(_("finished"), null=True)
    # The row to wake when the run ends: "app_label.Model" and its key (see portal.work.Work.wake).
    then_model = models.CharField(max_length=80, blank=True, editable=False)
    then_key = models.PositiveBigIntegerField(null=True, editable=False)

    class Meta:
        verbose_name = _("run")
        verbose_name_plural = _("runs")
        indexes = [models.Index(fields=["-asked_at", "-id"])]
        constraints = [
            models.CheckConstraint(
                name="invocation_state_known", condition=Q(state__in=("running", "finished"))
            ),
            models.CheckConstraint(
                name="invocation_finished_has_time",
                condition=Q(state="finished") ^ Q(finished_at=None),
            ),
        ]

    def __str__(self) -> str:
        return self.name

    def tally(self) -> dict[str, int]:
        """How many targets stand at each status."""
        rows = self.targets.order_by().values_list("status").annotate(models.Count("pk"))
        return dict(rows)

    def end_if_over(self) -> None:
        """Finish the run when its last dispatch has, and wake whoever waits for it.

        Call it in the transaction that finished a dispatch. The lock makes two dispatches that
        finish at the same moment look one after the other, so that one of them sees the end.
        """
        run = Invocation.objects.select_for_update().get(pk=self.pk)
        if run.dispatches.exclude(state=Dispatch.State.FINISHED).exists():
            return
        move(run, source="running", target="finished", finished_at=timezone.now())
        if run.then_model:
            waiting = apps.get_model(run.then_model)._default_manager.filter(pk=run.then_key)
            for row in waiting:
                row.wake()


class Dispatch(Work):
    """One RunCommand call: at most 100 instances of one account and region, frozen parameters."""

    job: ClassVar[str] = "commands.jobs.carry_on"

    class State(models.TextChoices):
        WAITING = "waiting", _("waiting to be sent")  # no call was made, or each was refused
        SENDING = "sending", _("being sent")  # a call was made whose outcome is not known
        SENT = "sent", _("sent, waiting for answers")
        FINISHED = "finished", _("finished")

    invocation = models.ForeignKey(Invocation, models.PROTECT, related_name="dispatches")
    account = models.ForeignKey(CloudAccount, models.PROTECT)
    region = models.CharField(_("region"), max_length=40)
    token = models.UUIDField(_("client token"), default=uuid.uuid4, editable=False)
    state = models.CharField(_("state"), max_length=10, choices=State, default=State.WAITING)
    invoke_id = models.CharField(_("InvokeId"), max_length=64, blank=True, db_index=True)
    request_id = models.CharField(_("RequestId"), max_length=64, blank=True)
    error_code = models.CharField(_("error code"), max_length=100, blank=True)
    error = models.TextField(_("error"), blank=True)
    asked_at = models.DateTimeField(_("first asked"), null=True)
    sent_at = models.DateTimeField(_("sent"), null=True)
    missed_at = models.DateTimeField(_("first missed"), null=True)  # ECS listed no such run
    finished_at = models.DateTimeField(_("finished"), null=True)

    class Meta:
        verbose_name = _("dispatch")
        verbose_name_plural = _("dispatches")
        constraints = [
            models.UniqueConstraint(fields=["token"], name="dispatch_token_once"),
            models.CheckConstraint(
                name="dispatch_state_known",
                condition=Q(state__in=("waiting", "sending", "sent", "finished")),
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
    REFUSED = "refused"  # nothing ran: ECS refused the call, or it never could be made
    NO_ANSWER = "no_answer"  # nobody knows: asked, and no answer by the deadline

    dispatch = models.ForeignKey(Dispatch, models.PROTECT, related_name="targets")
    invocation = models.ForeignKey(Invocation, models.PROTECT, related_name="targets")
    instance = models.ForeignKey(Instance, models.PROTECT, related_name="targets")
    status = models.CharField(_("status"), max_length=20, default=WAITING)
    over = models.BooleanField(_("over"), default=False)
    exit_code = models.BigIntegerField(_("exit code"), null=True)
    output = models.ForeignKey(Output, models.PROTECT, null=True, related_name="targets")
    dropped = models.PositiveIntegerField(_("bytes dropped"), default=0)
    error_code = models.CharField(_("error code"), max_length=100, blank=True)
    error_info = models.TextField(_("error"), blank=True)
    started_at = models.DateTimeField(_("started"), null=True)
    finished_at = models.DateTimeField(_("finished"), null=True)

    class Meta:
        verbose_name = _("target")
        verbose_name_plural = _("targets")
        constraints = [
            models.UniqueConstraint(fields=["invocation", "instance"], name="target_once"),
            models.CheckConstraint(
                name="target_over_is_final",
                condition=Q(over=False) | ~Q(status__in=("waiting", "Pending", "Running")),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.instance} {self.status}"
