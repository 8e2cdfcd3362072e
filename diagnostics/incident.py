"""When did it go down: the incident window, from the guest's boot time, the reporter and ECS."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from diagnostics.facts import Event, Facts
from diagnostics.findings import Analysis, Window
from diagnostics.wording import Text
from diagnostics.wording import say as _

BEFORE_BOOT = timedelta(minutes=30)  # how long a going-down may take when no record tells
SLACK = timedelta(minutes=10)  # clocks differ; ECS closes an event some minutes after the boot
LONG_AGO = timedelta(days=7)  # "time unknown" means lately
CURRENT_BOOT = {"dmesg", "journal_current"}

CRASHES = frozenset(
    {
        "kernel_panic",
        "bugcheck",
        "critical_process_restart",
        "power_button_forced",
    }
)
ORDERLY = frozenset(
    {
        "normal_reboot",
        "planned_user",
        "planned_update",
        "planned_software",
        "planned_setup",
        "planned_platform",
        "planned_unknown_initiator",
    }
)
UNEXPLAINED = frozenset({"unexplained_reboot", "unclean_no_bugcheck", "unclean_unknown_code"})
GOES_DOWN = CRASHES | ORDERLY | UNEXPLAINED
WHILE_UP = frozenset({"none_app_crash", "none_resource_exhaustion"})


@dataclass(frozen=True, slots=True)
class Incident:
    """`went_down` None: nobody could tell. `window` is what other sources are held against."""

    window: Window | None
    went_down: bool | None
    basis: Text
    went_down_at: datetime | None = None
    came_back_at: datetime | None = None
    other: datetime | None = None  # it did go down, but then: outside of what was asked
    last_sign: bool = False  # `went_down_at` is its last sign of life: it went down after that

    def minutes(self) -> int | None:
        if self.went_down_at is None or self.came_back_at is None:
            return None
        seconds = (self.came_back_at - self.went_down_at).total_seconds()
        return max(1, round(seconds / 60)) if seconds > 0 else 0

    def down_by(self, seen: datetime | None) -> datetime | None:
        """When it went down; `seen`: when somebody outside saw that, better than a last sign."""
        known, back = self.went_down_at, self.came_back_at
        if known is None or seen is None or not self.last_sign:
            return known or seen
        return seen if known <= seen and (back is None or seen <= back) else known


def overlaps(one: Window, other: Window) -> bool:
    return one.start <= other.end and other.start <= one.end


def span(event: Event) -> Window | None:
    """From when to when the event acted. Maintenance is published days before it acts."""
    end = event.finished_at or event.not_before or event.published_at
    if end is None:
        return None
    starts = [at for at in (event.not_before, event.published_at) if at and at <= end]
    unexpected = event.type.startswith(("SystemFailure", "InstanceFailure"))
    start = min(starts) if unexpected and starts else (starts[0] if starts else end)
    if not unexpected and end - start > BEFORE_BOOT and start == event.published_at:
        start = end - BEFORE_BOOT
    return Window(start, end)


def fits(event: Event, window: Window | None) -> bool:
    acted = span(event)
    return bool(window and acted and overlaps(acted, window))


def settle(facts: Facts) -> Incident:
    """The incident window, and whether the machine went down in it."""
    if facts.boot is None:
        return _without_the_guest(facts)
    if facts.reported is None:
        return _last_boot(facts)
    return _reported(facts, facts.reported)


def _record(facts: Facts) -> Analysis | None:
    return facts.guest if facts.guest and facts.guest.verdict.kind in GOES_DOWN else None


def down_of(analysis: Analysis) -> datetime | None:
    """When it went down, where the record tells; `at` may be the boot after it alone."""
    if "down_at" in analysis.details and analysis.details["down_at"] is None:
        return None
    return analysis.at


def _last_down(facts: Facts) -> tuple[Window, datetime | None, bool]:
    """The going-down before the present boot, its time where a record has it, and whether that is
    only the last sign of life before it."""
    boot = facts.boot.at
    record = _record(facts)
    at = down_of(record) if record else None
    at = at if at and at <= boot else None
    last_sign = bool(at and record.details.get("heartbeat"))
    if at is None and facts.earlier_boots:
        end = facts.earlier_boots[-1].end
        at, last_sign = (end, True) if end <= boot else (None, False)
    return Window(at or boot - BEFORE_BOOT, boot), at, last_sign


def _around(down: Window) -> Window:
    return Window(down.start - SLACK, down.end + SLACK)


def crashed(record: Analysis | None) -> bool:
    return record is not None and record.verdict.kind in CRASHES


def since_boot(boot: datetime, now: datetime, record: Analysis | None) -> Window | None:
    """What to look at when no time was given and the last boot is long past and was no crash."""
    quiet = now - boot > LONG_AGO and not crashed(record)
    return Window(boot + SLACK, now) if quiet else None


def _last_boot(facts: Facts) -> Incident:
    boot = facts.boot.at
    down, at, last_sign = _last_down(facts)
    if facts.now - boot > LONG_AGO and not crashed(facts.guest):
        basis = _("No time was given. It has been up since %(boot)s.", boot=boot)
        return Incident(Window(boot, facts.now), False, basis, other=boot)
    if happened_since_boot(facts):
        basis = _(
            "No time was given. It has been up since %(boot)s; what the records show is later.",
            boot=boot,
        )
        return Incident(Window(boot, facts.now), False, basis, other=boot)
    basis = _("No time was given, so this is the last boot: %(boot)s.", boot=boot)
    return Incident(_around(down), True, basis, at, boot, last_sign=last_sign)


def happened_since_boot(facts: Facts) -> bool:
    """The guest's verdict is about the present boot, so the machine stayed up with it."""
    record = facts.guest
    if record is None or facts.boot is None or record.verdict.kind in GOES_DOWN | {"none"}:
        return False
    if record.verdict.kind in WHILE_UP:
        return True
    if record.at is not None:
        return record.at >= facts.boot.at
    quotes = [finding.quote.source for finding in record.findings if finding.quote]
    return bool(quotes) and quotes[0] in CURRENT_BOOT


