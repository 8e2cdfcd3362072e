"""The log of messages, the channels they go to, and the rules that make them."""

from __future__ import annotations

from django.conf import settings
from django.contrib import messages
from django.db import transaction
from django.db.models import Count
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from portal import audit, lists
from portal.access import needs
from portal.notices import channels
from portal.notices.forms import ChannelForm, MessageFilter, RuleForm
from portal.notices.models import Channel, Kind, Notification, Rule
from portal.transitions import WrongState

LOOK = "notices.view_notification"
ORDER = ("-made_at",)
COLUMNS = {
    gettext_lazy("Made"): lambda row: row.made_at,
    gettext_lazy("Event"): lambda row: row.event,
    gettext_lazy("Title"): lambda row: row.title,
    gettext_lazy("Subject"): lambda row: row.subject_key,
    gettext_lazy("Channel"): lambda row: row.channel,
    gettext_lazy("To"): lambda row: row.person,
    gettext_lazy("State"): lambda row: row.get_state_display(),
    gettext_lazy("Tries"): lambda row: row.tries,
    gettext_lazy("Sent at"): lambda row: row.sent_at,
    gettext_lazy("Last trouble"): lambda row: row.trouble,
}
# Only these can be made by hand.
KINDS = (Kind.EMAIL, Kind.DINGTALK, Kind.WEBHOOK, Kind.LIBRARY)


@require_GET
@needs(LOOK)
def listing(request: HttpRequest) -> HttpResponse:
    form = MessageFilter(request.GET)
    seen = Notification.objects.visible_to(request.user).select_related("channel", "person")
    rows = form.narrow(seen)
    if "csv" in request.GET:
        return lists.csv(request, rows, COLUMNS, name="notifications", order=ORDER)
    given_up = lists.count(seen.filter(state=Notification.State.GIVEN_UP))
    shown = {"form": form, "page": lists.page(request, rows, ORDER), "given_up": given_up}
    return render(request, "notices/list.html", shown)


@require_GET
@needs(LOOK)
def message(request: HttpRequest, pk: int) -> HttpResponse:
    seen = Notification.objects.visible_to(request.user).select_related("channel", "person")
    row = get_object_or_404(seen, pk=pk)
    template = "notices/_message.html" if request.htmx else "notices/message.html"
    return render(request, template, {"row": row})


@require_POST
@needs("notices.change_channel")
def again(request: HttpRequest, pk: int) -> HttpResponse:
    row = get_object_or_404(Notification.objects.visible_to(request.user), pk=pk)
    try:
        channels.again(row, by=request.user)
    except WrongState as problem:
        messages.error(request, str(problem))
    return redirect(row)


@require_GET
@needs("notices.view_channel")
def channel_list(request: HttpRequest) -> HttpResponse:
    rows, unsent = list(Channel.objects.order_by("name")), _unsent()
    for row in rows:
        row.waiting = unsent.get((row.pk, "waiting"), 0) + unsent.get((row.pk, "failed"), 0)
        row.given_up = unsent.get((row.pk, "given_up"), 0)
    shown = {"rows": rows, "kinds": KINDS, "mail": bool(settings.EMAIL_URL)}
    return render(request, "notices/channels.html", shown)


def _unsent() -> dict[tuple[int, str], int]:
    """How many messages each channel has in each state but sent, which would be most of them."""
    rows = Notification.objects.filter(state__in=("waiting", "failed", "given_up"))
    counted = rows.order_by().values("channel", "state").annotate(number=Count("pk"))
    return {(row["channel"], row["state"]): row["number"] for row in counted}


@require_http_methods(["GET", "HEAD", "POST"])
@needs("notices.add_channel")
def channel_new(request: HttpRequest, kind: str) -> HttpResponse:
    if kind not in KINDS:
        raise Http404
    return _channel(request, Channel(kind=kind))


@require_http_methods(["GET", "HEAD", "POST"])
@needs("notices.change_channel")
def channel(request: HttpRequest, pk: int) -> HttpResponse:
    return _channel(request, get_object_or_404(Channel, pk=pk))


def _channel(request: HttpRequest, row: Channel) -> HttpResponse:
    form = ChannelForm(request.POST if request.method == "POST" else None, channel=row)
    if form.is_valid():
        told = form.cleaned_data
        row.name, row.language = told["name"], told["language"]
        channels.keep(row, address=told["address"], by=request.user)
        messages.success(request, _("%s is kept.") % row)
        return redirect(row)
    shown = {"form": form, "row": row}
    return render(request, "notices/channel.html", shown, status=400 if form.is_bound else 200)


@require_POST
@needs("notices.change_channel")
def channel_test(request: HttpRequest, pk: int) -> HttpResponse:
    row = get_object_or_404(Channel, pk=pk)
    try:
        return redirect(channels.test(row, by=request.user))
    except WrongState as problem:
        messages.error(request, str(problem))
        return redirect(row)


@require_POST
@needs("notices.change_channel")
def channel_switch(request: HttpRequest, pk: int) -> HttpResponse:
    row = get_object_or_404(Channel, pk=pk)
    channels.switch(row, on=request.POST.get("to") == "on", by=request.user)
    return redirect("notices:channels")


@require_GET
@needs("notices.view_rule")
def rule_list(request: HttpRequest) -> HttpResponse:
    rows = Rule.objects.prefetch_related("channels", "people").order_by("name")
    return render(request, "notices/rules.html", {"rows": rows, "mail": bool(settings.EMAIL_URL)})


@require_http_methods(["GET", "HEAD", "POST"])
@needs("notices.add_rule")
def rule_new(request: HttpRequest) -> HttpResponse:
    return _rule(request, Rule())


@require_http_methods(["GET", "HEAD", "POST"])
@needs("notices.change_rule")
def rule(request: HttpRequest, pk: int) -> HttpResponse:
    return _rule(request, get_object_or_404(Rule, pk=pk))


def _rule(request: HttpRequest, row: Rule) -> HttpResponse:
    form = RuleForm(request.POST if request.method == "POST" else None, instance=row)
    if form.is_valid():
        act = "rule.changed" if row.pk else "rule.added"
        with transaction.atomic():
            kept = form.save()
            changed = sorted(form.changed_data)
            audit.record(actor=request.user, act=act, subject=kept, via="page", changed=changed)
        messages.success(request, _("%s is kept.") % kept)
        return redirect("notices:rules")
    shown = {"form": form, "row": row}
    return render(request, "notices/rule.html", shown, status=400 if form.is_bound else 200)


@require_POST
@needs("notices.delete_rule")
@transaction.atomic
def rule_delete(request: HttpRequest, pk: int) -> HttpResponse:
    row = get_object_or_404(Rule, pk=pk)
    audit.record(actor=request.user, act="rule.deleted", subject=row, via="page")
    row.delete()
    messages.success(request, _("The rule was deleted."))
    return redirect("notices:rules")
