"""Machines whose kernel died, or that were cut off without a word."""

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from simulator.linux import File, Tree
from simulator.machine import Truth
from simulator.scenarios import kernel, lives
from simulator.scenarios.events import event
from simulator.scenarios.history import History, Run
from simulator.scenarios.inventory import Card, Story, token
from simulator.scenarios.kernel import Line
from simulator.scenarios.quiet import agent_of, boot_of, lasting
from simulator.scenarios.system import Kdump, System, cmdline_of

MIB = 1 << 20
ARMED, UNARMED = Kdump(), Kdump(ready=False)
NONE = Kdump(installed=False, ready=False, reserved="")


@dataclass(frozen=True, slots=True)
class Fall:
    """How a machine went down: `ago`, and back up after `away`. `fault` names the kernel's text;
    without one it was cut off. `heard`: what is said before the panic reached the disk."""

    ago: timedelta
    away: timedelta
    fault: str = ""
    kdump: Kdump = ARMED
    heard: bool = False
    up: timedelta = timedelta(days=23, hours=4, minutes=31)
    cmdline: str = ""
    sysctls: dict[str, str] = field(default_factory=dict)
    dump_mib: int = 412


def fallen(card: Card, now: datetime, fall: Fall) -> System:
    """A system that ran for a while, went down `fall.ago` and has been up again since."""
    down = now - fall.ago
    cmdline = cmdline_of(card.distro, fall.kdump, fall.cmdline)
    lived = fall.up + timedelta(minutes=int(token("up" + card.name, 2), 36))
    before = lives.run(card, 1, down - lived, cmdline)
    lives.works(before, card, down - timedelta(minutes=2), now=now)
    if fall.fault:
        _dies(before, card, fall, down)
    present = lives.run(card, 2, down + fall.away, cmdline)
    if fall.kdump.ready:
        _arms(present, card)
    lives.works(present, card, now, now=now)
    system = System(
        card, lives.history(card, [before, present]), fall.kdump, cmdline, dict(fall.sysctls)
    )
    if fall.fault and fall.kdump.ready:
        system.files |= dump(system.history, before, down + timedelta(seconds=11), fall.dump_mib)
    return system


def _dies(run: Run, card: Card, fall: Fall, down: datetime) -> None:
    lines = kernel.dies(fall.fault, card.distro, run.at(down), captured=fall.kdump.ready)
    early = kernel.before_panic(lines)
    run.kernel(early, disk=fall.heard)
    run.kernel(lines[len(early) :], disk=False)
    if fall.kdump.ready:
        run.console_tail = [
            "kdump: saving to /sysroot//var/crash/",
            "kdump: saving vmcore-dmesg.txt complete",
            "kdump: saving vmcore complete",
            "Rebooting.",
        ]


def _arms(run: Run, card: Card) -> None:
    if card.distro.family == "rhel":
        unit = "kdump.service"
        run.say(8.2, "kdumpctl", "kdump: kexec: loaded kdump kernel", pid=1301, unit=unit)
        run.say(8.3, "kdumpctl", "kdump: Starting kdump: [OK]", pid=1301, unit=unit)
        run.say(8.3, "systemd", "Started Crash recovery kernel arming.", about=unit)
    else:
        unit = "kdump-tools.service"
        run.say(8.2, "kdump-tools", "loaded kdump kernel", pid=1301, unit=unit)


def dump(history: History, run: Run, saved: datetime, mib: int) -> Tree:
    """What the crash kernel left in /var/crash: the dump, and the dead kernel's messages."""
    local = history.local(saved)
    messages = "".join(
        kernel.printed(Line(e.seconds, e.level, e.text)) + "\n"
        for e in run.ordered()
        if e.transport == "kernel"
    ).encode()
    core = File(b"KDUMP   \x06\0\0\0" + b"Linux".ljust(65, b"\0"), saved, 0o600, size=mib * MIB)
    log = File(messages, saved, 0o600)
    if history.distro.family == "debian":
        stamp = f"{local:%Y%m%d%H%M}"
        folder = f"/var/crash/{stamp}"
        return {f"{folder}/dump.{stamp}": core, f"{folder}/dmesg.{stamp}": log}
    folder = f"/var/crash/127.0.0.1-{local:%Y-%m-%d-%H:%M:%S}"
    return {f"{folder}/vmcore": core, f"{folder}/vmcore-dmesg.txt": log}


