"""What administrators type in: channels, rules, and what to look for among the messages."""

from __future__ import annotations

from copy import deepcopy
from typing import Any
from urllib.parse import parse_qs, urlsplit

from django import forms
from django.conf import settings
from django.contrib.auth import get_user_model
from django.db.models import Q
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from portal.notices import posting, telling
from portal.notices.events import EVENTS, TEST
from portal.notices.kinds import library
from portal.notices.models import Channel, Kind, Notification, NotificationQuerySet, Rule

SHORTEST_SECRET = 16  # characters
MOST_NAMES = 100
ANY = [("", _("any"))]


def line(label: Any, most: int, hint: Any = "", **attrs: str) -> forms.CharField:
    control = forms.TextInput(attrs={"class": "form-control", "autocomplete": "off", **attrs})
    return forms.CharField(
        label=label, max_length=most, required=False, help_text=hint, widget=control
    )


def hidden_line(label: Any, most: int, hint: Any) -> forms.CharField:
    """For what is never shown again, not even beside its error."""
    control = forms.PasswordInput(attrs={"class": "form-control", "autocomplete": "new-password"})
    return forms.CharField(
        label=label, max_length=most, required=False, help_text=hint, widget=control
    )


ADDRESSES = {
    Kind.EMAIL: {"to": line(_("E-mail address"), 254, _("A mailing list serves many."))},
    Kind.DINGTALK: {
        "url": line(
            _("Webhook URL of the robot"),
            500,
            "https://oapi.dingtalk.com/robot/send?access_token=…",
        ),
        "secret": hidden_line(
            _("Secret"), 200, _("From the robot's “sign” protection; empty if it has another.")
        ),
    },
    Kind.WEBHOOK: {
        "url": line("URL", 1000, _("Gets JSON by POST; docs/notices.md says how to verify it.")),
        "secret": hidden_line(
            _("Secret"), 200, _("At least 16 characters; the receiver needs it, too.")
        ),
    },
    Kind.LIBRARY: {
        "url": line(_("Address"), 1000, _("As Apprise writes it, such as feishu://token.")),
    },
    Kind.PEOPLE: {},
}


class ChannelForm(forms.Form):
    """Cleaned: `name`, `language`, and `address` (empty: the one that is kept stays)."""

    name = line(_("Name"), 80)
    language = forms.ChoiceField(
        label=_("Language"),
        choices=settings.LANGUAGES,
        widget=forms.Select(attrs={"class": "form-select"}),
    )

    def __init__(self, *args: Any, channel: Channel, **kwargs: Any) -> None:
        self.channel = channel
        first = {"name": channel.name, "language": channel.language}
        super().__init__(*args, initial=first, **kwargs)
        self.fields |= deepcopy(ADDRESSES[channel.kind])

    @property
    def address_fields(self) -> list[forms.BoundField]:
        return [self[name] for name in ADDRESSES[self.channel.kind]]

    def clean_name(self) -> str:
        name = self.cleaned_data["name"]
        if not name:
            raise forms.ValidationError(_("Give it a name."))
        if Channel.objects.filter(name=name).exclude(pk=self.channel.pk).exists():
            raise forms.ValidationError(_("There is a channel of this name already."))
        return name

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        kind = self.channel.kind
        typed = {name: cleaned.get(name, "") for name in ADDRESSES[kind]}
        cleaned["address"] = typed if any(typed.values()) else {}
        if not settings.PORTAL_URL:
            self.add_error(None, _("PORTAL_URL is not set: messages could not link to their page."))
        if kind in (Kind.EMAIL, Kind.PEOPLE) and not settings.EMAIL_URL:
            self.add_error(None, _("EMAIL_URL is not set: there is no mail server."))
        if kind != Kind.PEOPLE and not self.errors:
            self._check(kind, typed)
        return cleaned

    def _check(self, kind: str, typed: dict[str, str]) -> None:
        main = "to" if kind == Kind.EMAIL else "url"
        if not any(typed.values()) and self.channel.pk:
            return
        if not typed[main]:
            self.add_error(main, _("Give all of the address; none of it is shown again."))
        elif words := _problem(kind, typed):
            self.add_error(main, words[:1].upper() + words[1:] + ".")
        if kind == Kind.WEBHOOK and len(typed["secret"]) < SHORTEST_SECRET:
            self.add_error("secret", _("At least %d characters.") % SHORTEST_SECRET)


