"""The editor of a saved command: its script, its typed parameters, how it is found again."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.http import QueryDict
from django.utils.translation import gettext_lazy as _

from commands import parameters
from commands.forms.script import ScriptForm, line
from commands.models import CommandRevision, CommandType, SavedCommand, Script
from commands.parameters import Kind, Parameter

MOST_TAGS = 10
TAG_LIMIT = 64
ROWS_TO_SPARE = 2  # empty parameter rows that the editor offers


class ParameterForm(forms.Form):
    """One parameter; a row without a name is no parameter."""

    name = line(_("Name"), parameters.LONGEST_NAME)
    kind = forms.ChoiceField(
        label=_("Kind"), choices=Kind.choices, widget=forms.Select(attrs={"class": "form-select"})
    )
    label = line(_("Label"), 80)
    default = line(_("Default"), parameters.LONGEST_VALUE)
    allowed = line(_("Choices or pattern"), 1000)

    def parameter(self) -> Parameter | None:
        told = self.cleaned_data
        name = told.get("name", "").strip()
        if not name:
            return None
        kind, allowed = told["kind"], told.get("allowed", "").strip()
        choices = tuple(dict.fromkeys(part.strip() for part in allowed.split(",") if part.strip()))
        return Parameter(
            name=name,
            kind=kind,
            label=told.get("label", "").strip(),
            default=told.get("default", ""),
            choices=choices if kind == Kind.CHOICE else (),
            pattern=allowed if kind == Kind.REGEX else "",
        )


ParameterRows = forms.formset_factory(
    ParameterForm, extra=ROWS_TO_SPARE, max_num=parameters.MOST, absolute_max=parameters.MOST
)


class SavedForm(ScriptForm):
    """Cleaned: `name`, `description`, `tags`, the script's fields, `parameters`, `note`."""

    name = line(_("Name"), 128)
    description = line(_("What it is for"), 512)
    tags = line(_("Tags"), 400, _("Words to find it by, with commas between."))
    note = line(_("What changed"), 200)
    base = forms.IntegerField(required=False, widget=forms.HiddenInput)

    def __init__(self, *args: Any, command: SavedCommand | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.command = command
        self.newest = command.newest() if command else None
        given = [self.data] if self.is_bound else []
        kept = [] if self.is_bound else _rows(self.newest)
        self.rows = ParameterRows(*given, initial=kept, prefix="parameter")

    @classmethod
    def editing(cls, command: SavedCommand) -> SavedForm:
        """Filled with what the command says now."""
        newest = command.newest()
        tags = ", ".join(command.tags.order_by("name").values_list("name", flat=True))
        initial = newest.as_script() | {"name": command.name, "description": command.description}
        return cls(initial=initial | {"tags": tags, "base": newest.number}, command=command)

    @classmethod
    def with_rows(cls, told: QueryDict, command: SavedCommand | None) -> SavedForm:
        """As it was filled in, nothing judged, with a row for each place of the script."""
        form = cls(initial={name: told.get(name) for name in cls.base_fields}, command=command)
        form.rows = ParameterRows(initial=_roomy(told), prefix="parameter")
        return form

    def make_room(self) -> None:
        """For showing it again: rows for what the script names and nobody declared yet."""
        rows = [*_roomy(self.data), *[{"kind": Kind.TEXT}] * ROWS_TO_SPARE][: parameters.MOST]
        told = {"parameter-TOTAL_FORMS": str(len(rows)), "parameter-INITIAL_FORMS": "0"}
        for place, row in enumerate(rows):
            told |= {f"parameter-{place}-{name}": value for name, value in row.items()}
        self.rows = ParameterRows(told, prefix="parameter")

    def clean_name(self) -> str:
        name = self.cleaned_data["name"].strip()
        if not name:
            raise ValidationError(_("Give the command a name."))
        others = SavedCommand.objects.filter(name__iexact=name, archived_at=None)
        if others.exclude(pk=self.command and self.command.pk).exists():
            raise ValidationError(_("There is a command of this name already."))
        return name

    def clean_tags(self) -> list[str]:
        words = self.cleaned_data["tags"].replace("，", ",").split(",")
        tags = list(dict.fromkeys(word.strip() for word in words if word.strip()))
        if len(tags) > MOST_TAGS or any(len(tag) > TAG_LIMIT for tag in tags):
            raise ValidationError(
                _("At most %(most)d tags of %(length)d characters.")
                % {"most": MOST_TAGS, "length": TAG_LIMIT}
            )
        return tags

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        if self.newest and cleaned.get("base") != self.newest.number:
            self.add_error(
                None,
                _("Somebody saved revision %d meanwhile. Compare, then save again.")
                % self.newest.number,
            )
        cleaned["parameters"] = self._parameters()
        return cleaned

    def _parameters(self) -> list[Parameter]:
        if not self.rows.is_valid():
            self.add_error(None, _("The parameters cannot be read: see the rows."))
            return []
        found = [parameter for row in self.rows if (parameter := row.parameter())]
        try:
            parameters.check_declared(self.cleaned_data.get("script") or "", found)
        except ValidationError as error:
            self.add_error(None, error)
        return found

    def script_fields(self) -> dict[str, Any]:
        return {name: self.cleaned_data[name] for name in Script.FIELDS}


def _roomy(told: QueryDict) -> list[dict[str, str]]:
    """The rows that were filled in, and one for each further place of the script."""
    rows = []
    for place in range(parameters.MOST):
        names = {name: f"parameter-{place}-{name}" for name in ParameterForm.base_fields}
        row = {name: told.get(field, "") for name, field in names.items()}
        if any(value.strip() for name, value in row.items() if name != "kind"):
            rows.append(row)
    known = {row["name"].strip().lower() for row in rows}
    places = parameters.places(told.get("script", ""))
    wanted = [name for name in places if name.lower() not in known]
    return (rows + [{"name": name, "kind": Kind.TEXT} for name in wanted])[: parameters.MOST]


def _rows(revision: CommandRevision | None) -> list[dict[str, str]]:
    found = parameters.declared(revision.parameters) if revision else []
    return [
        {
            "name": parameter.name,
            "kind": parameter.kind,
            "label": parameter.label,
            "default": parameter.default,
            "allowed": parameter.pattern or ", ".join(parameter.choices),
        }
        for parameter in found
    ]


class CommandFilter(forms.Form):
    text = line(_("Name, description or text"), 200)
    tag = forms.ChoiceField(
        label=_("Tag"), required=False, widget=forms.Select(attrs={"class": "form-select"})
    )
    type = forms.ChoiceField(
        label=_("Type"),
        required=False,
        choices=[("", _("any")), *CommandType.choices],
        widget=forms.Select(attrs={"class": "form-select"}),
    )
    mine = forms.ChoiceField(
        label=_("Show"),
        required=False,
        choices=[
            ("", _("all")),
            ("favourites", _("my favourites")),
            ("owned", _("owned by me")),
            ("archived", _("archived")),
        ],
        widget=forms.Select(attrs={"class": "form-select"}),
    )

    def __init__(self, *args: Any, tags: list[str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["tag"].choices = [("", _("any")), *((tag, tag) for tag in tags)]
