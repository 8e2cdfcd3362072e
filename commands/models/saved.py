"""Scripts that are kept: ours, whose every version stays, and those that live in ECS."""

from __future__ import annotations

from django.conf import settings
from django.db import models, transaction
from django.db.models.functions import Lower
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from commands.models.scripts import CommandType, Script
from instances.models import CloudAccount, Region


class SavedCommand(models.Model):
    """A named script. What it says is in its revisions; the newest is what a new run takes."""

    name = models.CharField(_("name"), max_length=128)
    description = models.CharField(_("description"), max_length=512, blank=True)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        related_name="+",
        verbose_name=_("owner"),
    )
    created_at = models.DateTimeField(_("created"), auto_now_add=True)
    archived_at = models.DateTimeField(_("archived"), null=True, blank=True)

    class Meta:
        verbose_name = _("saved command")
        verbose_name_plural = _("saved commands")
        constraints = [
            models.UniqueConstraint(
                Lower("name"),
                name="saved_command_name_once",
                condition=models.Q(archived_at=None),
                violation_error_message=_("There is a command of this name already."),
            )
        ]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return reverse("commands:command", args=[self.pk])

    def newest(self) -> CommandRevision:
        return self.revisions.order_by("-number")[0]

    @transaction.atomic
    def revise(self, *, by, parameters: list[dict], note: str = "", **script) -> CommandRevision:
        """Keep a new version; the same text and settings as the newest give the newest back."""
        SavedCommand.objects.select_for_update().get(pk=self.pk)  # two editors, one after the other
        newest = self.revisions.order_by("-number").first()
        wanted = {**script, "parameters": parameters}
        if newest and {**newest.as_script(), "parameters": newest.parameters} == wanted:
            return newest
        number = newest.number + 1 if newest else 1
        return CommandRevision.objects.create(
            command=self, number=number, author=by, note=note, **wanted
        )


class CommandRevision(Script):
    """One version of a saved command. Never changed: a run pins one."""

    command = models.ForeignKey(SavedCommand, models.PROTECT, related_name="revisions")
    number = models.PositiveIntegerField(_("revision"))
    # One object a parameter, as commands.parameters.Parameter writes it.
    parameters = models.JSONField(_("parameters"), default=list)
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+", verbose_name=_("by")
    )
    note = models.CharField(_("what changed"), max_length=200, blank=True)
    created_at = models.DateTimeField(_("saved"), auto_now_add=True)

    class Meta:
        verbose_name = _("revision")
        verbose_name_plural = _("revisions")
        constraints = [
            models.UniqueConstraint(fields=["command", "number"], name="command_revision_once")
        ]

    def __str__(self) -> str:
        return f"{self.command} r{self.number}"

    def save(self, **options: object) -> None:
        if not self._state.adding:
            raise TypeError("a revision is never changed: SavedCommand.revise makes a new one")
        super().save(**options)


class CommandTag(models.Model):
    """A word that people gave a command, to find it by."""

    command = models.ForeignKey(SavedCommand, models.CASCADE, related_name="tags")
    name = models.CharField(_("tag"), max_length=64)

    class Meta:
        verbose_name = _("command tag")
        verbose_name_plural = _("command tags")
        constraints = [models.UniqueConstraint(fields=["command", "name"], name="command_tag_once")]

    def __str__(self) -> str:
        return self.name


class Favourite(models.Model):
    """A command that a person wants at hand."""

    command = models.ForeignKey(SavedCommand, models.CASCADE, related_name="favourites")
    person = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="favourites")

    class Meta:
        verbose_name = _("favourite")
        verbose_name_plural = _("favourites")
        constraints = [models.UniqueConstraint(fields=["command", "person"], name="favourite_once")]

    def __str__(self) -> str:
        return f"{self.command} ({self.person})"


class CloudCommandQuerySet(models.QuerySet["CloudCommand"]):
    def visible_to(self, user) -> CloudCommandQuerySet:
        """Commands that are there, of the places that this person sees something of."""
        places = Region.objects.visible_to(user)
        here = places.filter(
            account=models.OuterRef("account"), region_id=models.OuterRef("region")
        )
        return self.filter(models.Exists(here), gone_at=None)


class CloudCommand(models.Model):
    """Our copy of a command that lives in ECS, of the account's own or a public one."""

    account = models.ForeignKey(CloudAccount, models.PROTECT, related_name="+")
    region = models.CharField(_("region"), max_length=40)
    command_id = models.CharField(_("CommandId"), max_length=64)
    name = models.CharField(_("name"), max_length=128, blank=True)
    description = models.TextField(_("description"), blank=True)
    type = models.CharField(_("type"), max_length=24, choices=CommandType)
    script = models.TextField(_("script"))
    timeout = models.PositiveIntegerField(_("timeout (seconds)"), default=60)
    working_dir = models.CharField(_("working directory"), max_length=200, blank=True)
    launcher = models.CharField(_("launcher"), max_length=1024, blank=True)
    takes_parameters = models.BooleanField(_("takes parameters"), default=False)
    parameter_names = models.JSONField(_("parameters"), default=list)
    provider = models.CharField(_("provider"), max_length=128, blank=True)  # empty: the account's
    version = models.PositiveIntegerField(_("version"), null=True)
    created_at = models.DateTimeField(_("created"), null=True)
    seen_at = models.DateTimeField(_("as of"))
    gone_at = models.DateTimeField(_("deleted"), null=True)
    # The revision that we exported here; null for what was made elsewhere.
    revision = models.ForeignKey(
        CommandRevision, models.PROTECT, null=True, related_name="cloud_commands"
    )

    objects = CloudCommandQuerySet.as_manager()

    class Meta:
        verbose_name = _("command in ECS")
        verbose_name_plural = _("commands in ECS")
        constraints = [
            models.UniqueConstraint(
                fields=["account", "region", "command_id"], name="cloud_command_once"
            )
        ]

    def __str__(self) -> str:
        return self.name or self.command_id

    def as_script(self) -> dict[str, object]:
        """The fields of a script by name, as far as ECS keeps them."""
        return {name: getattr(self, name, "") for name in Script.FIELDS}

    @property
    def parameters(self) -> list[dict[str, object]]:
        """As a revision has them: ours where we put it there, else any text for each name."""
        if self.revision:
            return self.revision.parameters
        names = self.parameter_names if self.takes_parameters else []
        return [{"name": name, "kind": "text"} for name in names]
