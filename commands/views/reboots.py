"""Batches of reboots: the history, one batch live, one instance's part, the report."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import Count, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_POST

from commands.forms.reboots import BatchFilter, ItemFilter
from commands.models import BatchState, ItemOutcome, RebootBatch, RebootItem
from commands.reboots import report, shown, steering
from instances.groups import sees_all
from instances.models import Instance
from portal import lists
from portal.access import needs
from portal.transitions import WrongState

LOOK, STEER, DECIDE = (
    "commands.view_rebootbatch",
    "commands.reboot",
    "commands.decide_reboot",
)
ORDER = ("-asked_at",)
SORTS = {"asked": ("-asked_at",), "size": ("-size",), "state": ("state", "-asked_at")}
ITEM_ORDER = ("place",)
ITEM_SORTS = {"name": ("instance__name",), "wave": ("wave__number",), "outcome": ("outcome",)}
COLUMNS = {
    gettext_lazy("Batch"): lambda batch: batch.pk,
    gettext_lazy("Name"): lambda batch: batch.name,
    gettext_lazy("Way down"): lambda batch: batch.way,
    gettext_lazy("Instances"): lambda batch: batch.size,
    gettext_lazy("State"): lambda batch: batch.state,
    gettext_lazy("Ending"): lambda batch: batch.ending,
    gettext_lazy("Asked by"): lambda batch: batch.asked_by,
    gettext_lazy("Asked"): lambda batch: batch.asked_at,
    gettext_lazy("Finished"): lambda batch: batch.finished_at,
}


@require_GET
@needs(LOOK)
def listing(request: HttpRequest) -> HttpResponse:
    form = BatchFilter(request.GET)
    seen = RebootBatch.objects.visible_to(request.user).select_related("asked_by")
    found = form.found(seen)
    if "csv" in request.GET:
        return lists.csv(request, found, COLUMNS, name="reboots", order=ORDER, sorts=SORTS)
    page = lists.page(request, found, ORDER, sorts=SORTS)
    return render(
        request,
        "commands/reboots/list.html",
        {"form": form, "page": page, "bars": _bars(page.rows)},
    )


def _bars(batches: list[RebootBatch]) -> dict[int, list]:
    rows = RebootItem.objects.filter(batch__in=[batch.pk for batch in batches]).order_by()
    counted: dict[int, dict[str, int]] = {}
    for pk, outcome, number in rows.values_list("batch", "outcome").annotate(Count("pk")):
        counted.setdefault(pk, {})[outcome] = number
    return {pk: shown.bars(found) for pk, found in counted.items()}


def _batch(request: HttpRequest, pk: int) -> RebootBatch:
    seen = RebootBatch.objects.visible_to(request.user)
    return get_object_or_404(
        seen.select_related("asked_by", "continues", "pre_revision", "post_revision"), pk=pk
    )


def _items(request: HttpRequest, batch: RebootBatch) -> QuerySet[RebootItem]:
    """The part of the batch in the part of the fleet that this person sees."""
    seen = Instance.objects.visible_to(request.user).values("pk")
    return RebootItem.objects.filter(batch=batch, instance__in=seen)


@require_GET
@needs(LOOK)
def detail(request: HttpRequest, pk: int) -> HttpResponse:
    batch = _batch(request, pk)
    form = ItemFilter(request.GET)
    found = form.found(_items(request, batch)).select_related("instance", "wave")
    page = lists.page(request, found, ITEM_ORDER, sorts=ITEM_SORTS)
    told = _progress(request, batch) | {"form": form, "page": page}
    told["approvals"] = batch.approvals.order_by("pk").prefetch_related(
        "decisions__person", "decisions__rule"
    )
    whole = sees_all(request.user)
    told["names_left_out"] = whole or batch.asked_by_id == request.user.pk
    told["continued_by"] = batch.continued_by.order_by("pk")
    return render(request, "commands/reboots/batch.html", told)


@require_GET
@needs(LOOK)
def progress(request: HttpRequest, pk: int) -> HttpResponse:
    """The part of a batch's page that refreshes itself until the batch is over."""
    told = _progress(request, _batch(request, pk))
    answer = render(request, "commands/reboots/_progress.html", told)
    if told["batch"].over:
        answer["HX-Refresh"] = "true"
    return answer