def _problem(kind: str, typed: dict[str, str]) -> str:
    """What is wrong with an address; "" if nothing can be told from here."""
    if kind == Kind.EMAIL:
        try:
            forms.EmailField().clean(typed["to"])
        except forms.ValidationError:
            return _now("it is not one e-mail address")
        return ""
    if kind == Kind.LIBRARY:
        return library.problem(typed["url"])
    words = posting.problem(typed["url"])
    if kind == Kind.DINGTALK and not words:
        query = parse_qs(urlsplit(typed["url"]).query)
        return "" if query.get("access_token") else _now("its access_token is missing")
    return words


class NamesField(forms.CharField):
    """One name a line."""

    widget = forms.Textarea

    def prepare_value(self, value: Any) -> Any:
        return "\n".join(value) if isinstance(value, list) else value

    def clean(self, value: Any) -> list[str]:
        names = [" ".join(name.split()) for name in super().clean(value).splitlines()]
        names = list(dict.fromkeys(name for name in names if name))
        if len(names) > MOST_NAMES:
            raise forms.ValidationError(_("At most %d names.") % MOST_NAMES)
        return names


def names(label: Any, hint: Any) -> NamesField:
    area = forms.Textarea(attrs={"class": "form-control", "rows": 3})
    return NamesField(label=label, required=False, max_length=8000, help_text=hint, widget=area)


class RuleForm(forms.ModelForm):
    events = forms.MultipleChoiceField(
        label=_("Events"),
        choices=[(event.name, event.title) for event in EVENTS.values()],
        required=False,
        help_text=_("None ticked: all of them."),
        widget=forms.CheckboxSelectMultiple,
    )
    groups = names(_("Instance groups"), _("One name a line; none: whatever the instances are."))
    accounts = names(_("Cloud accounts"), _("One name a line; none: all."))
    channels = forms.ModelMultipleChoiceField(
        label=_("Channels"),
        queryset=Channel.objects.none(),
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )
    people = forms.ModelMultipleChoiceField(
        label=_("Persons, by e-mail"),
        queryset=Channel.objects.none(),
        required=False,
        help_text=_("Those that have an e-mail address here."),
        widget=forms.SelectMultiple(attrs={"class": "form-select", "size": 6}),
    )

    class Meta:
        model = Rule
        fields = (
            "name", "enabled", "events", "least", "groups", "accounts", "channels", "people",
            "concerned",
        )  # fmt: skip

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["channels"].queryset = Channel.objects.exclude(kind=Kind.PEOPLE).order_by(
            "name"
        )
        people = get_user_model().objects.filter(is_active=True).exclude(email="")
        people = people.exclude(email__endswith=telling.NOWHERE)
        chosen = self.instance.people.values("pk") if self.instance.pk else []
        people |= get_user_model().objects.filter(pk__in=chosen)
        self.fields["people"].queryset = people.order_by("username")

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        if not (cleaned.get("channels") or cleaned.get("people") or cleaned.get("concerned")):
            self.add_error(None, _("It tells nobody: choose a channel, a person, or the last box."))
        return cleaned


def choice(label: Any, choices: list) -> forms.ChoiceField:
    control = forms.Select(attrs={"class": "form-select"})
    return forms.ChoiceField(label=label, choices=ANY + choices, required=False, widget=control)


class MessageFilter(forms.Form):
    text = line(_("Title, subject or its key"), 200)
    state = choice(_("State"), Notification.State.choices)
    event = choice(_("Event"), [(e.name, e.title) for e in (*EVENTS.values(), TEST)])
    channel = forms.ModelChoiceField(
        label=_("Channel"),
        queryset=Channel.objects.order_by("name"),
        required=False,
        empty_label=_("any"),
        widget=forms.Select(attrs={"class": "form-select"}),
    )

    def narrow(self, rows: NotificationQuerySet) -> NotificationQuerySet:
        if not self.is_valid():
            return rows.none()
        asked = self.cleaned_data
        exact = {name: asked[name] for name in ("state", "event", "channel") if asked[name]}
        rows = rows.filter(**exact)
        if not asked["text"]:
            return rows
        about = Q(title__icontains=asked["text"]) | Q(subject_label__icontains=asked["text"])
        return rows.filter(about | Q(subject_key=asked["text"]))
