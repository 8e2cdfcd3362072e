"""Was it stopped in good order, and who asked for it?"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta

from ..findings import Finding
from ..readers.windows_boots import Boot, History
from ..readers.windows_events import Event
from ..wording import Text
from ..wording import say as _
from . import windows_claims as claims
from .registry import analyzer

WEIGHT = 80
HUNG = 40
TOGETHER = timedelta(minutes=15)  # requests of one stop: the first of them names the reason

SYSTEM = ("nt authority\\system", "system", "autorite nt\\systeme", "nt-autorität\\system")
UPDATERS = {
    "trustedinstaller.exe",
    "mousocoreworker.exe",
    "usocoreworker.exe",
    "musnotification.exe",
    "musnotificationux.exe",
    "musnotifyicon.exe",
    "usoclient.exe",
    "wuauclt.exe",
    "wusa.exe",
    "tiworker.exe",
    "windowsupdatebox.exe",
}
SETUP = {
    "oobe.exe",
    "msoobe.exe",
    "windeploy.exe",
    "sysprep.exe",
    "setuphost.exe",
    "setupplatform.exe",
}
INSTALLERS = {
    "msiexec.exe",
    "dcpromo.exe",
    "optionalfeatures.exe",
    "dism.exe",
    "dismhost.exe",
    "ocsetup.exe",
}
PLATFORM = {
    "aliyunservice.exe",
    "aliyun_assist_service.exe",
    "aliyun-assist.exe",
    "liteagent.exe",
    "qemu-ga.exe",
    "vmtoolsd.exe",
    "windowsazureguestagent.exe",
    "waappagent.exe",
    "gcewindowsagent.exe",
}
PEOPLE = {
    "shutdown.exe",
    "explorer.exe",
    "runtimebroker.exe",
    "startmenuexperiencehost.exe",
    "shellexperiencehost.exe",
    "systemsettings.exe",
    "systemsettingsadminflows.exe",
    "systempropertiescomputername.exe",
    "systempropertiesadvanced.exe",
    "powershell.exe",
    "pwsh.exe",
    "cmd.exe",
    "wmiprvse.exe",
    "wsmprovhost.exe",
    "servermanager.exe",
    "mmc.exe",
    "logonui.exe",
    "psshutdown.exe",
    "taskmgr.exe",
}
IMAGE_NAME = re.compile(r"^(WIN-[A-Z0-9]{6,}|MINWINPC|37L4247[A-Z0-9]*-\d+)$", re.I)

# Reason codes: bits 16-23 name the area, bits 0-15 the reason.
OPERATING_SYSTEM, SOFTWARE, APPLICATION = 2, 3, 4
INSTALLATION, UPGRADE = 0x2, 0x3
UPDATES = {0x10, 0x11, 0x12}  # service pack, hotfix, security fix
REBOOT = 5  # ShutdownActionType of event 109; 4 and 6 switch off
RESTARTS = ("restart", "reboot", "重启", "重新启动", "重新啟動", "再起動", "neustart", "redémarr")
# By name, or because it unpacked itself into a folder of its own to run from.
INSTALLER = re.compile(r"setup|install|bootstrap|\\te?mp\\\{[0-9a-f-]+\}|\\\.(?:cr|be)\\", re.I)
CRITICAL = 0x50006  # system failure: a process that Windows cannot do without has ended


@dataclass(frozen=True, slots=True)
class Request:
    """One event 1074: who asked for what, why. `user` is the account, not the human."""

    event: Event
    process: str
    user: str
    code: int | None
    action: str
    comment: str
    computer: str
    title: str

    @property
    def program(self) -> str:
        return re.split(r"[\\/]", re.sub(r"\s*\(.*$", "", self.process).strip())[-1].lower()

    @property
    def by_system(self) -> bool:
        return self.user.strip().lower() in SYSTEM

    @property
    def area(self) -> int:
        return (self.code or 0) >> 16 & 0xFF

    @property
    def reason(self) -> int:
        return (self.code or 0) & 0xFFFF

    @property
    def follows(self) -> bool:
        """Winlogon carries out what somebody asked for, and logs it once more."""
        return self.program == "winlogon.exe" and self.code in (0x500FF, None)


MESSAGE = {
    "process": re.compile(r"((?:[A-Za-z]:\\[^\n:*?\"<>|]*?|[\w.+-]+)\.exe(?: \([^)]*\))?)", re.I),
    "user": re.compile(
        r"(?:on behalf of user|代表用户|用户)\s*(\S+\\\S+(?: \S+(?= for))?|NT AUTHORITY\\SYSTEM)"
    ),
    "code": re.compile(r"(?<![\w(])(0x[0-9a-f]{1,8})\b(?!\s*\()", re.I),
    "action": re.compile(
        r"(?:Shutdown Type|关机类型|シャットダウンの種類)\s*[::]\s*([^\n]*)", re.I
    ),
    "comment": re.compile(r"(?:Comment|注释|コメント)\s*[::]\s*([^\n]*)", re.I),
    "computer": re.compile(r"of computer (\S+)"),
    "title": re.compile(r"for the following reason: ([^\n]*)"),
}
FIELDS = {"process": 1, "computer": 2, "title": 3, "code": 4, "action": 5, "comment": 6, "user": 7}


def request(event: Event) -> Request:
    """A 1074 by its fields; by its message only where it has none."""
    said = {name: event.text(f"param{n}", n - 1).strip() for name, n in FIELDS.items()}
    for name, pattern in MESSAGE.items():
        if not said.get(name) and (found := pattern.search(event.message)):
            said[name] = found[1].strip()
    code = re.search(r"0x([0-9a-f]{1,8})", said["code"], re.I)
    return Request(
        event=event,
        process=said["process"],
        user=said["user"],
        code=int(code[1], 16) if code else None,
        action=said["action"],
        comment=said["comment"],
        computer=said["computer"],
        title=said["title"],
    )


@analyzer("windows_boot")
def orderly(boot: Boot) -> Iterator[Finding]:
    """The stop before this boot was asked for."""
    asked = requests(boot.before, boot)
    stopped = stops(boot) or ended_well(boot)
    if not asked and not stopped:
        return
    weight = HUNG if unclean(boot) else WEIGHT
    if not asked:
        title = _("Windows was stopped in good order; no record says who asked")
        yield claims.claim("windows.stop", title, stopped[0], "planned_unknown_initiator", weight)
        return
    yield from judged(asked, boot, weight)


@analyzer("windows_since", "windows_history", "windows_live")
def last_words(since: Sequence[Event], history: History, live: bool) -> Iterator[Finding]:
    """The record ends with a stop, and no boot after it was seen (a log taken from a disk)."""
    asked = requests(since, None)
    ended = any(
        (event.source, event.id)
        in (("eventlog", 6006), ("kernel-power", 109), ("kernel-power", 42))
        for event in since
    )
    if not asked:
        return
    if live or not (ended or not history.boots):
        title = _("A stop was asked for after the last boot, and has not happened")
        yield claims.context("windows.stop.pending", title, asked[-1].event)
        return
    yield from judged(asked, None, WEIGHT + 5)


def requests(events: Iterable[Event], boot: Boot | None) -> list[Request]:
    """The requests of the last stop in these events, oldest first."""
    found = [request(e) for e in events if (e.source, e.id) == ("user32", 1074)]
    if not found:
        return []
    times = [one.event.at for one in found if one.event.at]
    last = max(times) if times else None
    recent = [
        one for one in found if not (last and one.event.at) or last - one.event.at <= TOGETHER
    ]
    return sorted(recent, key=lambda one: (one.event.at or last) if last else 0)


def stops(boot: Boot) -> list[Event]:
    wanted = {("kernel-general", 13), ("kernel-power", 109), ("eventlog", 6006)}
    return [event for event in boot.before if (event.source, event.id) in wanted]


def ended_well(boot: Boot) -> list[Event]:
    """What Windows noted at this boot of the stop before it, if it found that good."""
    good = boot.marks.get("last shutdown")
    said = good.text("LastShutdownGood").lower() if good else ""
    return [good] if said == "true" and not unclean(boot) else []


def unclean(boot: Boot) -> bool:
    good = boot.marks.get("last shutdown")
    bad = bool(good and good.text("LastShutdownGood").lower() == "false")
    return bad or "unclean" in boot.marks or "unexpected" in boot.marks


def judged(asked: list[Request], boot: Boot | None, weight: int) -> Iterator[Finding]:
    first = next((one for one in asked if not one.follows), asked[0])
    kind, why = kind_of(first, asked, boot)
    if weight == HUNG and kind != "critical_process_restart":
        title = _(
            "A stop was asked for by %(who)s, but Windows did not come to its end",
            who=shown(first),
        )
        yield claims.context("windows.stop.hung", title, first.event, asked_by=first.process)
        return
    yield claims.claim(
        f"windows.stop.{kind.removeprefix('planned_')}",
        _("%(what)s: asked for by %(who)s", what=why, who=shown(first)),
        first.event,
        kind,
        weight + 10 * (kind == "critical_process_restart"),
        process=first.process,
        user=first.user,
        reason_code=None if first.code is None else f"0x{first.code:X}",
        action=first.action,
        comment=first.comment,
    )


def shown(one: Request) -> Text:
    program = one.program or _("an unnamed process")
    if one.user:
        return _("%(program)s as %(user)s", program=program, user=one.user)
    return Text("%(program)s", {"program": program})


def kind_of(one: Request, asked: list[Request], boot: Boot | None) -> tuple[str, Text]:
    """The kind of an orderly stop, and in words what it was."""
    if one.program == "wininit.exe" and one.code == CRITICAL:
        return "critical_process_restart", _("A process that Windows cannot do without ended")
    if one.program in PLATFORM or (one.follows and one.by_system and not restarts(one, boot)):
        return "planned_platform", _(
            "The platform pressed the power key or asked through its agent"
        )
    if one.program in SETUP or first_minutes(one, boot):
        return "planned_setup", _("Windows was being set up")
    if one.program in UPDATERS or one.area == OPERATING_SYSTEM and one.reason in UPDATES:
        return "planned_update", _("Windows was updated")
    if one.by_system and one.area == OPERATING_SYSTEM and one.reason in (INSTALLATION, UPGRADE):
        return "planned_update", _("Windows was updated")
    if installs(one):
        return "planned_software", _("Software or a role was installed")
    if one.program in PEOPLE or (one.user and not one.by_system):
        return "planned_user", _("A person or a script restarted it")
    return "planned_unknown_initiator", _("It was stopped in good order")


def restarts(one: Request, boot: Boot | None) -> bool:
    """Was a restart asked for? The power key of a machine only ever asks it to switch off."""
    for event in boot.before if boot else ():
        if (event.source, event.id) == ("kernel-power", 109):
            return event.number("ShutdownActionType") == REBOOT
    return any(word in one.action.lower() for word in RESTARTS)


def installs(one: Request) -> bool:
    if one.program in INSTALLERS or INSTALLER.search(one.process):
        return True
    if one.program in PEOPLE:
        return False
    if one.code is None and re.search(r"Installation|Upgrade", one.title):
        return True
    return one.area in (SOFTWARE, APPLICATION) and one.reason in (INSTALLATION, UPGRADE)


def first_minutes(one: Request, boot: Boot | None) -> bool:
    """Winlogon as SYSTEM restarting a machine that still carries the name of its image, or has
    booted for the first times."""
    if one.program != "winlogon.exe" or not one.by_system or one.follows:
        return False
    said = boot.marks.get("last shutdown") if boot else None
    young = said is not None and (said.number("LastBootId") or 99) <= 3
    setup = boot is not None and any(event.source == "setup" for event in boot.before)
    names = {one.computer, re.sub(r"^.*\((.*)\)$", r"\1", one.process)}
    renamed = len({name.lower() for name in names if name}) > 1
    return young or setup or renamed or any(map(IMAGE_NAME.match, names))
