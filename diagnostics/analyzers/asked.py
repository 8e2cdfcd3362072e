"""Who asked for it: sudo, the power key, cron, updates, audit; and what shell histories name."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

from ..findings import Finding, Quote, Severity
from ..readers import lines
from ..readers.clock import Clock, epoch
from ..readers.lines import Line
from ..wording import Text
from ..wording import say as _
from .registry import analyzer

STOPS = (
    r"(?:reboot|shutdown|poweroff|halt|telinit [06]|init [06]|systemctl (?:reboot|poweroff|halt))"
)
NOBODY = 4294967295  # an audit id that was never set: the system itself, in no session
SOURCE = re.compile(r"^([\w.-]+): (?=\S)")
AUDITED = re.compile(r"\bmsg=audit\((\d{9,10})\.")
ASKERS = [
    (
        "sysrq.asked",
        re.compile(r"\s*(?P<user>\S+) : .*COMMAND=(?P<what>.*sysrq-trigger.*)"),
        _("%(user)s ran %(what)s through sudo"),
    ),
    (
        "who.sudo",
        re.compile(rf"\s*(?P<user>\S+) : .*COMMAND=(?P<what>\S*(?:/|\b){STOPS}\b.*)"),
        _("%(user)s ran %(what)s through sudo"),
    ),
    (
        "who.cron",
        re.compile(rf"\((?P<user>\S+)\) CMD \((?P<what>.*\b{STOPS}\b.*)\)"),
        _("a cron job of %(user)s ran %(what)s"),
    ),
    (
        "who.audit",
        re.compile(rf"type=SYSTEM_SHUTDOWN .*?auid=(?!{NOBODY}\b)(?P<user>\d+)"),
        _("the audit log records a shutdown asked in a session of user id %(user)s"),
    ),
    (
        "who.audit",
        re.compile(rf"type=(?:SYSCALL|EXECVE) .*(?P<what>exe=\"\S*{STOPS}\"|a0=\"{STOPS}\")"),
        _("the audit log records the command %(what)s"),
    ),
    (
        "who.power-key",
        re.compile(r"Power key pressed|Power-Off key pressed"),
        _("the power key was pressed: on a cloud machine that is its console, API or tools"),
    ),
    (
        "who.updates",
        re.compile(r".*(?:unattended-upgrade|dnf-automatic|yum-cron|needrestart).*(?i:reboot)"),
        _("automatic updates asked for it"),
    ),
    (
        "who.shutdown",
        re.compile(
            r"(?:shutting down for system (?P<what>reboot|halt)|The system will (?P<w2>\w+))"
        ),
        _("shutdown announced it: %(line)s"),
    ),
    ("who.agent", re.compile(r".*(?i:(?:reboot|shutdown) (?:by|via) .*)"), Text("%(line)s")),
]


@analyzer("who", "clock")
def askers(who: str, clock: Clock) -> Iterator[Finding]:
    """Lines that name who or what asked the machine to go down."""
    for raw in who.splitlines()[:400]:
        found = SOURCE.match(raw)
        line = lines.read(raw[found.end() :] if found else raw)
        for code, pattern, title in ASKERS:
            if said := pattern.match(line.text) or pattern.match(line.raw):
                yield _asked(code, title, said, line, clock)
                break


def _asked(code: str, title: Text, said: re.Match, line: Line, clock: Clock) -> Finding:
    named = {name: value for name, value in said.groupdict().items() if value}
    words = {"user": "?", "what": "?", **named, "line": line.text.strip()[:120]}
    text = replace(title, params=words)
    audited = AUDITED.search(line.raw)
    at = epoch(audited[1]) if audited else clock.exact(line.at)
    quote = Quote(line.raw.strip()[:400], "who", at)
    return Finding(code, Severity.INFO, text, quote, facts=dict(named))


@analyzer("history")
def histories(history: str) -> Iterator[Finding]:
    """Shell histories that name what stops or crashes a machine. Only that, never their lines."""
    for raw in history.splitlines()[:100]:
        if found := re.fullmatch(r"([a-z-]+) (/.*):([1-9]\d{0,8})", raw):
            title = _(
                "The shell history %(path)s names %(word)s, lines: %(count)s",
                path=found[2],
                word=found[1],
                count=found[3],
            )
            facts = {"word": found[1], "path": found[2], "count": int(found[3])}
            quote = Quote(raw, "history")
            yield Finding("history.names", Severity.INFO, title, quote, facts=facts)
