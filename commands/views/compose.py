"""From "what and where" to a run: form, preview, one deliberate press."""

from __future__ import annotations

import base64
import uuid
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import IntegrityError
from django.db.models import Q
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_POST

from commands import asking, parameters
from commands.forms.compose import PREFIX, ComposeForm
from commands.forms.selection import as_narrowing
from commands.models import CommandRevision, CommandType, Invocation, SavedCommand
from commands.plan import Plan, plan
from instances.filters import BadFilter
from instances.models import Instance
from portal import secrets
from portal.access import needs

STAGES = ("fill", "edit", "preview", "send")
CARRIED_NOT = {"csrfmiddlewaretoken", "stage", "sealed", "seen", "typed", "why"}


@require_http_methods(["GET", "HEAD", "POST"])
@needs("commands.run_saved")
def compose(request: HttpRequest) -> HttpResponse:
    """GET or stage "fill": an empty form, filled from what was ticked or opened. Then "preview",
    "edit" (back to the form) and "send"."""
    stage = request.POST.get("stage", "fill") if request.method == "POST" else "fill"
    if stage not in STAGES:
        raise PermissionDenied
    if stage == "fill":
        told = request.POST if request.method == "POST" else request.GET
        return _show(request, ComposeForm(initial=initial(told, request.user), user=request.user))
    form = ComposeForm(with_secrets(request.POST), user=request.user)
    planned = planned_of(form)
    if stage == "edit" or planned is None:
        return _show(request, form, status=200 if stage == "edit" else 400)
    if stage == "preview":
        return preview(request, form, planned)
    return _send(request, form, planned)


@require_POST
@needs("commands.run_saved")
def reach(request: HttpRequest) -> HttpResponse:
    """Whom the form as it stands would reach: the part of the page that follows the typing."""
    form = ComposeForm(request.POST, user=request.user)
    form.is_valid()
    shown: dict[str, Any] = {}
    if selection := form.cleaned_data.get("selection"):
        try:
            found = plan(form.sketch(), {}, selection, request.user, form.in_ecs)
            shown = {"reach": found.reach, "shares": found.shares}
        except BadFilter as problem:
            shown = {"problem": f"{problem.field}: {problem}"}
    return render(request, "commands/_reach.html", shown)


def initial(told: QueryDict, user: Any) -> dict[str, Any]:
    """From the address or a list's ticks: instance, filtered, group, command, revision, again."""
    filled: dict[str, Any] = {"picked": told.getlist("instance"), "group": told.get("group")}
    if again := _again(told, user):
        return filled | again
    if told.get("keep") == "filter":
        filled["filter"] = as_narrowing(told.get("filtered", ""))
        filled["picked"] = []
    if (number := told.get("revision", "")).isdecimal() and len(number) < 19:
        filled["revision"] = CommandRevision.objects.filter(pk=number).first()
    elif (number := told.get("command", "")).isdecimal() and len(number) < 19:
        command = SavedCommand.objects.filter(pk=number, archived_at=None).first()
        filled["revision"] = command.newest() if command else None
    if (number := told.get("kept", "")).isdecimal() and len(number) < 19:
        filled["kept"] = number
    if pinned := filled.get("revision"):
        filled["revision"] = pinned.pk
        filled["name"] = pinned.command.name
    return filled


def _again(told: QueryDict, user: Any) -> dict[str, Any]:
    """The same as an earlier run, on its instances that ended in the ticked ways: by outcome, by
    status (ECS's own words and ours), or by both as `outcome:status`."""
    if not ((number := told.get("again", "")).isdecimal() and len(number) < 19):
        return {}
    run = Invocation.objects.visible_to(user).filter(pk=number).first()
    if run is None:
        return {}
    seen = Instance.objects.visible_to(user).values("pk")
    ended = Q(outcome__in=told.getlist("outcome")) | Q(status__in=told.getlist("status"))
    for both in told.getlist("ended"):
        outcome, _colon, status = both.partition(":")
        ended |= Q(outcome=outcome, status=status)
    targets = run.targets.filter(ended, over=True, instance__in=seen)
    pinned = run.revision_id if run.revision and not run.revision.command.archived_at else None
    return {
        "again": run.pk,
        "name": run.name,
        "revision": pinned,
        "picked": list(targets.values_list("instance", flat=True)),
        "concurrency": run.concurrency,
        "max_errors": run.max_errors,
        "dry_run": run.dry_run,
        **run.as_script(),
        **({PREFIX + name: value for name, value in run.parameters.items()} if pinned else {}),
        # Nobody fills the places of a text that is no saved command's any more.
        **({} if pinned else {"script": parameters.filled(run.script, run.parameters)}),
    }


