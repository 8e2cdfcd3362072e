"""From "who should go down" to a request that waits for somebody else: form, plan, one press."""

from __future__ import annotations

import uuid
from datetime import UTC, timedelta
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from commands import freezes, policy
from commands.forms.reboots import ABOUT, CAREFULLY, OF_FIELDS, SPREAD, RebootForm, local
from commands.forms.selection import as_narrowing
from commands.models import ItemOutcome, RebootBatch
from commands.reboots import asking, planning, preflight
from commands.reboots.preflight import Needs
from commands.targets import Resolved, resolve
from instances.event_filter import PENDING
from instances.filters import BadFilter
from instances.models import Instance, SystemEvent
from portal.access import needs

ASK = "commands.reboot"
STAGES = ("fill", "edit", "preview", "send")
CARRIED_NOT = {"csrfmiddlewaretoken", "stage"}
REBOOT_EVENTS = ("SystemMaintenance.Reboot", "SystemMaintenance.RebootAndIsolateErrorDisk")


@require_http_methods(["GET", "HEAD", "POST"])
@needs(ASK)
def compose(request: HttpRequest) -> HttpResponse:
    """GET or stage "fill": an empty form, filled from what was ticked or opened. Then "preview",
    "edit" (back to the form) and "send"."""
    stage = request.POST.get("stage", "fill") if request.method == "POST" else "fill"
    if stage not in STAGES:
        raise PermissionDenied
    if stage == "fill":
        told = request.POST if request.method == "POST" else request.GET
        return _show(request, RebootForm(initial=_initial(told, request.user), user=request.user))
    form = RebootForm(request.POST, user=request.user)
    if not form.is_valid() or stage == "edit":
        return _show(request, form, status=200 if stage == "edit" else 400)
    batch = form.batch()
    try:
        asking.check(batch)
        meant = resolve(form.cleaned_data["selection"], request.user)
    except ValidationError as error:
        return _show(request, _with(form, error), status=400)
    except BadFilter as problem:
        form.add_error(None, f"{problem.field}: {problem}")
        return _show(request, form, status=400)
    if stage == "preview":
        return _preview(request, form, batch, meant)
    return _send(request, form, batch, meant)


def _with(form: RebootForm, error: ValidationError) -> RebootForm:
    """The form with the errors of `asking.check` at the fields they are about."""
    told = error.message_dict if hasattr(error, "error_dict") else {"__all__": error.messages}
    for name, words in told.items():
        field = OF_FIELDS.get(name, name)
        form.add_error(field if field in form.fields else None, words)
    return form


def _initial(told: QueryDict, user: Any) -> dict[str, Any]:
    """From the address or a list's ticks: instance, filtered, group, events, again."""
    filled: dict[str, Any] = {"picked": told.getlist("instance"), "group": told.get("group")}
    if told.get("keep") == "filter":
        filled["filter"] = as_narrowing(told.get("filtered", ""))
        filled["picked"] = []
    if "events" in told:
        filled |= _from_events(user)
    filled |= _again(told, user)
    return filled


def _from_events(user: Any) -> dict[str, Any]:
    """Everybody for whom ECS has planned a reboot, the window ending before the first deadline."""
    events = SystemEvent.objects.visible_to(user).filter(
        type__in=REBOOT_EVENTS, cycle_status__in=PENDING, instance__released_at=None
    )
    rows = list(events.exclude(instance=None).order_by("not_before"))
    filled: dict[str, Any] = {"picked": [row.instance_id for row in rows]}
    first = next((row.not_before for row in rows if row.not_before), None)
    if first and first > timezone.now():
        filled["closes_at"] = local(first)
    filled["reason"] = _("ECS has planned reboots; a reboot through the API clears them.")
    return filled


def _again(told: QueryDict, user: Any) -> dict[str, Any]:
    """The same as an earlier batch, on those that failed, never started or are not verified."""
    if not ((number := told.get("continues", "")).isdecimal() and len(number) < 19):
        return {}
    batch = RebootBatch.objects.visible_to(user).filter(pk=number).first()
    if batch is None:
        return {}
    seen = Instance.objects.visible_to(user).values("pk")
    left = batch.items.filter(outcome__in=ItemOutcome.to_continue(), instance__in=seen)
    spread = {key: value for key, value in batch.spread.items() if key != planning.ZONE}
    tag = next(iter(spread), "")
    return {
        "continues": batch.pk,
        "picked": list(left.values_list("instance", flat=True)),
        "name": batch.name,
        "reason": batch.reason,
        "ticket": batch.ticket,
        "watcher": batch.watcher,
        "way": told.get("way") or batch.way,
        "stopped_mode": batch.stopped_mode,
        "mode": batch.mode,
        "sizes": ", ".join(batch.sizes),
        "max_errors": batch.max_errors,
        "pause_option": batch.pause_option,
        "canary": batch.canary,
        "spread_tag": tag,
        "spread_tag_percent": spread.get(tag, 50),
        "spread_zone_percent": batch.spread.get(planning.ZONE, 100),
        "linux_minutes": batch.linux_back_within // 60 or 1,
        "windows_minutes": batch.windows_back_within // 60 or 1,
        **_scripts(batch),
    }


