"""What stands before the fixed structure (for the customer) and after it (the proof)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from diagnostics import check_words, history, stages
from diagnostics.report.blocks import Bullets, Facts, Lines, Quote, Section, Text
from diagnostics.report.source import Source
from diagnostics.speech import spoken, spoken_lines
from diagnostics.steps import events, own
from diagnostics.verdicts import CONFIDENCE, KINDS
from diagnostics.wording import unpacked


def before(source: Source) -> tuple[Section, ...]:
    blocks = [Facts(tuple(_head(source)))]
    missing = not_checked(source)
    if missing:
        blocks.append(Lines("What could not be checked", missing))
    return (Section(2, "Summary", tuple(blocks)),)


def _head(source: Source) -> Iterator[tuple[str, str]]:
    case, told = source.case, source.conclusion
    yield "Case", str(case.pk)
    yield "Version of this report", str(history.number_shown(case))
    yield "Customer reference", case.customer_reference or source.say("none was given")
    yield "Instance", _instance(source)
    yield "Went down", _went_down(source)
    yield "Came back", _moment(source, told["came_back_at"], told["went_down"])
    yield "Outage", _outage(source)
    yield "Cause", root_cause(source)
    yield "Verdict", _verdict(source)
    if case.signature:
        yield "Signature", case.signature
    yield "How sure", str(CONFIDENCE.get(case.confidence, case.confidence))
    yield "Next step", next_step(source)
    yield "Whose it is", source.told("owner")
    if source.internal:
        yield (
            "Opened by",
            case.opened_by.get_username() if case.opened_by else source.say("command line"),
        )
        yield "Contact", case.contact or source.say("none was given")
        seen = "; ".join([*case.seen_words, *([case.symptom] if case.symptom else [])])
        yield "What was seen", seen or source.say("nothing was said about it")


def _instance(source: Source) -> str:
    case = source.case
    if case.instance is None:
        return case.instance_text
    name = case.instance.name or source.say("without a name")
    return f"{name}, {case.instance.instance_id}, {case.region}"


def _went_down(source: Source) -> str:
    told = source.conclusion
    moment = _moment(source, told["went_down_at"], told["went_down"])
    if not told.get("last_sign"):
        return moment
    return source.say("%(at)s or later: this is its last sign of life", at=moment)


def _moment(source: Source, at: datetime | None, went_down: bool | None) -> str:
    if at:
        return source.at_both(at)
    if went_down is False:
        return source.say("It did not go down in the window.")
    return source.say("No record that could be read tells when.")


def _outage(source: Source) -> str:
    minutes = source.conclusion["outage_minutes"]
    if minutes is not None and source.conclusion.get("last_sign"):
        return source.say("at most %(minutes)s min", minutes=minutes)
    if minutes is not None:
        return source.say("about %(minutes)s min", minutes=minutes)
    if source.conclusion["went_down"] is False:
        return source.say("none of the whole instance")
    return source.say("Its length could not be established.")


def _verdict(source: Source) -> str:
    """In words; in brackets only what they do not say."""
    case = source.case
    words = str(KINDS.get(case.kind, case.kind))
    more = [each for each in _codes(case) if each and each not in ("unknown", case.kind)]
    return f"{words} ({' / '.join(more)})" if more else words


def _codes(case) -> tuple[str, ...]:
    return (case.subkind, case.bugcheck_code, case.function)


def root_cause(source: Source) -> str:
    """In the customer's copy nobody of ours is named, and no run."""
    if source.case.kind == "own_action" and not source.internal:
        return source.say("The operations team restarted the instance on purpose.")
    if source.conclusion["origin"] == "trail" and not source.internal:
        return source.say(
            "The instance was restarted or stopped on purpose, by a call to ECS that somebody with"
            " access to the cloud account made."
        )
    names = source.conclusion.get("names") if source.internal else None
    cause = source.told("root_cause")
    return f"{cause} {spoken(names, source.case.zone)}" if names else cause


def next_step(source: Source) -> str:
    return source.told("next_step")


def recommendations(source: Source) -> tuple[str, ...]:
    if source.case.kind == "own_action" and not source.internal:
        return (source.say("Nothing has to be repaired; ask the operations team for its plan."),)
    return source.told_lines("recommendations")


def not_checked(source: Source) -> tuple[str, ...]:
    told = source.conclusion["not_checked"]
    if source.internal:
        return source.told_lines("not_checked")
    named = (text.params.get("source") for text in told)
    lines = (
        source.say("%(source)s could not be asked.", source=name)
        if name
        else source.say("Part of what the machine told could not be read.")
        for name in named
    )
    return tuple(dict.fromkeys(lines))


def after(source: Source) -> tuple[Section, ...]:
    return (
        Section(2, "Evidence", tuple(_evidence(source))),
        Section(2, "Timeline", (_timeline(source),)),
    )


