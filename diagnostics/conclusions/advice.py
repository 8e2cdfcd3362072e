"""Concrete steps, per family of operating system."""

from __future__ import annotations

from collections.abc import Iterable

from diagnostics.facts import Facts
from diagnostics.findings import Analysis, Verdict
from diagnostics.readiness.checks import TITLES
from diagnostics.wording import Text, quoted
from diagnostics.wording import say as _

RHEL = (
    _("Install it: yum install -y kexec-tools"),
    _(
        "Reserve memory: add crashkernel=auto (on releases that dropped auto: crashkernel=512M) to"
        " GRUB_CMDLINE_LINUX in /etc/default/grub, then run grub2-mkconfig -o"
        " /boot/grub2/grub.cfg"
    ),
    _("Reboot at a time that suits, then run systemctl enable --now kdump"),
    _("Check: systemctl status kdump, and crashkernel= in /proc/cmdline"),
)
DEBIAN = (
    _("Install it: apt-get install -y kdump-tools"),
    _("Set USE_KDUMP=1 in /etc/default/kdump-tools, then run update-grub"),
    _("Reboot at a time that suits, then check: kdump-config show"),
)
OTHER = (
    _("Install kexec-tools and the kdump service of the distribution"),
    _("Reserve memory: crashkernel=512M on the kernel's command line; rebuild the boot menu"),
    _("Reboot at a time that suits, then check that the kdump service is active"),
)
STEPS = {"rhel": RHEL, "debian": DEBIAN}
FAMILY_NAMES = {
    "rhel": "RHEL/CentOS/Alibaba Cloud Linux",
    "debian": "Ubuntu/Debian",
    "suse": "SUSE",
    "other": "this distribution",
    "windows": "Windows",
}

CATCH_LINUX = (
    _(
        "Keep the journal over reboots: mkdir -p /var/log/journal and restart systemd-journald, so"
        " that the last lines before the next end are there."
    ),
    _(
        "Send the kernel's messages to the serial console (console=ttyS0 on the kernel's command"
        " line), where GetInstanceConsoleOutput can read them after a crash that reaches no disk."
    ),
    _(
        "Let a hang become a crash with a dump: kernel.softlockup_panic=1,"
        " kernel.hardlockup_panic=1 and kernel.panic=10, once kdump works."
    ),
)
CATCH_WINDOWS = (
    _(
        "Look up StopInstance and RebootInstance with ForceStop for this instance in ActionTrail:"
        " a forced stop looks the same from inside."
    ),
    _(
        "Watch it from outside (CloudMonitor: CPU, disk and network by the minute), so that the"
        " next hang can be told from a power reset."
    ),
)


def steps_for(family: str) -> tuple[Text, ...]:
    return STEPS.get(family, OTHER)


def kdump_steps(facts: Facts) -> tuple[Text, ...]:
    """How to have the next crash caught; nothing where kdump is set up already."""
    capture = facts.capture
    if capture and capture.armed:
        return ()
    family = capture.family if capture else "other"
    return (
        _(
            "Set up kdump, so that the next crash leaves a dump. Steps for %(family)s: %(steps)s",
            family=FAMILY_NAMES.get(family, FAMILY_NAMES["other"]),
            steps=listed(steps_for(family)),
        ),
    )


def listed(steps: Iterable[Text]) -> Text:
    """Steps in one sentence: (1) ...; (2) ..."""
    steps = tuple(steps)
    message = "; ".join(f"({n}) %(s{n})s" for n in range(1, len(steps) + 1))
    return Text(message, {f"s{n}": step for n, step in enumerate(steps, 1)})


def dump_steps(facts: Facts) -> tuple[Text, ...]:
    """What keeps Windows from writing the next dump, and how to change it."""
    capture = facts.capture
    enable = _(
        "Turn on memory dumps: System Properties, Advanced, Startup and Recovery, Automatic memory"
        " dump; that sets CrashDumpEnabled=7 under HKLM\\SYSTEM\\CurrentControlSet\\Control\\"
        "CrashControl."
    )
    pagefile = _(
        "Give the boot volume (C:) a page file managed by the system, or set DedicatedDumpFile:"
        " without one Windows has nowhere to write a dump."
    )
    if capture is None or capture.crash_dump_enabled is None:
        return (enable, pagefile)
    needed = [enable] if capture.crash_dump_enabled == 0 else []
    if capture.pagefile is False:
        needed.append(pagefile)
    space = _(
        "Keep more free space on the boot volume than the dump needs (25 GB, or"
        " AlwaysKeepMemoryDump=1), otherwise Windows deletes it again."
    )
    return tuple(needed) or (space,)


def deep_analysis(path: str) -> Text:
    return _(
        "Keep %(path)s and hand it to Alibaba Cloud technical support, or to the vendor of the"
        " system, for deep analysis; the first reading is in this report.",
        path=path,
    )


def memory_advice(facts: Facts, analysis: Analysis) -> tuple[Text, ...]:
    advice = [
        _(
            "Limit what the process may take (cgroup MemoryMax, JVM or pool sizes), or change to an"
            " instance type with more memory."
        ),
        _("Set an alarm on memory use in CloudMonitor well below the limit."),
    ]
    eaters = eaters_of(analysis)
    if eaters:
        advice.insert(
            0, _("Look at the biggest users of memory at that moment: %(names)s.", names=eaters)
        )
    return tuple(advice)


def eaters_of(analysis: Analysis) -> Text | None:
    named = analysis.details.get("eaters") or ()
    words = [each if isinstance(each, str) else " ".join(map(str, each)) for each in named]
    return quoted(", ".join(words[:5])) if words else None


LOCKUPS = frozenset({"soft_lockup", "hard_lockup", "rcu_stall"})  # a CPU ran on, nothing waited


def hang_advice(analysis: Analysis) -> tuple[Text, ...]:
    return (
        _(
            "Look at what the CPU was running: its stack is quoted in this report. Update the"
            " driver or module that stands in it; where it is the kernel alone, update the kernel."
        )
        if analysis.verdict.subkind in LOCKUPS
        else _(
            "Look at what the blocked task waited for: its stack is quoted in this report. NFS:"
            " check the server and mount with soft or a shorter timeo; disk: check its latency and"
            " limits in CloudMonitor; a driver: update it."
        ),
        _(
            "Look at steal time and disk latency of that moment in CloudMonitor, and ask Alibaba"
            " Cloud support about the host if both are high."
        ),
    )


CAPTURED = frozenset({"kdump_service", "crash_memory", "crash_kernel"})


def before_the_next_one(facts: Facts, verdict: Verdict) -> tuple[Text, ...]:
    """What the last check of readiness missed, unless this case's own evidence shows it there."""
    if facts.unready is None or not (verdict.crashed or verdict.kind == "undetermined"):
        return ()
    capture, shown = facts.capture, set()
    if capture and capture.armed:
        shown |= CAPTURED
    if capture and capture.crash_dump_enabled:
        shown.add("dump_enabled")
    if capture and capture.pagefile:
        shown.add("page_file")
    lacking = [TITLES[n] for n in facts.unready.lacking if n in TITLES and n not in shown]
    if not lacking:
        return ()
    return (
        _(
            "Before the next crash: the check of readiness at %(at)s found missing: %(checks)s. The"
            " instance's page has the steps for each.",
            at=facts.unready.at,
            checks=listed(lacking),
        ),
    )


def catch_the_next_one(facts: Facts) -> tuple[Text, ...]:
    if facts.windows():
        return (*dump_steps(facts), *CATCH_WINDOWS)
    return (*CATCH_LINUX, *kdump_steps(facts))