def _scripts(batch: RebootBatch) -> dict[str, Any]:
    filled: dict[str, Any] = {}
    for part in ("pre", "post"):
        script, revision = getattr(batch, f"{part}_script"), getattr(batch, f"{part}_revision_id")
        if revision:
            filled[f"{part}_saved"] = revision
        elif script:
            filled[f"{part}_text"] = script["script"]
            filled[f"{part}_type"] = script["type"]
            filled[f"{part}_timeout"] = script["timeout"]
    return filled


def _show(request: HttpRequest, form: RebootForm, status: int = 200) -> HttpResponse:
    shown = {
        "form": form,
        "picked": form.picked(),
        "about": [form[name] for name in ABOUT],
        "carefully": [form[name] for name in CAREFULLY],
        "spread": [form[name] for name in SPREAD],
        "more_open": any(form[name].errors for name in (*SPREAD, "linux_minutes")),
    }
    return render(request, "commands/reboots/compose.html", shown, status=status)


def _preview(
    request: HttpRequest, form: RebootForm, batch: RebootBatch, meant: Resolved, problem: str = ""
) -> HttpResponse:
    fit, left_out, facts = asking.sort_out(batch, meant.rows)
    now, needed = timezone.now(), Needs.of(batch)
    risky: dict[Any, list[Instance]] = {}
    for row in fit:
        for risk in preflight.risks(facts[row.pk], needed):
            risky.setdefault(risk, []).append(row)
    carried = [
        (name, value)
        for name, values in request.POST.lists()
        if name not in CARRIED_NOT
        for value in values
    ]
    if "once" not in request.POST:
        carried.append(("once", str(uuid.uuid4())))
    shown = {
        "form": form,
        "batch": batch,
        "fit": fit,
        "left_out": left_out,
        "unknown": meant.unknown,
        "ambiguous": meant.ambiguous,
        "plan": planning.plan(batch, fit, now) if fit else None,
        "risky": risky,
        "events": _events(batch, fit, facts),
        "judgement": policy.judge(asking.policy_text(batch), fit),
        "freezes": freezes.standing(max(now, batch.opens_at), fit),
        "carried": carried,
        "problem": problem,
        "as_of": min((row.seen_at for row in fit if row.seen_at), default=None),
    }
    return render(request, "commands/reboots/preview.html", shown, status=400 if problem else 200)


def _events(batch: RebootBatch, fit: list[Instance], facts: dict) -> list[tuple]:
    """(instance, its facts, whether ECS acts before the window closes), the soonest first."""
    planned = [(row, facts[row.pk]) for row in fit if facts[row.pk]["event"]]
    planned.sort(key=lambda pair: pair[1]["event_by"] or "9")
    closes = batch.closes_at.astimezone(UTC).isoformat()
    return [(row, told, "" < told["event_by"] < closes) for row, told in planned]


def _send(
    request: HttpRequest, form: RebootForm, batch: RebootBatch, meant: Resolved
) -> HttpResponse:
    try:
        once = uuid.UUID(request.POST.get("once", ""))
    except ValueError:
        raise PermissionDenied from None
    if sent := asking.again(once, request.user):
        return redirect(sent)  # the second of two clicks
    try:
        made = asking.ask(batch, meant.rows, by=request.user, via="page", once=once)
    except (ValidationError, PermissionDenied) as refusal:
        words = " ".join(getattr(refusal, "messages", [str(refusal)]))
        return _preview(request, form, form.batch(), meant, words)
    messages.success(
        request,
        _("Asked for. Nothing goes down until somebody else has approved it.")
        if made.approvals.filter(state="waiting").exists()
        else _("A written rule lets it pass: it begins with its window."),
    )
    return redirect(made)


@require_http_methods(["GET", "HEAD", "POST"])
@needs("commands.reboot_at_once")
def at_once(request: HttpRequest, pk: int) -> HttpResponse:
    """The emergency path: one instance, now."""
    instance = get_object_or_404(Instance.objects.visible_to(request.user).present(), pk=pk)
    shown: dict[str, Any] = {"instance": instance, "problems": []}
    if request.method == "POST":
        reason = request.POST.get("reason", "").replace("\0", "").strip()[:2000]
        shown["reason"] = reason
        try:
            if request.POST.get("typed", "").strip() not in (instance.name, instance.instance_id):
                raise ValidationError(_("Type the instance's name or ID to confirm."))
            batch = asking.at_once(
                instance,
                by=request.user,
                reason=reason,
                force=request.POST.get("force") == "on",
                via="page",
            )
        except (ValidationError, PermissionDenied) as refusal:
            shown["problems"] = getattr(refusal, "messages", [str(refusal)])
        else:
            return redirect(batch)
    status = 400 if shown["problems"] else 200
    shown["since"] = timezone.now() - timedelta(days=1)
    return render(request, "commands/reboots/at_once.html", shown, status=status)
