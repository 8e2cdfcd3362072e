"""It did not go down: what was seen has another reason."""

from __future__ import annotations

from diagnostics.conclusions.advice import hang_advice, memory_advice
from diagnostics.conclusions.answer import OPERATORS, Cause
from diagnostics.facts import Facts
from diagnostics.findings import Analysis, Confidence, Verdict
from diagnostics.incident import GOES_DOWN, WHILE_UP, Incident, happened_since_boot
from diagnostics.wording import Text, lasting, quoted
from diagnostics.wording import say as _


def stayed_up(facts: Facts, incident: Incident) -> Cause | None:
    if incident.went_down is not False:
        return None
    analysis = _during(facts, incident)
    uptime = _uptime(facts, incident)
    if analysis is None:
        return _nothing_happened(facts, incident, uptime)
    return TELL.get(analysis.verdict.kind, _something_else)(facts, analysis, uptime)


def _during(facts: Facts, incident: Incident) -> Analysis | None:
    """What the guest recorded without going down; older and newer records are not about this."""
    record = facts.guest
    if record is None or record.verdict.kind in GOES_DOWN | {"none"}:
        return None
    if record.at is None or record.verdict.kind in WHILE_UP:
        return record if happened_since_boot(facts) else None
    return record if incident.window is None or incident.window.holds(record.at) else None


def _uptime(facts: Facts, incident: Incident) -> Text:
    if incident.window and facts.boot.at > incident.window.end:
        return _("It went down later than that, before its boot at %(boot)s.", boot=facts.boot.at)
    up = facts.now - facts.boot.at
    told = {"boot": facts.boot.at, "lasted": lasting(up.total_seconds())}
    if not facts.boot.boot_id:
        return _("It has been up since %(boot)s (%(lasted)s).", **told)
    return _(
        "It has been up since %(boot)s (%(lasted)s, boot ID %(boot_id)s).",
        boot_id=facts.boot.boot_id,
        **told,
    )


def _nothing_happened(facts: Facts, incident: Incident, uptime: Text) -> Cause:
    windows = facts.windows()
    return Cause(
        Verdict(
            "none_healthy" if windows else "none",
            subkind=None if windows else "healthy",
            confidence=Confidence.CERTAIN,
        ),
        _("The instance did not go down in this window. %(uptime)s", uptime=uptime),
        (
            _(
                "Look for another reason for what was seen: the service on the instance, the"
                " network path and security groups, DNS, a load balancer in front of it."
            ),
            _(
                "Look at CPU, memory, disk and network of that time in CloudMonitor; a machine"
                " under full load looks dead from outside."
            ),
            _("If the time may be wrong, open a case for the right time and zone."),
        ),
        _("Look at the service and the network instead of the system."),
        OPERATORS,
    )


def _oom(facts: Facts, analysis: Analysis, uptime: Text) -> Cause:
    return Cause(
        analysis.verdict,
        _(
            "The kernel killed a process for lack of memory (%(line)s), but the system stayed"
            " up: this is not a reboot. %(uptime)s",
            line=quoted(analysis.reason or _first_title(analysis)),
            uptime=uptime,
        ),
        memory_advice(facts, analysis),
        _("Find out which process needs the memory, and give it less load or more memory."),
        OPERATORS,
    )


def _hang(facts: Facts, analysis: Analysis, uptime: Text) -> Cause:
    return Cause(
        analysis.verdict,
        _(
            "Part of the system hung without a reboot: %(line)s. %(uptime)s",
            line=quoted(analysis.reason or _first_title(analysis)),
            uptime=uptime,
        ),
        hang_advice(analysis),
        _("Look at the quoted stack, as the first recommendation says."),
        OPERATORS,
    )


def _application(facts: Facts, analysis: Analysis, uptime: Text) -> Cause:
    return Cause(
        analysis.verdict,
        _(
            "Applications crashed (%(line)s), but Windows did not: there is no unexpected shutdown"
            " in the records. %(uptime)s",
            line=quoted(_first_title(analysis)),
            uptime=uptime,
        ),
        (
            _(
                "Look at the application named above: its own log, its last update, and the"
                " faulting module in the Application event log."
            ),
            _(
                "To catch the next one, have Windows Error Reporting keep local dumps of it"
                " (registry key LocalDumps), and hand such a dump to the application's vendor."
            ),
        ),
        _("Hand the application's crash to whoever looks after it."),
        OPERATORS,
    )


def _memory_exhausted(facts: Facts, analysis: Analysis, uptime: Text) -> Cause:
    return Cause(
        analysis.verdict,
        _(
            "Windows ran short of memory (%(line)s), but did not go down. %(uptime)s",
            line=quoted(_first_title(analysis)),
            uptime=uptime,
        ),
        memory_advice(facts, analysis),
        _("Find out which process needs the memory, and give it less load or more memory."),
        OPERATORS,
    )


def _something_else(facts: Facts, analysis: Analysis, uptime: Text) -> Cause:
    return Cause(
        analysis.verdict,
        _(
            "The instance did not go down in this window, but its records show: %(line)s."
            " %(uptime)s",
            line=quoted(analysis.reason or _first_title(analysis)),
            uptime=uptime,
        ),
        (
            _(
                "Look into what the record names before it becomes a crash; the quoted line and"
                " what stands around it are in the evidence of this case."
            ),
        ),
        _("Look into the quoted record."),
        OPERATORS,
    )


TELL = {
    "oom_kill": _oom,
    "hang": _hang,
    "none_app_crash": _application,
    "none_resource_exhaustion": _memory_exhausted,
}


def _first_title(analysis: Analysis) -> str | Text:
    return analysis.findings[0].title if analysis.findings else analysis.verdict.kind
