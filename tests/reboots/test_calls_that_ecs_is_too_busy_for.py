"""A throttled call did not happen: the worker that holds the wave makes it again, for a while."""

from commands.reboots import steering, taking_down
from instances import ecs
from tests.factories import a_person
from tests.reboots.driving import approved, asked, outcomes, over, reasons, until_stage

THROTTLED = {"kind": "throttle", "operation": "RebootInstances", "retry_after": 1}


def test_a_throttled_call_is_made_again_and_counts_once(fleet):
    rows = fleet.rows[:2]
    batch = approved(asked(rows))
    fleet.simulator.faults(THROTTLED | {"count": 2})
    over(batch)
    assert outcomes(batch) == ["proven"] * 2
    assert [fleet.counted("reboots", row) for row in rows] == [1, 1]


def test_after_a_while_it_is_given_up_and_nothing_was_taken_down(fleet, monkeypatch):
    monkeypatch.setattr(taking_down, "THROTTLED_FOR", 0.0)
    row = fleet.rows[0]
    batch = approved(asked([row]))
    fleet.simulator.faults(THROTTLED)
    over(batch)
    assert outcomes(batch) == ["refused"]
    assert "Throttling" in reasons(batch)[0]
    assert fleet.counted("reboots", row) == 0


def test_what_was_stopped_meanwhile_is_not_called_again(fleet, monkeypatch):
    row = fleet.rows[0]
    batch = approved(asked([row]))

    def busy(*_args, **_options):
        steering.stop(batch, by=a_person("operator"), via="page")
        raise ecs.Throttled("busy")

    until_stage(batch, "power")
    with monkeypatch.context() as patched:
        patched.setattr(ecs, "power", busy)
        over(batch)
    assert outcomes(batch) == ["refused"]
    assert reasons(batch) == ["Stopped before its turn came."]
    assert fleet.counted("reboots", row) == 0
