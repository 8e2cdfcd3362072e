"""When a saved command is to run by itself; what and on whom are asked as for any run."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django import forms
from django.conf import settings
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from commands import expressions, frequencies
from commands.forms.compose import ComposeForm
from commands.forms.script import choice, line
from commands.models import FreezeWindow, Schedule


class ScheduleForm(ComposeForm):
    """Cleaned besides: `kind`, `repeat_mode`, `expression`, `zone`, `grace`, `overlap`.

    Of one kept in ECS the expression is what ECS is sent; `times` are the next five."""

    kind = forms.ChoiceField(
        label=_("Who fires it"),
        choices=[
            (
                Schedule.Kind.PORTAL,
                _(
                    "The portal: any number of instances, looked up anew each time; freezes and"
                    " rules hold each time; it fires only while the portal runs."
                ),
            ),
            (
                Schedule.Kind.ECS,
                _(
                    "ECS: up to 100 fixed instances of one account and region; it also fires while"
                    " the portal is away, and neither freezes nor changed rules hold it back."
                ),
            ),
        ],
        required=False,
        initial=Schedule.Kind.PORTAL,
        widget=forms.RadioSelect,
    )
    repeat_mode = choice(
        _("Begins"),
        Schedule.Repeat.choices,
        _("At a machine's start only where ECS fires it; there is no time to give then."),
    )
    expression = line(
        _("When"),
        frequencies.LIMIT,
        _(
            "Such as 0 30 2 * * * (second minute hour day month weekday), rate(1h), or"
            " at(2026-11-30 02:00:00 Asia/Shanghai). L, W and # in the day fields: 0 0 2 L * ? is"
            " the last day of each month."
        ),
    )
    zone = line(_("Time zone"), 60, _("For a cron without its own, such as Asia/Shanghai."))
    grace = forms.IntegerField(
        label=_("May be late by (seconds)"),
        initial=300,
        min_value=1,
        max_value=86_400,
        help_text=_("Later than that it counts as missed and is left out."),
        widget=forms.NumberInput(attrs={"class": "form-control"}),
    )
    overlap = choice(_("While the last run goes on"), Schedule.Overlap.choices)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["zone"].initial = settings.TIME_ZONE

    def clean_overlap(self) -> str:
        return self.cleaned_data["overlap"] or Schedule.Overlap.SKIP

    def clean_kind(self) -> str:
        return self.cleaned_data["kind"] or Schedule.Kind.PORTAL

    def clean_repeat_mode(self) -> str:
        return self.cleaned_data["repeat_mode"] or Schedule.Repeat.PERIOD

    @property
    def in_ecs_for_good(self) -> bool:
        return self.cleaned_data.get("kind") == Schedule.Kind.ECS

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        if not self.pinned:
            self.add_error(None, _("A schedule runs a saved command: open one and press Schedule."))
        self.times: list[datetime] = []
        cleaned["zone"] = cleaned.get("zone") or settings.TIME_ZONE
        if cleaned.get("repeat_mode") == Schedule.Repeat.PERIOD:
            self._read_times(cleaned)
        elif not self.in_ecs_for_good:
            self.add_error("repeat_mode", _("Only ECS sees a machine start: let ECS fire it."))
        elif cleaned.get("expression"):
            self.add_error("expression", _("Leave it empty: it begins when a machine starts."))
        if self.in_ecs_for_good:
            self._only_what_ecs_keeps(cleaned)
        return cleaned

    def _read_times(self, cleaned: dict[str, Any]) -> None:
        now, zone = timezone.now(), cleaned["zone"]
        try:
            text = cleaned.get("expression", "")
            if self.in_ecs_for_good:
                text = cleaned["expression"] = frequencies.written(text, zone)
            read = expressions.read(text, zone, now)
        except expressions.BadExpression as problem:
            self.add_error("expression", str(problem))
            return
        self.times = read.coming(now)
        if not self.times:
            self.add_error("expression", _("That never comes true again."))
        elif self.in_ecs_for_good and (problem := self._not_for_ecs(read, now)):
            self.add_error("expression", problem)

    def _not_for_ecs(self, read: expressions.Expression, now: datetime) -> str:
        return frequencies.problem(read, self.pinned.timeout, now) if self.pinned else ""

    def _only_what_ecs_keeps(self, cleaned: dict[str, Any]) -> None:
        """ECS starts all of a time at once."""
        cleaned["dry_run"] = False
        for name in ("concurrency", "max_errors"):
            if cleaned.get(name):
                self.add_error(
                    name,
                    _("ECS starts all instances at once: leave it empty, or let the portal fire."),
                )


class FreezeForm(forms.ModelForm):
    class Meta:
        model = FreezeWindow
        fields = ("name", "starts_at", "ends_at", "tag_key", "tag_value", "reason")
        widgets = {
            name: forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M")
            for name in ("starts_at", "ends_at")
        }
