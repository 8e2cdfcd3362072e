"""Sections as the collection script brings them, of a machine that booted at a known time."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

from diagnostics.findings import Window

EVIDENCE = Path(__file__).parent.parent / "evidence"
BOOTED = datetime(2026, 3, 4, 2, 31, tzinfo=UTC)
NOW = BOOTED + timedelta(hours=5)
AT_HALF_PAST_TWO = Window(BOOTED - timedelta(minutes=20), BOOTED + timedelta(minutes=10))

WORKING = """\
2026-03-04T01:58:01+0000 web-7 CROND[3001]: (root) CMD (run-parts /etc/cron.hourly)
2026-03-04T02:12:44+0000 web-7 sshd[991]: Connection closed by 10.0.0.9 port 40112
2026-03-04T02:28:02+0000 web-7 systemd[1]: Started Cleanup of Temporary Directories.
"""
STOPPING = """\
2026-03-04T02:29:50+0000 web-7 systemd-logind[871]: System is rebooting.
2026-03-04T02:29:52+0000 web-7 systemd[1]: Reached target System Reboot.
2026-03-04T02:29:53+0000 web-7 systemd-journald[402]: Journal stopped
"""
STARTED = """\
2026-03-04T02:31:02+0000 web-7 kernel: Linux version 5.10.134-18.al8.x86_64 (build@host) #1 SMP
2026-03-04T02:31:09+0000 web-7 systemd[1]: Reached target Multi-User System.
"""


def bundle(**sections: str) -> dict[str, str]:
    system = {
        "boot_time": int(BOOTED.timestamp()),
        "now": int(NOW.timestamp()),
        "timezone": "+0000",
    }
    told = {"system": "".join(f"{key}={value}\n" for key, value in system.items())}
    return told | {"vmcore_dmesg": "", "pstore": "", "journal_current": STARTED} | sections


def report(name: str) -> str:
    """The end of a recorded console, from the first line of its report on."""
    text = (EVIDENCE / name / "console.log").read_text(errors="replace")
    return "\n".join(text.splitlines()[330:]) + "\n"


def captured(name: str, at: datetime) -> dict[str, str]:
    """The dead kernel's log as kdump left it, and the list of dumps that dates it."""
    folder = f"/var/crash/127.0.0.1-{at:%Y-%m-%d-%H:%M:%S}"
    return {
        "vmcore_dmesg": f"# {folder}/vmcore-dmesg.txt\n{report(name)}",
        "dumps": f"{int(at.timestamp())} 431816704 {folder}/vmcore\n",
    }


def logged(name: str, at: datetime) -> str:
    """The same lines as the kernel wrote them to the journal at that time."""
    stamp = f"{at:%Y-%m-%dT%H:%M:%S}+0000 web-7 kernel: "
    return "".join(stamp + line + "\n" for line in report(name).splitlines())
