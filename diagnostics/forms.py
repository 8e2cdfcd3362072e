"""What a person tells us when something went down, checked before anything is written."""

from __future__ import annotations

import ipaddress
import re
import uuid
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo, available_timezones

from crispy_forms.helper import FormHelper
from crispy_forms.layout import HTML, Div, Field, Layout
from django import forms
from django.conf import settings
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from diagnostics.models import DiagnosisCase, Sight
from instances import lookup
from instances.models import Instance, Region

WITHIN_LEAST, WITHIN_MOST = 1, 24 * 60  # minutes
OLDEST = timedelta(days=366)
CLOCK_SLACK = timedelta(minutes=2)  # the reporter's clock may be a little ahead
ID = re.compile(r"(i|mi|eci|ic|hbm)-[0-9a-z-]{6,60}")
LOOKS_LIKE_ID = re.compile(r"(i|mi)-\S*", re.I)
LOOKS_LIKE_IP = re.compile(r"[0-9.]{4,}|[0-9a-f:]*:[0-9a-f:]*:[0-9a-f:.]*", re.I)
REGION = re.compile(r"[a-z]{2}(-[a-z0-9]+)+")
UNSEEN = re.compile(r"[\x00-\x1f\x7f\u2028\u2029]")
ZONES = sorted(available_timezones() - {"localtime", "Factory", "posixrules"})


def plain_text(value: str) -> str:
    if UNSEEN.search(value):
        raise forms.ValidationError(_("Only one line of visible characters is allowed."))
    return value.strip()


