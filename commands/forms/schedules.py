"""When a saved command is to run by itself; what and on whom are asked as for any run."""

from __future__ import annotations

from typing import Any

from django import forms
from django.conf import settings
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from commands import expressions
from commands.forms.compose import ComposeForm
from commands.forms.script import choice, line
from commands.models import FreezeWindow, Schedule


class ScheduleForm(ComposeForm):
    """Cleaned besides: `expression`, `zone`, `grace`, `overlap`."""

    expression = line(
        _("When"),
        200,
        _(
            "Such as 0 30 2 * * * (second minute hour day month weekday), rate(1h), or"
            " at(2026-11-30 02:00:00 Asia/Shanghai)."
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

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        if not self.pinned:
            self.add_error(None, _("A schedule runs a saved command: open one and press Schedule."))
        now = timezone.now()
        zone = cleaned.get("zone") or settings.TIME_ZONE
        try:
            self.times = expressions.read(cleaned.get("expression", ""), zone, now).coming(now)
        except expressions.BadExpression as problem:
            self.add_error("expression", str(problem))
        else:
            cleaned["zone"] = zone
            if not self.times:
                self.add_error("expression", _("That never comes true again."))
        return cleaned


class FreezeForm(forms.ModelForm):
    class Meta:
        model = FreezeWindow
        fields = ("name", "starts_at", "ends_at", "tag_key", "tag_value", "reason")
        widgets = {
            name: forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M")
            for name in ("starts_at", "ends_at")
        }