def _evidence(source: Source) -> Iterator[object]:
    yield Lines("Confidence", (str(CONFIDENCE.get(source.case.confidence, "")),))
    yield Lines("How the time is known", (source.told("basis"),))
    if source.findings:
        yield Text(source.say("Findings, each with the line that proves it:"))
        yield from (_quote(source, finding) for finding in source.findings)
    else:
        yield Text(source.say("No finding rests on a line of the guest or the console."))
    if source.conclusion.get("chain"):
        yield Lines("Order of causes", source.told_lines("chain"))
    yield Lines("Alternatives ruled out", _excluded(source))
    contradictions = source.told_lines("contradictions")
    yield Lines(
        "Contradictions", contradictions or (source.say("None of the records contradict it."),)
    )
    yield Lines("Skipped and broken checks", _checks(source))
    yield Lines("Where the evidence came from", _origins(source))
    yield Lines("RequestIds and InvokeIds", _ids(source))


def _quote(source: Source, finding) -> Quote:
    where = finding.source or (finding.evidence.name if finding.evidence else "")
    at = f", {source.at(finding.at)}" if finding.at else ""
    named = ", ".join(finding.also)
    seen = source.say("; also seen in: %(records)s", records=named) if named else ""
    return Quote(finding.words(source.case.zone), finding.quote, f"{where}{at}{seen}")


def _excluded(source: Source) -> tuple[str, ...]:
    zone, lines = source.case.zone, []
    for each in source.conclusion["excluded"]:
        line = f"{spoken(each['what'], zone)}: {spoken(each['because'], zone)}"
        quote = each["quote"]
        lines.append(f"{line} ({quote['source']}: {quote['text']})" if quote else line)
    return tuple(lines) or (source.say("No other explanation could be ruled out by a record."),)


def _checks(source: Source) -> tuple[str, ...]:
    lines = []
    skipped = (source.judgement.get("guest") or {}).get("skipped") or {}
    for why, checks in check_words.not_run(skipped):
        named = ", ".join(spoken_lines(checks, source.case.zone))
        lines.append(source.say("Not run, because %(why)s: %(checks)s.", why=why, checks=named))
    for name in ("guest", "console"):
        for check, error in ((source.judgement.get(name) or {}).get("broken") or {}).items():
            told = check_words.check(check)
            lines.append(source.say("%(check)s broke: %(error)s", check=told, error=error))
    lines += spoken_lines(source.judgement.get("problems") or (), source.case.zone)
    if not source.judgement.get("guest"):
        lines.append(source.say("No check of the guest's records ran: none were read."))
    return tuple(lines) or (source.say("Every check ran."),)


def _origins(source: Source) -> tuple[str, ...]:
    lines = tuple(
        source.say(
            "%(name)s: %(origin)s, %(size)s bytes, SHA-256 %(hash)s, collected %(at)s%(whole)s",
            name=_evidence_name(source, row),
            origin=row.get_origin_display(),
            size=row.size,
            hash=row.sha256,
            at=row.collected_at,
            whole="" if row.complete else source.say(" (incomplete)"),
        )
        for row in source.evidence
    )
    return lines or (source.say("No raw text was collected; what ECS answered is told above."),)


def _evidence_name(source: Source, row) -> str:
    """As the person called it; who brought it is for our own copy."""
    if not row.by_hand:
        return row.name
    packed = f" ({row.packed_in})" if row.packed_in else ""
    person = f" [{row.given_by}]" if source.internal and row.given_by else ""
    return f"{row.file_name}{packed}{person}"


def _ids(source: Source) -> tuple[str, ...]:
    lines = []
    for step in source.steps.values():
        ids = [*step.request_ids]
        for said in unpacked(step.facts.get("beside", {})).values():
            ids += said["request_ids"]
        if ids:
            lines.append(f"{stages.TITLES[step.key]}: RequestId {', '.join(ids)}")
        if step.invoke_id:
            lines.append(f"{stages.TITLES[step.key]}: InvokeId {step.invoke_id}")
    return tuple(lines) or (source.say("No call to ECS was answered."),)


def _timeline(source: Source) -> Bullets:
    moments = sorted(set(_moments(source)), key=lambda each: each[0])
    return Bullets(tuple(f"{source.at(at)}: {text}" for at, text in moments))


def _moments(source: Source) -> Iterator[tuple[datetime, str]]:
    case, told = source.case, source.conclusion
    if case.seen_at:
        yield case.seen_at, source.say("reported time (± %(n)s minutes)", n=case.seen_within)
    if told.get("last_sign"):
        yield told["went_down_at"], source.say("the last sign of life before it went down")
    elif told["went_down_at"]:
        yield told["went_down_at"], source.say("the instance went down")
    if told["came_back_at"]:
        yield told["came_back_at"], source.say("the instance came back")
    for event in events.read(source.steps[stages.EVENTS].facts):
        at = event.finished_at or event.not_before or event.published_at
        if at:
            yield at, f"{event.type}: {event.cycle_status} ({event.event_id})"
    yield from _own_moments(source)
    for finding in source.findings:
        if finding.at:
            yield finding.at, finding.words(case.zone)
    yield case.opened_at, source.say("this case was opened")
    if case.concluded_at:
        yield case.concluded_at, source.say("this case was concluded")


def _own_moments(source: Source) -> Iterator[tuple[datetime, str]]:
    for act in own.read(source.steps[stages.OWN].facts):
        name = source.say("an action of the operations team")
        if source.internal:
            name = source.say("this portal ran %(name)s (%(id)s)", name=act.name, id=act.reference)
        yield act.at, name
