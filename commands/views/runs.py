"""Runs: the history, and one run told so that the odd machine stands first."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.db.models import Count, Q, QuerySet
from django.http import (
    Http404,
    HttpRequest,
    HttpResponse,
    HttpResponseBadRequest,
    StreamingHttpResponse,
)
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_http_methods

from commands import exporting, grouping, stopping
from commands.forms.runs import AnswerFilter, RunFilter
from commands.models import Fire, Invocation, Outcome, Schedule, Target
from commands.searching import search
from commands.shown import bars, waiting_for
from commands.targets import Reason
from instances.groups import sees_all
from instances.models import Instance
from portal import lists
from portal.access import needs
from portal.transitions import WrongState

LOOK = "commands.view_invocation"
ORDER = ("-asked_at",)
SORTS = {"asked": ("-asked_at",), "size": ("-size",), "state": ("state", "-asked_at")}
COLUMNS = {
    gettext_lazy("Run"): lambda run: run.pk,
    gettext_lazy("Name"): lambda run: run.name,
    gettext_lazy("Type"): lambda run: run.type,
    gettext_lazy("Instances"): lambda run: run.size,
    gettext_lazy("State"): lambda run: run.state,
    gettext_lazy("Outcomes"): lambda run: " ".join(f"{k}={v}" for k, v in run.outcomes.items()),
    gettext_lazy("Asked by"): lambda run: run.asked_by,
    gettext_lazy("Asked"): lambda run: run.asked_at,
    gettext_lazy("Finished"): lambda run: run.finished_at,
}
ANSWER_ORDER = ("pk",)
ANSWER_SORTS = {
    "name": ("instance__name",),
    "status": ("status", "pk"),
    "code": ("exit_code",),
    "finished": ("-finished_at",),
}


@require_GET
@needs(LOOK)
def listing(request: HttpRequest) -> HttpResponse:
    form = RunFilter(request.GET)
    seen = Invocation.objects.visible_to(request.user).select_related("asked_by", "revision")
    found = form.found(seen)
    if "csv" in request.GET:
        return lists.csv(request, found, COLUMNS, name="runs", order=ORDER, sorts=SORTS)
    page = lists.page(request, found, ORDER, sorts=SORTS)
    shown = {"form": form, "page": page, "bars": bars_of(page.rows)}
    return render(request, "commands/runs.html", shown)


def bars_of(runs: list[Invocation]) -> dict[int, list]:
    """Each run's outcomes; those still going are counted by one query for all of them."""
    counts: dict[int, dict[str, int]] = {run.pk: run.outcomes for run in runs}
    going = [run.pk for run in runs if run.state != Invocation.State.FINISHED]
    rows = Target.objects.filter(invocation__in=going).order_by()
    for pk, outcome, number in rows.values_list("invocation", "outcome").annotate(Count("pk")):
        counts[pk] = {**counts[pk], outcome: number}
    return {pk: bars(outcomes) for pk, outcomes in counts.items()}


def _run(request: HttpRequest, pk: int) -> Invocation:
    seen = Invocation.objects.visible_to(request.user)
    return get_object_or_404(seen.select_related("asked_by", "revision__command"), pk=pk)


def _targets(request: HttpRequest, run: Invocation) -> QuerySet[Target]:
    """The answers of instances that this person may see."""
    targets = Target.objects.filter(invocation=run)
    if sees_all(request.user):
        return targets
    return targets.filter(instance__in=Instance.objects.visible_to(request.user).values("pk"))


@require_GET
@needs(LOOK)
def detail(request: HttpRequest, pk: int) -> HttpResponse:
    """Counts, groups of identical answers, then every answer that fits the filter."""
    run = _run(request, pk)
    form = AnswerFilter(request.GET)
    found, looked = _found(form, _targets(request, run))
    shown = _progress(request, run)
    rows = found.select_related("instance")
    known = None if form.has_changed() else shown["seen"]
    page = lists.page(request, rows, ANSWER_ORDER, sorts=ANSWER_SORTS, known=known)
    shown |= {"form": form, "page": page, "looked": looked, "narrowed": form.has_changed()}
    shown |= _of_schedule(run)
    return render(request, "commands/run.html", shown)


def _of_schedule(run: Invocation) -> dict[str, Any]:
    """The schedule that this run is of, and whether it is one time of a run that ECS keeps.

    Whoever sees a run of a schedule sees the schedule.
    """
    fire = Fire.objects.filter(invocation=run).select_related("schedule").first()
    schedule = fire.schedule if fire else Schedule.objects.filter(timed_run=run).first()
    return {"schedule": schedule, "fire_of": bool(fire and schedule.timed_run_id)}


