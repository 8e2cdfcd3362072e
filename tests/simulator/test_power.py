"""Machines go down and come back as they are told, and the counters know how often."""

import base64
import json
import time

import pytest
from alibabacloud_ecs20140526 import models
from Tea.exceptions import TeaException

from tests.simulation import in_a_thread
from tests.simulator.conftest import REGION, client_of, run, settled

ELSEWHERE = "ap-southeast-1"


@pytest.fixture
def fleet():
    """A fleet of its own: reboots leave traces."""
    with in_a_thread("fleet:12") as simulator:
        simulator.cloud.power.seconds = (0.1, 0.2)
        yield simulator


@pytest.fixture
def client(fleet):
    return client_of(fleet)


@pytest.fixture
def machines(fleet):
    return fleet.cloud.machines(REGION)


def until(question, patience=10.0):
    ends = time.monotonic() + patience
    while not question():
        assert time.monotonic() < ends, "it did not come"
        time.sleep(0.005)


def reboot(client, *ids, **more):
    request = models.RebootInstancesRequest(region_id=REGION, instance_id=list(ids), **more)
    return client.reboot_instances(request).body.instance_responses.instance_response


def stop(client, *ids, **more):
    request = models.StopInstancesRequest(region_id=REGION, instance_id=list(ids), **more)
    return client.stop_instances(request).body.instance_responses.instance_response


def start(client, *ids, **more):
    request = models.StartInstancesRequest(region_id=REGION, instance_id=list(ids), **more)
    return client.start_instances(request).body.instance_responses.instance_response


def described(client, machine):
    asked = models.DescribeInstancesRequest(
        region_id=REGION, instance_ids=json.dumps([machine.instance_id])
    )
    return client.describe_instances(asked).body.instances.instance[0]


def settled_boots(fleet, count):
    until(lambda: sum(fleet.counters().get("boots", {}).values()) == count)
    until(lambda: all(m.status == "Running" for m in fleet.cloud.machines(REGION)))


@pytest.mark.usefixtures("sandbox_needed")
def test_a_reboot_gives_each_machine_a_new_boot(fleet, client, machines):
    ids = [m.instance_id for m in machines]
    before = {m.instance_id: m.boot.boot_id for m in machines}
    fleet.cloud.power.seconds = (2.0, 2.5)  # the first 0.3 s of it they are still called Running
    rows = reboot(client, *ids)
    assert {(r.code, r.previous_status, r.current_status) for r in rows} == {
        ("200", "Running", "Starting")
    }
    assert described(client, machines[0]).status == "Running"  # it has not begun to go down
    settled_boots(fleet, len(ids))
    probe = run(client, ids, "cat /proc/sys/kernel/random/boot_id; grep btime /proc/stat")
    for row in settled(client, probe):
        boot_id, btime = base64.b64decode(row.output).decode().splitlines()
        machine = fleet.cloud.anywhere(row.instance_id)
        assert boot_id == machine.boot.boot_id != before[row.instance_id]
        assert btime == f"btime {int(machine.boot.started_at.timestamp())}"
    assert fleet.counters()["reboots"] == dict.fromkeys(ids, 1)


def test_a_stopped_machine_says_how_it_was_stopped_and_starts_anew(fleet, client, machines):
    one = machines[0]
    (row,) = stop(client, one.instance_id, stopped_mode="StopCharging")
    assert (row.previous_status, row.current_status) == ("Running", "Stopping")
    until(lambda: one.status == "Stopped")
    assert described(client, one).stopped_mode == "StopCharging"
    boot = one.boot
    (row,) = start(client, one.instance_id)
    assert (row.previous_status, row.current_status) == ("Stopped", "Starting")
    until(lambda: one.status == "Running")
    assert one.boot.boot_id != boot.boot_id and one.boot.started_at > boot.started_at


@pytest.mark.parametrize("force", [True, False])
def test_one_bad_id_sinks_all_or_only_itself(fleet, client, machines, force):
    good, bad = machines[0].instance_id, "i-none"
    with pytest.raises(TeaException) as refusal:
        reboot(client, good, bad, force_reboot=force)
    assert (refusal.value.statusCode, refusal.value.code) == (404, "InvalidInstanceId.NotFound")
    assert fleet.counters().get("reboots", {}) == {}
    rows = reboot(client, good, bad, batch_optimization="SuccessFirst", force_reboot=force)
    assert [(r.instance_id, r.code, r.previous_status) for r in rows] == [
        (good, "200", "Running"),
        (bad, "InvalidInstanceId.NotFound", ""),
    ]
    assert fleet.counters()["reboots"] == {good: 1}


