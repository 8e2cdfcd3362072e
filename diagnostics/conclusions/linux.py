"""What a Linux guest's own records say about its end."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from diagnostics.conclusions import chain
from diagnostics.conclusions.advice import (
    CATCH_LINUX,
    deep_analysis,
    hang_advice,
    kdump_steps,
    memory_advice,
)
from diagnostics.conclusions.answer import NOBODY, OPERATORS, OWNER, SUPPORT, Cause
from diagnostics.conclusions.asking import POWER_KEY, about, asker
from diagnostics.conclusions.platform import guest_failure
from diagnostics.facts import Facts
from diagnostics.findings import Analysis, Confidence, Verdict
from diagnostics.incident import UNEXPLAINED, Incident, down_of, span
from diagnostics.wording import Text, listed, quoted
from diagnostics.wording import say as _


def crashed(facts: Facts, incident: Incident) -> Cause | None:
    if facts.windows():
        return None
    for origin, analysis in (("guest", facts.guest), ("console", _console(facts))):
        if analysis and analysis.verdict.kind == "kernel_panic" and about(analysis, incident):
            return _panic(facts, incident, analysis, origin)
    console = _console(facts)
    hung = console and console.verdict.kind == "hang"
    if hung and not (facts.agent and facts.agent.alive) and facts.guest is None:
        return _hung_now(facts, console)
    return None


def _console(facts: Facts) -> Analysis | None:
    """A crash leaves a machine hanging or rebooted, never Stopped: then it tells of before."""
    return None if facts.machine.status == "Stopped" else facts.console


def _panic(facts: Facts, incident: Incident, analysis: Analysis, origin: str) -> Cause:
    dumps = facts.capture.dumps_in(incident.window) if facts.capture else ()
    led = chain.before(analysis)
    sentence = _(
        "%(what)s%(began)s %(dump)s",
        what=_what(analysis),
        began=chain.words(led),
        dump=_dump_words(facts, bool(dumps)),
    )
    if origin == "console":
        sentence = _("%(sentence)s The record comes from the serial console.", sentence=sentence)
    advice, next_step, owner = _after_a_panic(facts, analysis, bool(dumps), led)
    return Cause(
        analysis.verdict,
        sentence,
        advice,
        next_step,
        owner,
        went_down_at=analysis.at or incident.down_by(_seen_by_the_platform(facts, incident)),
        contradictions=_against(facts, analysis),
        origin=origin,
        chain=led,
        end=analysis.reason or analysis.verdict.kind,
        names=who_crashed_it(analysis) if analysis.verdict.subkind == "sysrq" else None,
    )


def _seen_by_the_platform(facts: Facts, incident: Incident) -> datetime | None:
    event = guest_failure(facts, incident)
    acted = span(event) if event else None
    return acted.start if acted else None


def _against(facts: Facts, analysis: Analysis) -> tuple[Text, ...]:
    other = facts.console if analysis is facts.guest else facts.guest
    if other and other.verdict.kind == "normal_reboot":
        return (_("Another record of this case shows an orderly reboot; the crash is the later."),)
    return ()


PANICS = {
    "oom_panic": _("Memory ran out, and vm.panic_on_oom made the kernel panic"),
    "sysrq": _("Somebody or something triggered the crash by hand, through SysRq"),
    "hung_task": _("A task was blocked too long, and kernel.hung_task_panic made the kernel panic"),
    "soft_lockup": _("A CPU was stuck in the kernel (soft lockup), which made the kernel panic"),
    "hard_lockup": _("A CPU was stuck with interrupts off (hard lockup), which made it panic"),
    "rcu_stall": _("RCU stalled, which made the kernel panic"),
    "mce": _("The hardware reported an uncorrectable error (machine check), and the kernel halted"),
    "nmi": _("A non-maskable interrupt made the kernel panic"),
    "init_killed": _("The first process (init) died, and the kernel cannot run without it"),
    "no_init": _("The kernel found no init to start"),
    "vfs_root": _("The kernel could not mount its root file system at boot"),
    "fs_panic": _("A file system error made the kernel panic"),
    "watchdog": _("A watchdog expired and made the kernel panic"),
    "panic_on_warn": _("The kernel printed a warning, and kernel.panic_on_warn made it panic"),
    "memory_corruption": _("The kernel found its memory corrupted and crashed"),
}


def _what(analysis: Analysis) -> Text:
    told = PANICS.get(analysis.verdict.subkind or "", _("The kernel crashed"))
    where = _where(analysis)
    line = quoted(analysis.reason) if analysis.reason else _("no panic line was kept")
    if where:
        return _("%(told)s: %(line)s, %(where)s.", told=told, line=line, where=where)
    return _("%(told)s: %(line)s.", told=told, line=line)


def _where(analysis: Analysis) -> Text | None:
    function, module = analysis.verdict.function, analysis.module
    if function and module:
        return _("in %(function)s of the module %(module)s", function=function, module=module)
    if function:
        return _("in %(function)s", function=function)
    return _("in the module %(module)s", module=module) if module else None


def _dump_words(facts: Facts, dumped: bool) -> Text:
    if dumped:
        return _("A crash dump was captured.")
    if facts.capture is None:
        return _("Whether a crash dump was captured could not be looked up.")
    if facts.capture.armed:
        return _("kdump is set up, but no crash dump of it was found.")
    return _("Nothing was captured: kdump is not set up.")


def _after_a_panic(
    facts: Facts, analysis: Analysis, dumped: bool, led: tuple[chain.Link, ...]
) -> tuple[tuple[Text, ...], Text, Text]:
    first = BY_BEGINNING.get(chain.begins_with(led))
    usual = BY_SUBKIND.get(analysis.verdict.subkind or "", _fix_the_driver)
    tellers = dict.fromkeys(teller for teller in (first, usual) if teller)
    advice = [said for teller in tellers for said in teller(facts, analysis)]
    if dumped:
        dump = facts.capture.dumps[0]
        advice.append(deep_analysis(dump.path))
        next_step = _("Hand the dump to Alibaba Cloud technical support for deep analysis.")
        return tuple(advice), next_step, SUPPORT
    advice += kdump_steps(facts)
    next_step = _("Follow the first recommendation, and set up kdump so that the next is caught.")
    if facts.capture and facts.capture.armed:
        next_step = _("Follow the first recommendation.")
    return tuple(advice), next_step, OPERATORS


def _fix_the_driver(facts: Facts, analysis: Analysis) -> tuple[Text, ...]:
    if analysis.module:
        return (
            _(
                "Update the module %(module)s (its package or its vendor's driver) and the kernel;"
                " if it came with a recent update, go back to the version before.",
                module=analysis.module,
            ),
        )
    return (
        _(
            "Update the kernel to the newest of the distribution and compare its change log with"
            " the quoted panic; if the crash came with a recent update, boot the kernel before it."
        ),
    )


def _oom(facts: Facts, analysis: Analysis) -> tuple[Text, ...]:
    return (
        _(
            "Set vm.panic_on_oom=0 (sysctl -w vm.panic_on_oom=0, and the same in /etc/sysctl.d),"
            " unless this system is meant to restart when memory runs out: then only a process is"
            " killed."
        ),
        *memory_advice(facts, analysis),
    )


def _sysrq(facts: Facts, analysis: Analysis) -> tuple[Text, ...]:
    return (
        _(
            "Ask whoever had root access at that time whether this was a test; look for"
            " sysrq-trigger in the shell history of root, in audit and sudo logs, and in the runs"
            " of Cloud Assistant."
        ),
        _("Set kernel.sysrq=16 (only sync) or 0 where nobody needs to trigger a crash by hand."),
    )


def who_crashed_it(analysis: Analysis) -> Text | None:
    """What names the one who asked for the crash: a command, a shell history, who was there."""
    commands = [f.title for f in analysis.findings if f.code == "sysrq.asked"]
    histories = [
        f.title
        for f in analysis.findings
        if f.code == "history.names" and f.facts.get("word") == "sysrq-trigger"
    ]
    there = [f.title for f in analysis.findings if f.code == "login.session"]
    told = [*commands, *histories, *there]
    return _("Who: %(told)s.", told=listed(told[:6])) if told else None


def _hung(facts: Facts, analysis: Analysis) -> tuple[Text, ...]:
    return hang_advice(analysis)


def _hardware(facts: Facts, analysis: Analysis) -> tuple[Text, ...]:
    return (
        _(
            "Ask Alibaba Cloud support to check the host, quoting the machine check lines, and"
            " have the instance migrated (redeploy, or stop and start it)."
        ),
    )


def _root(facts: Facts, analysis: Analysis) -> tuple[Text, ...]:
    return (
        _(
            "Boot an earlier kernel from the console (VNC), then rebuild the initramfs of the new"
            " one and check root= and UUIDs in /etc/fstab and the boot loader."
        ),
    )


def _file_system(facts: Facts, analysis: Analysis) -> tuple[Text, ...]:
    return (
        _(
            "Take a snapshot, then check the file system named in the quoted line from another"
            " system (fsck), and look at the disk's errors before the panic."
        ),
    )


BY_BEGINNING = {"storage": _file_system, "memory": memory_advice, "hardware": _hardware}
BY_SUBKIND = {
    "oom_panic": _oom,
    "sysrq": _sysrq,
    "hung_task": _hung,
    "soft_lockup": _hung,
    "hard_lockup": _hung,
    "rcu_stall": _hung,
    "mce": _hardware,
    "nmi": _hardware,
    "vfs_root": _root,
    "no_init": _root,
    "fs_panic": _file_system,
}


def _hung_now(facts: Facts, console: Analysis) -> Cause:
    line = console.reason or (console.findings[0].title if console.findings else "")
    return Cause(
        console.verdict,
        _(
            "The system hangs; its serial console shows: %(line)s. It did not come back by itself.",
            line=quoted(line),
        ),
        (
            *hang_advice(console),
            _(
                "If it has to come back at once, take a screenshot and the console output first,"
                " then force a reboot through the ECS console."
            ),
        ),
        _("Save the console output, then force a reboot."),
        OPERATORS,
        went_down_at=console.at,
        origin="console",
    )


def orderly(facts: Facts, incident: Incident) -> Cause | None:
    analysis = facts.guest or _console_of_the_time(facts, incident)
    if facts.windows() or analysis is None or analysis.verdict.kind != "normal_reboot":
        return None
    if not about(analysis, incident) or guest_failure(facts, incident):
        return None
    from_console = analysis is not facts.guest
    said = asker(analysis, incident)
    if said and said.code == POWER_KEY:
        return through_the_platform(facts, analysis, said.title)
    if said:
        sentence = _("It was an orderly reboot: %(who)s.", who=quoted(said.title))
    else:
        sentence = _(
            "It was an orderly reboot or shutdown; the records that were read do not name who"
            " asked for it."
        )
    verdict = analysis.verdict
    if from_console:
        sentence = _("%(sentence)s The record comes from the serial console.", sentence=sentence)
        verdict = replace(verdict, confidence=Confidence.LIKELY)
    return Cause(
        verdict,
        sentence,
        (
            _(
                "Ask the person or job that the records name whether it was intended; check cron"
                " jobs, automatic updates and operation scripts for that time."
            ),
            LOOK_UP,
        ),
        _("Confirm with whoever asked for it; nothing has to be repaired."),
        NOBODY if said else OPERATORS,
        went_down_at=analysis.at,
        origin="console" if from_console else "guest",
    )


def _console_of_the_time(facts: Facts, incident: Incident) -> Analysis | None:
    """Where the guest cannot be asked its console speaks, if it was then that somebody missed
    the machine: an end that nobody asks about may be of long ago."""
    record, window = _console(facts), incident.window
    if facts.reported is None or record is None or record.at is None or window is None:
        return None
    return record if window.holds(record.at) else None


LOOK_UP = _(
    "Look up RebootInstance, RebootInstances, StopInstance and StopInstances for this instance in"
    " ActionTrail: it names who asked and from which address."
)


NOT_IN_THE_TRAIL = _(
    "The account's audit trail, asked up to %(end)s, names no call for it; it tells of calls up to"
    " ten minutes late, and keeps none of what Alibaba Cloud itself does."
)


def through_the_platform(facts: Facts, analysis: Analysis, line: str | Text) -> Cause:
    """A reboot asked from outside, not by this portal: console, API or a tool such as Terraform."""
    looked = facts.trail is not None
    unnamed = (replace(NOT_IN_THE_TRAIL, params={"end": facts.trail.until}),) if looked else ()
    return Cause(
        replace(analysis.verdict, kind="outside_action", subkind=None, crashed=False, planned=True),
        _(
            "The instance was restarted or stopped in order, asked for through the platform (ECS"
            " console, API, or a tool that uses it), not by this portal: %(line)s. By whom is not"
            " recorded on the machine.",
            line=quoted(line),
        ),
        (
            *unnamed,
            LOOK_UP,
            _("Ask the teams whose tools may reboot instances (Terraform, scaling, scripts)."),
        ),
        _("Look up in ActionTrail who asked for it."),
        OWNER,
        went_down_at=down_of(analysis),
    )


def unexplained(facts: Facts, incident: Incident) -> Cause | None:
    """It booted with no end before it: power reset or hang. Never a guess."""
    analysis = facts.guest
    if facts.windows() or analysis is None or incident.went_down is not True:
        return None
    if not facts.reaches_back and analysis.verdict.kind not in UNEXPLAINED:
        return None
    verdict = analysis.verdict
    if verdict.kind not in UNEXPLAINED:
        verdict = Verdict(
            "unexplained_reboot",
            "unknown",
            crashed=True,
            signature="unexplained_reboot",
            confidence=Confidence.LIKELY,
        )
    if not facts.asked("events"):
        verdict = replace(verdict, confidence=Confidence.POSSIBLE)
    return Cause(
        verdict,
        _unexplained_words(facts, analysis),
        (
            *CATCH_LINUX,
            *kdump_steps(facts),
        ),
        _("Set up what would catch the next one, and watch whether it happens again."),
        OPERATORS,
    )


def _unexplained_words(facts: Facts, analysis: Analysis) -> Text:
    platform = (
        _("ECS has no system event for it")
        if facts.asked("events")
        else _("ECS could not be asked for its events, so a platform cause is not excluded")
    )
    seen = quoted("")
    if analysis.verdict.kind in ("oom_kill", "hang", "warning") and analysis.findings:
        seen = _(
            " Before it the records show: %(line)s; that alone does not reboot a machine.",
            line=quoted(analysis.findings[0].title),
        )
    return _(
        "The instance booted without any end before it: no shutdown, no panic in the guest's"
        " records, and %(platform)s. That is how a power reset or a hang looks that was ended from"
        " outside; which of them it was cannot be told from what was kept.%(seen)s",
        platform=platform,
        seen=seen,
    )
