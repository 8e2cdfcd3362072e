"""What we do to instances: one run, its calls, each machine's answer."""

from __future__ import annotations

import hashlib
import uuid
import zlib
from typing import ClassVar

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from instances.models import CloudAccount, Instance
from portal.work import Work


class CommandType(models.TextChoices):
    SHELL = "RunShellScript", _("shell script (Linux)")
    POWERSHELL = "RunPowerShellScript", _("PowerShell script (Windows)")
    BATCH = "RunBatScript", _("batch script (Windows)")


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
    def keep(cls, body: bytes) -> Output:
        digest = hashlib.sha256(body).hexdigest()
        row, _made = cls.objects.get_or_create(
            digest=digest, defaults={"packed": zlib.compress(body), "size": len(body)}
        )
        return row

    def body(self) -> bytes:
        return zlib.decompress(bytes(self.packed))


class Invocation(models.Model):
    """One run of one script on any number of instances."""

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
    then_model = models.CharField(max_length=80, blank=True)
    then_key = models.PositiveBigIntegerField(null=True)

    class Meta:
        verbose_name = _("run")
        verbose_name_plural = _("runs")

    def __str__(self) -> str:
        return self.name


class Dispatch(Work):
    """One RunCommand call: at most 100 instances of one account and region, frozen parameters."""

    job: ClassVar[str] = "commands.jobs.carry_on"

    class State(models.TextChoices):
        WAITING = "waiting", _("waiting to be sent")
        SENDING = "sending", _("being sent")
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
    sent_at = models.DateTimeField(_("sent"), null=True)
    finished_at = models.DateTimeField(_("finished"), null=True)

    class Meta:
        verbose_name = _("dispatch")
        verbose_name_plural = _("dispatches")

    def __str__(self) -> str:
        return f"{self.invocation} {self.region}"


class Target(models.Model):
    """One machine's answer. `status` is ECS's InvocationStatus or one of our own words."""

    WAITING = "waiting"  # not sent yet
    REFUSED = "refused"  # ECS refused the call; nothing ran
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
        ]

    def __str__(self) -> str:
        return f"{self.instance} {self.status}"