@require_GET
@needs(LOOK)
def progress(request: HttpRequest, pk: int) -> HttpResponse:
    """The part of a run's page that refreshes itself until the run is over."""
    shown = _progress(request, _run(request, pk))
    answer = render(request, "commands/_run_progress.html", shown)
    if shown["over"]:
        answer["HX-Refresh"] = "true"  # once more as a whole: the answers below are final now
    return answer


def _progress(request: HttpRequest, run: Invocation) -> dict[str, Any]:
    targets = _targets(request, run)
    by = request.GET.get("by", grouping.EXACT)
    by = by if by in grouping.KEYS else grouping.EXACT
    over = run.state == Invocation.State.FINISHED
    whole = over and sees_all(request.user)
    counts = run.outcomes if whole else _counts(targets)
    seen = sum(counts.values())
    return {
        "run": run,
        "over": over,
        "by": by,
        "bars": bars(counts),
        "seen": seen,
        "hidden": run.size - seen,
        "going": counts.get("", 0),
        "waiting_for": "" if over else waiting_for(run),
        "groups": grouping.grouped(
            targets, by, f"{run.pk}:{run.finished_at.timestamp()}" if whole else ""
        ),
        "stopping": stopping.progress(run) if run.stop_asked_at else None,
        "again": _ends(targets) if over else [],
        "left_out": _left_out(request.user, run),
    }


def _left_out(user: Any, run: Invocation) -> list[tuple[str, int, list[str]]]:
    """(why, how many, the first of them by name): names only for whoever saw them already."""
    labels = dict(Reason.choices)
    named = run.asked_by_id == user.pk or sees_all(user)
    return [
        (labels.get(reason, reason), told["count"], told["names"] if named else [])
        for reason, told in run.left_out.items()
    ]


def _ends(targets: QuerySet[Target]) -> list[tuple[str, str, str, int, bool]]:
    """(outcome, status, what it means, how many, whether it went badly) of every way in which some
    ended. One status can mean two things: ECS calls an exit code of 194 failed, too."""
    rows = targets.order_by("outcome", "status").values_list("outcome", "status")
    good = Outcome.good()
    return [
        (outcome, status, Outcome(outcome).label, number, outcome not in good)
        for outcome, status, number in rows.annotate(Count("pk"))
    ]


def _counts(targets: QuerySet[Target]) -> dict[str, int]:
    return dict(targets.order_by().values_list("outcome").annotate(Count("pk")))


def _found(
    form: AnswerFilter, targets: QuerySet[Target], *, to_the_end: bool = False
) -> tuple[QuerySet[Target], Any]:
    """The answers that fit, and how far the outputs were searched for the text."""
    found = form.narrowed(targets)
    text = form.cleaned_data.get("text", "") if form.is_valid() else ""
    if not text:
        return found, None
    looked = search(found, text, pattern=form.is_pattern, to_the_end=to_the_end)
    if form.is_pattern:
        return found.filter(output__in=looked.digests), looked
    named = Q(instance__name__icontains=text) | Q(instance__instance_id__icontains=text)
    return found.filter(named | Q(output__in=looked.digests)), looked


@require_http_methods(["GET", "HEAD", "POST"])
@needs("commands.stop_run")
def stop(request: HttpRequest, pk: int) -> HttpResponse:
    """GET asks once more, and says how many; POST stops."""
    run = _run(request, pk)
    if _targets(request, run).count() < run.size:
        messages.error(request, _("This run reaches instances that you do not see."))
        return redirect(run)
    if request.method != "POST":
        going = run.targets.filter(over=False).count()
        return render(request, "commands/stop.html", {"run": run, "going": going})
    try:
        stopping.stop(run, request.user, via="page")
    except WrongState:
        messages.info(request, _("The run was over already."))
    else:
        messages.success(request, _("The run is being stopped."))
    return redirect(run)


@require_GET
@needs(LOOK)
def export(request: HttpRequest, pk: int, form: str) -> HttpResponse:
    """Every answer that fits the filter, as CSV, JSON or plain text."""
    run = _run(request, pk)
    answers = _targets(request, run)
    filter = AnswerFilter(request.GET)
    if not filter.is_valid():  # an empty file would look like no answer
        words = [str(word) for said in filter.errors.values() for word in said]
        return HttpResponseBadRequest(" ".join(words), content_type="text/plain; charset=utf-8")
    found, _looked = _found(filter, answers, to_the_end=True)
    name = f"run-{run.pk}"
    if form == "csv":
        rows = found.select_related("instance", "output")
        return lists.csv(request, rows, exporting.COLUMNS, name=name, order=ANSWER_ORDER)
    if form not in exporting.FORMS:
        raise Http404
    media_type, write = exporting.FORMS[form]
    return StreamingHttpResponse(
        write(found),
        content_type=media_type,
        headers={
            "Content-Disposition": f'attachment; filename="{name}.{form}"',
            "X-Content-Type-Options": "nosniff",
        },
    )
