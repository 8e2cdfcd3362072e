"""What the platform did, and what it saw."""

from __future__ import annotations

from datetime import datetime

from diagnostics.conclusions.advice import catch_the_next_one
from diagnostics.conclusions.answer import OPERATORS, OWNER, SUPPORT, Cause
from diagnostics.facts import Event, Facts
from diagnostics.findings import Confidence, Verdict
from diagnostics.incident import CRASHES, Incident, fits, span
from diagnostics.wording import Text, quoted
from diagnostics.wording import say as _

ACTED = ("Executed", "Executing")
MAINTENANCE, FAILURE, EXPIRED = "platform_maintenance", "platform_failure", "instance_expired"
ENDS_SEARCH = {
    "SystemMaintenance": MAINTENANCE,
    "SystemFailure": FAILURE,
    "InstanceExpiration": EXPIRED,
    "AccountUnbalanced": EXPIRED,
}
GUEST_FAILED = "InstanceFailure.Reboot"


def kind_of(event: Event) -> str | None:
    """The verdict that this event gives when its times fit, None if it gives none."""
    family, _dot, act = event.type.partition(".")
    return ENDS_SEARCH.get(family) if act and event.cycle_status in ACTED else None


def ending(facts: Facts, incident: Incident) -> Event | None:
    """The event that explains the going-down by itself: it acted in the window."""
    fitting = [e for e in facts.events if kind_of(e) and fits(e, incident.window)]
    if facts.machine.status == "Stopped" and not fitting:
        fitting = [e for e in facts.events if _keeps_it_down(e, facts, incident)]
    return max(fitting, key=lambda event: span(event).end, default=None)


def _keeps_it_down(event: Event, facts: Facts, incident: Incident) -> bool:
    """It stopped for billing reasons after the reported time, and nothing started it since."""
    acted, asked, started = span(event), incident.window, facts.machine.started_at
    if kind_of(event) != EXPIRED or acted is None or asked is None or acted.start < asked.start:
        return False
    return started is None or started <= acted.start


def ended_it(facts: Facts, incident: Incident) -> Cause | None:
    if incident.went_down is False:
        return None
    event = ending(facts, incident)
    if event is None:
        return None
    kind, acted = kind_of(event), span(event)
    sentence, advice, next_step, owner = TELL[kind](event)
    back = None if kind == EXPIRED else event.finished_at
    began = acted.start if kind == FAILURE else event.not_before
    return Cause(
        Verdict(
            kind,
            planned=kind != FAILURE,
            signature=f"platform:{event.type}",
            confidence=Confidence.CERTAIN,
        ),
        sentence,
        advice,
        next_step,
        owner,
        went_down_at=incident.down_by(began) or acted.start,
        came_back_at=incident.came_back_at or back,
        ends_search=True,
        origin="events",
    )


def _maintenance(event: Event) -> tuple[Text, tuple[Text, ...], Text, Text]:
    return (
        _(
            "Alibaba Cloud took the instance down for planned maintenance (%(type)s, event"
            " %(id)s): %(reason)s.",
            type=event.type,
            id=event.event_id,
            reason=event.reason or event.cycle_status,
        ),
        (
            _(
                "Nothing has to be repaired inside the instance. Check that the services on it"
                " started again by themselves, and enable those that did not."
            ),
            _(
                "Set a maintenance window and the maintenance action for the instance, and"
                " subscribe to system events in CloudMonitor, so that the next one is announced"
                " to those on duty."
            ),
            _(
                "Answer a pending SystemMaintenance.Reboot early with a reboot through the ECS"
                " console or API at a time of your own; a reboot from inside the instance does"
                " not clear it."
            ),
        ),
        _("Check that all services are back; no further investigation is needed."),
        OPERATORS,
    )


def _failure(event: Event) -> tuple[Text, tuple[Text, ...], Text, Text]:
    return (
        _(
            "The host under the instance failed and Alibaba Cloud restarted it (%(type)s, event"
            " %(id)s): %(reason)s.",
            type=event.type,
            id=event.event_id,
            reason=event.reason or event.cycle_status,
        ),
        (
            _(
                "Ask Alibaba Cloud support for the cause on the host, with event %(id)s and the"
                " RequestIds of this report.",
                id=event.event_id,
            ),
            _(
                "Should it happen again, have the instance migrated to another host (redeploy,"
                " or stop and start it in economical mode), and spread important services over"
                " several instances with a deployment set."
            ),
            _("Check file systems and data that were being written at the moment of the failure."),
        ),
        _("Open a ticket with the event id and ask for the cause and for a migration."),
        SUPPORT,
    )


