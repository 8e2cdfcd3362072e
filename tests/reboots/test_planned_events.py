"""A reboot through the API spares a machine the one that ECS had planned for it."""

from tests.reboots.driving import a_script, approved, asked, outcomes, over


def test_the_planned_event_became_avoided_and_the_item_says_so(fleet):
    planned, plain = rows = fleet.rows[:2]
    told = fleet.simulator.control("POST", "events", {"instance": planned.instance_id})
    batch = over(approved(asked(rows)))
    assert outcomes(batch) == ["proven", "proven"]
    item = batch.items.get(instance=planned)
    assert (item.event_id, item.event_status) == (told["event"], "Avoided")
    assert batch.items.get(instance=plain).event_status == ""


def test_an_exit_code_leaves_it_planned(fleet):
    row = fleet.rows[0]
    told = fleet.simulator.control("POST", "events", {"instance": row.instance_id})
    by_code = asked([row], way="exit_code", pre_script=a_script("exit 194"))
    batch = over(approved(by_code))
    item = batch.items.get()
    assert (item.outcome, item.event_id) == ("proven", told["event"])
    assert item.event_status == "Scheduled"
