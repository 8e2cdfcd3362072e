"""Answers of a machine that would keep everything; a test changes what it is about."""

from __future__ import annotations

import copy

GIB = 1 << 30
LINUX = {
    "system": {
        "now": "1795248000",
        "os_id": "alinux",
        "init": "systemd",
        "agent_version": "2.2.3.857",
    },
    "kdump": {
        "service": "kdump",
        "active": "active",
        "enabled": "enabled",
        "crash_size": "268435456",
        "crash_loaded": "1",
        "config_path": "/etc/kdump.conf",
        "core_path": "/var/crash",
        "use_kdump": "",
        "target": "",
        "space_free_kb": "28000000",
    },
    "sysctl": {
        "kernel.panic": "10",
        "kernel.panic_on_oops": "1",
        "kernel.softlockup_panic": "1",
        "kernel.hung_task_panic": "1",
    },
    "readiness": {
        "memory_kb": "16000000",
        "collector": "",
        "makedump_args": "",
        "dump_level": "",
        "journald": "yes",
        "journal_place": "used",
        "pstore": "yes",
        "pstore_backend": "efi_pstore",
        "efi": "yes",
        "var_size_kb": "40000000",
        "var_free_kb": "28000000",
    },
}
CMDLINE = "BOOT_IMAGE=/vmlinuz root=/dev/vda1 crashkernel=256M console=ttyS0,115200n8"
WINDOWS = {
    "system": {"now": "2026-11-21T07:00:00.000Z", "agent_version": "2.2.3.857"},
    "crash_control": {
        "CrashDumpEnabled": 7,
        "DumpFile": "%SystemRoot%\\MEMORY.DMP",
        "AutoReboot": 1,
        "LogEvent": 1,
        "AlwaysKeepMemoryDump": 0,
    },
    "pagefile": {
        "Win32_PageFileUsage": [{"Name": "C:\\pagefile.sys", "AllocatedBaseSize": 4864}],
        "AutomaticManagedPagefile": True,
        "TotalPhysicalMemory": 16 * GIB,
        "SystemDriveFree": 30 * GIB,
    },
    "readiness": {
        "PartOfDomain": False,
        "SystemRoot": "C:\\Windows",
        "Drives": [{"DeviceID": "C:", "Size": 80 * GIB, "FreeSpace": 30 * GIB}],
        "EventLogs": [
            {
                "LogName": "System",
                "IsEnabled": True,
                "LogMode": "Circular",
                "MaximumSizeInBytes": 20 << 20,
            }
        ],
    },
}


def linux(cmdline: str = CMDLINE, more: str = "", **changes: dict | None) -> dict[str, str]:
    """Sections; `changes` by section, None takes a value or a section away; `more` stands
    first in the section `readiness`."""
    told = copy.deepcopy(LINUX)
    for section, values in changes.items():
        if values is None:
            del told[section]
            continue
        told[section] = {k: v for k, v in (told[section] | values).items() if v is not None}
    sections = {
        name: "".join(f"{key}={value}\n" for key, value in values.items())
        for name, values in told.items()
    }
    sections["readiness"] = more + sections.get("readiness", "")
    if "readiness" in changes and changes["readiness"] is None:
        del sections["readiness"]
    return {**sections, "cmdline": cmdline, "collection": ""}


def windows(**changes: dict | None) -> dict:
    record = copy.deepcopy(WINDOWS) | {"gaps": [], "events": [], "dumps": None, "dump_counts": {}}
    for part, values in changes.items():
        kept = None if values is None else {**(record[part] or {}), **values}
        record[part] = kept and {k: v for k, v in kept.items() if v is not None}
    return record
