"""What a Windows guest's own records say about its end."""

from __future__ import annotations

from diagnostics.conclusions import chain
from diagnostics.conclusions.advice import CATCH_WINDOWS, deep_analysis, dump_steps
from diagnostics.conclusions.answer import NOBODY, OPERATORS, OWNER, SUPPORT, Cause
from diagnostics.conclusions.asking import about
from diagnostics.conclusions.linux import through_the_platform
from diagnostics.facts import Facts
from diagnostics.findings import Analysis
from diagnostics.incident import ORDERLY, UNEXPLAINED, Incident, down_of
from diagnostics.wording import Text, quoted
from diagnostics.wording import say as _


def _ours(facts: Facts, incident: Incident, kinds: frozenset[str] | set[str]) -> Analysis | None:
    analysis = facts.guest
    if not facts.windows() or analysis is None or analysis.verdict.kind not in kinds:
        return None
    return analysis if about(analysis, incident) else None


def crashed(facts: Facts, incident: Incident) -> Cause | None:
    analysis = _ours(
        facts, incident, {"bugcheck", "critical_process_restart", "power_button_forced"}
    )
    if analysis is None:
        return None
    return TELL[analysis.verdict.kind](facts, incident, analysis)


def _bugcheck(facts: Facts, incident: Incident, analysis: Analysis) -> Cause:
    capture = facts.capture
    dumps = capture.dumps_in(incident.window) if capture else ()
    led = chain.before(analysis)
    code = analysis.verdict.bugcheck_code
    named = (
        _(
            "bugcheck %(name)s",
            name=quoted(_name_of(analysis)),
        )
        if code
        else _("the code of the bugcheck was not recorded")
    )
    advice = [*_by_code(analysis)]
    if dumps:
        advice.append(deep_analysis(dumps[0].path))
    else:
        advice += dump_steps(facts)
    return Cause(
        analysis.verdict,
        _(
            "Windows crashed with a blue screen (%(named)s).%(began)s %(dump)s",
            named=named,
            began=chain.words(led),
            dump=_dump_words(facts, dumps),
        ),
        tuple(advice),
        _("Hand the dump to Alibaba Cloud technical support for deep analysis.")
        if dumps
        else _("Set up memory dumps so that the next crash can be analysed."),
        SUPPORT if dumps else OPERATORS,
        went_down_at=incident.down_by(dumps[0].at) if dumps else down_of(analysis),
        contradictions=tuple(
            quoted(f.title) for f in analysis.findings if f.code == "windows.bugcheck.contradiction"
        ),
        chain=led,
        end=_name_of(analysis),
    )


def _name_of(analysis: Analysis) -> str | Text:
    code, told = analysis.verdict.bugcheck_code or "", analysis.reason or ""
    if isinstance(told, Text):  # no record names its code
        return told
    return told if code in told.split() else f"{code} {told}".strip()


def _by_code(analysis: Analysis) -> tuple[Text, ...]:
    driver = analysis.module
    if driver:
        return (
            _(
                "Update or remove the driver %(driver)s that the records name, and install the"
                " pending Windows updates.",
                driver=driver,
            ),
        )
    return (
        _(
            "Install the pending Windows updates and the newest virtio drivers, and go back on"
            " drivers or security software that were installed shortly before."
        ),
    )


def _dump_words(facts: Facts, dumps: tuple) -> Text:
    capture = facts.capture
    if dumps:
        if dumps[0].small:
            return _("A minidump was captured: %(path)s.", path=dumps[0].path)
        return _("A memory dump was captured: %(path)s.", path=dumps[0].path)
    if capture is None or capture.crash_dump_enabled is None:
        return _("Whether a dump was written could not be looked up.")
    if capture.crash_dump_enabled == 0:
        return _("No dump was written, because memory dumps are turned off (CrashDumpEnabled=0).")
    if capture.pagefile is False:
        return _(
            "No dump could be written, because there is no page file on the boot volume to write"
            " it to."
        )
    return _("Memory dumps are turned on, but no dump of this crash was found.")