def _story(card: Card, system: System, truth: Truth, fall: Fall, now: datetime) -> Story:
    known = replace(truth, down_at=now - fall.ago)
    return Story(system.guest(), boot_of(system), known, agent=agent_of(card))


def nvme_driver(card: Card, now: datetime) -> Story:
    fall = Fall(
        ago=timedelta(hours=3, minutes=20),
        away=timedelta(seconds=71),
        fault="nvme-irq",
        cmdline="crash_kexec_post_notifiers",
        heard=False,
    )
    truth = Truth(2, "kernel_panic", "null_deref", function="nvme_queue_rq")
    return _story(card, fallen(card, now, fall), truth, fall, now)


def not_captured(card: Card, now: datetime) -> Story:
    """Kdump is off; the firmware's store kept the end of the kernel's log."""
    fall = Fall(
        ago=timedelta(hours=6, minutes=5),
        away=timedelta(seconds=38),
        fault="bug-poo",
        kdump=UNARMED,
        sysctls={"kernel.panic": "10"},
    )
    system = fallen(card, now, fall)
    before = system.history.runs[0]
    text = "Panic#1 Part1\n" + "".join(
        f"<{e.level}>{kernel.printed(Line(e.seconds, e.level, e.text))}\n"
        for e in before.ordered()[-75:]
        if e.transport == "kernel"
    )
    saved = system.history.now.started + timedelta(seconds=4)
    name = f"/var/lib/systemd/pstore/{int((now - fall.ago).timestamp())}/dmesg.txt"
    system.files[name] = File(text.encode(), saved, 0o600)
    truth = Truth(3, "kernel_panic", "kernel_bug", function="acs_queue_check")
    return _story(card, system, truth, fall, now)


def never_installed(card: Card, now: datetime) -> Story:
    """No kdump package; the driver's first fault was logged, the last one only printed."""
    fall = Fall(
        ago=timedelta(hours=9, minutes=48),
        away=timedelta(seconds=33),
        fault="null-irq",
        kdump=NONE,
        sysctls={"kernel.panic": "5"},
    )
    system = fallen(card, now, fall)
    before = system.history.runs[0]
    first = kernel.dies("bug-poo", card.distro, before.at(now - fall.ago) - 41)
    before.kernel(kernel.before_panic(first))
    truth = Truth(3, "kernel_panic", None, function="acs_queue_check")
    return _story(card, system, truth, fall, now)


def out_of_memory(card: Card, now: datetime) -> Story:
    fall = Fall(
        ago=timedelta(hours=4, minutes=41),
        away=timedelta(seconds=164),
        fault="oom-panic",
        sysctls={"vm.panic_on_oom": "1"},
        dump_mib=1870,
    )
    system = fallen(card, now, fall)
    system.services.append(("mysqld.service", "MySQL Server"))
    truth = Truth(4, "kernel_panic", "oom_panic")
    return _story(card, system, truth, fall, now)


def killed_for_memory(card: Card, now: datetime) -> Story:
    """One process was killed; the machine stayed up."""
    system = lasting(card, now)
    run = system.history.now
    killed = now - timedelta(hours=2, minutes=14)
    run.kernel(kernel.dies("oom-kill", card.distro, run.at(killed)))
    unit = "redis-server.service"
    run.say(
        killed + lives.ONCE,
        "systemd",
        f"{unit}: A process of this unit has been killed by the OOM killer.",
        about=unit,
    )
    run.say(
        killed + 2 * lives.ONCE,
        "systemd",
        f"{unit}: Main process exited, code=killed, status=9/KILL",
        about=unit,
        level=5,
    )
    run.say(killed + 3 * lives.ONCE, "systemd", "Started Advanced key-value store.", about=unit)
    system.services.append((unit, "Advanced key-value store"))
    truth = Truth(5, "oom_kill", "global")
    return Story(system.guest(), boot_of(system), truth, agent=agent_of(card))


