"""What to do about a missing check, step by step, for each family of systems. No Django."""

from __future__ import annotations

from diagnostics.conclusions.advice import DEBIAN, OTHER, RHEL
from diagnostics.wording import Text
from diagnostics.wording import say as _

Steps = tuple[Text, ...]
EVERY = ""  # where the steps are the same for each family

SYSCTL_FILE = "/etc/sysctl.d/90-crash.conf"


def sysctl(setting: str) -> Text:
    return _(
        "Write %(setting)s into %(file)s, then run sysctl -p %(file)s",
        setting=setting,
        file=SYSCTL_FILE,
    )


ONCE_KDUMP_WORKS = _("Do this only once kdump works: from then on the hang restarts the machine.")
COMMAND_LINE = {
    "rhel": _("Run grub2-mkconfig -o /boot/grub2/grub.cfg"),
    "debian": _("Run update-grub"),
    EVERY: _("Rebuild the boot menu"),
}
REBOOT = _("Reboot at a time that suits")
CRASH_CONTROL = "HKLM\\SYSTEM\\CurrentControlSet\\Control\\CrashControl"
RECOVERY = _(
    "Open System Properties, Advanced, Startup and Recovery, Settings (the same values stand under"
    " %(key)s)",
    key=CRASH_CONTROL,
)


def with_command_line(*first: Text) -> dict[str, Steps]:
    return {family: (*first, run, REBOOT) for family, run in COMMAND_LINE.items()}


FIXES: dict[str, dict[str, Steps]] = {
    "kdump_install": {"rhel": RHEL, "debian": DEBIAN, EVERY: OTHER},
    "kdump_service": {
        "rhel": (
            _("Run systemctl enable --now kdump"),
            _("Check: systemctl status kdump, and its log: journalctl -u kdump"),
        ),
        "debian": (
            _("Set USE_KDUMP=1 in /etc/default/kdump-tools"),
            _("Run systemctl enable --now kdump-tools, then check: kdump-config show"),
        ),
        EVERY: (_("Start the kdump service of the distribution now and at each boot"),),
    },
    "crash_memory": {
        "rhel": (RHEL[1], RHEL[2]),
        "debian": (
            _(
                "Add crashkernel=512M to GRUB_CMDLINE_LINUX_DEFAULT in"
                " /etc/default/grub.d/kdump-tools.cfg (installing kdump-tools does this)"
            ),
            COMMAND_LINE["debian"],
            DEBIAN[2],
        ),
        EVERY: (OTHER[1], OTHER[2]),
    },
    "crash_memory_size": with_command_line(
        _(
            "Look into the kernel's messages of this boot for crashkernel: what reserves nothing is"
            " too large, or an auto that this machine's memory is too small for"
        ),
        _("Name the size instead: crashkernel=256M, or 512M on a larger machine"),
    ),
    "crash_kernel": {
        "rhel": (_("Run systemctl restart kdump, and read journalctl -u kdump if it fails"),),
        "debian": (_("Run kdump-config load, and read what it says if it fails"),),
        EVERY: (_("Restart the kdump service, and read its log if it fails"),),
    },
    "dump_space": {
        "windows": (
            _("Free space on the drive of the dump, or name a larger one as DumpFile"),
            _("Or choose a smaller dump: kernel instead of complete (CrashDumpEnabled=2)"),
        ),
        EVERY: (
            _("Free space where the dumps go, or add a disk and mount it there"),
            _("Or leave more out of the dump: makedumpfile -l -d 31, the usual setting"),
        ),
    },
    "panic_on_oops": {EVERY: (sysctl("kernel.panic_on_oops = 1"),)},
    "panic_reboot": {EVERY: (sysctl("kernel.panic = 10"),)},
    "softlockup_panic": {EVERY: (ONCE_KDUMP_WORKS, sysctl("kernel.softlockup_panic = 1"))},
    "hung_task_panic": {
        EVERY: (
            ONCE_KDUMP_WORKS,
            _("Not on machines that wait for slow network disks (NFS) now and then"),
            sysctl("kernel.hung_task_panic = 1"),
        )
    },
    "journal": {
        EVERY: (
            _("Run mkdir -p /var/log/journal"),
            _("Run systemd-tmpfiles --create --prefix /var/log/journal"),
            _("Run systemctl restart systemd-journald, then journalctl --flush"),
        )
    },
    "journal_storage": {
        EVERY: (
            _("Set Storage=persistent in the file that is named here, or take the line out"),
            _("Run mkdir -p /var/log/journal, then systemctl restart systemd-journald"),
        )
    },
    "syslog": {EVERY: (_("Install and start a system log, such as rsyslog or busybox syslogd"),)},
    "pstore_efi": {
        EVERY: (
            _(
                "Load the module efi_pstore: echo efi_pstore > /etc/modules-load.d/pstore.conf,"
                " then modprobe efi_pstore"
            ),
        )
    },
    "pstore_none": {
        EVERY: (_("This machine offers no such memory: rely on kdump and on the serial console"),)
    },
    "serial_console": with_command_line(
        _("Add console=tty0 console=ttyS0,115200n8 to GRUB_CMDLINE_LINUX in /etc/default/grub"),
    ),
    "var_space": {
        EVERY: (
            _("Find what fills it: du -xh /var | sort -h | tail"),
            _("Shorten the logs: journalctl --vacuum-size=500M, logrotate; or enlarge the disk"),
        )
    },
    "dump_enabled": {
        EVERY: (
            RECOVERY,
            _("Choose Automatic memory dump or Kernel memory dump (CrashDumpEnabled 7 or 2)"),
            REBOOT,
        )
    },
    "page_file": {
        EVERY: (
            _("Open System Properties, Advanced, Performance, Virtual memory"),
            _(
                "Let the system manage the page file of the system drive, or make it as large as"
                " the memory and 257 MB more for a complete dump"
            ),
            REBOOT,
        )
    },
    "dump_kept": {
        EVERY: (
            _("Keep 25 GB free on the drive of the dump, or"),
            _("set AlwaysKeepMemoryDump=1 under %(key)s", key=CRASH_CONTROL),
        )
    },
    "auto_reboot": {EVERY: (RECOVERY, _("Tick Automatically restart (AutoReboot=1)"))},
    "crash_event": {EVERY: (RECOVERY, _("Tick Write an event to the system log (LogEvent=1)"))},
    "event_log": {
        EVERY: (_("Run wevtutil sl System /e:true /ms:67108864, which turns it on with 64 MiB"),)
    },
    "event_log_mode": {
        EVERY: (_("Run wevtutil sl System /rt:false, so that the newest records stay"),)
    },
    "agent": {
        EVERY: (
            _(
                "Have Cloud Assistant upgraded: tick the instance on the list of instances and"
                " press “Install Cloud Assistant”"
            ),
        )
    },
}


def steps(fix: str, family: str) -> Steps:
    """The steps for a system of this family (rhel, debian, suse, other, windows); () for ""."""
    ways = FIXES.get(fix, {})
    return ways.get(family) or ways.get(EVERY, ())