def test_a_rehearsal_moves_nothing(fleet, client, machines):
    one = machines[0].instance_id
    for act in (reboot, stop):
        with pytest.raises(TeaException) as refusal:
            act(client, one, dry_run=True)
        assert refusal.value.code == "DRYRUN.SUCCESS"
    with pytest.raises(TeaException) as refusal:
        start(client, one, dry_run=True)
    assert refusal.value.code == "IncorrectInstanceStatus"
    with pytest.raises(TeaException) as refusal:
        start(client, one, dry_run=True, batch_optimization="SuccessFirst")
    assert refusal.value.code == "DRYRUN.SUCCESS"  # it proves nothing
    with pytest.raises(TeaException) as refusal:
        client.reboot_instance(models.RebootInstanceRequest(instance_id=one, dry_run=True))
    assert refusal.value.code == "DryRunOperation"
    assert "reboots" not in fleet.counters()


@pytest.mark.parametrize(
    ("lock", "code"),
    [("security", "InstanceLockedForSecurity"), ("financial", "InstanceExpiredOrInArrears")],
)
def test_a_locked_machine_stays_as_it_is(client, machines, lock, code):
    machines[0].lock_reasons = [lock]
    with pytest.raises(TeaException) as refusal:
        reboot(client, machines[0].instance_id)
    assert (refusal.value.statusCode, refusal.value.code) == (403, code)


def test_limits_are_named(fleet, client, machines):
    wrong = [
        (lambda: reboot(client), "MissingParameter"),
        (lambda: reboot(client, *(f"i-{n}" for n in range(101))), "InstanceIdLimitExceeded"),
        (lambda: reboot(client, "i", batch_optimization="x"), "InvalidParameter.BatchOptimization"),
        (lambda: stop(client, "i", stopped_mode="x"), "InvalidParameter.StoppedMode"),
    ]
    for act, code in wrong:
        with pytest.raises(TeaException) as refusal:
            act()
        assert refusal.value.code == code
    elsewhere = fleet.cloud.machines(ELSEWHERE)[0].instance_id
    with pytest.raises(TeaException, match="does not exist"):
        reboot(client, elsewhere)


def test_a_second_call_is_counted_and_boots_no_second_time(fleet, client, machines):
    one = machines[0].instance_id
    reboot(client, one)
    reboot(client, one)
    settled_boots(fleet, 1)
    assert fleet.counters()["reboots"] == {one: 2}
    assert fleet.counters()["boots"] == {one: 1}


def test_a_lost_answer_was_a_reboot_all_the_same(fleet, client, machines):
    one = machines[0].instance_id
    fleet.faults({"kind": "lost", "operation": "RebootInstances", "count": 1})
    with pytest.raises(TeaException):
        reboot(client, one)
    settled_boots(fleet, 1)
    assert fleet.counters()["reboots"] == {one: 1}


def test_machines_come_back_wrongly_when_told_so(fleet, client, machines):
    same, gone, hung, deaf, late = machines[:5]
    boots = {m.instance_id: m.boot.boot_id for m in machines}
    fleet.faults(
        {"kind": "same_boot", "instance": same.instance_id},
        {"kind": "no_return", "instance": gone.instance_id, "status": "Starting"},
        {"kind": "lost_agent", "instance": deaf.instance_id},
        {"kind": "late_return", "instance": late.instance_id, "seconds": 0.4},
    )
    fleet.change(hung.instance_id, on_reboot="no_return")
    reboot(client, *(m.instance_id for m in machines[:5]))
    until(lambda: sum(fleet.counters().get("boots", {}).values()) == 2)
    until(lambda: all(m.status == "Running" for m in (same, hung, deaf, late)))
    changed = {m.name for m in machines if m.boot.boot_id != boots[m.instance_id]}
    assert changed == {deaf.name, late.name}
    assert gone.status == "Starting"
    assert {m.name for m in machines[:5] if m.agent.stopped_at} == {gone.name, hung.name, deaf.name}


