"""Who is in the demo fleet, and which story each machine tells."""

import itertools
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from simulator.linux import File, LinuxGuest
from simulator.machine import Machine
from simulator.scenarios import asked, crashes, quiet, windows
from simulator.scenarios.distros import (
    ALINUX3,
    CENTOS7,
    DEBIAN12,
    ROCKY9,
    UBUNTU22,
    WINDOWS2019,
    WINDOWS2022,
    Distro,
)
from simulator.scenarios.inventory import Card, Story, build
from simulator.shared import SharedGuest

HANGZHOU, SINGAPORE = "cn-hangzhou", "ap-southeast-1"
REGIONS = {"hangzhou": HANGZHOU, "singapore": SINGAPORE}
DISTROS = {
    distro.key: distro
    for distro in (ALINUX3, CENTOS7, ROCKY9, UBUNTU22, DEBIAN12, WINDOWS2019, WINDOWS2022)
}
TELLERS = {"asked": asked, "crashes": crashes, "quiet": quiet, "windows": windows}

StoryMaker = Callable[[Card, datetime], Story]

TABLE = Path(__file__).with_name("fleet.txt")


def _row(line: str) -> tuple[Card, StoryMaker]:
    name, region, zone, system, type, ip, app, owner, story, *special = line.split()
    teller, _, tale = story.partition(".")
    more = dict(pair.split("=") for pair in special)
    card = Card(name, REGIONS[region], zone, DISTROS[system], type, ip, app, owner, **more)
    return card, getattr(TELLERS[teller], tale)


STORIES: list[tuple[Card, StoryMaker]] = [
    _row(line) for line in TABLE.read_text().splitlines() if not line.startswith("#")
]

IMAGES = (ALINUX3, UBUNTU22, DEBIAN12, ROCKY9)
APPS = ("shop", "orders", "billing", "search", "media", "platform")


# What an application left in /etc/app-release: one in a hundred machines was not upgraded, and
# on two in three hundred the file is missing.
RELEASES = {"usual": b"41.2\n", "behind": b"40.9\n", "broken": None}


def large(size: int, now: datetime) -> list[Machine]:
    """Every second machine in the other region; the systems of one image and release are one."""
    systems = {
        (image.key, release): _shared(n, image, release, now)
        for n, image in enumerate(IMAGES)
        for release in RELEASES
    }
    images = itertools.cycle(IMAGES)
    cards = [_numbered(n, next(images)) for n in range(size)]
    return [
        build(card, quiet.of_a_fleet(card, systems[card.distro.key, release_of(n)]), now)
        for n, card in enumerate(cards)
    ]


def release_of(number: int) -> str:
    """Which of RELEASES the machine of this number has."""
    if number % 150 == 77:
        return "broken"
    return "behind" if number % 100 == 42 else "usual"


def _shared(number: int, image: Distro, release: str, now: datetime) -> Story:
    story = quiet.healthy(_numbered(number, image), now)
    content, system = RELEASES[release], story.guest
    left = {} if content is None else {"/etc/app-release": File(content)}
    guest = LinuxGuest(lambda machine: {**system.tree(machine), **left}, system.console_text)
    return replace(story, guest=SharedGuest(guest))


def _numbered(number: int, distro: Distro) -> Card:
    app = APPS[number % len(APPS)]
    return Card(
        f"{app}-{number:05}",
        (HANGZHOU, SINGAPORE)[number % 2],
        "ab"[number // 2 % 2] if number % 2 else "hi"[number // 2 % 2],
        distro,
        "ecs.g7.large",
        f"10.{16 + number // 50_000}.{number // 250 % 200}.{number % 250 + 2}",
        app,
        "fleet.team",
        environment=("production", "staging")[number % 10 == 9],
    )
