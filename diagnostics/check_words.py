"""The checks and what they need, as people read them; analyzers themselves have dotted names."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from diagnostics.wording import Text, quoted
from diagnostics.wording import say as _

CHECKS = {
    "asked.askers": _("who asked for it (sudo, cron, audit, updates, power key)"),
    "asked.histories": _("shell histories"),
    "endings.orderly": _("orderly end"),
    "endings.keys": _("reset through sysrq"),
    "endings.abrupt": _("boot with no end before it"),
    "endings.unfinished": _("journal that breaks off"),
    "hang.hangs": _("lockups, stalls and blocked tasks"),
    "hardware.errors": _("hardware errors"),
    "oom.kills": _("processes killed for memory"),
    "panic.panics": _("kernel panic"),
    "panic.oopses": _("kernel oops"),
    "panic.captured": _("crash kernel"),
    "programs.failures": _("programs that failed"),
    "programs.looks": _("state listed through sysrq"),
    "storage.filesystems": _("file system errors"),
    "storage.disks": _("disk errors"),
    "warnings.reports": _("kernel warnings"),
    "wtmp.last_end": _("end of the boot before, by the login records"),
    "wtmp.printed_logins": _("login records within a text"),
    "wtmp.sessions": _("who was logged in"),
    "windows_bugcheck.bugcheck": _("blue screen"),
    "windows_bugcheck.remembered": _("blue screen that a person recorded"),
    "windows_bugcheck.dump": _("memory dump"),
    "windows_orderly.orderly": _("orderly end"),
    "windows_orderly.last_words": _("record that ends with a stop"),
    "windows_quiet.exhaustion": _("shortage of memory"),
    "windows_quiet.sleep": _("sleep and resume"),
    "windows_quiet.programs": _("programs that crashed"),
    "windows_quiet.reasons": _("reasons that people typed"),
    "windows_quiet.healthy": _("time without a stop"),
    "windows_unclean.unclean": _("end without a shutdown"),
    "windows_unclean.strain": _("strain shortly before the end"),
    "windows_unclean.hardware": _("hardware errors"),
    "windows_unclean.repeated": _("several ends in a row"),
    "linux": _("the whole reading of the Linux records"),
    "windows": _("the whole reading of the Windows records"),
}
KERNEL = _("no text of the kernel was read")
NO_WINDOWS = _("no records of Windows were read")
LACKING = {
    "down": KERNEL,
    "story": KERNEL,
    "previous": _("the journal of the boot before was not there"),
    "who": _("no line about who asked for a shutdown was collected"),
    "history": _("no shell history names anything of the kind, or none could be read"),
    "last": _("the login records (last) were not there"),
    "clock": _("the machine's clock is not known"),
    "windows_boot": _("the records hold no boot of this time"),
    "windows_quiet": _("the records hold a boot of this time, and this is for times without one"),
    **dict.fromkeys(
        (
            "windows_dumps",
            "windows_record",
            "windows_state",
            "windows_since",
            "windows_history",
            "windows_live",
            "windows_events",
        ),
        NO_WINDOWS,
    ),
    "vmcore_dmesg": KERNEL,
    "pstore": KERNEL,
    "journal_previous": KERNEL,
    "console": KERNEL,
    "messages": KERNEL,
    "text": KERNEL,
    "dmesg": KERNEL,
    "journal_current": KERNEL,
}


def check(name: str) -> Text:
    """The check in words; in brackets the record, where the name carries one."""
    plain, bracket, record = name.partition(" (")
    told = CHECKS.get(plain, quoted(plain))
    return _("%(check)s (%(record)s)", check=told, record=record[:-1]) if bracket else told


def not_run(skipped: Mapping[str, Iterable[str]]) -> list[tuple[Text, tuple[Text, ...]]]:
    """Why checks were not run, each reason once, with the checks that it kept."""
    kept: dict[str, tuple[Text, list[Text]]] = {}
    for name, missing in skipped.items():
        first = next(iter(missing), "")
        why = LACKING.get(first) or _("there was no %(what)s", what=quoted(first))
        kept.setdefault(str(why), (why, []))[1].append(check(name))
    return [(why, tuple(checks)) for why, checks in kept.values()]
