"""Large fleets: many machines, few systems, and a known few that differ from the rest.

Which machine differs depends on its number alone, so every start tells the same:
  number % 100 == 42   not upgraded: an older kernel, and 40.9 in /etc/app-release, not 41.2
  number % 150 == 77   the application is missing: no /etc/app-release, no app.service
  number % 250 == 125  the disk is full
In a mixed fleet, of each 50 also one each is unfit to run scripts, and come back
wrongly from a reboot; see UNFIT and FATES.
"""

import itertools
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from functools import cache

from simulator.linux import File
from simulator.machine import Boot, Machine
from simulator.scenarios import quiet, windows
from simulator.scenarios.distros import ALINUX3, DEBIAN12, ROCKY9, UBUNTU22, WINDOWS2022, Distro
from simulator.scenarios.inventory import Card, Story, build, uuid_of
from simulator.scenarios.system import DISK_KB, System
from simulator.shared import SharedGuest

REGIONS = ("cn-hangzhou", "ap-southeast-1")
IMAGES = (ALINUX3, UBUNTU22, DEBIAN12, ROCKY9)
APPS = ("shop", "orders", "billing", "search", "media", "platform")
OLDER_KERNELS = {
    "alinux3": "5.10.134-16.1.al8.x86_64",
    "ubuntu22": "5.15.0-118-generic",
    "debian12": "6.1.0-37-cloud-amd64",
    "rocky9": "5.14.0-427.13.1.el9_4.x86_64",
}
OLD_AGENT = "2.2.3.256"  # knows neither exit codes that reboot nor rates and zones
UNFIT: dict[int, str] = {  # number % 50 in a mixed fleet
    7: "old_agent",
    16: "silent_agent",
    29: "no_agent",
    36: "stopped",
    44: "windows",
    47: "classic_network",
}

FATES = {11: "same_boot", 21: "no_return", 31: "late_return", 41: "lost_agent"}  # of reboots


def machines(size: int, now: datetime, *, mixed: bool) -> list[Machine]:
    """Every second machine in the other region; machines alike are one and the same system."""
    images = itertools.cycle(IMAGES)
    shared = cache(lambda image, kind: _shared(image, kind, now))
    cards = (_numbered(n, next(images)) for n in range(size))
    return [_machine(n, card, shared, now, mixed) for n, card in enumerate(cards)]


def kind_of(number: int) -> str:
    """How the machine of this number differs: plain, behind, bare or full."""
    if number % 100 == 42:
        return "behind"
    if number % 150 == 77:
        return "bare"
    return "full" if number % 250 == 125 else "plain"


def _machine(
    number: int, card: Card, shared: Callable[[Distro, str], Story], now: datetime, mixed: bool
) -> Machine:
    unfit = UNFIT.get(number % 50, "") if mixed else ""
    if unfit == "windows":
        card = replace(card, distro=WINDOWS2022)
        return build(card, windows.healthy(card, now), now)
    story = quiet.of_a_fleet(card, shared(card.distro, kind_of(number)))
    story = replace(story, boot=Boot(uuid_of(f"boot-{card.name}"), story.boot.started_at))
    machine = build(card, _unfit(story, unfit, now), now)
    if unfit == "classic_network":
        machine.vpc_id = machine.vswitch_id = ""
    machine.on_reboot = FATES.get(number % 50, "") if mixed else ""
    return machine


def _unfit(story: Story, unfit: str, now: datetime) -> Story:
    agent = story.agent
    match unfit:
        case "old_agent":
            return replace(story, agent=replace(agent, version=OLD_AGENT))
        case "silent_agent":
            return replace(story, agent=replace(agent, silent_since=now - timedelta(minutes=47)))
        case "no_agent":
            return replace(story, agent=replace(agent, version="", installed=False))
        case "stopped":
            return replace(story, status="Stopped", stopped_at=now - timedelta(days=3))
    return story


def _shared(image: Distro, kind: str, now: datetime) -> Story:
    if kind == "behind":
        image = replace(image, kernel=OLDER_KERNELS[image.key])
    card = replace(_numbered(0, image), name=f"image-{image.key}-{kind}")
    system = quiet.lasting(card, now)
    _furnish(system, kind)
    boot = quiet.boot_of(system)
    return Story(SharedGuest(system.guest(), card.name, boot.boot_id), boot)


def _furnish(system: System, kind: str) -> None:
    if kind == "full":
        system.files["/run/machine/disk"] = File(f"{DISK_KB} {DISK_KB}\n".encode())
    if kind != "bare":
        system.files["/etc/app-release"] = File(b"40.9\n" if kind == "behind" else b"41.2\n")
        system.services.append(("app.service", "The application"))


def _numbered(number: int, distro: Distro) -> Card:
    app = APPS[number % len(APPS)]
    return Card(
        f"{app}-{number:05}",
        REGIONS[number % 2],
        "ab"[number // 2 % 2] if number % 2 else "hi"[number // 2 % 2],
        distro,
        "ecs.g7.large",
        f"10.{16 + number // 50_000}.{number // 250 % 200}.{number % 250 + 2}",
        app,
        "fleet.team",
        environment=("production", "staging")[number % 10 == 9],
    )
