"""The demo fleet is the same at each start, and only its times move."""

from datetime import UTC, datetime, timedelta

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
