"""Machines that went down because somebody or something asked them to."""

from dataclasses import replace
from datetime import datetime, timedelta

from simulator.linux import File
from simulator.machine import Truth
from simulator.scenarios import lives
from simulator.scenarios.crashes import ARMED, Fall, fallen
from simulator.scenarios.events import event
from simulator.scenarios.inventory import Card, Story, resource_id, uuid_of
from simulator.scenarios.quiet import agent_of, boot_of, lasting
from simulator.scenarios.system import System, cmdline_of
from simulator.trail import TrailRecord

SECOND = timedelta(seconds=1)


def _stopped_in_order(
    card: Card, now: datetime, down: datetime, away: timedelta, *, rebooting: bool
) -> System:
    """It worked for weeks, was stopped in good order at `down`, and is back after `away`."""
    cmdline = cmdline_of(card.distro, ARMED)
    before = lives.run(card, 1, down - timedelta(days=45, hours=7), cmdline)
    lives.works(before, card, down - timedelta(minutes=2), now=now)
    lives.stops(before, card, down, rebooting=rebooting)
    present = lives.run(card, 2, down + away, cmdline)
    lives.works(present, card, now, now=now)
    return System(card, lives.history(card, [before, present]), ARMED, cmdline)


def by_the_platform(card: Card, now: datetime) -> Story:
    down = now - timedelta(hours=5, minutes=18)
    system = _stopped_in_order(card, now, down, timedelta(seconds=95), rebooting=False)
    _power_key(system, down)
    maintenance = event(
        card, "SystemMaintenance.Reboot", down - 4 * SECOND, notice=timedelta(hours=44)
    )
    truth = Truth(1, "platform_maintenance", down_at=down, guest="normal_reboot")
    story = Story(system.guest(), boot_of(system), truth, agent=agent_of(card))
    return replace(story, events=[maintenance])


def by_power_key(card: Card, now: datetime) -> Story:
    """Console, API or Terraform: inside, all of them look like a pressed power key."""
    down = now - timedelta(hours=12, minutes=26)
    system = _stopped_in_order(card, now, down, timedelta(seconds=52), rebooting=False)
    _power_key(system, down)
    truth = Truth(23, "outside_action", down_at=down, guest="normal_reboot")
    asked = TrailRecord(
        "RebootInstance",
        down - 4 * SECOND,
        card.region,
        (resource_id("i", card.region, card.name),),
        "terraform-ci",
        key_id="LTAI5tTerraformCiKey0001",
        source_ip="203.0.113.77",
        agent="Terraform/1.9.8 terraform-provider-alicloud",
        request_id=uuid_of("trail" + card.name).upper(),
    )
    story = Story(system.guest(), boot_of(system), truth, agent=agent_of(card))
    return replace(story, trail=[asked])


def _power_key(system: System, down: datetime) -> None:
    unit = "systemd-logind.service"
    run = system.history.runs[-2]
    run.say(down - 2 * SECOND, "systemd-logind", "Power key pressed.", pid=871, unit=unit)
    run.say(down - SECOND, "systemd-logind", "Powering Off...", pid=871, unit=unit)
    run.say(down - SECOND, "systemd-logind", "System is powering down.", pid=871, unit=unit)


def by_a_user(card: Card, now: datetime) -> Story:
    down = now - timedelta(hours=13, minutes=44)
    system = _stopped_in_order(card, now, down, timedelta(seconds=29), rebooting=True)
    run = system.history.runs[-2]
    lives.logs_in(run, "lihua", "10.8.0.4", down - timedelta(minutes=6), None)
    run.say(
        down - 2 * SECOND,
        "sudo",
        "   lihua : TTY=pts/0 ; PWD=/home/lihua ; USER=root ; COMMAND=/usr/sbin/reboot",
        pid=30211,
    )
    unit = "systemd-logind.service"
    run.say(down - SECOND, "systemd-logind", "System is rebooting.", pid=871, unit=unit)
    moment = (down - SECOND).timestamp()
    record = (
        f"type=USER_CMD msg=audit({moment:.3f}:9120): pid=30211 uid=1000 auid=1000 ses=41"
        ' msg=\'cwd="/home/lihua" cmd="reboot" exe="/usr/bin/sudo" terminal=pts/0'
        " res=success'\n"
        f"type=SYSTEM_SHUTDOWN msg=audit({moment + 2:.3f}:9131): pid=30231 uid=0 auid=4294967295"
        ' ses=4294967295 msg=\' comm="systemd-update-utmp"'
        ' exe="/usr/lib/systemd/systemd-update-utmp" hostname=? addr=? terminal=? res=success\'\n'
    )
    system.files["/var/log/audit/audit.log"] = File(record.encode(), mode=0o600)
    system.files["/home/lihua/.bash_history"] = File(
        b"df -h\nsudo yum update kernel\nsudo reboot\n"
    )
    truth = Truth(16, "normal_reboot", "reboot", down_at=down)
    return Story(system.guest(), boot_of(system), truth, agent=agent_of(card))


def by_sysrq(card: Card, now: datetime) -> Story:
    """A root shell asked the kernel to crash; its history still says so."""
    fall = Fall(
        ago=timedelta(hours=14, minutes=2),
        away=timedelta(seconds=49),
        fault="sysrq-c",
        sysctls={"kernel.sysrq": "1"},
        dump_mib=96,
    )
    system = fallen(card, now, fall)
    down = now - fall.ago
    lives.logs_in(system.history.runs[0], "root", "10.8.0.23", down - timedelta(minutes=4), None)
    history = b"systemctl status kdump-tools\nsync\necho c > /proc/sysrq-trigger\n"
    system.files["/root/.bash_history"] = File(history, down - timedelta(minutes=1), 0o600)
    truth = Truth(15, "kernel_panic", "sysrq", function="sysrq_handle_crash", down_at=down)
    return Story(system.guest(), boot_of(system), truth, agent=agent_of(card))


def expired(card: Card, now: datetime) -> Story:
    """The subscription ended; the platform stopped and locked the machine."""
    down = now - timedelta(hours=15, minutes=30)
    system = lasting(card, now, until=down)
    lives.stops(system.history.now, card, down, rebooting=False)
    stop = event(card, "InstanceExpiration.Stop", down - 3 * SECOND, lasted=timedelta(minutes=1))
    return Story(
        system.guest(),
        boot_of(system),
        Truth(19, "instance_expired", down_at=down, guest=""),
        events=[stop],
        agent=replace(agent_of(card), stopped_at=down),
        status="Stopped",
        stopped_at=down + 9 * SECOND,
        lock_reasons=["financial"],
        expires_in=timedelta(hours=-16),
    )


def standing_by(card: Card, now: datetime) -> Story:
    """Switched off on purpose, days ago."""
    down = now - timedelta(days=6, hours=3)
    system = lasting(card, now, until=down)
    lives.stops(system.history.now, card, down, rebooting=False)
    return Story(
        system.guest(),
        boot_of(system),
        Truth(0, "undetermined", guest="", note="stopped: nothing can be asked"),
        agent=replace(agent_of(card), stopped_at=down),
        status="Stopped",
        stopped_at=down + 9 * SECOND,
    )