def after_maintenance(card: Card, now: datetime) -> Story:
    """The platform restarted it three weeks ago; today its kernel locked up and panicked."""
    fall = Fall(
        ago=timedelta(hours=7, minutes=12),
        away=timedelta(seconds=83),
        fault="softlockup-panic",
        up=timedelta(days=21, hours=2),
        sysctls={"kernel.softlockup_panic": "1"},
    )
    system = fallen(card, now, fall)
    began = system.history.runs[0].started
    oldest = lives.run(card, 0, began - timedelta(days=70), system.cmdline)
    oldest.say(began - timedelta(seconds=65), "systemd-logind", "Power key pressed.", pid=871)
    lives.stops(oldest, card, began - timedelta(seconds=64), rebooting=False)
    system.history.runs.insert(0, oldest)
    maintenance = event(
        card,
        "SystemMaintenance.Reboot",
        began - timedelta(seconds=66),
        notice=timedelta(hours=47),
    )
    truth = Truth(11, "kernel_panic", "soft_lockup", function="acs_poll_hw")
    story = _story(card, system, truth, fall, now)
    return replace(story, events=[maintenance])


def console_only(card: Card, now: datetime) -> Story:
    """The panic stands in the serial log alone, and the platform saw the guest fail."""
    fall = Fall(
        ago=timedelta(hours=1, minutes=52),
        away=timedelta(seconds=126),
        fault="null-irq",
        kdump=UNARMED,
    )
    failure = event(
        card,
        "InstanceFailure.Reboot",
        now - fall.ago + timedelta(seconds=31),
        lasted=timedelta(seconds=94),
    )
    truth = Truth(
        13, "kernel_panic", "null_deref", function="acs_stats_update", guest="unexplained_reboot"
    )
    story = _story(card, fallen(card, now, fall), truth, fall, now)
    return replace(story, events=[failure])


def nobody_answers(card: Card, now: datetime) -> Story:
    """After the crash the agent did not come up again, and nothing prints to the serial port."""
    fall = Fall(
        ago=timedelta(hours=11, minutes=3), away=timedelta(seconds=58), fault="softlockup-panic"
    )
    system = fallen(card, now, fall)
    system.cmdline = system.cmdline.replace(" console=ttyS0,115200n8", "")
    system.failed.append(("aliyun.service", "Aliyun Assist"))
    guest = system.guest()
    guest.console_text = lambda machine: ""
    truth = Truth(14, "kernel_panic", "soft_lockup", function="acs_poll_hw", guest="")
    story = _story(card, system, truth, fall, now)
    agent = replace(story.agent, stopped_at=now - fall.ago)
    return replace(story, guest=guest, agent=agent)


def cut_off(card: Card, now: datetime) -> Story:
    """It stopped between two lines of its log and nobody knows why."""
    fall = Fall(ago=timedelta(hours=8, minutes=27), away=timedelta(seconds=44), kdump=NONE)
    truth = Truth(17, "unexplained_reboot")
    return _story(card, fallen(card, now, fall), truth, fall, now)


def host_failed(card: Card, now: datetime) -> Story:
    fall = Fall(ago=timedelta(hours=5, minutes=33), away=timedelta(minutes=4), kdump=NONE)
    failure = event(
        card,
        "SystemFailure.Reboot",
        now - fall.ago + timedelta(seconds=42),
        lasted=timedelta(minutes=5),
    )
    truth = Truth(18, "platform_failure", guest="unexplained_reboot")
    return replace(_story(card, fallen(card, now, fall), truth, fall, now), events=[failure])


def guest_failed_silently(card: Card, now: datetime) -> Story:
    fall = Fall(ago=timedelta(hours=2, minutes=38), away=timedelta(minutes=3), kdump=NONE)
    failure = event(
        card,
        "InstanceFailure.Reboot",
        now - fall.ago + timedelta(seconds=58),
        lasted=timedelta(minutes=2),
    )
    truth = Truth(21, "unexplained_reboot")
    return replace(_story(card, fallen(card, now, fall), truth, fall, now), events=[failure])


def dead_storage(card: Card, now: datetime) -> Story:
    """Tasks hung behind an NFS server that was gone, and the kernel was told to panic on that."""
    fall = Fall(
        ago=timedelta(hours=10, minutes=9),
        away=timedelta(seconds=97),
        fault="nfs-hung",
        heard=True,
        sysctls={"kernel.hung_task_panic": "1"},
    )
    truth = Truth(20, "kernel_panic", "hung_task")
    return _story(card, fallen(card, now, fall), truth, fall, now)
