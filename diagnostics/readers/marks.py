"""Single lines that tell something: ends and beginnings, kills, hardware, disks, sysrq.

The same rules as in `headers`. `SPOKEN` are said by programs (init, the journal, the syslog
daemon), the others by the kernel alone.
"""

from __future__ import annotations

from .headers import header

CMDLINE = r"(?:Kernel )?[Cc]ommand line: "
SYSRQ = r"[Ss]ys[Rr]q ?: "
MCE = r"(?:\{\d+\})?(?:mce: )?\[Hardware Error\]: "

OOM = [
    header("oom.invoked", [r"\S.* invoked oom-killer: "], ["oom-kill"]),
    header(
        "oom.memcg",
        [
            r"Memory cgroup out of memory: Kill",
            r"Task in \S+ killed as a result of limit of",
            r"oom-kill:constraint=CONSTRAINT_MEMCG",
        ],
        ["Kill", "Task in ", "oom-kill"],
        single=True,
    ),
    header(
        "oom.killed",
        [
            r"(?:Out of memory.{0,30}: )?Kill(?:ed)? process \d+",
            r"oom-kill:constraint",
            r"oom_reaper: reaped",
        ],
        ["Kill", "oom-kill", "oom_reaper"],
        single=True,
    ),
]

HARDWARE = [
    header(
        "hardware.fatal",
        [
            MCE + r".*(?:Machine Check(?: Exception)?: [4-7f]|severity: fatal|context corrupt)",
            MCE + r".*(?:type: fatal|Uncorrected|Some CPUs didn't answer)",
            r"CPU ?\d+: Machine Check Exception",
            r"HARDWARE ERROR",
        ],
        ["Hardware Error", "Machine Check", "HARDWARE ERROR"],
        single=True,
    ),
    header(
        "hardware.corrected",
        [
            MCE + r".*(?:events logged|[Cc]orrected|Machine [Cc]heck)",
            r"EDAC \S+: .*\b[CU]E\b",
            r"\S+ \S+: AER: (?:Multiple )?Corrected error",
            r"Machine check events logged",
        ],
        ["Hardware Error", "EDAC", "AER: ", "Machine check"],
        single=True,
    ),
    header(
        "hardware.nmi_unknown",
        [r"Uhhuh\. NMI received", r"NMI: (?:IOCK|PCI system) error"],
        ["NMI received", "NMI: "],
        single=True,
    ),
]

STORAGE = [
    header(
        "fs.error",
        [
            r"EXT[234]-fs error",
            r"EXT[234]-fs \(\S+\): (?:error|Remounting filesystem read-only)",
            r"(?:Aborting journal on device|JBD2: Error)",
            r"XFS \(\S+\): .*(?:[Cc]orruption|Internal error|[Mm]etadata I/O error"
            r"|[Ll]og I/O [Ee]rror|[Ss]hut(?:ting)? down)",
            r"BTRFS(?: critical|: error|: Transaction aborted)",
            r"BTRFS error .*(?:corrupt|parent transid|errno=|forced readonly)",
            r"F2FS-fs .*(?:inconsistent|corrupt)",
            r"\S.*Remounting filesystem read-only",
        ],
        [
            *("EXT2-fs ", "EXT3-fs ", "EXT4-fs ", "F2FS-fs "),
            *("XFS (", "BTRFS", "JBD2: Error", "Aborting journal", "Remounting filesystem"),
        ],
        single=True,
    ),
    header(
        "io.error",
        [
            r"(?:\w+: )?(?:critical (?:medium|target) error|I/O error),? dev ",
            r"Buffer I/O error on ",
            r"EXT[234]-fs warning .*: I/O error",
        ],
        ["/O error", "error, dev ", "error dev "],
        single=True,
    ),
]

KEYS = [
    header("sysrq.crash", [SYSRQ + r"Trigger a crash"], ["ysrq", "ysRq"], single=True),
    header("sysrq.reboot", [SYSRQ + r"Resetting"], ["ysrq", "ysRq"], single=True),
    header("sysrq.off", [SYSRQ + r"Power Off"], ["ysrq", "ysRq"], single=True),
    header("sysrq.oom", [SYSRQ + r"Manual OOM"], ["ysrq", "ysRq"], single=True),
    header(
        "sysrq.show",
        [SYSRQ + r"(?:Show|Changing|Emergency|HELP|Terminate|Kill)"],
        ["ysrq", "ysRq"],
        single=True,
    ),
]

SPOKEN = [
    header(
        "user.segfault",
        [
            r"\S.*\[\d+\]: segfault at ",
            r"\(EE\) (?:Segmentation fault at|Caught signal (?:4|6|7|8|11) )",
            r"traps: \S.*\[\d+\] (?:general protection|trap )",
            r"\S.*\[\d+\] general protection(?: fault)? ip:",
        ],
        ["segfault at ", "traps: ", "general protection", "(EE) "],
        single=True,
    ),
    header(
        "user.failure",
        [
            r"(?:\d{4}/\d\d/\d\d \S+ )?(?:SYZFATAL|SYZFAIL)\b",
            r"fatal error: (?:out of memory|all goroutines|concurrent|stack overflow|unexpected)",
            r"panic: runtime error",
            r"runtime: out of memory",
            r"Process \d+ \(.*\) of user \d+ dumped core",
            r"\S+\.service: .*code=dumped",
        ],
        ["SYZFA", "fatal error: ", "panic: run", "runtime: out of mem", "dumped core", "=dumped"],
        single=True,
    ),
]

