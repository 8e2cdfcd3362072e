"""What a Linux machine would keep of a crash: from the sections of its answer to the checks."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from diagnostics.readers import linux_state
from diagnostics.readers.linux_state import LinuxState, whole
from diagnostics.readiness.checks import (
    GIB_IN_KB,
    UNTOLD,
    Check,
    agent,
    gib,
    missing,
    not_told,
    ok,
    unknown,
)
from diagnostics.wording import Text
from diagnostics.wording import say as _

AT_BOOT = {"enabled", "enabled-runtime", "static", "alias", "indirect", "generated"}
NOT_AT_BOOT = {"disabled", "masked", "masked-runtime", "linked"}
KERNEL_ONLY = 24  # makedumpfile leaves out user data (8) and free pages (16)
USUAL_LEVEL = 31  # of kdump and kdump-tools where nothing is set
LIVELY = timedelta(days=1)  # a log written to within it is a log in use
LEAST_FREE = GIB_IN_KB  # in /var, KB
NO_SPACE = _("the free space was not told")


@dataclass(frozen=True, slots=True)
class LinuxFacts:
    """Beside the state of the machine: sizes in KB, `storage` as (file, value) of each Storage=,
    `level` of makedumpfile, `syslog` as (last change, path). None: could not be asked; "": asked,
    and nothing there."""

    state: LinuxState
    cmdline: str | None
    use_kdump: str | None
    target: str | None
    memory_kb: int | None
    level: int | None
    journald: bool | None
    journal_place: str
    storage: tuple[tuple[str, str], ...]
    syslog: tuple[tuple[datetime, str], ...]
    pstore: bool | None
    pstore_backend: str | None
    efi: bool | None
    var_size_kb: int | None
    var_free_kb: int | None
    asked: bool  # whether the section of readiness is there
    why_not: str | Text


def read(sections: Mapping[str, str]) -> LinuxFacts:
    """The facts in an answer, of the readiness or of the collection script. Never raises."""
    state, asked = linux_state.read(sections), linux_state.Asked(sections)
    told = asked.pairs("readiness")
    rows = [line.partition("=") for line in sections.get("readiness", "").splitlines()]
    values = [(key, value) for key, _equals, value in rows]
    return LinuxFacts(
        state=state,
        cmdline=sections.get("cmdline"),
        use_kdump=asked.pairs("kdump").get("use_kdump"),
        target=asked.pairs("kdump").get("target"),
        memory_kb=number(told.get("memory_kb")),
        level=level(told),
        journald=truth(told.get("journald")),
        journal_place=told.get("journal_place", ""),
        storage=tuple(split(value) for key, value in values if key == "journal_storage"),
        syslog=tuple(log for key, value in values if key == "syslog" and (log := logged(value))),
        pstore=truth(told.get("pstore")),
        pstore_backend=told.get("pstore_backend"),
        efi=truth(told.get("efi")),
        var_size_kb=number(told.get("var_size_kb")),
        var_free_kb=number(told.get("var_free_kb")),
        asked="readiness" in sections,
        why_not=asked.missing("readiness") or UNTOLD,
    )


def number(text: str | None) -> int | None:
    return int(text) if text and whole(text) and int(text) >= 0 else None


def truth(text: str | None) -> bool | None:
    return {"yes": True, "no": False}.get(text or "")


def split(text: str) -> tuple[str, str]:
    file, _colon, value = text.rpartition(":")
    return file, value.lower()


def logged(text: str) -> tuple[datetime, str] | None:
    at, _space, path = text.partition(" ")
    moment = linux_state.moment(int(at)) if whole(at) else None
    return (moment, path) if moment and path else None


def level(told: Mapping[str, str]) -> int | None:
    """What is left out of a dump. A collector that is not makedumpfile leaves out nothing."""
    if not told.keys() >= {"dump_level", "collector", "makedump_args"}:
        return None
    if whole(told.get("dump_level", "")):
        return int(told["dump_level"])
    collector, args = told.get("collector", ""), told.get("makedump_args", "")
    if collector and "makedumpfile" not in collector:
        return 0
    if not (collector or args):
        return USUAL_LEVEL
    found = re.findall(r"(?:^|\s)(?:-d\s*|--dump-level[ =])(\d{1,3})", f"{collector} {args}")
    return max(map(int, found), default=0)


def judge(facts: LinuxFacts, known_agent: str = "") -> tuple[Check, ...]:
    """Every check of Linux, in the order in which a crash would need them."""
    return (
        kdump_service(facts),
        crash_memory(facts),
        crash_kernel(facts),
        dump_space(facts),
        panic_on_oops(facts),
        panic_reboot(facts),
        *hangs(facts),
        journal(facts),
        pstore(facts),
        serial_console(facts),
        var_space(facts),
        agent(facts.state.agent_version, known_agent),
    )


def kdump_service(facts: LinuxFacts) -> Check:
    name, kdump = "kdump_service", facts.state.kdump
    if kdump.service is None:
        return not_told(name, facts.state.reasons.get("service", UNTOLD))
    if kdump.service == "none":
        return missing(name, _("No kdump service is installed."), "service=none", "kdump_install")
    line = f"service={kdump.service} enabled={kdump.enabled} active={kdump.active}"
    told = {"service": kdump.service}
    if facts.use_kdump == "0":
        return missing(name, _("%(service)s is turned off by USE_KDUMP=0.", **told), "use_kdump=0")
    if kdump.enabled in NOT_AT_BOOT:
        return missing(name, _("%(service)s is not started at boot.", **told), line)
    if kdump.active in ("failed", "inactive") and not kdump.loaded:
        said = _("%(service)s is not active, and no crash kernel is loaded.", **told)
        return missing(name, said, line)
    if kdump.enabled not in AT_BOOT or facts.use_kdump is None:
        return unknown(name, _("Whether %(service)s starts at boot is not known.", **told), line)
    if kdump.active != "active" and not kdump.loaded:
        return unknown(name, _("Whether %(service)s is active is not known.", **told), line)
    return ok(name, _("%(service)s starts at boot and is set up.", **told), line)


def crash_memory(facts: LinuxFacts) -> Check:
    name, kdump = "crash_memory", facts.state.kdump
    line = f"crash_size={kdump.crash_size}"
    if kdump.crash_size:
        mib = kdump.crash_size >> 20
        return ok(name, _("%(mib)s MiB are reserved.", mib=mib), line)
    if kdump.crashkernel == "":
        said = _("There is no crashkernel= on the kernel's command line.")
        return missing(name, said, (facts.cmdline or "")[:300])
    if kdump.crash_size == 0 and kdump.crashkernel:
        said = _(
            "crashkernel=%(value)s is on the command line, but the kernel reserved nothing.",
            value=kdump.crashkernel,
        )
        return missing(name, said, f"crashkernel={kdump.crashkernel} {line}", "crash_memory_size")
    return not_told(name, facts.state.reasons.get("crash_size", UNTOLD))


def crash_kernel(facts: LinuxFacts) -> Check:
    name, loaded = "crash_kernel", facts.state.kdump.loaded
    if loaded is None:
        return not_told(name, facts.state.reasons.get("loaded", UNTOLD))
    if loaded:
        return ok(name, _("A crash kernel is loaded."), "crash_loaded=1")
    return missing(name, _("No crash kernel is loaded."), "crash_loaded=0")


def dump_space(facts: LinuxFacts) -> Check:
    name, kdump = "dump_space", facts.state.kdump
    if facts.target:
        said = _("Dumps go to another place; its room was not asked.")
        return unknown(name, said, f"target={facts.target}")
    if facts.target is None:
        return not_told(name, facts.state.reasons.get("target", UNTOLD))
    free, memory = kdump.space_free_kb, facts.memory_kb
    if free is None or memory is None or facts.level is None:
        why = facts.why_not if memory is None else NO_SPACE
        return not_told(name, why)
    filtered = facts.level & KERNEL_ONLY == KERNEL_ONLY
    need = memory // 4 if filtered else memory
    line = f"core_path={kdump.core_path} space_free_kb={free} memory_kb={memory}"
    told = {"free": gib(free), "path": kdump.core_path or "/var/crash", "need": gib(need)}
    if free >= need:
        return ok(name, _("%(free)s are free in %(path)s; a dump may take %(need)s.", **told), line)
    said = _("Only %(free)s are free in %(path)s; a dump may take %(need)s.", **told)
    return missing(name, said, line)


def sysctl(facts: LinuxFacts, name: str) -> tuple[int | None, str]:
    value = facts.state.sysctls.get(f"kernel.{name}")
    return value, f"kernel.{name}={value}"


def panic_on_oops(facts: LinuxFacts) -> Check:
    value, line = sysctl(facts, "panic_on_oops")
    if value is None:
        return not_told("panic_on_oops", UNTOLD)
    if value > 0:
        return ok("panic_on_oops", _("An oops becomes a panic."), line)
    return missing("panic_on_oops", _("The kernel goes on after an oops."), line)


def panic_reboot(facts: LinuxFacts) -> Check:
    name, loaded = "panic_reboot", facts.state.kdump.loaded
    value, line = sysctl(facts, "panic")
    if value is None:
        return not_told(name, UNTOLD)
    if value:
        return ok(name, _("The kernel restarts by itself after a panic."), line)
    if loaded:
        said = _("The crash kernel takes over and restarts the machine.")
        return ok(name, said, f"{line} crash_loaded=1")
    if loaded is None:
        said = _("The kernel itself stays down; whether a crash kernel takes over is not known.")
        return unknown(name, said, line, name)
    return missing(name, _("The machine stays down after a panic."), line)


def hangs(facts: LinuxFacts) -> Iterator[Check]:
    for name in ("softlockup_panic", "hung_task_panic"):
        value, line = sysctl(facts, name)
        if value is None:
            yield not_told(name, UNTOLD)
        elif value > 0:
            yield ok(name, _("The hang becomes a panic."), line)
        else:
            yield missing(name, _("The hang stays a hang."), line)


def chosen_storage(storage: tuple[tuple[str, str], ...]) -> tuple[str, str]:
    """The Storage= that counts, as systemd reads it: drop-ins over the main file, by their names,
    and of two places with the same name the one in /etc."""

    def rank(item: tuple[int, tuple[str, str]]) -> tuple:
        place, (file, _value) = item
        drop_in = ".conf.d/" in file
        return drop_in, file.rpartition("/")[2] if drop_in else "", place

    ranked = max(enumerate(storage), key=rank, default=(0, ("", "auto")))
    return ranked[1]


def journal(facts: LinuxFacts) -> Check:
    name = "journal"
    if not facts.asked or facts.journald is None:
        return not_told(name, facts.why_not)
    if not facts.journald:
        return _without_journal(facts)
    file, value = chosen_storage(facts.storage)
    line = f"{file}: Storage={value}" if file else f"journal_place={facts.journal_place}"
    if value in ("volatile", "none"):
        said = _("The journal is set not to be kept: Storage=%(value)s.", value=value)
        return missing(name, said, line, "journal_storage")
    if facts.journal_place == "used":
        place = f"journal_place={facts.journal_place}"
        return ok(name, _("The journal is kept in /var/log/journal."), place)
    if facts.journal_place == "none" and value == "persistent":
        said = _("Storage=persistent is set, but /var/log/journal is not there.")
        return missing(name, said, line)
    if facts.journal_place == "none":
        said = _("There is no /var/log/journal: the journal is lost at each restart.")
        return missing(name, said, line)
    if facts.journal_place == "empty":
        said = _("/var/log/journal is empty: nothing is written there yet.")
        return missing(name, said, f"journal_place={facts.journal_place}")
    return not_told(name, _("/var/log/journal could not be read"))


def _without_journal(facts: LinuxFacts) -> Check:
    """Without systemd the text log takes the journal's place, if somebody still writes it."""
    now = facts.state.asked_at
    for at, path in facts.syslog:
        line = f"syslog={at.timestamp():.0f} {path}"
        if now is not None and abs(now - at) <= LIVELY:
            return ok("journal", _("There is no journal; %(path)s is written.", path=path), line)
    said = _("There is no journal, and no log in /var/log was written within a day.")
    return missing("journal", said, "journald=no", "syslog")


