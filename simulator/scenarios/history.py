"""What a Linux machine lived through, boot by boot, and the records which that leaves behind."""

import struct
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone

from simulator.scenarios import kernel
from simulator.scenarios.distros import Distro
from simulator.scenarios.kernel import Line

SYSTEMD = "systemd"


@dataclass(frozen=True, slots=True)
class Entry:
    """One journal entry. `disk` is false for what was printed but never reached a disk."""

    seconds: float
    level: int
    transport: str
    ident: str
    pid: int
    unit: str
    about: str
    text: str
    disk: bool = True


@dataclass(frozen=True, slots=True)
class Login:
    """A session on a terminal; `until` is None when nobody logged out."""

    user: str
    line: str
    host: str
    pid: int
    since: datetime
    until: datetime | None = None


@dataclass(slots=True)
class Run:
    """One boot: its id, its start, how it ended, and everything that was logged."""

    boot_id: str
    started: datetime
    entries: list[Entry] = field(default_factory=list)
    logins: list[Login] = field(default_factory=list)
    shutdown_at: datetime | None = None  # an orderly end leaves its record in wtmp
    console_tail: list[str] = field(default_factory=list)  # after the kernel's own last line

    def at(self, moment: datetime) -> float:
        return (moment - self.started).total_seconds()

    def kernel(self, lines: Iterable[Line], *, disk: bool = True) -> None:
        self.entries += [
            Entry(line.seconds, line.level, "kernel", "kernel", 0, "", "", line.text, disk)
            for line in lines
        ]

    def say(
        self,
        when: float | datetime,
        ident: str,
        text: str,
        *,
        pid: int = 1,
        unit: str = "",
        about: str = "",
        level: int = 6,
    ) -> None:
        """One line of a program, `when` seconds after the boot or at that moment."""
        seconds = self.at(when) if isinstance(when, datetime) else when
        transport = "journal" if ident == SYSTEMD else "syslog"
        owner = "init.scope" if ident == SYSTEMD else unit
        self.entries.append(Entry(seconds, level, transport, ident, pid, owner, about, text))

    def ordered(self) -> list[Entry]:
        return sorted(self.entries, key=lambda entry: entry.seconds)


@dataclass(slots=True)
class History:
    """All boots that left a trace, oldest first; the last one is the present."""

    hostname: str
    distro: Distro
    zone: timezone
    runs: list[Run]

    @property
    def now(self) -> Run:
        return self.runs[-1]

    def local(self, moment: datetime) -> datetime:
        return moment.astimezone(self.zone)

    # -- the journal and the kernel's ring buffer, as the stand-in tools read them

    def journal(self) -> str:
        """Tab-separated: boot, unix time, seconds since boot, level, transport, ident, pid,
        unit, unit spoken about, text."""
        kept = self.runs if self.distro.persistent_journal else self.runs[-1:]
        return "".join(self._journal_line(run, entry) for run in kept for entry in _on_disk(run))

    def _journal_line(self, run: Run, entry: Entry) -> str:
        stamp = (run.started + timedelta(seconds=entry.seconds)).timestamp()
        fields = (
            run.boot_id.replace("-", ""),
            f"{stamp:.6f}",
            f"{entry.seconds:.6f}",
            str(entry.level),
            entry.transport,
            entry.ident,
            str(entry.pid or ""),
            entry.unit,
            entry.about,
            entry.text,
        )
        return "\t".join(fields) + "\n"

    def ring_buffer(self) -> str:
        """Tab-separated: level, seconds since boot, text."""
        lines = (e for e in self.now.ordered() if e.transport == "kernel")
        return "".join(f"{e.level}\t{e.seconds:.6f}\t{e.text}\n" for e in lines)

    # -- the classic logs

    def syslog(self, since: datetime, until: datetime) -> str:
        """Lines as rsyslog writes them, of the entries between the two moments."""
        lines = []
        for run in self.runs:
            for entry in _on_disk(run):
                moment = run.started + timedelta(seconds=entry.seconds)
                if since <= moment < until:
                    lines.append(self._syslog_line(moment, entry))
        return "".join(lines)

    def of(self, *idents: str) -> str:
        """The same, of some programs alone: auth.log, secure, cron."""
        return "".join(
            self._syslog_line(run.started + timedelta(seconds=entry.seconds), entry)
            for run in self.runs
            for entry in _on_disk(run)
            if entry.ident in idents
        )

    def _syslog_line(self, moment: datetime, entry: Entry) -> str:
        who = f"{entry.ident}[{entry.pid}]" if entry.pid else entry.ident
        text = entry.text
        if entry.transport == "kernel" and self.distro.family == "debian":
            text = f"[{entry.seconds:12.6f}] {text}"  # there rsyslog reads the kernel itself
        local = self.local(moment)
        return f"{local:%b} {local.day:>2} {local:%H:%M:%S} {self.hostname} {who}: {text}\n"

    # -- wtmp

    def wtmp(self) -> bytes:
        records = []
        for run in self.runs:
            up = run.started + timedelta(seconds=3)
            release = self.distro.kernel
            records.append((up, _utmp(2, 0, "~", "~~", "reboot", release, up)))
            level = up + timedelta(seconds=7)
            records.append((level, _utmp(1, 51, "~", "~~", "runlevel", release, level)))
            for login in run.logins:
                records += _session(login)
            if run.shutdown_at:
                down = run.shutdown_at
                records.append((down, _utmp(1, 0, "~", "~~", "shutdown", release, down)))
        return b"".join(record for _, record in sorted(records, key=lambda pair: pair[0]))

    # -- the serial console

    def console(self) -> str:
        """The end of the previous boot and the present one, as the serial port printed them."""
        text = ""
        for run in self.runs[-2:]:
            lines = [e for e in run.ordered() if e.transport == "kernel"]
            if run is not self.now:
                lines = lines[-160:]
            boot = [e for e in lines if e.seconds < 30]
            rest = [e for e in lines if e.seconds >= 30]
            text += _printed(boot) + (f"\n{self.hostname} login: \n" if boot else "")
            text += _printed(rest) + "".join(f"{line}\n" for line in run.console_tail)
        return text


def _on_disk(run: Run) -> list[Entry]:
    return [entry for entry in run.ordered() if entry.disk]


def _printed(entries: list[Entry]) -> str:
    return "".join(kernel.printed(Line(e.seconds, e.level, e.text)) + "\n" for e in entries)


def _session(login: Login) -> list[tuple[datetime, bytes]]:
    number = login.line.removeprefix("pts/")
    start = _utmp(7, login.pid, login.line, f"ts/{number}", login.user, login.host, login.since)
    records = [(login.since, start)]
    if login.until:
        records.append((login.until, _utmp(8, login.pid, login.line, "", "", "", login.until)))
    return records


def _utmp(
    kind: int, pid: int, line: str, ident: str, user: str, host: str, moment: datetime
) -> bytes:
    """One record in the layout of glibc's struct utmp on 64-bit machines."""
    return struct.pack(
        "<hxxi32s4s32s256shhiii16s20x",
        kind,
        pid,
        line.encode(),
        ident.encode(),
        user.encode(),
        host.encode(),
        0,
        0,
        0,
        int(moment.timestamp()),
        moment.microsecond,
        bytes(16),
    )
