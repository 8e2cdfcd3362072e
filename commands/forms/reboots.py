"""Everything a person says about a batch of reboots before somebody else looks at it."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.db.models import OuterRef, Q, Subquery
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from commands import limits
from commands.forms.script import choice, line
from commands.forms.selection import SelectionForm
from commands.models import (
    BatchState,
    CommandRevision,
    CommandType,
    Ending,
    ItemOutcome,
    PauseOption,
    RateMode,
    RebootBatch,
    RebootItem,
    Script,
    TerminationMode,
    Way,
)
from instances import ecs_power

PARTS = ("pre", "post")
ANY = [("", _("any"))]
STOPPED_MODES = {
    "KeepCharging": _("keep everything, go on paying"),
    "StopCharging": _(
        "give back vCPU and memory: a later start may find none, public IPs may change"
    ),
}


def number(label: Any, least: int, most: int, initial: int, hint: Any = "") -> forms.IntegerField:
    control = forms.NumberInput(attrs={"class": "form-control"})
    return forms.IntegerField(
        label=label,
        min_value=least,
        max_value=most,
        initial=initial,
        required=False,
        help_text=hint,
        widget=control,
    )


def text(label: Any, rows: int, hint: Any = "", css: str = "") -> forms.CharField:
    attrs = {"class": f"form-control {css}".strip(), "rows": rows, "spellcheck": "false"}
    return forms.CharField(
        label=label, required=False, strip=False, help_text=hint, widget=forms.Textarea(attrs=attrs)
    )


def moment(label: Any, hint: Any = "") -> forms.DateTimeField:
    control = forms.DateTimeInput(
        attrs={"class": "form-control", "type": "datetime-local"}, format="%Y-%m-%dT%H:%M"
    )
    return forms.DateTimeField(label=label, required=False, help_text=hint, widget=control)


def commands_to_choose() -> Any:
    """The newest revision of each saved command that asks for no parameters."""
    last = CommandRevision.objects.filter(command=OuterRef("command")).order_by("-number")
    newest = CommandRevision.objects.filter(pk=Subquery(last.values("pk")[:1]), parameters=[])
    rows = newest.filter(command__archived_at=None).select_related("command")
    return rows.order_by("command__name")


def saved(label: Any) -> forms.ModelChoiceField:
    return forms.ModelChoiceField(
        label=label,
        queryset=CommandRevision.objects.none(),
        required=False,
        empty_label=_("none"),
        widget=forms.Select(attrs={"class": "form-select"}),
    )


class RebootForm(SelectionForm):
    """Cleaned besides the selection: what `batch()` needs."""

    name = line(_("Name"), 128, _("What it is about, such as: kernel update, web tier."))
    reason = text(_("Reason"), 2, _("Whoever decides reads it."))
    ticket = line(_("Ticket"), 120)
    watcher = line(_("Who watches"), 120, _("Whom to call while it runs."))
    way = choice(_("Way down"), Way.choices)
    stopped_mode = choice(_("When stopped"), list(STOPPED_MODES.items()))
    pre_saved = saved(_("Saved command"))
    pre_type = choice(_("Type"), CommandType.choices)
    pre_text = text(_("or a script"), 5, css="mono")
    pre_timeout = number(_("Timeout (seconds)"), limits.SHORTEST, limits.LONGEST, 600)
    post_saved = saved(_("Saved command"))
    post_type = choice(_("Type"), CommandType.choices)
    post_text = text(_("or a script"), 5, css="mono")
    post_timeout = number(_("Timeout (seconds)"), limits.SHORTEST, limits.LONGEST, 120)
    opens_at = moment(_("Window opens"), _("Empty: as soon as it is approved."))
    closes_at = moment(_("Window closes"), _("No wave begins that could not end by then."))
    mode = choice(_("Mode"), RateMode.choices)
    sizes = line(
        _("Sizes"),
        80,
        _("Such as 10 or 25%. For batches also several: 1, 10%, 25%; the last one repeats."),
        placeholder="25%",
    )
    pause_option = choice(_("Pause"), PauseOption.choices, _("Only in batches."))
    canary = number(_("Canary"), 0, 100, 1, _("So many go first, alone. Not proven: it pauses."))
    max_errors = line(
        _("Errors allowed"),
        10,
        _("A number or a share. One more, and nothing further begins."),
        placeholder="0",
    )
    spread_tag = line(_("of each value of the tag"), 128)
    spread_tag_percent = number(_("At most down at once (%)"), 1, 100, 50)
    spread_zone_percent = number(_("of each zone, at most down at once (%)"), 1, 100, 100)
    linux_minutes = number(_("Linux back within (minutes)"), 1, 120, 10)
    windows_minutes = number(_("Windows back within (minutes)"), 1, 240, 40)
    rehearsal = forms.BooleanField(
        label=_("Rehearsal: everything but the pre-command and the power call"), required=False
    )
    continues = forms.ModelChoiceField(
        RebootBatch.objects.none(), required=False, widget=forms.HiddenInput
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.any_text = self.user.has_perm("commands.run_script")
        self.fields["continues"].queryset = RebootBatch.objects.visible_to(self.user)
        for part in PARTS:
            self.fields[f"{part}_saved"].queryset = commands_to_choose()

    def clean_sizes(self) -> list[str]:
        told = self.cleaned_data["sizes"].replace(",", " ").split()
        return told or ["25%"]

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        for part in PARTS:
            try:
                cleaned[part] = self._script(part, cleaned)
            except ValidationError as error:
                self.add_error(f"{part}_text", error)
        opens, closes = cleaned.get("opens_at"), cleaned.get("closes_at")
        now = timezone.now()
        cleaned["opens_at"] = opens or now
        cleaned["closes_at"] = closes or cleaned["opens_at"] + timedelta(hours=4)
        return cleaned

    def _script(self, part: str, cleaned: dict[str, Any]) -> tuple[dict, CommandRevision | None]:
        """A saved command's script or the text typed here; ({}, None) for neither."""
        revision, told = cleaned.get(f"{part}_saved"), cleaned.get(f"{part}_text") or ""
        if revision and told.strip():
            raise ValidationError(_("Choose a saved command or write a script, not both."))
        if revision:
            return revision.as_script(), revision
        if not told.strip():
            return {}, None
        if not self.any_text:
            raise ValidationError(_("You may use saved commands only."))
        script = dict.fromkeys(Script.FIELDS, "")
        return script | {
            "script": told.replace("\r\n", "\n"),
            "type": cleaned.get(f"{part}_type") or CommandType.SHELL,
            "timeout": cleaned.get(f"{part}_timeout") or 60,
            "termination_mode": TerminationMode.TREE,
        }, None

    def batch(self) -> RebootBatch:
        """The batch as told, not saved; `asking.check` says whether it makes sense."""
        told = self.cleaned_data
        pre, post = told["pre"], told["post"]
        return RebootBatch(
            name=told["name"] or str(Way(told["way"] or Way.REBOOT).label),
            way=told["way"] or Way.REBOOT,
            stopped_mode=told["stopped_mode"] or ecs_power.STOPPED_MODES[0],
            pre_script=pre[0],
            pre_revision=pre[1],
            post_script=post[0],
            post_revision=post[1],
            rehearsal=told["rehearsal"],
            picked=told["selection"].kept(),
            reason=told["reason"].replace("\0", "").strip()[:4000],
            ticket=told["ticket"],
            watcher=told["watcher"],
            opens_at=told["opens_at"],
            closes_at=told["closes_at"],
            continues=told["continues"],
            mode=told["mode"] or RateMode.BATCH,
            sizes=told["sizes"],
            max_errors=told["max_errors"] or "0",
            pause_option=told["pause_option"] or PauseOption.AUTOMATIC,
            canary=1 if told["canary"] is None else told["canary"],
            spread=self._spread(told),
            linux_back_within=60 * (told["linux_minutes"] or 10),
            windows_back_within=60 * (told["windows_minutes"] or 40),
        )

    @staticmethod
    def _spread(told: dict[str, Any]) -> dict[str, int]:
        found = {}
        if told["spread_tag"]:
            found[told["spread_tag"]] = told["spread_tag_percent"] or 50
        if (zone := told["spread_zone_percent"]) and zone < 100:
            found["zone"] = zone
        return found


