"""Who is in the demo fleet, and which story each machine tells."""

from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from simulator.scenarios import asked, crashes, quiet, windows
from simulator.scenarios.distros import (
    ALINUX3,
    CENTOS7,
    DEBIAN12,
    ROCKY9,
    UBUNTU22,
    WINDOWS2019,
    WINDOWS2022,
)
from simulator.scenarios.inventory import Card, Story

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