def with_secrets(told: QueryDict) -> QueryDict:
    """Secrets travel sealed from the preview to the sending, never as text in a page."""
    if not told.get("sealed"):
        return told
    opened = told.copy()
    try:
        values = secrets.unseal(base64.urlsafe_b64decode(told["sealed"].encode()))
    except (secrets.WrongKey, ValueError):
        return opened  # the form says that the secret is missing
    for name, value in values.items():
        opened.setdefault(PREFIX + name, value)
    return opened


def planned_of(form: ComposeForm) -> Plan | None:
    if not form.is_valid():
        return None
    told = form.cleaned_data
    shown = dict.fromkeys(told["secrets"], parameters.SHOWN_SECRET)
    where = told["selection"], form.user, form.in_ecs
    try:
        found = plan(
            form.what(),
            {**told["values"], **shown},
            *where,
            secrets=told["secrets"],
            at_once=told["concurrency"],
        )
    except BadFilter as problem:
        form.add_error(None, f"{problem.field}: {problem}")
        return None
    return found


def _show(request: HttpRequest, form: ComposeForm, status: int = 200) -> HttpResponse:
    shown = {"form": form, "picked": form.picked()}
    return render(request, "commands/compose.html", shown, status=status)


def preview(
    request: HttpRequest, form: ComposeForm, planned: Plan, problem: str = "", **shown: Any
) -> HttpResponse:
    """What would happen, with everything that was said carried along to the next press."""
    sealed = secrets.seal(form.cleaned_data["secrets"])
    hidden = {PREFIX + name for name in form.cleaned_data["secrets"]} | CARRIED_NOT
    carried = [
        (name, value)
        for name, values in request.POST.lists()
        if name not in hidden
        for value in values
    ]
    if "once" not in request.POST:
        carried.append(("once", str(uuid.uuid4())))
    shown |= {
        "form": form,
        "plan": planned,
        "carried": carried,
        "sealed": base64.urlsafe_b64encode(sealed).decode() if sealed else "",
        "problem": problem,
        "sentence": _sentence(form, planned),
    }
    return render(request, "commands/preview.html", shown, status=400 if problem else 200)


def _sentence(form: ComposeForm, planned: Plan) -> str:
    """What runs, as whom, on how many."""
    script = planned.script
    told = {
        "what": form.cleaned_data["name"] or asking.name_of(form.pinned, script["script"]),
        "type": CommandType(script["type"]).label,
        "who": script["username"] or ("root" if script["type"] == CommandType.SHELL else "System"),
        "count": planned.size,
        "regions": len(planned.calls),
    }
    words = ngettext(
        "%(what)s, %(type)s, as %(who)s: %(count)d instance, accounts and regions: %(regions)d",
        "%(what)s, %(type)s, as %(who)s: %(count)d instances, accounts and regions: %(regions)d",
        planned.size,
    )
    return words % told


def _send(request: HttpRequest, form: ComposeForm, planned: Plan) -> HttpResponse:
    once = once_of(request.POST.get("once", ""))
    if sent := Invocation.objects.filter(once=once, asked_by=request.user).first():
        return redirect(sent)  # the second of two clicks
    if problem := objection(request.POST, planned):
        return preview(request, form, planned, problem)
    try:
        run = asking.ask(
            form,
            planned,
            by=request.user,
            once=once,
            via="page",
            freeze_reason=why_of(request.POST) if planned.freezes else "",
        )
    except ValidationError as error:
        return preview(request, form, planned, " ".join(error.messages))
    except IntegrityError:
        return redirect(get_object_or_404(Invocation, once=once, asked_by=request.user))
    if run.state == Invocation.State.WAITING:
        messages.info(request, _("It waits until somebody else has approved it."))
    else:
        messages.success(request, _("Sent to %d instances.") % run.size)
    return redirect(run)


def why_of(told: QueryDict) -> str:
    """Why the run cannot wait for the end of a freeze."""
    return told.get("why", "").replace("\0", "").strip()[:1000]


def once_of(text: str) -> uuid.UUID:
    try:
        return uuid.UUID(text)
    except ValueError:
        raise PermissionDenied from None


def objection(told: QueryDict, planned: Plan, *, later: bool = False) -> str:
    """Why it is not sent now; `later`: it is kept for other times."""
    if not planned.size and not later:
        return _("No instance is left to run this on.")
    if refuses := planned.judgement.refuses:
        return " ".join(rule.words for rule in refuses)
    if planned.freezes and not later and not why_of(told):
        return _("A freeze stands in the way: say why it cannot wait.")
    if told.get("seen") != planned.digest:
        return _("What this would reach has changed since you looked. Look again, then send.")
    if planned.must_type and told.get("typed", "").strip() != str(planned.size):
        return _("Type %d, the number of instances, to send it.") % planned.size
    return ""