class CaseForm(forms.Form):
    """Cleaned: `found` (Instance or None), `seen_at` (aware or None), and the case's fields."""

    opening = forms.UUIDField(widget=forms.HiddenInput)
    instance = forms.CharField(
        label=_("Instance"),
        max_length=128,
        help_text=_("ID, IP address, name or hostname."),
        widget=forms.TextInput(attrs={"autofocus": True, "autocomplete": "off"}),
    )
    which = forms.ChoiceField(
        label=_("Which of them"), required=False, choices=[], widget=forms.RadioSelect
    )
    outside = forms.BooleanField(
        label=_("It is not in our accounts: open the case all the same"),
        required=False,
        help_text=_(
            "Such a case cannot ask the cloud or the machine anything; it hands out the script to"
            " collect the evidence by hand."
        ),
    )
    region = forms.CharField(
        label=_("Region"),
        max_length=40,
        required=False,
        help_text=_("Only needed if the portal does not know the instance, such as cn-hangzhou."),
    )
    sights = forms.MultipleChoiceField(
        label=_("What was seen"),
        choices=Sight.choices,
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )
    symptom = forms.CharField(
        label=_("In your own words"),
        max_length=4000,
        required=False,
        widget=forms.Textarea(attrs={"rows": 2}),
    )
    seen_at = forms.DateTimeField(
        label=_("When"),
        required=False,
        help_text=_("Leave it empty if it is not known: then the last boot is taken."),
        input_formats=[
            "%Y-%m-%dT%H:%M",
            "%Y-%m-%dT%H:%M:%S",
            "%Y-%m-%d %H:%M",
            "%Y-%m-%d %H:%M:%S",
        ],
        widget=forms.DateTimeInput(
            attrs={"type": "datetime-local", "step": 60}, format="%Y-%m-%dT%H:%M"
        ),
        error_messages={"invalid": _("Give a date and a time, such as 2026-11-20 02:30.")},
    )
    seen_zone = forms.ChoiceField(label=_("Time zone"), choices=[(z, z) for z in ZONES])
    seen_within = forms.IntegerField(
        label=_("± minutes"), min_value=WITHIN_LEAST, max_value=WITHIN_MOST, initial=30
    )
    contact = forms.CharField(label=_("Contact"), max_length=200, required=False)
    customer_reference = forms.CharField(
        label=_("Customer reference"), max_length=100, required=False
    )
    language = forms.ChoiceField(label=_("Report language"), choices=settings.LANGUAGES)

    def __init__(self, *args: Any, user: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.user = user
        self.candidates: list[Instance] = []
        if not self.is_bound:
            self.initial.setdefault("opening", uuid.uuid4())
            self._start_in_their_zone()
            self.initial.setdefault("language", get_language() or settings.LANGUAGE_CODE)
        self._narrow()
        self.helper = _layout(self)

    def _start_in_their_zone(self) -> None:
        """The zone of the person's last case; before the first one the browser may say it."""
        own = DiagnosisCase.objects.filter(opened_by=self.user.pk)
        last = own.order_by("-pk").values_list("seen_zone", flat=True).first()
        self.initial.setdefault("seen_zone", last or settings.TIME_ZONE)
        if not last:
            self.fields["seen_zone"].widget.attrs["data-zone-here"] = True

    def _narrow(self) -> None:
        """Questions that need asking only now and then are not shown before."""
        text = str(self.data.get("instance", "")) if self.is_bound else ""
        self.matches = lookup.Matches()
        if text and len(text) <= 128:
            self.matches = lookup.find(Instance.objects.visible_to(self.user), text)
        self.candidates = [each for rows in self.matches.ambiguous.values() for each in rows] + (
            self.matches.found if len(self.matches.found) > 1 else []
        )
        self.fields["which"].choices = [(str(i.pk), _described(i)) for i in self.candidates]
        if not self.candidates:
            self.fields["which"].widget = forms.MultipleHiddenInput()
        self.unknown = bool(text) and not self.candidates and not self.matches.found

    def clean_instance(self) -> str:
        text = plain_text(self.cleaned_data["instance"])
        if not text:
            raise forms.ValidationError(_("Name an instance: its ID, IP, name or hostname."))
        if not self.unknown:
            return text
        if LOOKS_LIKE_ID.fullmatch(text) and not ID.fullmatch(text):
            raise forms.ValidationError(
                _(
                    "“%(text)s” is not an instance ID: that is i- and at least six small letters"
                    " and digits, such as i-bp1a2b3c4d5e6f7g8h9j."
                ),
                params={"text": text},
            )
        if LOOKS_LIKE_IP.fullmatch(text) and not _is_address(text):
            raise forms.ValidationError(
                _("“%(text)s” is not an IP address: four numbers from 0 to 255 with dots."),
                params={"text": text},
            )
        return text

    def clean_region(self) -> str:
        region = self.cleaned_data["region"].strip()
        if region and not REGION.fullmatch(region):
            raise forms.ValidationError(
                _(
                    "“%(region)s” is not a region ID: small letters, digits and dashes, such as"
                    " cn-hangzhou."
                ),
                params={"region": region},
            )
        return region

    def clean_contact(self) -> str:
        return plain_text(self.cleaned_data["contact"])

    def clean_customer_reference(self) -> str:
        return plain_text(self.cleaned_data["customer_reference"])

    def clean_symptom(self) -> str:
        symptom = self.cleaned_data["symptom"]
        if "\0" in symptom:
            raise forms.ValidationError(_("NUL characters are not allowed."))
        return symptom.strip()

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        cleaned["found"] = None
        if "instance" in cleaned:
            self._choose(cleaned)
            self._check_region(cleaned)
        self._set_time(cleaned)
        return cleaned

    def _choose(self, cleaned: dict[str, Any]) -> None:
        if self.candidates:
            chosen = cleaned.get("which")
            picked = [each for each in self.candidates if str(each.pk) == chosen]
            if picked:
                cleaned["found"] = picked[0]
            else:
                self.add_error("which", _("Several instances answer to this; choose one of them."))
        elif self.matches.found and self.matches.unknown:
            named = ", ".join(self.matches.unknown)
            said = _("Not known: %(words)s. Name only the one instance that the case is about.")
            self.add_error("instance", said % {"words": named})
        elif self.matches.found:
            cleaned["found"] = self.matches.found[0]
        elif not ID.fullmatch(cleaned["instance"]) and not cleaned.get("outside"):
            self.add_error(
                "instance",
                _(
                    "No instance that you may see has this ID, IP, name or hostname. Check the"
                    " spelling; or tick below that it is not in our accounts."
                ),
            )

    def _check_region(self, cleaned: dict[str, Any]) -> None:
        """Another region may mean another machine of that name: it is not passed over."""
        found, region = cleaned["found"], cleaned.get("region")
        if found and region and found.region != region:
            said = _("This instance is in %(region)s. Correct the region, or leave it empty.")
            self.add_error("region", said % {"region": found.region})

    def _set_time(self, cleaned: dict[str, Any]) -> None:
        """No time is an answer: the last boot is taken."""
        naive = cleaned.get("seen_at")
        cleaned["seen_at"] = None
        if naive and cleaned.get("seen_zone"):
            cleaned["seen_at"] = self._placed(naive, cleaned["seen_zone"])

    def _placed(self, at: datetime, zone: str) -> datetime | None:
        """The wall time in the reporter's zone, whatever zone Django read it in."""
        try:
            placed = timezone.make_naive(at).replace(tzinfo=ZoneInfo(zone))
            placed.utctimetuple()
        except (ValueError, OverflowError):
            placed = None
        now = timezone.now()
        if placed is None or placed < now - OLDEST:
            self.add_error("seen_at", _("The time must be within the last 366 days."))
            return None
        if placed > now + CLOCK_SLACK:
            self.add_error(
                "seen_at",
                _("This is in the future: it is now %(now)s there.")
                % {"now": now.astimezone(ZoneInfo(zone)).strftime("%Y-%m-%d %H:%M")},
            )
            return None
        return placed

    def told(self) -> dict[str, Any]:
        """What diagnostics.cases.open_case takes."""
        cleaned = self.cleaned_data
        names = ("region", "seen_at", "opening", "sights", "symptom", "seen_zone", "seen_within")
        more = ("contact", "customer_reference", "language")
        told = {name: cleaned[name] for name in (*names, *more)}
        return {**told, "instance": cleaned["found"], "instance_text": cleaned["instance"]}


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def _described(instance: Instance) -> str:
    addresses = ", ".join(each.address for each in instance.addresses.all()[:3])
    parts = (instance.name, instance.instance_id, instance.region, addresses, instance.status)
    return " · ".join(part for part in parts if part)


def _layout(form: CaseForm) -> FormHelper:
    helper = FormHelper()
    helper.form_tag = False
    machine = [Field("instance")]
    machine += [Field("which")] if form.candidates else []
    machine += [Field("outside")] if form.unknown else []
    helper.layout = Layout(
        "opening",
        Div(*machine, css_class="panel"),
        Div(
            Field("sights"),
            Field("symptom"),
            Div(
                Div("seen_at", css_class="wide"),
                Div("seen_within"),
                Div("seen_zone", css_class="wide"),
                css_class="row-fields",
            ),
            css_class="panel",
        ),
        HTML(MORE_OPENS),
        Div("customer_reference", "contact", "language", "region", css_class="row-fields"),
        HTML("</details>"),
    )
    return helper


MORE_OPENS = (
    "{% load i18n %}<details class='panel'{% if more_open %} open{% endif %}>"
    "<summary>{% translate 'Customer, language, region' %}</summary>"
)


class CaseFilter(forms.Form):
    """What the incident history can be narrowed by."""

    q = forms.CharField(label=_("Instance or reference"), max_length=128, required=False)
    kind = forms.ChoiceField(label=_("Verdict"), required=False)
    state = forms.ChoiceField(label=_("State"), required=False)
    region = forms.ChoiceField(label=_("Region"), required=False)
    opened_by = forms.CharField(label=_("Opened by"), max_length=150, required=False)
    signature = forms.CharField(label=_("Signature"), max_length=200, required=False)
    since = forms.DateField(
        label=_("Opened from"), required=False, widget=forms.DateInput(attrs={"type": "date"})
    )
    until = forms.DateField(
        label=_("to"), required=False, widget=forms.DateInput(attrs={"type": "date"})
    )

    def __init__(self, *args: Any, user: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        from diagnostics.models import CaseState
        from diagnostics.verdicts import KINDS

        every = [("", _("any"))]
        regions = Region.objects.visible_to(user).values_list("region_id", flat=True)
        self.fields["kind"].choices = [*every, *KINDS.items()]
        self.fields["state"].choices = [*every, ("open", _("not concluded")), *CaseState.choices]
        self.fields["region"].choices = [*every, *((r, r) for r in sorted(set(regions)))]
        for field in self.fields.values():
            select = isinstance(field.widget, forms.Select)
            field.widget.attrs["class"] = "form-select" if select else "form-control"

    def clean_q(self) -> str:
        return plain_text(self.cleaned_data["q"])

    def clean_signature(self) -> str:
        return plain_text(self.cleaned_data["signature"])

    def clean_opened_by(self) -> str:
        return plain_text(self.cleaned_data["opened_by"])
