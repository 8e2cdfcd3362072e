"""The fixed structure: the same headings in the same order, whatever could not be asked."""

from __future__ import annotations

from collections.abc import Iterator

from diagnostics import stages
from diagnostics.report import around, linux, windows
from diagnostics.report.blocks import Bullets, Facts, Lines, Section
from diagnostics.report.source import Source
from diagnostics.wording import unpacked


def sections(source: Source) -> Iterator[Section]:
    yield Section(2, "Diagnostic Progress")
    yield Section(3, "Step 1: Confirm Instance Information", (_instance(source),))
    yield Section(3, "Step 2: Check Maintenance Events", (_events(source),))
    yield from (windows if source.windows else linux).sections(source)
    yield Section(
        2,
        "Diagnostic Conclusion",
        (
            Facts(
                (
                    ("Root Cause Analysis", around.root_cause(source)),
                    ("Impact Scope", source.told("impact")),
                )
            ),
        ),
    )
    advice = Bullets(around.recommendations(source), numbered=True)
    yield Section(2, "Recommendations", (advice,))


def _instance(source: Source) -> Facts:
    case, step = source.case, source.steps[stages.INSTANCE]
    seen = unpacked(step.facts)
    name = case.instance.instance_id if case.instance else case.instance_text
    system = {"linux": "Linux", "windows": "Windows"}.get(source.os_type)
    status = seen.get("status") or " ".join(source.why_not(stages.INSTANCE))
    rows = [
        ("Instance ID", name),
        ("Region", case.region or source.say("none was given, and no region lists it")),
        ("OS Type", system or source.say("nobody could be asked for it")),
        ("Current Status", status),
    ]
    if seen.get("name"):
        rows.insert(1, ("Instance Name", seen["name"]))
    if seen.get("started_at"):
        rows.append(("Last Start (ECS)", source.at(seen["started_at"])))
    return Facts(tuple(rows))


def _events(source: Source) -> Lines:
    told = source.summary_of(stages.EVENTS)
    if source.answered(stages.EVENTS):
        return Lines("Findings", told or (source.say("ECS was asked and has no system event."),))
    return Lines("Findings", source.why_not(stages.EVENTS))


def agent(source: Source) -> Lines:
    """Cloud Assistant Status Check, the same on both systems."""
    if source.answered(stages.AGENT):
        lines = source.summary_of(stages.AGENT)
        step = source.steps[stages.AGENT]
        if not step.facts.get("alive"):
            lines += (source.say("Without it no script runs on the instance from outside."),)
        return Lines("Cloud Assistant Status Check", lines)
    return Lines("Cloud Assistant Status Check", source.why_not(stages.AGENT))


def guest_findings(source: Source) -> Lines:
    """What the guest's (or the console's) records show, one line each."""
    zone = source.case.zone
    titles = tuple(dict.fromkeys(finding.words(zone) for finding in source.of_the_machine))
    if titles:
        return Lines("Findings", titles[:20])
    return Lines("Findings", guest_missing(source) or (_nothing(source),))


def _nothing(source: Source) -> str:
    return source.say("The guest's records were read; no panic, no kill and no odd end is in them.")


def guest_missing(source: Source) -> tuple[str, ...]:
    """Why there is nothing from the guest; empty when its records were read."""
    if source.judgement.get("state"):
        return ()
    if source.handed:
        return (source.say("What was handed in does not tell this."),)
    if not source.answered(stages.GUEST):
        return source.why_not(stages.GUEST)[:1]
    return (source.say("What the guest printed could not be read."),)


def alternatives(source: Source, commands: str, way: str) -> tuple[Lines | object, ...]:
    """What to do by hand; the exact commands only where they are needed."""
    from diagnostics.report.blocks import Code

    by_hand = source.say("A person handed in: %(files)s.", files=", ".join(source.handed))
    if source.scripted:
        line = source.say("Not needed: the guest's records were collected by the script.")
        lines = (by_hand,) if source.handed else (line,)
        return (Lines("Alternative Diagnostic Approaches", lines),)
    if source.conclusion["ends_search"]:
        line = source.say("Not needed: the platform event already explains the reboot.")
        return (Lines("Alternative Diagnostic Approaches", (line,)),)
    lines = (
        *((by_hand,) if source.handed else ()),
        source.say("Log in by %(way)s and run the commands below; keep what they print.", way=way),
        source.say("Or run the portal's whole collection script, offered on the page of the case."),
        source.say("Start, update or reinstall the Cloud Assistant agent, then open a new case."),
        source.say("Look at CPU, memory, disk and network of that time in CloudMonitor."),
    )
    return (Lines("Alternative Diagnostic Approaches", lines), Code("Commands", commands))