def _expired(event: Event) -> tuple[Text, tuple[Text, ...], Text, Text]:
    return (
        _(
            "The instance was stopped for billing reasons (%(type)s, event %(id)s): %(reason)s.",
            type=event.type,
            id=event.event_id,
            reason=event.reason or event.cycle_status,
        ),
        (
            _(
                "Renew the instance, or settle the account's balance, before ECS releases it,"
                " then start it."
            ),
            _("Turn on auto-renewal for instances that have to stay."),
            _("Subscribe whoever pays to the expiry notices of the account."),
        ),
        _("Renew the instance and start it."),
        OWNER,
    )


TELL = {MAINTENANCE: _maintenance, FAILURE: _failure, EXPIRED: _expired}


def guest_failure(facts: Facts, incident: Incident) -> Event | None:
    """InstanceFailure.Reboot in the window: the platform found the guest dead and reset it."""
    for event in facts.events:
        if (
            event.type == GUEST_FAILED
            and event.cycle_status in ACTED
            and fits(event, incident.window)
        ):
            return event
    return None


def saw_the_guest_fail(facts: Facts, incident: Incident) -> Cause | None:
    """The platform saw the guest fail, and the guest wrote nothing down, or could not be read."""
    event = guest_failure(facts, incident)
    if event is None or incident.went_down is False:
        return None
    if facts.guest and facts.guest.verdict.kind in CRASHES:
        return None
    read = facts.guest is not None
    sentence = (
        _(
            "The platform found the instance dead from outside and reset it (%(type)s, event"
            " %(id)s), but the guest's own records are clean: it may have hung below the level"
            " at which the kernel still writes logs.",
            type=event.type,
            id=event.event_id,
        )
        if read
        else _(
            "The platform found the instance dead from outside and reset it (%(type)s, event"
            " %(id)s). Why could not be established, because the guest's records could not be"
            " read.",
            type=event.type,
            id=event.event_id,
        )
    )
    kind = "unclean_no_bugcheck" if facts.windows() else "unexplained_reboot"
    return Cause(
        Verdict(
            kind,
            subkind=None if facts.windows() else "unknown",
            crashed=True,
            signature=f"platform:{event.type}",
            confidence=Confidence.LIKELY if read else Confidence.POSSIBLE,
        ),
        sentence,
        catch_the_next_one(facts),
        _("Set up what would catch the next one; the list below says how."),
        OPERATORS,
        went_down_at=incident.went_down_at or span(event).start,
        came_back_at=incident.came_back_at or event.finished_at,
        origin="events",
    )


def ecs_alone(facts: Facts, incident: Incident) -> Cause | None:
    """Stopped, no event, no guest to ask: ECS itself says that it is down, and no more."""
    if facts.machine.status != "Stopped" or facts.guest:
        return None
    ended = _ended_in_order(facts)
    return Cause(
        Verdict("undetermined", confidence=Confidence.NONE),
        _(
            "The instance is stopped. Its serial console ends with an orderly shutdown at %(at)s;"
            " who asked for it could not be established: a stopped instance cannot be asked, and"
            " no system event explains it.",
            at=ended,
        )
        if ended
        else _(
            "The instance is stopped. What stopped it could not be established: a stopped"
            " instance cannot be asked, and no system event explains it."
        ),
        (
            _("Start the instance, then open a new case: the records of its end are on its disk."),
            _(
                "Look up StopInstance and StopInstances for this instance in ActionTrail to see"
                " whether a person or a tool stopped it."
            ),
        ),
        _("Start the instance and open a new case."),
        OPERATORS,
        went_down_at=ended,
        contradictions=_earlier_crash(facts),
        origin="none",
    )


def _ended_in_order(facts: Facts) -> datetime | None:
    """When its serial console shows an orderly end of the boot that ECS started last."""
    console, started = facts.console, facts.machine.started_at
    if console is None or console.verdict.kind != "normal_reboot" or console.at is None:
        return None
    return None if started and console.at < started else console.at


def _earlier_crash(facts: Facts) -> tuple[Text, ...]:
    console = facts.console
    if console is None or not console.verdict.crashed:
        return ()
    return (
        _(
            "Its serial console shows an earlier crash (%(line)s); a crash alone does not leave an"
            " instance stopped.",
            line=quoted(console.reason or console.verdict.kind),
        ),
    )
