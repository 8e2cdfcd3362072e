"""What a script is, wherever it is kept: in a revision, in a run."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _


class CommandType(models.TextChoices):
    SHELL = "RunShellScript", _("shell script (Linux)")
    POWERSHELL = "RunPowerShellScript", _("PowerShell script (Windows)")
    BATCH = "RunBatScript", _("batch script (Windows)")

    @property
    def os_type(self) -> str:
        """The ECS OSType that this type runs on."""
        return "linux" if self == CommandType.SHELL else "windows"


class TerminationMode(models.TextChoices):
    """What is killed when a script is stopped or its time is up."""

    PROCESS = "Process", _("the script's own process")
    TREE = "ProcessTree", _("the script and everything it started")


class Script(models.Model):
    """A text and how it is to be run. Empty means ECS's own default; see `commands.limits`."""

    FIELDS = (
        "script",
        "type",
        "timeout",
        "username",
        "windows_password_name",
        "working_dir",
        "launcher",
        "termination_mode",
        "container_id",
        "container_name",
    )

    script = models.TextField(_("script"))
    type = models.CharField(_("type"), max_length=24, choices=CommandType)
    timeout = models.PositiveIntegerField(_("timeout (seconds)"), default=60)
    username = models.CharField(_("run as"), max_length=255, blank=True)
    windows_password_name = models.CharField(_("password's name"), max_length=255, blank=True)
    working_dir = models.CharField(_("working directory"), max_length=200, blank=True)
    launcher = models.CharField(_("launcher"), max_length=1024, blank=True)
    termination_mode = models.CharField(
        _("when stopped, end"), max_length=12, choices=TerminationMode, blank=True
    )
    container_id = models.CharField(_("container ID"), max_length=128, blank=True)
    container_name = models.CharField(_("container name"), max_length=255, blank=True)

    class Meta:
        abstract = True

    def as_script(self) -> dict[str, object]:
        """The fields of a script by name, as `invoke` and a new revision take them."""
        return {name: getattr(self, name) for name in Script.FIELDS}
