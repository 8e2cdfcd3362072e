"""Steps 3B to 5 of a Windows report."""

from __future__ import annotations

from collections.abc import Iterator

from diagnostics.report import fixed
from diagnostics.report.blocks import Lines, Section
from diagnostics.report.source import Source

BY_HAND = """\
Get-CimInstance Win32_OperatingSystem | Format-List LastBootUpTime
Get-WinEvent -FilterHashtable @{LogName='System'; Id=41,1001,1074,6005,6006,6008,161,162,46} \
-MaxEvents 60 | Format-List TimeCreated,Id,ProviderName,Message
Get-ItemProperty 'HKLM:\\SYSTEM\\CurrentControlSet\\Control\\CrashControl'
Get-CimInstance Win32_PageFileUsage
Get-ChildItem C:\\Windows\\MEMORY.DMP, C:\\Windows\\Minidump"""


def sections(source: Source) -> Iterator[Section]:
    labels = (
        "System Uptime",
        "Unexpected Shutdown Events",
        "Memory Dump Configuration",
        "Memory Dump File Check",
        "Minidump Files",
        "BSOD Events",
    )
    yield Section(
        3,
        "Step 3B: Windows System Diagnosis",
        (
            fixed.agent(source),
            *(Lines(label, fixed.guest_missing(source)) for label in labels),
            *fixed.alternatives(source, BY_HAND, "VNC, RDP"),
        ),
    )
    missing = fixed.guest_missing(source)
    yield Section(3, "Step 4B: Crash Dump Analysis", (Lines("Crash Dump", missing),))
    yield Section(
        3,
        "Step 5: Memory Dump Configuration Recommendation",
        (Lines("Current Configuration", missing),),
    )
