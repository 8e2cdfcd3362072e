"""What the front page tells: what burns, what waits, what was found, and how it went lately."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from django.db.models import Count
from django.db.models.functions import TruncDate
from django.utils import timezone

from commands.models import Approval, RebootBatch
from diagnostics.models import DiagnosisCase
from instances.event_filter import PENDING
from instances.models import CloudAccount, Instance, Region, SystemEvent
from portal import lists

FAILURES = ("SystemFailure.Reboot", "InstanceFailure.Reboot", "SystemFailure.Redeploy")
LATELY = timedelta(days=7)
DAYS = 14
SHOWN = 8
WIDTH, HEIGHT, GAP, FLOOR = 44, 96, 10, 114  # of a day's bar, in the drawing's own units


@dataclass(frozen=True, slots=True)
class Bar:
    """One day of the trend, with its place in the drawing."""

    day: date
    crashes: int
    failures: int
    x: int
    crash_y: float
    crash_height: float
    failure_y: float
    failure_height: float

    @property
    def total(self) -> int:
        return self.crashes + self.failures

    @property
    def label_y(self) -> float:
        return round(self.failure_y - 4, 1)


def news(user: Any) -> dict[str, object]:
    """Everything the page shows, each part narrowed to what this person may see."""
    shown: dict[str, object] = {}
    if user.has_perm("instances.view_instance"):
        shown |= _fleet(user)
    if user.has_perm("diagnostics.view_diagnosiscase"):
        shown |= _cases(user)
    shown |= _for_me(user)
    if shown:
        shown["trend"] = trend(user)
    return shown


def _for_me(user: Any) -> dict[str, object]:
    """What waits for this person's word, and what they should know is under way."""
    if not user.has_perm("commands.view_rebootbatch"):
        return {}
    approvals = Approval.objects.for_the_word_of(user)
    batches = RebootBatch.objects.visible_to(user).select_related("asked_by")
    reviews = batches.filter(emergency=True, reviewed_at=None).exclude(asked_by=user.pk)
    may_review = user.has_perm("commands.decide_reboot")
    return {
        "approvals": approvals.select_related("invocation", "batch", "requester")[:SHOWN],
        "reviews": reviews.order_by("review_due_at")[:SHOWN] if may_review else [],
        "reboots": batches.filter(state__in=("ready", "running", "paused")).order_by("opens_at")[
            :SHOWN
        ],
    }


def _fleet(user: Any) -> dict[str, object]:
    since = timezone.now() - LATELY
    events = SystemEvent.objects.visible_to(user).select_related("instance")
    silent = Instance.objects.visible_to(user).present().filter(status="Running")
    silent = silent.with_agent("silent").order_by("-agent_heartbeat_at")
    regions = Region.objects.visible_to(user).select_related("account")
    return {
        "failures": events.filter(type__in=FAILURES, published_at__gte=since).order_by(
            "-published_at"
        )[:SHOWN],
        "pending": events.filter(cycle_status__in=PENDING).order_by("not_before")[:SHOWN],
        "silent": silent[:SHOWN],
        "silent_count": lists.count(silent),
        "accounts": CloudAccount.objects.visible_to(user)
        .filter(enabled=True)
        .exclude(problem="")[:SHOWN],
        "unread": not Region.objects.filter(synced_at__isnull=False).exists(),
        "regions": regions.filter(state__in=("doubted", "failed"))[:SHOWN],
    }


def _cases(user: Any) -> dict[str, object]:
    cases = DiagnosisCase.objects.visible_to(user).select_related("instance")
    concluded = cases.filter(state=DiagnosisCase.State.CONCLUDED).order_by("-opened_at")
    since = timezone.now() - LATELY
    return {
        "crashes": concluded.filter(crashed=True, opened_at__gte=since)[:SHOWN],
        "mine": cases.filter(opened_by=user)
        .exclude(state=DiagnosisCase.State.CONCLUDED)
        .order_by("-opened_at")[:SHOWN],
        "verdicts": concluded[:SHOWN],
    }


def trend(user: Any) -> list[Bar]:
    """A bar a day: cases that found a crash, and ECS's own failure events."""
    today = timezone.localdate()
    days = [today - timedelta(days=back) for back in reversed(range(DAYS))]
    since = timezone.now() - timedelta(days=DAYS)
    crashed = DiagnosisCase.objects.visible_to(user).filter(crashed=True, opened_at__gte=since)
    failed = SystemEvent.objects.visible_to(user).filter(type__in=FAILURES, published_at__gte=since)
    crashes, failures = _daily(crashed, "opened_at"), _daily(failed, "published_at")
    most = max([1, *(crashes.get(day, 0) + failures.get(day, 0) for day in days)])
    return [
        _bar(place, day, crashes.get(day, 0), failures.get(day, 0), HEIGHT / most)
        for place, day in enumerate(days)
    ]


def _daily(rows: Any, field: str) -> dict[date, int]:
    days = rows.order_by().annotate(day=TruncDate(field)).values_list("day")
    return dict(days.annotate(Count("pk")))


def _bar(place: int, day: date, crashes: int, failures: int, scale: float) -> Bar:
    crash, failure = crashes * scale, failures * scale
    return Bar(
        day=day,
        crashes=crashes,
        failures=failures,
        x=place * (WIDTH + GAP),
        crash_y=round(FLOOR - crash, 1),
        crash_height=round(crash, 1),
        failure_y=round(FLOOR - crash - failure, 1),
        failure_height=round(failure, 1),
    )