def test_a_script_is_cut_off_by_a_reboot_that_others_ask_for(client, machines):
    one = machines[0].instance_id
    invoke_id = run(client, [one], "sleep 30")
    until(lambda: machines[0].status == "Running")
    reboot(client, one)
    [row] = settled(client, invoke_id)
    assert (row.invocation_status, row.error_code) == ("Error", "InstanceRestarted")
    assert row.exit_code is None


@pytest.mark.usefixtures("sandbox_needed")
@pytest.mark.parametrize(("code", "counted"), [(194, "reboots"), (193, "stops")])
def test_a_special_exit_code_is_reported_before_the_machine_goes(
    fleet, client, machines, code, counted
):
    one = machines[0]
    [row] = settled(client, run(client, [one.instance_id], f"echo bye; exit {code}"))
    assert (row.invocation_status, row.exit_code) == ("Failed", code)
    assert base64.b64decode(row.output) == b"bye\n"
    until(lambda: fleet.counters().get(counted) == {one.instance_id: 1})
    until(lambda: one.status == ("Running" if code == 194 else "Stopped"))


@pytest.mark.usefixtures("sandbox_needed")
def test_an_old_agent_takes_the_special_codes_for_any_other(fleet, client, machines):
    one = machines[0].instance_id
    fleet.change(one, agent_version="2.2.3.316")
    [row] = settled(client, run(client, [one], "exit 194"))
    assert (row.error_code, row.exit_code) == ("ExitCodeNonzero", 194)
    assert "reboots" not in fleet.counters()


def test_the_newest_agent_is_at_work_after_the_next_start(fleet, client, machines):
    one = machines[0].instance_id
    fleet.change(one, agent_version="2.2.3.256")
    client.install_cloud_assistant(
        models.InstallCloudAssistantRequest(region_id=REGION, instance_id=[one])
    )
    assert machines[0].agent.version == "2.2.3.256"
    reboot(client, one)
    settled_boots(fleet, 1)
    assert machines[0].agent.numbers > (2, 2, 3, 317)


@pytest.mark.usefixtures("sandbox_needed")
def test_a_planned_reboot_is_avoided_by_the_api_alone(fleet, client, machines):
    one = machines[0].instance_id
    fleet.control("POST", "events", {"instance": one, "in_seconds": 3600})

    def cycles():
        asked = models.DescribeInstanceHistoryEventsRequest(
            region_id=REGION, instance_event_cycle_status=["Scheduled", "Avoided"]
        )
        events = client.describe_instance_history_events(asked).body.instance_system_event_set
        return [e.event_cycle_status.name for e in events.instance_system_event_type]

    assert cycles() == ["Scheduled"]
    settled(client, run(client, [one], "exit 194"))
    settled_boots(fleet, 1)
    assert cycles() == ["Scheduled"]
    reboot(client, one)
    settled_boots(fleet, 2)
    assert cycles() == ["Avoided"]


def test_the_switchboard_sets_how_long_it_takes(fleet):
    fleet.control("POST", "power", {"seconds": [1, 2]})
    assert fleet.cloud.power.seconds == (1.0, 2.0)
    with pytest.raises(ValueError, match="shortest, longest"):
        fleet.control("POST", "power", {"seconds": [2, 1]})
    with pytest.raises(ValueError, match="on_reboot is empty or one of"):
        fleet.change(fleet.cloud.machines(REGION)[0].instance_id, on_reboot="?")


def test_windows_machines_have_their_own_codes():
    with in_a_thread() as simulator:
        simulator.cloud.power.seconds = (0.05, 0.1)
        client, machines = client_of(simulator), simulator.cloud.world.machines
        one, old = [m for m in machines if m.os_type == "windows" and m.status == "Running"][:2]
        simulator.change(one.instance_id, agent_version="2.2.3.317")
        for machine in (one, old):
            where = {"region_id": machine.region}
            script = "# back soon\nexit 3010"
            invoke_id = run(
                client, [machine.instance_id], script, type="RunPowerShellScript", **where
            )
            [row] = settled(client, invoke_id, **where)
            assert row.exit_code == 3010
        until(lambda: simulator.counters().get("boots") == {one.instance_id: 1})
        assert simulator.counters()["reboots"] == {one.instance_id: 1}
