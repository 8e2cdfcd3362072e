"""Forms of what comes after a verdict: sending its report, marking it, looking at many."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from typing import Any

from django import forms
from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from diagnostics.forms import plain_text
from diagnostics.models import CaseQuerySet, Copy, Truth
from diagnostics.signatures import KINDS_SIGNED
from diagnostics.verdicts import KINDS, SUBKINDS

ANY = ("", _("any"))


def _dated(label: Any) -> forms.DateField:
    widget = forms.DateInput(attrs={"type": "date"})
    return forms.DateField(label=label, required=False, widget=widget)


def _midnight(day: Any) -> datetime:
    return timezone.make_aware(datetime.combine(day, time.min))


class Dressed(forms.Form):
    """A form whose fields look like those of the other pages."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for field in self.fields.values():
            select = isinstance(field.widget, forms.Select)
            field.widget.attrs["class"] = "form-select" if select else "form-control"


class SendForm(Dressed):
    """Cleaned: what diagnostics.sending.mark_sent takes."""

    version = forms.IntegerField(widget=forms.HiddenInput)  # the one that the person saw
    copy = forms.ChoiceField(label=_("Copy"))
    sent_to = forms.CharField(
        label=_("Sent to"), max_length=200, help_text=_("A person, an address or a ticket.")
    )
    note = forms.CharField(label=_("Note"), max_length=500, required=False)

    def __init__(self, *args: Any, may_internal: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        copies = Copy.choices if may_internal else [(Copy.CUSTOMER, Copy.CUSTOMER.label)]
        self.fields["copy"].choices = copies

    def clean_sent_to(self) -> str:
        return plain_text(self.cleaned_data["sent_to"])

    def clean_note(self) -> str:
        return plain_text(self.cleaned_data["note"])


class SentFilter(Dressed):
    q = forms.CharField(label=_("Sent to, or reference"), max_length=200, required=False)
    show = forms.ChoiceField(
        label=_("Show"),
        required=False,
        choices=[("", _("all")), ("tell", _("to be told otherwise"))],
    )

    def clean_q(self) -> str:
        return plain_text(self.cleaned_data["q"])


class SignatureFilter(Dressed):
    q = forms.CharField(label=_("Function, module, code"), max_length=100, required=False)
    kind = forms.ChoiceField(
        label=_("Verdict"), required=False, choices=[ANY, *((k, KINDS[k]) for k in KINDS_SIGNED)]
    )
    since = _dated(_("Opened from"))

    def clean_q(self) -> str:
        return plain_text(self.cleaned_data["q"])

    def narrowed(self, cases: CaseQuerySet) -> CaseQuerySet:
        """The cases that are counted; the kind is chosen from the groups."""
        told = self.cleaned_data
        if told["q"]:
            cases = cases.filter(signature__icontains=told["q"])
        return cases.filter(opened_at__gte=_midnight(told["since"])) if told["since"] else cases


class MarkForm(Dressed):
    """Cleaned: what diagnostics.marking.mark takes."""

    version = forms.IntegerField(widget=forms.HiddenInput)
    truth = forms.ChoiceField(label=_("The verdict is"), choices=[("", "—"), *Truth.choices])
    true_kind = forms.ChoiceField(
        label=_("What it really was"), required=False, choices=[("", "—"), *KINDS.items()]
    )
    true_subkind = forms.ChoiceField(
        label=_("Its detail"), required=False, choices=[("", "—"), *SUBKINDS.items()]
    )
    words = forms.CharField(
        label=_("In words"),
        required=False,
        max_length=4000,
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text=_("How that is known: who found it out, a ticket, a part that was replaced."),
    )

    def clean_words(self) -> str:
        return self.cleaned_data["words"].replace("\0", "")

    def clean(self) -> dict[str, Any]:
        told = super().clean()
        wrong = told.get("truth") == Truth.WRONG
        if wrong and not told.get("true_kind") and not told.get("words"):
            self.add_error("true_kind", _("Say what it really was, here or in words."))
        return told


class TrustFilter(Dressed):
    kind = forms.ChoiceField(label=_("Verdict"), required=False, choices=[ANY, *KINDS.items()])
    since = _dated(_("Judged from"))
    until = _dated(_("to"))

    def narrowed(self, judgings: QuerySet) -> QuerySet:
        told, wanted = self.cleaned_data, Q()
        if told["kind"]:
            wanted &= Q(kind=told["kind"])
        if told["since"]:
            wanted &= Q(at__gte=_midnight(told["since"]))
        if told["until"]:
            wanted &= Q(at__lt=_midnight(told["until"]) + timedelta(days=1))
        return judgings.filter(wanted)
