"""Who is in the demo fleet, and which story each machine tells."""

import itertools
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

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
)
from simulator.scenarios.inventory import Card, Story, build
from simulator.shared import SharedGuest

HANGZHOU, SINGAPORE = "cn-hangzhou", "ap-southeast-1"

StoryMaker = Callable[[Card, datetime], Story]


def _card(name, region, zone, distro, type, ip, app, owner, **more) -> Card:
    return Card(name, region, zone, distro, type, ip, app, owner, **more)


STORIES: list[tuple[Card, StoryMaker]] = [
    (
        _card(
            "web-01",
            HANGZHOU,
            "h",
            ALINUX3,
            "ecs.g7.large",
            "10.1.0.11",
            "shop",
            "chen.min",
            public_ip="203.0.113.11",
        ),
        quiet.healthy,
    ),
    (
        _card(
            "web-02",
            HANGZHOU,
            "i",
            ALINUX3,
            "ecs.g7.large",
            "10.1.0.12",
            "shop",
            "chen.min",
            public_ip="203.0.113.12",
        ),
        asked.by_the_platform,
    ),
    (
        _card(
            "web-03",
            HANGZHOU,
            "j",
            ALINUX3,
            "ecs.i4.xlarge",
            "10.1.0.13",
            "shop",
            "chen.min",
            public_ip="203.0.113.13",
        ),
        crashes.nvme_driver,
    ),
    (
        _card("api-01", HANGZHOU, "h", ROCKY9, "ecs.c7.xlarge", "10.1.1.21", "orders", "li.wei"),
        crashes.not_captured,
    ),
    (
        _card("api-02", HANGZHOU, "i", UBUNTU22, "ecs.c7.xlarge", "10.1.1.22", "orders", "li.wei"),
        crashes.never_installed,
    ),
    (
        _card(
            "db-01", HANGZHOU, "h", ALINUX3, "ecs.r7.2xlarge", "10.1.2.31", "orders", "zhao.ying"
        ),
        crashes.out_of_memory,
    ),
    (
        _card(
            "cache-01", HANGZHOU, "i", UBUNTU22, "ecs.r7.xlarge", "10.1.2.41", "shop", "zhao.ying"
        ),
        crashes.killed_for_memory,
    ),
    (
        _card(
            "batch-01", HANGZHOU, "j", ALINUX3, "ecs.c7.2xlarge", "10.1.3.51", "billing", "sun.tao"
        ),
        crashes.after_maintenance,
    ),
    (
        _card(
            "batch-02", HANGZHOU, "j", DEBIAN12, "ecs.c7.2xlarge", "10.1.3.52", "billing", "sun.tao"
        ),
        crashes.cut_off,
    ),
    (
        _card("media-01", HANGZHOU, "h", ALINUX3, "ecs.c7.2xlarge", "10.1.3.61", "media", "wu.hao"),
        crashes.dead_storage,
    ),
    (
        _card(
            "search-01", HANGZHOU, "i", UBUNTU22, "ecs.g7.xlarge", "10.1.4.71", "search", "wu.hao"
        ),
        crashes.guest_failed_silently,
    ),
    (
        _card(
            "log-01", HANGZHOU, "j", ALINUX3, "ecs.g7.xlarge", "10.1.4.81", "platform", "ops.duty"
        ),
        crashes.console_only,
    ),
    (
        _card(
            "mq-01", HANGZHOU, "h", DEBIAN12, "ecs.g7.xlarge", "10.1.4.91", "platform", "ops.duty"
        ),
        crashes.nobody_answers,
    ),
    (
        _card(
            "test-01",
            HANGZHOU,
            "i",
            UBUNTU22,
            "ecs.t6-c1m2.large",
            "10.9.0.11",
            "lab",
            "qa.team",
            environment="test",
        ),
        asked.by_sysrq,
    ),
    (
        _card("job-01", HANGZHOU, "j", ALINUX3, "ecs.g7.large", "10.1.3.53", "billing", "sun.tao"),
        asked.by_a_user,
    ),
    (
        _card(
            "legacy-01",
            HANGZHOU,
            "h",
            CENTOS7,
            "ecs.t6-c1m2.large",
            "10.1.8.15",
            "archive",
            "ops.duty",
        ),
        quiet.without_agent,
    ),
    (
        _card(
            "iot-01", HANGZHOU, "i", ALINUX3, "ecs.g7.large", "10.1.8.25", "telemetry", "he.jing"
        ),
        quiet.unheard,
    ),
    (
        _card(
            "crm-01",
            HANGZHOU,
            "j",
            ALINUX3,
            "ecs.g7.large",
            "10.1.8.35",
            "crm",
            "he.jing",
            charge_type="PrePaid",
        ),
        asked.expired,
    ),
    (
        _card(
            "gw-01",
            SINGAPORE,
            "a",
            UBUNTU22,
            "ecs.g7.large",
            "10.2.0.11",
            "edge",
            "tan.kai",
            eip="198.51.100.11",
        ),
        crashes.host_failed,
    ),
    (
        _card(
            "gw-02",
            SINGAPORE,
            "b",
            DEBIAN12,
            "ecs.g7.large",
            "10.2.0.12",
            "edge",
            "tan.kai",
            eip="198.51.100.12",
        ),
        quiet.agent_down,
    ),
    (
        _card("edge-01", SINGAPORE, "a", ALINUX3, "ecs.c7.xlarge", "10.2.0.21", "edge", "tan.kai"),
        asked.by_power_key,
    ),
    (
        _card(
            "spare-01",
            SINGAPORE,
            "b",
            ALINUX3,
            "ecs.g7.large",
            "10.2.9.11",
            "edge",
            "tan.kai",
            environment="standby",
        ),
        asked.standing_by,
    ),
]