# The form's fields by what they are about, in the order of the page.
ABOUT = ("name", "ticket", "watcher")
CAREFULLY = ("mode", "sizes", "canary", "max_errors", "pause_option")
SPREAD = ("spread_tag", "spread_tag_percent", "spread_zone_percent")
MORE = (*SPREAD, "linux_minutes", "windows_minutes")
OF_FIELDS = {  # where an error of `asking.check` is shown
    "pre_script": "pre_text",
    "post_script": "post_text",
    "spread": "spread_tag",
    "linux_back_within": "linux_minutes",
    "windows_back_within": "windows_minutes",
    "instances": "text",
}


class BatchFilter(forms.Form):
    """What the history of batches can be narrowed by."""

    text = line(_("Name, ticket or instance"), 200)
    state = forms.ChoiceField(
        label=_("State"),
        required=False,
        choices=ANY + BatchState.choices,
        widget=forms.Select(attrs={"class": "form-select"}),
    )
    ending = forms.ChoiceField(
        label=_("Ending"),
        required=False,
        choices=ANY + Ending.choices,
        widget=forms.Select(attrs={"class": "form-select"}),
    )

    def found(self, batches: Any) -> Any:
        """The batches that fit; none while a field is wrong."""
        if not self.is_valid():
            return batches.none()
        told = self.cleaned_data
        for name in ("state", "ending"):
            if told[name]:
                batches = batches.filter(**{name: told[name]})
        for word in told["text"].split():
            named = Q(name__icontains=word) | Q(ticket__icontains=word)
            on = RebootItem.objects.filter(
                Q(instance__instance_id=word) | Q(instance__name__iexact=word)
            )
            batches = batches.filter(named | Q(pk__in=on.values("batch")))
        return batches


class ItemFilter(forms.Form):
    """What the instances of one batch can be narrowed by."""

    text = line(_("Instance"), 200)
    outcome = forms.ChoiceField(
        label=_("Outcome"),
        required=False,
        choices=[*ANY, ("going", _("not over yet")), *ItemOutcome.choices],
        widget=forms.Select(attrs={"class": "form-select"}),
    )

    def found(self, items: Any) -> Any:
        if not self.is_valid():
            return items.none()
        told = self.cleaned_data
        if told["outcome"]:
            items = items.filter(outcome="" if told["outcome"] == "going" else told["outcome"])
        for word in told["text"].split():
            items = items.filter(Q(instance__instance_id=word) | Q(instance__name__icontains=word))
        return items


def local(moment: datetime) -> str:
    """A moment as the browser's own field wants it."""
    return timezone.localtime(moment).strftime("%Y-%m-%dT%H:%M")
