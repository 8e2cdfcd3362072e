"""Schedules and freezes: listed, made, paused, ended."""

from __future__ import annotations

from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from commands import firing
from commands.forms.schedules import FreezeForm, ScheduleForm
from commands.models import Fire, FreezeWindow, Schedule
from commands.views.compose import initial
from portal import audit, lists, secrets
from portal.access import needs
from portal.transitions import WrongState, move

LOOK, MAKE, FREEZE = (
    "commands.view_schedule",
    "commands.add_schedule",
    "commands.add_freezewindow",
)
ORDER = ("state", "next_at")


@require_GET
@needs(LOOK)
def listing(request: HttpRequest) -> HttpResponse:
    seen = Schedule.objects.visible_to(request.user)
    page = lists.page(request, seen.select_related("revision__command", "owner"), ("name",))
    windows = FreezeWindow.objects.filter(ends_at__gt=timezone.now()).order_by("starts_at")[:50]
    shown = {"page": page, "windows": windows, "now": timezone.now()}
    return render(request, "commands/schedules.html", shown)


@require_GET
@needs(LOOK)
def detail(request: HttpRequest, pk: int) -> HttpResponse:
    seen = Schedule.objects.visible_to(request.user).select_related("revision__command", "owner")
    schedule = get_object_or_404(seen, pk=pk)
    active = schedule.state == Schedule.State.ACTIVE
    coming = firing.read(schedule).coming(timezone.now()) if active else []
    fires = Fire.objects.filter(schedule=schedule).select_related("invocation")
    page = lists.page(request, fires, ("-planned_at",))
    shown = {"schedule": schedule, "coming": coming, "page": page}
    shown["own"] = request.user.is_superuser or schedule.owner_id == request.user.pk
    return render(request, "commands/schedule.html", shown)


@require_http_methods(["GET", "HEAD", "POST"])
@needs(MAKE)
def create(request: HttpRequest) -> HttpResponse:
    if request.method != "POST":
        form = ScheduleForm(initial=initial(request.GET, request.user), user=request.user)
        return render(request, "commands/schedule_new.html", {"form": form})
    form = ScheduleForm(request.POST, user=request.user)
    if not form.is_valid():
        return render(request, "commands/schedule_new.html", {"form": form}, status=400)
    return redirect(_make(request, form))


@transaction.atomic
def _make(request: HttpRequest, form: ScheduleForm) -> Schedule:
    told = form.cleaned_data
    schedule = Schedule.objects.create(
        name=told["name"] or form.pinned.command.name,
        revision=form.pinned,
        parameters=told["values"],
        sealed=secrets.seal(told["secrets"]),
        picked=told["selection"].kept(),
        concurrency=told["concurrency"],
        max_errors=told["max_errors"],
        expression=told["expression"],
        zone=told["zone"],
        grace=told["grace"],
        overlap=told["overlap"],
        owner=request.user,
    )
    firing.begin(schedule)
    audit.record(
        actor=request.user,
        act="schedule.made",
        subject=schedule,
        via="page",
        expression=schedule.expression,
        command=str(schedule.revision),
    )
    return schedule


CHANGES = {
    "pause": ("active", {"target": "paused", "due_at": None, "next_at": None}),
    "resume": ("paused", {"target": "active"}),
    "end": (
        ("active", "paused"),
        {"target": "ended", "due_at": None, "next_at": None, "sealed": b""},
    ),
}


@require_POST
@needs(MAKE)
@transaction.atomic
def change(request: HttpRequest, pk: int) -> HttpResponse:
    """Pause, resume or end one's own; a superuser's word counts for all."""
    own = Schedule.objects.all()
    if not request.user.is_superuser:
        own = own.filter(owner=request.user)
    schedule = get_object_or_404(own, pk=pk)
    act = request.POST.get("act", "")
    if act not in CHANGES:
        return redirect(schedule)
    source, changes = CHANGES[act]
    try:
        move(schedule, source=source, **changes)
    except WrongState as problem:
        messages.error(request, str(problem))
        return redirect(schedule)
    if act == "resume":
        firing.begin(schedule)
    audit.record(actor=request.user, act=f"schedule.{act}", subject=schedule, via="page")
    return redirect(schedule)


@require_http_methods(["GET", "HEAD", "POST"])
@needs(FREEZE)
def freeze(request: HttpRequest) -> HttpResponse:
    form = FreezeForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        with transaction.atomic():
            window = form.save()
            audit.record(actor=request.user, act="freeze.made", subject=window, via="page")
        messages.success(request, _("%s is kept.") % window)
        return redirect("commands:schedules")
    status = 400 if form.errors else 200
    return render(request, "commands/freeze.html", {"form": form}, status=status)


@require_POST
@needs(FREEZE)
@transaction.atomic
def thaw(request: HttpRequest, pk: int) -> HttpResponse:
    """End a window now; one that has not begun is taken away."""
    window, now = get_object_or_404(FreezeWindow, pk=pk), timezone.now()
    audit.record(actor=request.user, act="freeze.ended", subject=window, via="page")
    if window.starts_at < now:
        FreezeWindow.objects.filter(pk=pk, ends_at__gt=now).update(ends_at=now)
    else:
        window.delete()
    return redirect("commands:schedules")