STORIES += [
    (
        _card(
            "erp-01", SINGAPORE, "a", WINDOWS2019, "ecs.g7.xlarge", "10.2.4.11", "erp", "lim.hui"
        ),
        windows.dump_saved,
    ),
    (
        _card(
            "sql-01", SINGAPORE, "a", WINDOWS2019, "ecs.r7.xlarge", "10.2.4.12", "erp", "lim.hui"
        ),
        windows.dumps_off,
    ),
    (
        _card(
            "file-01",
            SINGAPORE,
            "b",
            WINDOWS2022,
            "ecs.g7.xlarge",
            "10.2.4.13",
            "office",
            "lim.hui",
        ),
        windows.no_pagefile,
    ),
    (
        _card(
            "rds-01", SINGAPORE, "b", WINDOWS2022, "ecs.g7.xlarge", "10.2.4.14", "office", "lim.hui"
        ),
        windows.minidump,
    ),
    (
        _card(
            "iis-01",
            SINGAPORE,
            "a",
            WINDOWS2019,
            "ecs.c7.xlarge",
            "10.2.4.15",
            "portal",
            "ng.wei",
            public_ip="198.51.100.15",
        ),
        windows.applications_crash,
    ),
    (
        _card(
            "wsus-01", SINGAPORE, "b", WINDOWS2022, "ecs.g7.large", "10.2.4.16", "office", "ng.wei"
        ),
        windows.updated,
    ),
    (
        _card(
            "ad-01", SINGAPORE, "a", WINDOWS2022, "ecs.g7.large", "10.2.4.17", "office", "ng.wei"
        ),
        windows.healthy,
    ),
]

IMAGES = (ALINUX3, UBUNTU22, DEBIAN12, ROCKY9)
APPS = ("shop", "orders", "billing", "search", "media", "platform")


def large(size: int, now: datetime) -> list[Machine]:
    """Every second machine in the other region; the systems of one image are one and the same."""
    shared = {image.key: _shared(_numbered(n, image), now) for n, image in enumerate(IMAGES)}
    images = itertools.cycle(IMAGES)
    cards = (_numbered(n, next(images)) for n in range(size))
    return [
        build(card, quiet.of_a_fleet(card, shared[card.distro.key], now), now) for card in cards
    ]


def _shared(card: Card, now: datetime) -> Story:
    story = quiet.healthy(card, now)
    return replace(story, guest=SharedGuest(story.guest))


def _numbered(number: int, distro) -> Card:
    app = APPS[number % len(APPS)]
    return _card(
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