BOOT = [
    header(
        "boot.kernel",
        [r"Linux version \d", r"Booting Linux on physical CPU"],
        ["Linux version ", "Booting "],
        single=True,
    ),
    header(
        "boot.firmware",
        [r"SeaBIOS \(version", r"Booting from Hard Disk", r"Booting the kernel"],
        ["SeaBIOS (", "Booting "],
        single=True,
    ),
]

CAPTURE = [
    header(  # the address at which the crashed kernel left its memory
        "capture.kernel",
        [
            CMDLINE + r".*\breset_devices\b",
            CMDLINE + r".*\belfcorehdr=.*\bBOOT_IMAGE=",
            CMDLINE + r".*\bBOOT_IMAGE=.*\belfcorehdr=",
            r"(?:OF: fdt: )?Reserving \S+ ?KiB of memory at \S+ for elfcorehdr",
        ],
        ["reset_devices", "BOOT_IMAGE=", "Reserving "],
        single=True,
    ),
]

CLOCK = [
    header(
        "clock.set",
        [r"\S+ \S+: setting system clock to .*\(\d{9,10}\)"],
        ["setting system clock"],
        single=True,
    ),
]

END = [
    header(
        "boot.journal",
        [r"-- (?:Reboot|Boot [0-9a-f]{32}) --"],
        ["-- Reboot", "-- Boot "],
        single=True,
    ),
    header(
        "end.reboot",
        [
            r"reboot: (?:Restarting system|machine restart)",
            r"Restarting system\.?\s*$",
            r"(?:systemd-shutdown\[1\]: )?Rebooting(?: machine| with kexec)?\.+$",
            r"kexec(?:_core)?: Starting new kernel",
            r"(?:The system will reboot|System is rebooting)",
            r"(?:systemd\[1\]: )?Reached target .*\b[Rr]eboot",
            r"(?:systemd\[1\]: )?Starting (?:System )?Reboot\.\.\.",
            r"[Ss]hutting down for (?:system )?reboot",
            r"(?:\S+ )?(?:init: )?Switching to runlevel: 6",
            r"The system is going down for (?:system )?reboot",
            r"Requesting system reboot",
            r"type=(?:EXECVE|SYSCALL) .*\b(?:a0|comm)=\"reboot\"",
        ],
        ["eboot", "Restarting system", "runlevel: ", "Starting new kernel"],
        single=True,
    ),
    header(
        "end.shutdown",
        [
            r"reboot: (?:Power down|System halted)",
            r"(?:Power down|System halted)\.\s*$",
            r"(?:systemd-shutdown\[1\]: )?Power(?:ing)? off\.$",
            r"acpi_power_off called",
            r"System is (?:powering down|powering off|halting)",
            r"The system will (?:power off|halt)",
            r"(?:systemd\[1\]: )?Reached target .*\b(?:[Pp]ower[ -]?[Oo]ff|[Hh]alt)",
            r"[Ss]hutting down for (?:system )?halt",
            r"(?:\S+ )?(?:init: )?Switching to runlevel: 0",
            r"The system is going down for (?:system )?(?:halt|power)",
            r"(?:Power key pressed|Requesting system (?:poweroff|halt))",
        ],
        ["ower", "halt", "Halt", "runlevel: "],
        single=True,
    ),
    header(  # of the first process; a user's own manager has no such targets
        "end.leaving",
        [
            r"(?:systemd\[1\]: )?Stopped target (?:\S+ - )?"
            r"(?:Multi-User System|Graphical Interface)"
        ],
        ["Stopped target"],
        single=True,
    ),
    header(
        "end.stopping",
        [
            r"The system is going down NOW",
            r"(?:systemd\[1\]: )?Reached target .*(?:Shutdown|Final Step|Unmount All)",
            r"Journal stopped",
            r"Received SIGTERM from PID 1 \(systemd",
            r"Sending SIG(?:TERM|KILL) to remaining processes",
            r"Kernel logging \(proc\) stopped",
            r"(?:.*origin software=\"rsyslogd\".* )?exiting on signal 15",
        ],
        [
            *("going down NOW", "Shutdown", "Final Step", "Unmount All", "Journal stopped"),
            *("SIGTERM", "SIGKILL", "Kernel logging", "signal 15"),
        ],
        single=True,
    ),
]

LOGINS = [
    header(
        "wtmp.row",
        [r"(?:reboot|shutdown) +system (?:boot|down) ", r"\S+ +\S.* - (?:crash|down) +\("],
        ["system boot", "system down", "- crash ", "- down "],
        single=True,
    ),
]

BY_KERNEL = (*OOM, *HARDWARE, *STORAGE, *KEYS, *BOOT, *CAPTURE, *CLOCK)
BY_ANYONE = (*SPOKEN, *END, *LOGINS)
