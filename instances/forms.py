"""What people may ask of the inventory. Every field is checked before a query sees it."""

from __future__ import annotations

from typing import Any

from django import forms
from django.db import transaction
from django.utils.html import format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from instances import ecs, groups
from instances.filters import STATUSES, BadFilter, Filter
from instances.models import Instance, InstanceGroup, InstanceQuerySet, Region

EVERY = [("", _("any"))]


def choice(label: str, values: list) -> forms.ChoiceField:
    control = forms.Select(attrs={"class": "form-select"})
    return forms.ChoiceField(label=label, required=False, choices=EVERY + values, widget=control)


def line(label: str, length: int, hint: str = "") -> forms.CharField:
    control = forms.TextInput(attrs={"class": "form-control", "placeholder": hint})
    return forms.CharField(label=label, required=False, max_length=length, widget=control)


class Tags(forms.TextInput):
    """One box for each tag that was asked for, and one for the next."""

    def value_from_datadict(self, data: Any, files: Any, name: str) -> list[str]:
        many = data.getlist(name) if hasattr(data, "getlist") else data.get(name) or ()
        many = [many] if isinstance(many, str) else many
        return [text for each in many if (text := str(each).strip())]

    def render(self, name: str, value: Any, attrs: Any = None, renderer: Any = None) -> SafeString:
        first, more = attrs, {key: each for key, each in (attrs or {}).items() if key != "id"}
        boxes = [
            super(Tags, self).render(name, text, more if place else first, renderer)
            for place, text in enumerate([*(value or ()), ""])
        ]
        return format_html_join("", "{}", ((box,) for box in boxes))


class TagsField(forms.Field):
    """Cleaned: a list of `key` and `key=value`; all of them must fit."""

    widget = Tags(attrs={"class": "form-control", "placeholder": _("key or key=value")})
    hidden_widget = forms.MultipleHiddenInput

    def to_python(self, value: Any) -> list[str]:
        return value or []

    def has_changed(self, initial: Any, data: Any) -> bool:
        return bool(data)


def day(label: str) -> forms.DateField:
    control = forms.DateInput(attrs={"class": "form-control", "type": "date"})
    return forms.DateField(label=label, required=False, widget=control)


def words(values: tuple[str, ...]) -> list[tuple[str, str]]:
    return [(value, value) for value in values]


class InstanceFilter(forms.Form):
    text = line(_("ID, name, hostname or IP"), 200, _("parts of them; several are joined by “or”"))
    region = choice(_("Region"), [])
    status = choice(_("Status"), words(STATUSES))
    os = choice(_("OS"), [("linux", "Linux"), ("windows", "Windows")])
    agent = choice(
        _("Agent"), [("alive", _("alive")), ("silent", _("silent")), ("unknown", _("unknown"))]
    )
    tag = TagsField(label=_("Tag"), required=False)
    resource_group = line(_("Resource group"), 64, "rg-…")
    group = forms.ModelChoiceField(
        label=_("Group"),
        queryset=InstanceGroup.objects.none(),
        required=False,
        empty_label=_("any"),
        widget=forms.Select(attrs={"class": "form-select"}),
    )
    released = choice(_("Released"), [("shown", _("also released")), ("only", _("only released"))])

    def __init__(self, *args: Any, user: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["region"].choices = EVERY + region_choices(user)
        self.fields["group"].queryset = groups.visible_to(user).order_by("name")
        self.fields["released"].choices = [
            ("", _("without released")),
            *self.fields["released"].choices[1:],
        ]

    def clean_group(self) -> str:
        group = self.cleaned_data["group"]
        return str(group.pk) if group else ""

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        try:
            self.filter = Filter.read(cleaned)
        except BadFilter as problem:
            self.add_error(problem.field, str(problem))
        return cleaned

    def found(self, user: Any) -> InstanceQuerySet:
        """The visible instances that fit; none at all while a field is wrong."""
        queryset = Instance.objects.visible_to(user)
        if not self.is_valid():
            return queryset.none()
        try:
            return self.filter.apply(queryset)
        except BadFilter as problem:  # of the group that was picked
            self.add_error("group", f"{problem.field}: {problem}")
            return queryset.none()

    def saved(self) -> dict[str, Any]:
        """The filter as a group keeps it: only what narrows."""
        return self.filter.saved() if self.is_valid() else {}


class EventFilter(forms.Form):
    text = line(_("Event ID or instance"), 200, _("event ID, instance ID, name or IP"))
    type = line(_("Type"), 80)
    status = choice(_("Status"), words(tuple(ecs.EVENT_STATUSES)))
    region = choice(_("Region"), [])
    since = day(_("Published from"))
    until = day(_("to"))

    def __init__(self, *args: Any, user: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["region"].choices = EVERY + region_choices(user)


class GroupForm(forms.Form):
    """A group out of ticked instances, or out of the filter they were found with."""

    name = forms.CharField(
        label=_("Name of the group"),
        max_length=80,
        widget=forms.TextInput(attrs={"class": "form-control"}),
    )
    keep = forms.ChoiceField(choices=[("picked", ""), ("filter", "")])

    def __init__(
        self, *args: Any, user: Any, picked: list[str], found: InstanceFilter, **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self.user, self.found = user, found
        self.picked = [int(key) for key in picked if key.isdecimal() and len(key) < 19]

    def clean_name(self) -> str:
        name = self.cleaned_data["name"].strip()
        if InstanceGroup.objects.filter(name=name).exists():
            raise forms.ValidationError(_("There is a group of this name already."))
        return name

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        if cleaned.get("keep") == "picked" and not self.picked:
            raise forms.ValidationError(_("Tick at least one instance, or save the filter."))
        if cleaned.get("keep") == "filter" and not self.found.saved():
            raise forms.ValidationError(_("The filter is empty: it would mean the whole fleet."))
        if "group" in self.found.saved():
            raise forms.ValidationError(_("A group cannot be made of groups."))
        return cleaned

    @transaction.atomic
    def make(self) -> InstanceGroup:
        by_filter = self.cleaned_data["keep"] == "filter"
        group = InstanceGroup.objects.create(
            name=self.cleaned_data["name"],
            owner=self.user,
            filter=self.found.saved() if by_filter else None,
        )
        if not by_filter:
            group.members.set(Instance.objects.visible_to(self.user).filter(pk__in=self.picked))
        return group


def region_choices(user: Any) -> list[tuple[str, str]]:
    regions = Region.objects.visible_to(user).order_by("region_id")
    return words(tuple(dict.fromkeys(regions.values_list("region_id", flat=True))))