def _reported(facts: Facts, asked: Window) -> Incident:
    boot = facts.boot.at
    down, at, last_sign = _last_down(facts)
    if overlaps(down, asked):
        basis = _("The guest's present boot began at %(boot)s, which fits the report.", boot=boot)
        return Incident(_around(down), True, basis, at, boot, last_sign=last_sign)
    earlier = _earlier(facts, asked)
    if earlier:
        return earlier
    if boot <= asked.start:
        basis = _(
            "It has been up since %(boot)s, so it did not go down between %(start)s and %(end)s.",
            boot=boot,
            start=asked.start,
            end=asked.end,
        )
        return Incident(asked, False, basis, other=boot)
    return _booted_after(facts, asked)


def _earlier(facts: Facts, asked: Window) -> Incident | None:
    """A going-down between two earlier boots that fits the report."""
    boots = [*facts.earlier_boots, Window(facts.boot.at, facts.now)]
    for before, after in zip(boots, boots[1:], strict=False):
        down = Window(min(before.end, after.start), after.start)
        if overlaps(down, asked):
            basis = _("An earlier boot began at %(boot)s, which fits the report.", boot=after.start)
            last = facts.boot.at if after.start != facts.boot.at else None
            return Incident(
                _around(down), True, basis, before.end, after.start, other=last, last_sign=True
            )
    return None


def _booted_after(facts: Facts, asked: Window) -> Incident:
    boot = facts.boot.at
    if any(up.start <= asked.start and asked.end <= up.end for up in facts.earlier_boots):
        basis = _(
            "It was up through the whole reported time; it went down later, before its boot at"
            " %(boot)s.",
            boot=boot,
        )
        return Incident(asked, False, basis, other=boot)
    basis = _(
        "The present boot began at %(boot)s, after the reported time, and no record of the boot"
        " before it was found.",
        boot=boot,
    )
    return Incident(asked, None, basis, other=boot)


def _without_the_guest(facts: Facts) -> Incident:
    started, status = facts.machine.started_at, facts.machine.status
    if status in ("Stopped", "Stopping"):
        window = facts.reported or (Window(started, facts.now) if started else None)
        return Incident(window, True, _("ECS lists it as %(status)s.", status=status))
    if facts.reported is None and (at := _told_of_later(facts, started)):
        basis = _("No time was given, so this is what the records tell of: %(at)s.", at=at)
        return Incident(_around(Window(at, at)), True, basis, at)
    if started and (facts.reported is None or _start_fits(facts.reported, started)):
        window = Window(started - BEFORE_BOOT, started + SLACK)
        basis = _("ECS says that it was last started at %(start)s (to the minute).", start=started)
        if facts.reported:
            return Incident(facts.reported, True, basis, None, started)
        return Incident(window, None, basis)
    if facts.reported:
        basis = _("Only the report tells the time; the guest's boot time is not known.")
        return Incident(Window(facts.reported.start, facts.reported.end), None, basis)
    return Incident(None, None, _("Neither the report nor the guest tells a time."))


def _told_of_later(facts: Facts, started: datetime | None) -> datetime | None:
    """When it went down by a dated record, where ECS knows no later start: it does not see a
    guest restart by itself. Of the console's only a crash, for who knows how old the rest is."""
    told = [_record(facts), facts.console if crashed(facts.console) else None]
    times = [record.at for record in told if record and record.at]
    return next((at for at in times if started is None or at > started + SLACK), None)


def _start_fits(asked: Window, started: datetime) -> bool:
    return asked.start <= started <= asked.end + SLACK
