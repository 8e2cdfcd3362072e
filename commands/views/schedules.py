"""Schedules and freezes: listed, made, paused, ended."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.db.models import Exists, Min, OuterRef, Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from commands import elsewhere, expressions, firing, stopping, timed
from commands.forms.schedules import FreezeForm, ScheduleForm
from commands.models import Dispatch, Fire, FreezeWindow, Schedule, TimedLook, TimedRun
from commands.plan import Plan
from commands.shown import picked_by
from commands.views import compose
from commands.views.compose import initial
from commands.views.runs import bars_of
from instances import ecs
from instances.groups import sees_all
from instances.models import Instance, Region
from portal import audit, lists, secrets
from portal.access import needs
from portal.transitions import WrongState, move

LOOK, MAKE, FREEZE = (
    "commands.view_schedule",
    "commands.add_schedule",
    "commands.add_freezewindow",
)
MOST_ELSEWHERE = 200
SHOWN_AFTER_STOP = timedelta(days=1)


@require_GET
@needs(LOOK)
def listing(request: HttpRequest) -> HttpResponse:
    seen = Schedule.objects.visible_to(request.user)
    page = lists.page(request, seen.select_related("revision__command", "owner"), ("name",))
    windows = FreezeWindow.objects.filter(ends_at__gt=timezone.now()).order_by("starts_at")[:50]
    shown = {"page": page, "windows": windows, "now": timezone.now()}
    return render(request, "commands/schedules.html", shown | _elsewhere(request))


def _elsewhere(request: HttpRequest) -> dict[str, Any]:
    """The timed runs that were not made here, and how old that knowledge is."""
    ours = Dispatch.objects.filter(invoke_id=OuterRef("invoke_id"), account=OuterRef("account"))
    seen = TimedRun.objects.visible_to(request.user).filter(~Exists(ours))
    lately = Q(gone_at=None) | Q(stop_asked_at__gt=timezone.now() - SHOWN_AFTER_STOP)
    rows = seen.filter(lately).select_related("account", "stop_asked_by")
    regions = Region.objects.visible_to(request.user).filter(configured=True)
    looks = TimedLook.objects.filter(region__in=regions.values("pk"))
    return {
        "timed_runs": rows.order_by("gone_at", "-created_at")[:MOST_ELSEWHERE],
        "troubles": looks.exclude(problem="").select_related("region__account")[:20],
        "looked_at": looks.aggregate(oldest=Min("looked_at"))["oldest"],
        "observing": ecs.mode() == "observe",
    }


@require_GET
@needs(LOOK)
def detail(request: HttpRequest, pk: int) -> HttpResponse:
    seen = Schedule.objects.visible_to(request.user)
    schedule = get_object_or_404(
        seen.select_related("revision__command", "owner", "timed_run"), pk=pk
    )
    timed = schedule.repeat_mode == Schedule.Repeat.PERIOD
    active = schedule.state == Schedule.State.ACTIVE and timed
    times = firing.read(schedule) if timed else None
    coming = times.coming(timezone.now()) if active else []
    fires = Fire.objects.filter(schedule=schedule).select_related("invocation")
    page = lists.page(request, fires, ("-planned_at",))
    shown = {"schedule": schedule, "coming": coming, "page": page, "run": schedule.timed_run}
    shown["picked_by"] = picked_by(schedule.picked)
    shown["bars"] = bars_of([fire.invocation for fire in page if fire.invocation])
    shown["names_zone"] = times is not None and str(times.zone) in schedule.expression
    shown["own"] = request.user.is_superuser or schedule.owner_id == request.user.pk
    if run := schedule.timed_run:
        shown["stopping"] = stopping.progress(run) if run.stop_asked_at else None
        shown["kept"] = run.dispatches.filter(fire_of=None).select_related("account")
        shown["machines"] = sorted(run.tally().items())
    return render(request, "commands/schedule.html", shown)


@require_POST
@needs(MAKE)
def times(request: HttpRequest) -> HttpResponse:
    """The next times of an expression: the part of the form that follows the typing."""
    said, shown = request.POST.get("expression", "")[:200], {}
    if said.strip() and request.POST.get("repeat_mode", "Period") in ("", "Period"):
        now = timezone.now()
        zone = request.POST.get("zone", "")[:60] or settings.TIME_ZONE
        try:
            shown = {"coming": expressions.read(said, zone, now).coming(now)}
        except expressions.BadExpression as problem:
            shown = {"problem": str(problem)}
    return render(request, "commands/_times.html", shown)


@require_POST
@needs(MAKE)
def look_elsewhere(request: HttpRequest) -> HttpResponse:
    """Have the regions that this person sees asked for their timed runs now."""
    regions = Region.objects.visible_to(request.user).filter(configured=True)
    for look in TimedLook.objects.filter(region__in=regions.values("pk")):
        look.wake()
    messages.info(request, _("ECS is asked for the runs that it repeats."))
    return redirect("commands:schedules")


@require_http_methods(["GET", "HEAD", "POST"])
@needs("commands.stop_run")
def stop_elsewhere(request: HttpRequest, pk: int) -> HttpResponse:
    """GET asks once more; POST has ECS stop it."""
    run = get_object_or_404(TimedRun.objects.visible_to(request.user), pk=pk)
    seen = Instance.objects.visible_to(request.user).filter(pk__in=run.instances.values("pk"))
    if seen.count() < run.size and not sees_all(request.user):
        messages.error(request, _("This run reaches instances that you do not see."))
        return redirect("commands:schedules")
    if request.method != "POST":
        return render(request, "commands/timed_stop.html", {"run": run})
    try:
        elsewhere.stop(run, request.user, via="page")
    except WrongState as problem:
        messages.info(request, str(problem))
    else:
        messages.success(request, _("The run is being stopped."))
    return redirect("commands:schedules")


@require_http_methods(["GET", "HEAD", "POST"])
@needs(MAKE)
def create(request: HttpRequest) -> HttpResponse:
    """The form; then whom it reaches now, as for a run; a second press keeps it."""
    if request.method != "POST":
        form = ScheduleForm(initial=initial(request.GET, request.user), user=request.user)
        return render(request, "commands/schedule_new.html", {"form": form})
    form = ScheduleForm(compose.with_secrets(request.POST), user=request.user)
    stage = request.POST.get("stage", "")
    if not form.is_valid() or stage == "edit":
        status = 200 if stage == "edit" else 400
        return render(request, "commands/schedule_new.html", {"form": form}, status=status)
    planned = compose.planned_of(form)
    if planned is None:
        return render(request, "commands/schedule_new.html", {"form": form}, status=400)
    keep = _have_ecs_keep_it if form.in_ecs_for_good else _fire_it_here
    if stage != "send":
        return keep(request, form, planned, None)
    once = compose.once_of(request.POST.get("once", ""))
    made = Schedule.objects.filter(once=once, owner=request.user)
    if again := made.first():
        return redirect(again)  # the second of two clicks
    try:
        return keep(request, form, planned, once)
    except IntegrityError:
        return redirect(get_object_or_404(made))


def _fire_it_here(
    request: HttpRequest, form: ScheduleForm, planned: Plan, once: UUID | None
) -> HttpResponse:
    """Whom it reaches now tells what it will do; freezes, and whether there is anybody, are
    judged anew each time. Without `once` it is only shown."""
    problem = compose.objection(request.POST, planned, later=True) if once else ""
    if once is None or problem:
        return compose.preview(request, form, planned, problem, later=True)
    return redirect(_make(request, form, once))


def _have_ecs_keep_it(
    request: HttpRequest, form: ScheduleForm, planned: Plan, once: UUID | None
) -> HttpResponse:
    repeats = Schedule.Repeat(form.cleaned_data["repeat_mode"]).label
    shown = {"repeats": repeats, "objections": timed.objections(form, planned)}
    shown["goes_on"] = len(form.times) > 1 or (
        form.cleaned_data["repeat_mode"] == Schedule.Repeat.EVERY_REBOOT
    )
    if once is None:
        return compose.preview(request, form, planned, **shown)
    problem = compose.objection(request.POST, planned) or " ".join(shown["objections"])
    if problem:
        return compose.preview(request, form, planned, problem, **shown)
    try:
        schedule = timed.make(
            form,
            planned,
            by=request.user,
            once=once,
            via="page",
            freeze_reason=compose.why_of(request.POST) if planned.freezes else "",
        )
    except ValidationError as error:
        return compose.preview(request, form, planned, " ".join(error.messages), **shown)
    return redirect(schedule)


@transaction.atomic
def _make(request: HttpRequest, form: ScheduleForm, once: UUID) -> Schedule:
    told = form.cleaned_data
    schedule = Schedule.objects.create(
        once=once,
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
    own = Schedule.objects.filter(kind=Schedule.Kind.PORTAL)  # ECS knows no pause
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
