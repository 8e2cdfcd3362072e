"""Waiting for the return: look at ECS's status, read the boot of what runs again, judge in time."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from django.db import transaction
from django.utils import timezone

from commands.models import (
    CommandType,
    ItemState,
    RebootBatch,
    RebootItem,
    RebootWave,
    Verdict,
    WaveRun,
    Way,
)
from commands.outcomes import RESTART_CODES, STOP_CODES
from commands.reboots import items, planning, proof, telling, wave_runs
from instances import refresh
from instances.event_filter import PENDING
from instances.models import Instance, SystemEvent
from portal.kept import kept
from portal.work import Claim

SOON, LATEST = timedelta(seconds=1), timedelta(seconds=15)
TOGETHER = timedelta(seconds=1.5)  # so long the first one back waits for others to be probed along
UNSEEN = timedelta(seconds=30)  # a machine that was never seen down is probed after so long
BLIND_FOR = timedelta(minutes=10)
AGAIN = (5, 10, 20, 40, 60)  # seconds between probes of one instance
Purpose = WaveRun.Purpose
NO_EXIT_CODE = kept("The script ended without the code that takes the machine down: %(ending)s")
BEFORE_AND_AFTER = "after_boot_id after_booted_at after_started_at after_status down_seen_at"
FIELDS = [*BEFORE_AND_AFTER.split(), "up_seen_at", "probe_at", "probing", "probes"]


def prove(claim: Claim[RebootWave]) -> bool:
    """One look; whether everybody who was taken down has a verdict now."""
    wave = claim.row
    batch = wave.batch
    with claim.held():
        asked = [item.instance for item in _awaited(wave)]
        look = refresh.look_again(asked, agents=False, planned=False)
    with transaction.atomic():
        gives_up = wave.deadline or timezone.now() + BLIND_FOR
        claim.write(deadline=gives_up if look.problems else None)
        _take_over_power(wave)
        awaited = _awaited(wave)
        known = {item.pk: _state(item) for item in awaited}
        _take_over_probes(wave, awaited)
        now = timezone.now()
        for item in awaited:
            _note_status(item, now, listed=item.instance_id not in look.missing)
        if batch.comes_back:
            _probe(wave, awaited, now)
        changed = [item for item in awaited if _state(item) != known[item.pk]]
        RebootItem.objects.bulk_update(changed, FIELDS, batch_size=200)
        for item in awaited:
            blind = (item.instance.account_id, item.instance.region) in look.problems
            waits = blind and now < gives_up
            if verdict := _verdict(batch, item, now, blind=blind, waits=waits):
                items.judge(item, verdict, to_be_checked=bool(batch.post_script))
    return not wave.items.filter(state=ItemState.ASKED).exists()


def _state(item: RebootItem) -> list:
    return [getattr(item, name) for name in FIELDS]


def _awaited(wave: RebootWave) -> list[RebootItem]:
    return list(wave.items.filter(state=ItemState.ASKED).select_related("instance"))


def next_look(wave: RebootWave, now: datetime) -> datetime:
    """A twentieth of the time since they went down, from one second to fifteen."""
    asked = wave.items.filter(state=ItemState.ASKED).order_by("asked_at")
    first = asked.values_list("asked_at", flat=True).first()
    age = now - first if first else timedelta()
    ends = asked.order_by("back_by").values_list("back_by", flat=True).first()
    look = now + min(max(age / 20, SOON), LATEST)
    return min(look, max(ends, now + SOON)) if ends else look


def _take_over_power(wave: RebootWave) -> None:
    """Where the script's own exit code takes them down, its answers are ECS's word."""
    for item, target in wave_runs.take_over(wave, Purpose.POWER):
        system = CommandType(wave.batch.pre_script["type"]).os_type
        codes = {STOP_CODES[system], RESTART_CODES[system]}
        rows = RebootItem.objects.filter(pk=item.pk)
        rows.update(pre_target=target)
        if target.outcome == "going_down":
            now = timezone.now()
            back = timedelta(seconds=wave.batch.back_within(item.instance))
            rows.update(answered_at=now, back_by=now + back, in_doubt=False)
        elif target.outcome in ("unknown", "stopped") or target.exit_code in codes:
            rows.update(in_doubt=True, reason=wave_runs.in_words(target)[:2000])
        elif target.outcome == "not_started":
            items.refuse(item, target.error_code, target.error_info)
        elif target.outcome == "unreached":
            items.refuse(item, target.error_code, wave_runs.in_words(target))
        elif target.outcome == "ok" or target.exit_code is not None:
            items.refuse(
                item,
                "NoExitCode",
                NO_EXIT_CODE % {"ending": wave_runs.in_words(target)},
            )
        else:  # it began, and how it ended is not known: the machine may have gone down
            rows.update(in_doubt=True, reason=wave_runs.in_words(target)[:2000])


def _take_over_probes(wave: RebootWave, awaited: list[RebootItem]) -> None:
    """One that never answers keeps nobody else waiting: whoever answered is taken at once."""
    now = timezone.now()
    answered = wave_runs.newest(wave, Purpose.AFTER, [i for i in awaited if i.probing])
    for item, target in answered:
        item.probing = False
        item.probe_at = now + timedelta(seconds=AGAIN[min(item.probes, len(AGAIN)) - 1])
        reading = wave_runs.reading_of(item, target)
        # The newest probe counts: what answered a while ago may hang by now.
        item.after_boot_id = reading.boot_id if reading else ""
        item.after_booted_at = reading.booted_at if reading else None


def _note_status(item: RebootItem, now: datetime, *, listed: bool) -> None:
    instance = item.instance
    if not listed:  # released, or hidden for a moment: nothing is known of it
        item.after_status = ""
        return
    item.after_status, item.after_started_at = instance.status, instance.started_at
    if instance.status != "Running":
        item.down_seen_at, item.up_seen_at = item.down_seen_at or now, None
        item.after_boot_id, item.after_booted_at = "", None
        return
    went = item.down_seen_at is not None or item.after_started_at != item.before_started_at
    if item.up_seen_at is None and went:
        item.up_seen_at = item.probe_at = now
    elif item.up_seen_at is None and item.probe_at is None:
        item.probe_at = item.asked_at + UNSEEN


def _probe(wave: RebootWave, awaited: list[RebootItem], now: datetime) -> None:
    """Ask those that seem to be back, some at a time."""
    ready = [
        item
        for item in awaited
        if item.after_status == "Running"
        and not item.probing
        and (item.probe_at is not None and item.probe_at <= now)
    ]
    if not ready:
        return
    absent = any(item.up_seen_at is None and not item.probing for item in awaited)
    waited = now - min(item.probe_at for item in ready)
    if absent and waited < TOGETHER:
        return
    wave_runs.probe(wave, Purpose.AFTER, ready)
    for item in ready:
        item.probing, item.probes = True, item.probes + 1


def _verdict(
    batch: RebootBatch, item: RebootItem, now: datetime, *, blind: bool, waits: bool
) -> str:
    """Empty while nothing is proven and there is time. What runs is asked once more when the time
    is up, and judged by that: nobody may have looked for long."""
    unheard = item.probing or item.probe_at is None or item.probe_at <= now
    heard_first = batch.comes_back and item.after_status == "Running" and unheard
    time_is_up = now >= item.back_by and not waits and (blind or not heard_first)
    if not batch.comes_back:
        return proof.went_down(item.after_status, time_is_up=time_is_up, blind=blind)
    return proof.came_back(seen_of(item, batch.way, blind=blind), time_is_up=time_is_up)


def seen_of(item: RebootItem, way: str, *, blind: bool = False) -> proof.Seen:
    started = way == Way.START
    return proof.Seen(
        before=_reading(item.before_boot_id, item.before_booted_at),
        after=_reading(item.after_boot_id, item.after_booted_at),
        asked_at=item.asked_at,
        was_stopped=started,
        known_boot_id=item.before_boot_id if started else "",
        running=item.after_status == "Running",
        blind=blind,
    )


def _reading(boot_id: str, booted_at: datetime | None) -> proof.Reading | None:
    return proof.Reading(boot_id, booted_at) if boot_id and booted_at else None


# --- Those that come back late ------------------------------------------------------------------

LATE_FOR = planning.LOST_FOR
LATE = (Verdict.NOT_BACK, Verdict.SAME_BOOT, Verdict.UNVERIFIED)


def late_ones(wave: RebootWave) -> list[RebootItem]:
    """Who may still come back, and has not yet."""
    rows = wave.items.filter(verdict__in=LATE, late_at=None).exclude(before_boot_id="")
    return list(rows.select_related("instance"))


def look_for_late_ones(claim: Claim[RebootWave]) -> None:
    """A late return is added to the item; its verdict stays what it was."""
    wave, rows = claim.row, late_ones(claim.row)
    with claim.held():
        refresh.look_again([item.instance for item in rows], planned=False)
    with transaction.atomic():
        claim.renew()
        now, by_key = timezone.now(), {item.pk: item for item in rows}
        for asked, target in wave_runs.take_over(wave, Purpose.AFTER):
            if item := by_key.get(asked.pk):
                _note_late(item, wave_runs.reading_of(asked, target), now)
        if any(item.late_at for item in rows):
            telling.back(wave.batch)
        answering = [item for item in rows if item.late_at is None and _answers(item)]
        if answering and not wave_runs.going(wave, Purpose.AFTER):
            wave_runs.probe(wave, Purpose.AFTER, answering)


def _note_late(item: RebootItem, after: proof.Reading | None, now: datetime) -> None:
    before = _reading(item.before_boot_id, item.before_booted_at)
    if before is None:  # it was started: any boot is another than the one before
        late = after is not None and after.boot_id != item.before_boot_id
    else:
        late = after is not None and proof.is_new_boot(before, after, item.asked_at)
    if late:
        item.late_at, item.late_boot_id = now, after.boot_id
        item.save(update_fields=["late_at", "late_boot_id"])


def _answers(item: RebootItem) -> bool:
    item.instance.refresh_from_db()
    return item.instance.status == "Running" and item.instance.agent_state() == "alive"


def with_open_event(wave: RebootWave) -> list[RebootItem]:
    """Those that were taken down, and had an event planned whose end is not known yet."""
    rows = wave.items.exclude(event_id="").exclude(asked_at=None)
    return [item for item in rows if item.event_status in ("", *PENDING)]


def note_events(rows: Iterable[RebootItem]) -> None:
    """What became of the planned events of these items: the API's reboot makes them Avoided."""
    for item in rows:
        event = SystemEvent.objects.filter(event_id=item.event_id).first()
        if event and event.cycle_status != item.event_status:
            item.event_status = event.cycle_status
            item.save(update_fields=["event_status"])


def remember_boots(wave: RebootWave) -> None:
    """The fleet's own rows know the newest boot as well."""
    for item in wave.items.exclude(after_boot_id=""):
        Instance.objects.filter(pk=item.instance_id).update(
            boot_id=item.after_boot_id, booted_at=item.after_booted_at
        )
