"""Machines to which nothing happened, or nothing that brought them down."""

from dataclasses import replace
from datetime import datetime, timedelta

from simulator.linux import File
from simulator.machine import Agent, Boot, Truth
from simulator.scenarios import lives
from simulator.scenarios.inventory import Card, Story, token
from simulator.scenarios.system import Kdump, System, cmdline_of

UP = timedelta(days=34, hours=5, minutes=12)


def agent_of(card: Card) -> Agent:
    """Agents of one fleet do not all report in the same second."""
    return Agent(second=int(token("second" + card.name, 4), 36) % 60)


def lasting(card: Card, now: datetime, *, until: datetime | None = None) -> System:
    """A system that was stopped in good order a month ago and has run since, or to `until`."""
    kdump = Kdump()
    cmdline = cmdline_of(card.distro, kdump)
    started = now - UP
    before = lives.run(card, 1, started - timedelta(days=61, hours=3), cmdline)
    lives.logs_in(before, "lihua", "10.8.0.4", started - timedelta(minutes=9), None)
    before.say(
        started - timedelta(minutes=2),
        "sudo",
        "   lihua : TTY=pts/0 ; PWD=/home/lihua ; USER=root ; COMMAND=/usr/sbin/reboot",
        pid=30211,
    )
    lives.stops(before, card, started - timedelta(seconds=31))
    present = lives.run(card, 2, started, cmdline)
    lives.works(present, card, until or now, now=now)
    system = System(card, lives.history(card, [before, present]), kdump, cmdline)
    if card.distro.persistent_journal:  # set up with care: a crash would leave everything
        system.sysctls = {"kernel.panic_on_oops": "1", "kernel.panic": "10"}
        system.files["/sys/module/pstore/parameters/backend"] = File(b"efi_pstore\n")
    return system


def boot_of(system: System) -> Boot:
    return Boot(system.history.now.boot_id, system.history.now.started)


def healthy(card: Card, now: datetime) -> Story:
    system = lasting(card, now)
    truth = Truth(22, "none", "healthy", guest="normal_reboot")
    return Story(system.guest(), boot_of(system), truth, agent=agent_of(card))


def unheard(card: Card, now: datetime) -> Story:
    """Its agent is said to run, but has sent no heartbeat for a while."""
    story = healthy(card, now)
    silent = replace(story.agent, silent_since=now - timedelta(minutes=47))
    return replace(story, agent=silent, truth=replace(story.truth, note="stale heartbeat"))


def without_agent(card: Card, now: datetime) -> Story:
    """Cloud Assistant was never installed here."""
    story = healthy(card, now)
    missing = Agent(version="", installed=False)
    return replace(story, agent=missing, truth=replace(story.truth, note="agent not installed"))


def agent_down(card: Card, now: datetime) -> Story:
    """The machine runs; its agent was stopped two days ago."""
    story = healthy(card, now)
    stopped = replace(story.agent, stopped_at=now - timedelta(days=2, minutes=9))
    return replace(story, agent=stopped, truth=replace(story.truth, note="agent stopped"))


def of_a_fleet(card: Card, shared: Story) -> Story:
    """The shared system of an image, with an agent of its own."""
    return replace(shared, agent=agent_of(card))
