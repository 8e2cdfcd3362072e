"""The pre-command decides who goes down, the post-check whether whoever came back is well."""

import pytest

from commands.models import Target
from tests.reboots.driving import a_script, approved, asked, outcomes, over, reasons


def test_whoever_fails_the_pre_command_is_not_taken_down(fleet):
    bad, good = rows = fleet.rows[:2]
    batch = approved(asked(rows, pre_script=a_script("echo ready"), max_errors="1"))
    fleet.simulator.faults(
        {"kind": "silent", "operation": "RunCommand", "instance": bad.instance_id, "count": 1}
        | {"seconds": 0.1}
    )
    over(batch)
    assert outcomes(batch) == ["pre_failed", "proven"]
    assert "ClientNotResponse" in reasons(batch)[0]
    assert [fleet.counted("reboots", row) for row in rows] == [0, 1]


HIDDEN = "code=194\nexit $code"


@pytest.mark.usefixtures("sandbox_needed")
def test_a_pre_command_that_takes_the_machine_down_itself_is_not_called_untouched(fleet):
    row = fleet.rows[0]
    batch = over(approved(asked([row], pre_script=a_script(HIDDEN))))
    assert outcomes(batch) == ["unverified"]
    assert "pre-command itself took it down" in reasons(batch)[0]
    assert fleet.counted("reboots", row) == 1


@pytest.mark.usefixtures("sandbox_needed")
def test_a_post_check_that_takes_it_down_again_is_told_as_that(fleet):
    row = fleet.rows[0]
    batch = over(approved(asked([row], post_script=a_script(HIDDEN))))
    assert outcomes(batch) == ["check_failed"]
    assert "post-check itself took it down again" in reasons(batch)[0]


def test_its_exit_code_counts(fleet):
    batch = over(approved(asked(fleet.rows[:1], pre_script=a_script("exit 3"))))
    assert outcomes(batch) == ["pre_failed"]
    assert "exit code 3" in reasons(batch)[0]


def test_the_post_check_runs_on_the_new_boot(fleet):
    told = a_script("cat /proc/sys/kernel/random/boot_id")
    batch = over(approved(asked(fleet.rows[:1], post_script=told)))
    assert outcomes(batch) == ["proven"]
    item = batch.items.get()
    checked = Target.objects.get(pk=item.post_target_id)
    assert checked.output.body().decode().strip() == item.after_boot_id


def test_proven_but_not_well_is_an_error_of_its_own(fleet):
    rows = fleet.rows[:2]
    batch = approved(asked(rows, post_script=a_script("exit 1"), sizes=["1"]))
    over(batch)
    assert outcomes(batch) == ["check_failed", "not_started"]
    assert batch.items.first().verdict == "verified"
    assert batch.ending == "budget"