def pstore(facts: LinuxFacts) -> Check:
    name = "pstore"
    if facts.pstore is None or facts.pstore_backend is None:
        return not_told(name, facts.why_not)
    backend = facts.pstore_backend.strip("()")
    if facts.pstore and backend and backend not in ("null", "none"):
        line = f"pstore_backend={facts.pstore_backend}"
        return ok(name, _("The kernel writes to %(backend)s.", backend=backend), line)
    line = f"pstore={'yes' if facts.pstore else 'no'} pstore_backend={facts.pstore_backend}"
    fix = "pstore_efi" if facts.efi else "pstore_none"
    return missing(name, _("The kernel has no place to write to."), line, fix)


def serial_console(facts: LinuxFacts) -> Check:
    if facts.cmdline is None:
        return not_told("serial_console", facts.state.reasons.get("crashkernel", facts.why_not))
    found = re.search(r"(?:^|\s)(console=tty(?:S|AMA)\S*)", facts.cmdline)
    if found:
        return ok("serial_console", _("The kernel prints to the serial port."), found[1])
    said = _("There is no console= of a serial port on the kernel's command line.")
    return missing("serial_console", said, facts.cmdline[:300])


def var_space(facts: LinuxFacts) -> Check:
    name, free, size = "var_space", facts.var_free_kb, facts.var_size_kb
    if free is None or not size:
        return not_told(name, facts.why_not if not facts.asked else NO_SPACE)
    line, told = f"var_size_kb={size} var_free_kb={free}", {"free": gib(free), "size": gib(size)}
    if free < LEAST_FREE or free * 20 < size:
        return missing(name, _("Only %(free)s of %(size)s are free.", **told), line)
    return ok(name, _("%(free)s of %(size)s are free.", **told), line)