def _progress(request: HttpRequest, batch: RebootBatch) -> dict[str, Any]:
    items = _items(request, batch)
    found = shown.counts(items)
    seen = sum(found.values())
    waves = []
    by_wave: dict[int, dict[str, int]] = {}
    rows = items.exclude(wave=None).order_by()
    for pk, outcome, number in rows.values_list("wave", "outcome").annotate(Count("pk")):
        by_wave.setdefault(pk, {})[outcome] = number
    for wave in batch.waves.order_by("number"):
        waves.append((wave, shown.bars(by_wave.get(wave.pk, {}))))
    waiting = batch.approvals.filter(state="waiting").first()
    own = batch.asked_by_id == request.user.pk
    return {
        "batch": batch,
        "tone": shown.tone_of(batch),
        "headline": shown.headline(batch, found),
        "bars": shown.bars(found),
        "waits_for": shown.waits_for(batch),
        "waves": waves,
        "seen": seen,
        "hidden": batch.size - seen,
        "waiting": waiting,
        "can_pause": batch.state in (BatchState.READY, BatchState.RUNNING)
        and not batch.stop_asked_at,
        "can_resume": batch.state == BatchState.PAUSED and waiting is None,
        "can_stop": not batch.over and not batch.stop_asked_at,
        "can_continue": batch.over and any(found.get(o) for o in ItemOutcome.to_continue()),
        "can_review": batch.emergency and not batch.reviewed_at and not own,
        "owes_review": batch.emergency and not batch.reviewed_at,
        "pending": found.get("", 0),
    }


@require_GET
@needs(LOOK)
def item(request: HttpRequest, batch: int, pk: int) -> HttpResponse:
    """One instance's part: what was seen, what was done once, and what proves it."""
    found = _items(request, _batch(request, batch)).select_related(
        "batch__asked_by", "instance", "wave", "pre_target__invocation", "post_target__invocation"
    )
    row = get_object_or_404(found, pk=pk)
    told = {
        "item": row,
        "batch": row.batch,
        "tone": shown.TONES.get(row.outcome, "unknown"),
        "reason": shown.reason_words(row),
        "timeline": shown.timeline(row),
        "others": RebootItem.objects.filter(instance=row.instance)
        .exclude(pk=row.pk)
        .select_related("batch")
        .order_by("-pk")[:10],
    }
    return render(request, "commands/reboots/item.html", told)


@require_GET
@needs(LOOK)
def export(request: HttpRequest, pk: int, form: str) -> HttpResponse:
    """The final report: html to read and print, md, csv."""
    batch = _batch(request, pk)
    items = _items(request, batch).select_related("instance", "wave", "batch")
    if form == "csv":
        return lists.csv(
            request, items, report.COLUMNS, name=f"reboots-{batch.pk}", order=ITEM_ORDER, sorts={}
        )
    if form == "md":
        answer = HttpResponse(
            report.markdown(batch, items), content_type="text/markdown; charset=utf-8"
        )
        answer["Content-Disposition"] = f'attachment; filename="reboots-{batch.pk}.md"'
        return answer
    if form != "html":
        raise Http404
    found = shown.counts(items)
    told = {
        "batch": batch,
        "tone": shown.tone_of(batch),
        "headline": shown.headline(batch, found),
        "outcomes": list(report.by_outcome(items)),
        "approvals": batch.approvals.order_by("pk"),
        "waves": batch.waves.order_by("number"),
        "hidden": batch.size - sum(found.values()),
    }
    return render(request, "commands/reboots/report.html", told)


ACTS = {"pause": steering.pause, "resume": steering.resume, "stop": steering.stop}


@require_POST
@needs(STEER)
def steer(request: HttpRequest, pk: int) -> HttpResponse:
    """Pause, resume or stop."""
    batch = _batch(request, pk)
    act = ACTS.get(request.POST.get("act", ""))
    if act is None:
        raise PermissionDenied
    try:
        act(batch, by=request.user, via="page")
    except (WrongState, PermissionDenied) as refusal:
        messages.error(request, str(refusal) or _("You may not do this."))
    return redirect(batch)


@require_POST
@needs(DECIDE)
def review(request: HttpRequest, pk: int) -> HttpResponse:
    """Somebody else has looked at an emergency."""
    batch = _batch(request, pk)
    try:
        steering.review(batch, by=request.user, text=request.POST.get("review", ""), via="page")
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
    except (WrongState, PermissionDenied) as refusal:
        messages.error(request, str(refusal) or _("You may not do this."))
    else:
        messages.success(request, _("Your review is kept."))
    return redirect(batch)
