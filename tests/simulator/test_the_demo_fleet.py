"""The demo fleet is the same at each start, and only its times move."""

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from simulator.linux import LinuxGuest
from simulator.machine import Unsupported
from simulator.shared import SharedGuest
from simulator.world import World

NOW = datetime(2026, 11, 20, 23, 0, tzinfo=UTC)


def test_ids_and_names_are_the_same_at_each_start():
    one, other = World.demo(NOW), World.demo(NOW + timedelta(days=100, minutes=7))
    names = [(m.instance_id, m.name, m.boot.boot_id, m.private_ips) for m in one.machines]
    assert names == [(m.instance_id, m.name, m.boot.boot_id, m.private_ips) for m in other.machines]


def test_no_two_machines_share_an_id_or_an_address():
    machines = World.demo(NOW).machines
    assert len({m.instance_id for m in machines}) == len(machines) >= 16
    assert len({ip for m in machines for ip in m.private_ips}) == len(machines)
    assert len({m.region for m in machines}) >= 2


def test_a_machine_is_only_known_in_its_own_region():
    world = World.demo(NOW)
    machine = world.machines_in("cn-hangzhou")[0]
    assert world.machine("cn-hangzhou", machine.instance_id) is machine
    assert world.machine("ap-southeast-1", machine.instance_id) is None
    assert world.machines_in("nowhere") == []


def test_a_large_fleet_has_distinct_machines_in_both_regions():
    world = World.fleet(10_000, NOW)
    assert len({m.instance_id for m in world.machines}) == 10_000
    assert len({ip for m in world.machines for ip in m.private_ips}) == 10_000
    assert {len(world.machines_in(r)) for r in ("cn-hangzhou", "ap-southeast-1")} == {5_000}


def test_every_scenario_has_a_machine():
    told = {m.truth.scenario for m in World.demo(NOW).machines}
    assert told >= {*range(1, 12), *range(17, 20), 21, 22}
    assert told >= {13, 14, 15, 16, 20, 23}


def test_texts_are_the_same_at_each_start_and_only_times_move():
    later = timedelta(days=61)
    for one, other in zip(World.demo(NOW).machines, World.demo(NOW + later).machines, strict=True):
        assert other.boot.started_at - one.boot.started_at == later
        assert [e.event_id for e in one.events] == [e.event_id for e in other.events]
        assert all(
            b.finished_at - a.finished_at == later
            for a, b in zip(one.events, other.events, strict=True)
        )
        if one.os_type == "linux":
            assert _undated(one.console(NOW)[0]) == _undated(other.console(NOW + later)[0])


def _undated(console: bytes) -> list[bytes]:
    return [line for line in console.splitlines() if b"setting system clock" not in line]


def test_the_fleet_mixes_systems_and_states():
    machines = World.demo(NOW).machines
    assert {m.os_type for m in machines} == {"linux", "windows"}
    assert {"Running", "Stopped"} == {m.status for m in machines}
    in_one_region = [m for m in machines if m.region == "cn-hangzhou" and m.agent_running(NOW)]
    assert len(in_one_region) >= 3


def test_agents_are_alive_down_stale_or_never_installed():
    world = {m.name: m for m in World.demo(NOW).machines}
    assert world["web-01"].agent_running(NOW)
    assert NOW - world["web-01"].heartbeat(NOW) <= timedelta(seconds=60)
    assert not world["gw-02"].agent_running(NOW)
    assert world["gw-02"].heartbeat(NOW) < NOW - timedelta(days=2)
    assert world["iot-01"].agent_running(NOW)
    assert world["iot-01"].heartbeat(NOW) <= NOW - timedelta(minutes=46)
    assert world["legacy-01"].heartbeat(NOW) is None
    assert not world["crm-01"].agent_running(NOW)
    assert world["crm-01"].heartbeat(NOW) < world["crm-01"].stopped_at


def test_events_fit_the_machines_own_time_of_going_down():
    for m in World.demo(NOW).machines:
        for event in m.events:
            gap = abs(event.not_before - m.truth.down_at)
            fits = gap < timedelta(minutes=2)
            assert fits != (m.truth.scenario == 11), (m.name, event.type, gap)
            assert event.published_at <= event.not_before <= event.finished_at <= NOW


def test_linux_machines_have_a_serial_log_and_windows_machines_none():
    for m in World.demo(NOW).machines:
        if m.os_type == "windows":
            with pytest.raises(Unsupported):
                m.console(NOW)
        elif m.name != "mq-01":  # which prints nothing to the serial port
            text, changed_at = m.console(NOW)
            assert b"Linux version" in text
            assert 10_000 < len(text) < 65_536
            assert m.boot.started_at < changed_at <= NOW


def test_a_panic_that_was_only_printed_stands_in_the_console():
    log = next(m for m in World.demo(NOW).machines if m.name == "log-01")
    text, _ = log.console(NOW)
    assert b"Kernel panic - not syncing: Fatal exception in interrupt" in text
    tree = log.guest.tree(log)
    assert not any(b"Kernel panic" in file.content for file in tree.values())


def test_screenshots_are_small_pictures():
    picture = World.demo(NOW).machines[0].screenshot(NOW)
    assert picture.startswith(b"\xff\xd8\xff")
    assert len(picture) < 32_768


def test_no_file_tree_is_made_before_a_script_comes():
    for m in [*World.demo(NOW).machines, *World.fleet(2_000, NOW).machines]:
        guest = m.guest.guest if isinstance(m.guest, SharedGuest) else m.guest
        assert not isinstance(guest, LinuxGuest) or guest.root is None


def test_a_fleet_has_a_size_within_its_limits():
    for size in (0, 10_001):
        with pytest.raises(ValueError, match="fleet size must be from 1 to 10,000"):
            World.fleet(size, NOW)


def test_the_documentation_lists_every_machine():
    text = (Path(__file__).resolve().parents[2] / "docs/simulator.md").read_text()
    listed = re.findall(r"^\| ([a-z]+-\d\d) \|", text, re.MULTILINE)
    assert listed == [m.name for m in World.demo(NOW).machines]
