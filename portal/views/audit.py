"""Who did what: searched, paged, downloaded; never changed."""

from __future__ import annotations

from django import forms
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_GET

from instances.forms import choice, day, line
from portal import lists
from portal.access import needs
from portal.audit.models import AuditEntry, AuditQuerySet

ORDER = ("-number",)
COLUMNS = {
    _("Number"): lambda row: row.number,
    _("At"): lambda row: row.at,
    _("Who"): lambda row: row.actor_label,
    _("Through"): lambda row: row.via,
    _("Act"): lambda row: row.act,
    _("Subject"): lambda row: row.subject_label,
    _("Key"): lambda row: row.subject_key,
    _("Details"): lambda row: row.details,
    _("Seal"): lambda row: row.mac,
}


class AuditFilter(forms.Form):
    text = line(_("Subject or its key"), 200)
    who = line(_("Who"), 150)
    act = line(_("Act"), 60, "case.opened")
    via = choice(_("Through"), [(via, via) for via in ("page", "admin", "command", "job")])
    since = day(_("From"))
    until = day(_("to"))

    def narrow(self, entries: AuditQuerySet) -> AuditQuerySet:
        if not self.is_valid():
            return entries.none()
        asked = self.cleaned_data
        exact = {"who": "actor_label", "act": "act", "via": "via"}
        exact |= {"since": "at__date__gte", "until": "at__date__lte"}
        narrowed = entries.filter(**{exact[name]: asked[name] for name in exact if asked[name]})
        if not asked["text"]:
            return narrowed
        about = Q(subject_label__icontains=asked["text"]) | Q(subject_key=asked["text"])
        return narrowed.filter(about)


@require_GET
@needs("audit.view_auditentry")
def listing(request: HttpRequest) -> HttpResponse:
    form = AuditFilter(request.GET)
    entries = form.narrow(AuditEntry.objects.visible_to(request.user))
    if "csv" in request.GET:
        return lists.csv(request, entries, COLUMNS, name="audit", order=ORDER)
    shown = {"form": form, "page": lists.page(request, entries, ORDER)}
    return render(request, "audit.html", shown)
