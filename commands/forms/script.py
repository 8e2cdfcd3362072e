"""The fields of a script, the same in the editor of a command and in a run of free text."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.functional import lazy
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from commands import limits
from commands.models import CommandType, Script, TerminationMode

ADVANCED = (
    "username",
    "windows_password_name",
    "working_dir",
    "launcher",
    "termination_mode",
    "container_id",
    "container_name",
)
ANY = [("", _("ECS's default"))]


def line(label: Any, most: int, hint: Any = "", **attrs: str) -> forms.CharField:
    control = forms.TextInput(attrs={"class": "form-control", **attrs})
    return forms.CharField(
        label=label, max_length=most, required=False, help_text=hint, widget=control
    )


def _timeout_hint() -> str:
    """Made when it is shown: `%` on a lazy message would speak the language of the start."""
    words = gettext("After so long ECS ends the script. At least %(least)d, at most %(most)d.")
    return words % {"least": limits.SHORTEST, "most": limits.LONGEST}


def choice(label: Any, choices: list, hint: Any = "") -> forms.ChoiceField:
    control = forms.Select(attrs={"class": "form-select"})
    return forms.ChoiceField(
        label=label, choices=choices, required=False, help_text=hint, widget=control
    )


class ScriptForm(forms.Form):
    """Cleaned: every name of `Script.FIELDS`. Errors name the field, the limit and its number."""

    type = choice(_("Type"), CommandType.choices)
    script = forms.CharField(
        label=_("Script"),
        required=False,
        strip=False,
        widget=forms.Textarea(
            attrs={"class": "form-control mono", "rows": 12, "spellcheck": "false", "wrap": "off"}
        ),
    )
    timeout = forms.IntegerField(
        label=_("Timeout (seconds)"),
        initial=60,
        required=False,
        widget=forms.NumberInput(attrs={"class": "form-control"}),
        help_text=lazy(_timeout_hint, str)(),
    )
    username = line(
        _("Run as"), 255, _("Empty: root on Linux, System on Windows."), autocomplete="off"
    )
    windows_password_name = line(
        _("Name of the password"),
        255,
        _("For a Windows user: the password's name in the OOS Parameter Store, never itself."),
        autocomplete="off",
    )
    working_dir = line(
        _("Working directory"),
        200,
        _("Must exist. Empty: /root on Linux, C:\\Windows\\System32 on Windows."),
    )
    launcher = line(
        _("Launcher"), 1024, _('Such as python3 -u {{ACS::ScriptFileName|Ext(".py")}}.')
    )
    termination_mode = choice(_("When stopped, end"), ANY + TerminationMode.choices)
    container_id = line(_("Container ID"), 128, _("Shell scripts only."))
    container_name = line(_("Container name"), 255, _("Shell scripts only."))

    def clean_script(self) -> str:
        """Browsers send line ends of Windows, which a shell stumbles over."""
        return self.cleaned_data["script"].replace("\r\n", "\n")

    def clean_timeout(self) -> int:
        given = self.cleaned_data["timeout"]
        return 60 if given is None else given

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        if self.wants_script() and not any(name in self.errors for name in Script.FIELDS):
            told = {name: cleaned.get(name, "") for name in Script.FIELDS}
            for name, problem in limits.problems(**told).items():
                self.add_error(name if name in self.fields else None, problem)
        return cleaned

    def wants_script(self) -> bool:
        """Whether the text comes from this form at all."""
        return True

    def advanced(self) -> list[forms.BoundField]:
        return [self[name] for name in ADVANCED]

    def advanced_open(self) -> bool:
        return any(self[name].value() or self[name].errors for name in ADVANCED)
