"""Machines to which nothing happened."""

from dataclasses import replace
from datetime import datetime, timedelta

from simulator.linux import File, LinuxGuest
from simulator.machine import Agent, Boot, Truth
from simulator.scenarios.inventory import Card, Story, token, uuid_of


def healthy(card: Card, now: datetime) -> Story:
    boot = Boot(uuid_of("boot" + card.name), now - timedelta(days=34, hours=5))
    passwd = File(b"root:x:0:0:root:/root:/bin/bash\n")
    os_release = File(card.distro.os_release.encode())
    tree = {"/etc/passwd": passwd, "/etc/os-release": os_release}
    guest = LinuxGuest(tree=lambda machine: tree, console_text=lambda machine: "")
    return Story(guest, boot, Truth(22, "none", "healthy"), agent=agent_of(card))


def of_a_fleet(card: Card, shared: Story, now: datetime) -> Story:
    """The shared system of an image, with a boot and an agent of its own."""
    boot = Boot(uuid_of("boot" + card.name), now - timedelta(days=34, minutes=len(card.name)))
    return replace(shared, boot=boot, agent=agent_of(card))


def agent_of(card: Card) -> Agent:
    """Agents of one fleet do not all report in the same second."""
    return Agent(second=int(token("second" + card.name, 4), 36) % 60)
