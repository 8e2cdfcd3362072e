"""What a case knows, from its rows: the facts that the conclusion is drawn from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta

from django.db.models import Max
from django.utils import timezone

from diagnostics import stages
from diagnostics.facts import Agent, Facts, Machine
from diagnostics.findings import Analysis, Window
from diagnostics.models import DiagnosisCase, Step, StepState
from diagnostics.reading import Reading
from diagnostics.steps import events, own, trail
from diagnostics.wording import Text, listed, quoted, unpacked
from diagnostics.wording import say as _

GATHERED = (stages.INSTANCE, stages.AGENT, stages.GUEST)  # no judging touches their times


def reported_window(case: DiagnosisCase) -> Window | None:
    if case.seen_at is None:
        return None
    within = timedelta(minutes=case.seen_within)
    return Window(case.seen_at - within, case.seen_at + within)


def facts_of(case: DiagnosisCase, reading: Reading | None = None) -> Facts:
    """Everything known so far; with `reading`, also what the raw evidence tells."""
    steps = {step.key: step for step in case.steps.all()}
    told = events.read(steps[stages.EVENTS].facts)
    now = gathered_at(case, steps)
    facts = Facts(
        now=now,
        machine=_machine(case, steps[stages.INSTANCE], now),
        reported=reported_window(case),
        unasked=_unasked(steps),
        events=(*told, *events.kept(case.instance_id, told)),
        acts=own.read(steps[stages.OWN].facts),
        trail=trail.read(steps[stages.OWN].facts),
        agent=_agent(steps[stages.AGENT]),
        unready=own.read_unready(steps[stages.OWN].facts),
        guest_needed=steps[stages.GUEST].state != StepState.NOT_NEEDED,
    )
    return with_reading(facts, reading) if reading else facts


def gathered_at(case: DiagnosisCase, steps: Mapping[str, Step]) -> datetime:
    """The "now" of the case: when the cloud and the machine were asked. A later judging of the
    same evidence must not see another one."""
    brought = case.evidence.aggregate(last=Max("collected_at"))["last"]
    times = [brought, *(steps[key].finished_at for key in GATHERED)]
    return max((at for at in times if at), default=case.concluded_at or timezone.now())


def with_reading(facts: Facts, reading: Reading) -> Facts:
    unasked, machine = dict(facts.unasked), facts.machine
    if reading.handed and reading.guest:
        unasked.pop("guest", None)
    if reading.os and not machine.os_type:
        machine = replace(machine, os_type=reading.os)
    missed = facts.guest_needed or reading.problems
    if reading.guest is None and "guest" not in unasked and missed:
        why = listed(reading.problems) if reading.problems else _("nothing was collected")
        unasked["guest"] = _("What it printed could not be read: %(why)s.", why=why)
    unreadable = reading.guest is not None and reading.guest.verdict.kind == "undetermined"
    if unreadable:
        unasked["guest"] = _why_unreadable(reading.guest)
    return replace(
        facts,
        machine=machine,
        unasked=unasked,
        handed=reading.handed if reading.by_hand_alone else (),
        other_host=_other_host(machine, reading),
        boot=reading.boot,
        earlier_boots=reading.earlier_boots,
        guest=None if unreadable else reading.guest,
        guest_complete=reading.complete,
        reaches_back=reading.reaches_back,
        console=reading.console,
        capture=reading.capture,
    )


def _other_host(machine: Machine, reading: Reading) -> str:
    """The host that the evidence of a person names, if ECS calls this machine otherwise."""
    told = str(getattr(reading.state, "hostname", None) or "")
    short, known = (name.partition(".")[0].lower() for name in (told, machine.hostname))
    differs = reading.by_hand_alone and short and known and short != known
    return told if differs else ""


def _why_unreadable(analysis: Analysis) -> Text:
    """An analysis that came to nothing: it broke, or the records do not reach the time."""
    if analysis.broken:
        error = "; ".join(f"{name}: {error}" for name, error in analysis.broken.items())
        return _("Reading its records broke: %(error)s", error=quoted(error))
    if analysis.findings:
        return _("Its records do not tell: %(line)s", line=quoted(analysis.findings[0].title))
    return _("Its records hold nothing to judge by.")


def _machine(case: DiagnosisCase, step: Step, now: datetime) -> Machine:
    seen, row = unpacked(step.facts), case.instance
    mirrored = row.started_at if row else None
    if mirrored and mirrored > now:
        mirrored = None  # started again since; that is no fact of this case
    started: datetime | None = seen.get("started_at") or mirrored
    return Machine(
        instance_id=row.instance_id if row else case.instance_text,
        region=case.region,
        name=seen.get("name") or (row.name if row else ""),
        os_type=seen.get("os_type") or (row.os_type if row else ""),
        status=seen.get("status", ""),
        started_at=started,
        listed=row is not None and seen.get("listed") is not False,
        hostname=row.hostname if row else "",
    )


def _agent(step: Step) -> Agent | None:
    if "alive" not in step.facts:
        return None
    seen = unpacked(step.facts)
    return Agent(seen["alive"], seen.get("heartbeat_at"), seen.get("version", ""))


def _unasked(steps: dict[str, Step]) -> dict[str, Text]:
    """Sources that could not be asked, with the reason. One that was not needed is not missing."""
    missing = {
        key: _first(step.reason)
        for key, step in steps.items()
        if key in (stages.INSTANCE, stages.OWN, stages.EVENTS, stages.AGENT, stages.GUEST)
        and step.state == StepState.FAILED
    }
    before = steps[stages.GUEST].facts.get("unasked")  # until somebody handed something in
    if before:
        missing[stages.GUEST] = _first(before["reason"])
    for key in (stages.OWN, stages.GUEST):
        for name, said in steps[key].facts.get("beside", {}).items():
            if said["state"] == StepState.FAILED:
                missing[name] = _first(said["reason"])
    return missing


def _first(reason: list) -> Text:
    return unpacked(reason)[0] if reason else _("The portal did not get that far.")
