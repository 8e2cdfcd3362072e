"""What is asked of a Windows machine: one table for script, reader and recorded answers.

`python -m diagnostics.readers.windows_fields` prints the table as the script carries it.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Query:
    """Events of one log, newest first: at most `most` of them. `by_provider` asks the log for the
    providers too, where the ids alone are common; classic sources are told apart afterwards."""

    log: str
    ids: tuple[int, ...]
    providers: tuple[str, ...]
    most: int
    by_provider: bool = False


KERNEL = "Microsoft-Windows-Kernel-"
QUERIES = (
    Query(
        "System",
        (41, 42, 107, 109, 187, 506, 507, 577, 1073, 1074, 1076, 6005, 6006, 6008, 6009, 6013),
        (KERNEL + "Power", "USER32", "User32", "EventLog"),
        140,
    ),
    Query("System", (12, 13, 20, 27, 29), (KERNEL + "General", KERNEL + "Boot"), 60, True),
    Query(
        "System",
        (1001, 1005, 1018, 1019),
        ("Microsoft-Windows-WER-SystemErrorReporting", "BugCheck", "Save Dump"),
        30,
    ),
    Query("System", (45, 46, 47, 48, 49, 161, 162), ("volmgr",), 20, True),
    Query("System", (2004,), ("Microsoft-Windows-Resource-Exhaustion-Detector",), 6, True),
    Query("System", (1, 17, 18, 19, 20, 46, 47), ("Microsoft-Windows-WHEA-Logger",), 8, True),
    Query("System", (19, 20, 43), ("Microsoft-Windows-WindowsUpdateClient",), 16, True),
    Query("System", (7031, 7034), ("Service Control Manager",), 10),
    Query("System", (129, 153), (), 12),
    Query("Application", (1000, 1002), ("Application Error", "Application Hang"), 12),
)

CRASH_CONTROL = (
    "CrashDumpEnabled",
    "FilterPages",
    "DumpFile",
    "MinidumpDir",
    "MinidumpsCount",
    "AutoReboot",
    "LogEvent",
    "Overwrite",
    "AlwaysKeepMemoryDump",
    "DedicatedDumpFile",
    "DumpFilters",
    "NMICrashDump",
)

# Fields of event data that are numbers or truths; everything else stays the text that it was.
NUMBERS = frozenset(
    {
        "BugcheckCode",
        "PowerButtonTimestamp",
        "SleepInProgress",
        "ShutdownActionType",
        "ShutdownEventCode",
        "ShutdownReason",
        "BootType",
        "LastBootId",
        "BootStatusPolicy",
        "TargetState",
        "EffectiveState",
        "WakeFromState",
        "Reason",
        "MajorVersion",
        "MinorVersion",
        "BuildVersion",
        "QfeVersion",
    }
)
TRUTHS = frozenset(
    {
        "LastShutdownGood",
        "LastBootGood",
        "LongPowerButtonPressDetected",
        "ConnectedStandbyInProgress",
        "BugcheckInfoFromEFI",
    }
)

# The parts of a dump's first 8 KB that readers.dump_header looks at: (offset, bytes).
HEADER_PARTS = ((0, 160), (3840, 384))


def powershell() -> str:
    """The table as the lines between the two "# table" marks of windows.ps1."""
    lines = ["$queries = @("]
    for number, query in enumerate(QUERIES):
        providers = dict.fromkeys(name.lower() for name in query.providers)
        names = [next(n for n in query.providers if n.lower() == low) for low in providers]
        lines += [
            "    @{",
            f"        Log = '{query.log}'",
            f"        Ids = @({', '.join(map(str, query.ids))})",
            f"        Providers = @({', '.join(map(repr, names))})",
            f"        Asked = ${str(query.by_provider).lower()}",
            f"        Most = {query.most}",
            "    }" + ("," if number < len(QUERIES) - 1 else ""),
        ]
    lines += [")", "$settings = @("]
    lines += [f"    '{name}'," for name in CRASH_CONTROL[:-1]] + [f"    '{CRASH_CONTROL[-1]}'", ")"]
    lines += ["$headerParts = @("]
    lines += [
        f"    @{{ At = {at}; Size = {size} }}" + ("," if at == 0 else "")
        for at, size in HEADER_PARTS
    ]
    return "\n".join([*lines, ")", ""])


if __name__ == "__main__":
    print(powershell(), end="")