def _critical_process(facts: Facts, incident: Incident, analysis: Analysis) -> Cause:
    return Cause(
        analysis.verdict,
        _(
            "A process that Windows cannot run without ended, so Windows restarted itself:"
            " %(line)s.",
            line=quoted(_line(analysis)),
        ),
        (
            _(
                "Look in the Application log just before the restart for what made the process"
                " end (a faulting module, security software, a full disk)."
            ),
            _("Install the pending Windows updates and run sfc /scannow."),
        ),
        _("Look at why the named process ended."),
        OPERATORS,
        went_down_at=down_of(analysis),
    )


def _power_button(facts: Facts, incident: Incident, analysis: Analysis) -> Cause:
    return Cause(
        analysis.verdict,
        _(
            "The power was cut by a long press of the power button, or by its virtual counterpart:"
            " a forced stop or reboot through ECS."
        ),
        (
            _(
                "Look up StopInstance and RebootInstance with ForceStop for this instance in"
                " ActionTrail to see who forced it."
            ),
            *dump_steps(facts),
        ),
        _("Find out who forced the stop, and why Windows did not answer before."),
        OWNER,
        went_down_at=down_of(analysis),
    )


TELL = {
    "bugcheck": _bugcheck,
    "critical_process_restart": _critical_process,
    "power_button_forced": _power_button,
}

PLANNED = {
    "planned_user": _("a person or a script asked for it"),
    "planned_update": _("Windows Update or servicing asked for it"),
    "planned_software": _("a software or role installation asked for it"),
    "planned_setup": _("Windows setup asked for it"),
    "planned_unknown_initiator": _("the records do not name who asked for it"),
}


def orderly(facts: Facts, incident: Incident) -> Cause | None:
    analysis = _ours(facts, incident, ORDERLY)
    if analysis is None:
        return None
    kind = analysis.verdict.kind
    line = _line(analysis)
    if kind == "planned_platform":
        return through_the_platform(facts, analysis, line)
    sentence = (
        _(
            "It was an orderly restart or shutdown; %(who)s: %(line)s.",
            who=PLANNED[kind],
            line=quoted(line),
        )
        if line
        else _("It was an orderly restart or shutdown; %(who)s.", who=PLANNED[kind])
    )
    return Cause(
        analysis.verdict,
        sentence,
        _after_orderly(kind),
        _("Confirm with whoever asked for it; nothing has to be repaired."),
        NOBODY,
        went_down_at=down_of(analysis),
    )


def _after_orderly(kind: str) -> tuple[Text, ...]:
    if kind == "planned_update":
        return (
            _(
                "Set active hours or an update schedule (Group Policy: Configure Automatic"
                " Updates, No auto-restart with logged on users) so that updates restart the"
                " instance only when it suits."
            ),
        )
    return (
        _(
            "Ask the account or program that event 1074 names whether the restart was intended;"
            " the account is not always the person."
        ),
    )


def unexplained(facts: Facts, incident: Incident) -> Cause | None:
    analysis = _ours(facts, incident, UNEXPLAINED)
    if analysis is None or incident.went_down is False:
        return None
    capture = facts.capture
    could_not = capture and capture.crash_dump_enabled and capture.pagefile is False
    sentence = (
        _(
            "Windows went down without a shutdown. It most likely crashed, but %(dump)s",
            dump=_dump_words(facts, ()),
        )
        if could_not
        else _(
            "Windows went down without a shutdown and without a record of a blue screen: %(line)s."
            " That is how a power reset, a host problem or a hang looks that was ended from"
            " outside; which of them it was cannot be told from what was kept.",
            line=quoted(_line(analysis) or analysis.verdict.kind),
        )
    )
    return Cause(
        analysis.verdict,
        sentence,
        (*dump_steps(facts), *CATCH_WINDOWS),
        _("Set up what would catch the next one, and watch whether it happens again."),
        OPERATORS,
        went_down_at=down_of(analysis),
    )


def _line(analysis: Analysis) -> str | Text:
    if analysis.reason:
        return analysis.reason
    return analysis.findings[0].title if analysis.findings else ""
