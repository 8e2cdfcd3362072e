"""What people can be told of: a closed list, each with the words that rules and messages use."""

from __future__ import annotations

from dataclasses import dataclass

from django.db import models
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _


class Severity(models.IntegerChoices):
    INFO = 10, _("for information")
    ATTENTION = 20, _("wants attention")
    BAD = 30, _("bad news")


TONES = {Severity.INFO: "going", Severity.ATTENTION: "attention", Severity.BAD: "bad"}


@dataclass(frozen=True, slots=True)
class Event:
    name: str
    title: str | Promise
    severity: Severity  # unless whoever tells says otherwise
    always: bool = False  # those whom it concerns are told whatever the rules say


INFO, ATTENTION, BAD = Severity.INFO, Severity.ATTENTION, Severity.BAD
EVENTS: dict[str, Event] = {
    event.name: event
    for event in (
        Event("approval.asked", _("An approval is asked for"), ATTENTION),
        Event("approval.reminder", _("An approval is still waiting"), ATTENTION),
        Event("approval.decided", _("An approval was decided"), INFO),
        Event("approval.expired", _("An approval expired"), ATTENTION),
        Event("reboot.started", _("A reboot began"), INFO),
        Event("reboot.paused", _("A reboot was paused"), ATTENTION),
        Event("reboot.halted", _("A reboot was halted"), BAD),
        Event("reboot.finished", _("A reboot is finished"), INFO),
        Event("reboot.emergency", _("An emergency reboot took place"), BAD, always=True),
        Event("run.finished_badly", _("A run finished badly"), BAD),
        Event("schedule.missed", _("A schedule was missed"), ATTENTION),
        Event("case.finished", _("A case is finished"), INFO),
        Event("sync.stopped", _("The sync stopped"), BAD),
        Event("back_to_normal", _("Back to normal"), INFO),
    )
}
TEST = Event("test", _("Test message"), INFO)


def find(name: str) -> Event:
    """The event of this name; ValueError for one that does not exist."""
    if name == TEST.name:
        return TEST
    if name not in EVENTS:
        raise ValueError(f"{name!r} is no event; there are {', '.join(EVENTS)}")
    return EVENTS[name]
