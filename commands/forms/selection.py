"""On whom: the fields in which a person names instances, the same for runs and for reboots."""

from __future__ import annotations

from typing import Any

from django import forms
from django.http import QueryDict
from django.utils.translation import gettext_lazy as _

from commands.targets import LONGEST_PASTE, Selection
from instances import groups
from instances.forms import InstanceFilter
from instances.models import InstanceGroup

MOST_PICKED = 10_000
NARROWING = ("region", "os", "tag", "resource_group", "agent")


def as_narrowing(asked: str) -> QueryDict:
    """What a list was filtered by (its address), under the names that a selection gives it."""
    told = QueryDict(mutable=True)
    for name, values in QueryDict(asked).lists():
        told.setlist(f"f-{name}", values)
    return told


class SelectionForm(forms.Form):
    """Cleaned: `selection`. Ticked instances come as `instance`, a filter's fields as `f-...`."""

    text = forms.CharField(
        label=_("IDs, IPs, names or hostnames"),
        required=False,
        max_length=LONGEST_PASTE,
        help_text=_("In any mix, one a line or with commas between."),
        widget=forms.Textarea(attrs={"class": "form-control mono", "rows": 3}),
    )
    group = forms.ModelChoiceField(
        label=_("Group"),
        queryset=InstanceGroup.objects.none(),
        required=False,
        empty_label=_("none"),
        widget=forms.Select(attrs={"class": "form-select"}),
    )

    def __init__(self, *args: Any, user: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.user = user
        self.fields["group"].queryset = groups.visible_to(user).order_by("name")
        self.narrow = InstanceFilter(
            self.data if self.is_bound else self.initial.get("filter"), user=user, prefix="f"
        )

    def narrowing(self) -> list[forms.BoundField]:
        """The usual ones, and whatever else a list was filtered by: a filter that got lost on
        the way would reach more than its owner saw."""
        more = [name for name in self.narrow.fields if name not in NARROWING]
        set_too = [name for name in more if self.narrow[name].value()]
        return [self.narrow[name] for name in (*NARROWING, *set_too)]

    def picked(self) -> list[int]:
        """Instances that were ticked on a list."""
        told = self.data.getlist("instance") if self.is_bound else self.initial.get("picked", ())
        keys = [str(key) for key in told]
        return list(dict.fromkeys(int(key) for key in keys if key.isdecimal() and len(key) < 19))[
            :MOST_PICKED
        ]

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        cleaned["selection"] = self._selection(cleaned)
        return cleaned

    def _selection(self, cleaned: dict[str, Any]) -> Selection:
        filter = {}
        if self.narrow.is_valid():
            filter = self.narrow.saved()
        else:
            for name, problems in self.narrow.errors.items():
                self.add_error(None, [f"{name}: {problem}" for problem in problems])
        group = cleaned.get("group")
        selection = Selection(
            tuple(self.picked()), cleaned.get("text", ""), group.pk if group else None, filter
        )
        if not selection:
            self.add_error(
                "text", _("Say where: paste instances, choose a group, or narrow by a filter.")
            )
        return selection
