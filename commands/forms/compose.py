"""What runs, on whom, how carefully: everything a person says about a run before it is sent."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from commands import limits, parameters
from commands.forms.script import ScriptForm, line
from commands.forms.selection import MOST_PICKED, SelectionForm
from commands.models import CloudCommand, CommandRevision, CommandType, Invocation, Script
from commands.parameters import Kind, Parameter

PREFIX = "p-"  # of the parameters' fields


class ComposeForm(SelectionForm, ScriptForm):
    """Cleaned: the script's fields, `revision`, `values`, `secrets`, `selection`, how carefully."""

    revision = forms.ModelChoiceField(
        CommandRevision.objects.select_related("command"), required=False, widget=forms.HiddenInput
    )
    kept = forms.ModelChoiceField(
        CloudCommand.objects.none(), required=False, widget=forms.HiddenInput
    )
    again = forms.ModelChoiceField(
        Invocation.objects.all(), required=False, widget=forms.HiddenInput
    )
    name = line(_("Name of the run"), limits.NAME_LIMIT, _("What it is about, for the history."))
    save_as = line(
        _("Also save it as a command"), 128, _("Empty: it is only run, and kept with its run.")
    )
    concurrency = forms.IntegerField(
        label=_("At most so many at once"),
        required=False,
        min_value=1,
        max_value=MOST_PICKED,
        help_text=_("Empty: all at once."),
        widget=forms.NumberInput(attrs={"class": "form-control"}),
    )
    max_errors = line(
        _("Errors allowed"),
        10,
        _("Such as 5 or 10%. One more, and what has not been sent yet is not sent."),
    )
    dry_run = forms.BooleanField(
        label=_("Only check: ECS looks at the request, nothing runs"), required=False
    )

    def __init__(self, *args: Any, user: Any, **kwargs: Any) -> None:
        super().__init__(*args, user=user, **kwargs)
        self.fields["again"].queryset = Invocation.objects.visible_to(user)
        self.fields["kept"].queryset = CloudCommand.objects.visible_to(user).select_related(
            "account", "revision__command"
        )
        self.pinned, self.in_ecs = self._named("revision"), self._named("kept")
        if self.in_ecs:
            self.pinned = None
        source = self.pinned or self.in_ecs
        self.declared = parameters.declared(source.parameters) if source else []
        self.any_text = user.has_perm("commands.run_script")
        for parameter in self.declared:
            self.fields[PREFIX + parameter.name] = _field(parameter)

    def _named(self, name: str) -> Any:
        """The saved command, or the one in ECS, that this is a run of; None for free text."""
        try:
            return self.fields[name].clean(self[name].value())
        except ValidationError:
            return None

    def wants_script(self) -> bool:
        return self.pinned is None and self.in_ecs is None

    def vetted(self) -> bool:
        """Whether the text is one that we keep; what else lives in ECS is anybody's."""
        return bool(self.pinned or (self.in_ecs and self.in_ecs.revision))

    def asked(self) -> list[forms.BoundField]:
        """The parameters' fields."""
        return [self[PREFIX + parameter.name] for parameter in self.declared]

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        if not self.vetted() and not self.any_text:
            raise ValidationError(_("You may run saved commands only: open one and press Run."))
        if self.pinned and self.pinned.command.archived_at:
            self.add_error(None, _("The command %s is archived.") % self.pinned.command)
        if problem := limits.budget_problem(cleaned.get("max_errors", "")):
            self.add_error("max_errors", problem)
        self._take_values(cleaned)
        return cleaned

    def _take_values(self, cleaned: dict[str, Any]) -> None:
        cleaned["values"], cleaned["secrets"] = {}, {}
        for parameter in self.declared:
            name = PREFIX + parameter.name
            try:
                value = parameter.check(cleaned.get(name) or "", any_text=self.any_text)
            except ValidationError as error:
                self.add_error(name, error)
                continue
            cleaned["secrets" if parameter.secret else "values"][parameter.name] = value

    def what(self) -> dict[str, Any]:
        """The script's fields as they will be sent."""
        if source := self.pinned or self.in_ecs:
            return source.as_script()
        return {name: self.cleaned_data[name] for name in Script.FIELDS}

    def sketch(self) -> dict[str, Any]:
        """The script's fields as far as they are known while the form is still being filled."""
        if source := self.pinned or self.in_ecs:
            return source.as_script()
        given = {name: self.cleaned_data.get(name) or "" for name in Script.FIELDS}
        return given | {"type": given["type"] or CommandType.SHELL}


def _field(parameter: Parameter) -> forms.Field:
    common = {"label": parameter.label or parameter.name, "required": False}
    common["initial"] = parameter.default
    if parameter.kind == Kind.CHOICE:
        control = forms.Select(attrs={"class": "form-select"})
        return forms.ChoiceField(
            choices=[(value, value) for value in parameter.choices], widget=control, **common
        )
    attrs = {"class": "form-control", "autocomplete": "off"}
    if parameter.secret:
        common["help_text"] = _("Kept sealed until the run ends, then erased.")
        return forms.CharField(strip=False, widget=forms.PasswordInput(attrs=attrs), **common)
    if parameter.kind == Kind.REGEX:
        common["help_text"] = _("Must match %s") % parameter.pattern
    return forms.CharField(strip=False, widget=forms.TextInput(attrs=attrs), **common)
