"""Each way down is one act for each machine, and has its own proof."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from django.core.exceptions import ValidationError

from commands.models import Dispatch
from commands.reboots import steering, waves
from instances import refresh
from instances.models import Instance
from simulator.windows import WindowsGuest
from tests.factories import a_person
from tests.reboots.driving import (
    a_script,
    approved,
    asked,
    outcomes,
    over,
    reasons,
    until_stage,
)

UNTRUE = "echo 'about to reboot'; exit 0 # exit 194"


def test_force_is_a_reboot_that_says_so(fleet, monkeypatch):
    from instances import ecs

    told, power = [], ecs.power
    monkeypatch.setattr(ecs, "power", lambda *a, **k: told.append(k["force"]) or power(*a, **k))
    row = fleet.rows[0]
    assert outcomes(over(approved(asked([row], way="force")))) == ["proven"]
    assert (told, fleet.counted("reboots", row)) == ([True], 1)


def test_a_stop_is_over_when_ecs_calls_it_stopped_and_a_start_when_another_boot_answers(fleet):
    row = fleet.rows[0]
    assert outcomes(over(approved(asked([row], way="stop")))) == ["proven"]
    assert (fleet.machine(row).status, fleet.counted("stops", row)) == ("Stopped", 1)
    row.refresh_from_db()
    batch = over(approved(asked([row], way="start")))
    assert outcomes(batch) == ["proven"]
    assert (fleet.machine(row).status, fleet.counted("starts", row)) == ("Running", 1)
    assert batch.items.get().after_boot_id == fleet.machine(row).boot.boot_id


@pytest.mark.usefixtures("sandbox_needed")
def test_the_exit_code_of_a_script_reboots_or_stops_as_it_says(fleet):
    up, down = fleet.rows[:2]
    rebooted = over(approved(asked([up], way="exit_code", pre_script=a_script("exit 194"))))
    stopped = over(approved(asked([down], way="exit_code", pre_script=a_script("exit 193"))))
    assert (outcomes(rebooted), outcomes(stopped)) == (["proven"], ["proven"])
    assert (fleet.machine(up).status, fleet.machine(down).status) == ("Running", "Stopped")
    assert (fleet.counted("reboots", up), fleet.counted("stops", down)) == (1, 1)


@pytest.fixture
def windows(fleet, monkeypatch):
    """Three machines of the fleet that have Windows, as far as ECS and the agent tell."""
    rows = fleet.rows[:3]
    for row in rows:
        machine = fleet.machine(row)
        long_ago = replace(machine.boot, started_at=datetime.now(UTC) - timedelta(days=30))
        monkeypatch.setattr(machine, "boot", long_ago)
        monkeypatch.setattr(machine, "os_type", "windows")
        monkeypatch.setattr(machine, "guest", WindowsGuest(lambda _machine, _now: {}))
    refresh.look_again(rows, planned=False)
    return list(Instance.objects.filter(pk__in=[row.pk for row in rows]).order_by("pk"))


def by_code(row, code):
    script = a_script(f"exit {code}", "RunPowerShellScript")
    return over(approved(asked([row], way="exit_code", pre_script=script)))


def test_on_windows_3010_restarts_and_3009_stops(fleet, windows):
    up, down, _other = windows
    rebooted, stopped = by_code(up, 3010), by_code(down, 3009)
    assert (outcomes(rebooted), outcomes(stopped)) == (["proven"], ["proven"])
    assert (fleet.machine(up).status, fleet.machine(down).status) == ("Running", "Stopped")
    assert (fleet.counted("reboots", up), fleet.counted("stops", down)) == (1, 1)
    item, boot = rebooted.items.get(), fleet.machine(up).boot.started_at
    assert item.before_boot_id < item.after_boot_id == boot.strftime("%Y%m%dT%H%M%S.%fZ")


def test_the_codes_of_the_other_system_take_nothing_down(fleet, windows):
    row = windows[2]
    with pytest.raises(ValidationError, match="3010 or 3009"):
        by_code(row, 194)
    with pytest.raises(ValidationError, match="No instance is left"):  # Linux wants a shell script
        by_code(fleet.rows[5], 3010)
    assert fleet.counted("reboots", row) == 0


def test_a_stop_calls_back_the_script_that_ecs_was_not_asked_for_yet(fleet):
    row, person = fleet.rows[0], a_person("operator")
    batch = asked([row], by=person, way="exit_code", pre_script=a_script("exit 194"))
    wave = until_stage(approved(batch), "power")
    waves.carry_on(wave.pk)
    assert Dispatch.objects.get(invocation__wave_run__purpose="power").state == "waiting"
    steering.stop(batch, by=person, via="page")
    assert outcomes(over(batch)) == ["refused"]
    assert reasons(batch) == ["Stopped before its turn came."]
    assert fleet.counted("reboots", row) == 0


def test_a_script_that_ends_without_the_code_has_taken_nothing_down(fleet):
    row = fleet.rows[0]
    batch = over(approved(asked([row], way="exit_code", pre_script=a_script(UNTRUE))))
    assert outcomes(batch) == ["refused"]
    assert "without the code" in reasons(batch)[0]
    assert fleet.counted("reboots", row) == 0
