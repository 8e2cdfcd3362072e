"""What the history of runs and the answers of one run can be narrowed by."""

from __future__ import annotations

from typing import Any

from django import forms
from django.db.models import Q, QuerySet
from django.utils.translation import gettext_lazy as _

from commands.forms.script import line
from commands.models import Invocation, Outcome, Target
from instances.models import Instance
from portal import patterns

ANY = [("", _("any"))]
PATTERN = "pattern"


def choice(label: Any, choices: list) -> forms.ChoiceField:
    control = forms.Select(attrs={"class": "form-select"})
    return forms.ChoiceField(label=label, required=False, choices=ANY + choices, widget=control)


def day(label: Any) -> forms.DateField:
    control = forms.DateInput(attrs={"class": "form-control", "type": "date"})
    return forms.DateField(label=label, required=False, widget=control)


class RunFilter(forms.Form):
    text = line(_("Name, command or instance"), 200)
    state = choice(_("State"), list(Invocation.State.choices))
    outcome = choice(_("With an instance that"), list(Outcome.choices))
    asked_by = line(_("Asked by"), 150)
    since = day(_("Asked from"))
    until = day(_("to"))

    def found(self, runs: QuerySet[Invocation]) -> QuerySet[Invocation]:
        """The runs that fit; none while a field is wrong."""
        if not self.is_valid():
            return runs.none()
        told = self.cleaned_data
        for word in told["text"].split():
            named = Q(name__icontains=word) | Q(revision__command__name__icontains=word)
            on = Instance.objects.filter(Q(instance_id=word) | Q(name__iexact=word))
            reached = Target.objects.filter(instance__in=on.values("pk")).values("invocation")
            runs = runs.filter(named | Q(pk__in=reached))
        if told["state"]:
            runs = runs.filter(state=told["state"])
        if told["outcome"]:
            ended = Target.objects.filter(outcome=told["outcome"]).values("invocation")
            runs = runs.filter(pk__in=ended)
        if told["asked_by"]:
            runs = runs.filter(asked_by__username__icontains=told["asked_by"])
        if told["since"]:
            runs = runs.filter(asked_at__date__gte=told["since"])
        if told["until"]:
            runs = runs.filter(asked_at__date__lte=told["until"])
        return runs


class AnswerFilter(forms.Form):
    text = line(_("Instance or words of the output"), 200)
    text_is = forms.ChoiceField(
        label=_("which are"),
        required=False,
        choices=[("", _("plain words")), (PATTERN, _("a regular expression"))],
        widget=forms.Select(attrs={"class": "form-select"}),
    )
    outcome = choice(_("Ended"), list(Outcome.choices))
    status = line(_("Status"), 20)
    exit_code = forms.IntegerField(
        label=_("Exit code"),
        required=False,
        widget=forms.NumberInput(attrs={"class": "form-control"}),
    )
    region = line(_("Region"), 40)
    error = forms.CharField(required=False, max_length=100, widget=forms.HiddenInput)
    same = forms.CharField(required=False, max_length=64, widget=forms.HiddenInput)

    def clean(self) -> dict[str, Any]:
        told = super().clean()
        if told.get("text_is") == PATTERN:
            try:
                patterns.read(told.get("text", ""), any_case=True, by_line=True)
            except patterns.BadPattern as error:
                self.add_error("text", _("no regular expression: %s") % error)
        return told

    @property
    def is_pattern(self) -> bool:
        return self.cleaned_data["text_is"] == PATTERN

    def narrowed(self, targets: QuerySet[Target]) -> QuerySet[Target]:
        """By everything but the text, which the view looks up in outputs."""
        if not self.is_valid():
            return targets.none()
        told = self.cleaned_data
        for name in ("outcome", "status"):
            if told[name]:
                targets = targets.filter(**{name: told[name]})
        if told["exit_code"] is not None:
            targets = targets.filter(exit_code=told["exit_code"])
        if told["region"]:
            targets = targets.filter(instance__region=told["region"])
        if told["error"]:
            wanted = "" if told["error"] == "none" else told["error"]
            targets = targets.filter(error_code=wanted)
        if told["same"] == "none":
            targets = targets.filter(output=None)
        elif told["same"]:
            targets = targets.filter(Q(output=told["same"]) | Q(output__alike=told["same"]))
        return targets
