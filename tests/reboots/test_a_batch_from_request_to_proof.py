"""A batch goes down in waves, each machine once, and each is proven to be on another boot."""

from tests.reboots.driving import approved, asked, over, states


def test_every_machine_of_an_approved_batch_is_rebooted_once_and_proven(fleet):
    rows = fleet.rows[:7]
    batch = approved(asked(rows, sizes=["3"], canary=1))
    over(batch)
    assert (batch.state, batch.ending) == ("finished", "done")
    assert set(states(batch).values()) == {"proven"}
    assert [fleet.counted("reboots", row) for row in rows] == [1] * 7
    assert [wave.items.count() for wave in batch.waves.order_by("number")] == [1, 3, 3]
    for item in batch.items.select_related("instance"):
        assert item.before_boot_id != item.after_boot_id
        assert item.after_boot_id == fleet.machine(item.instance).boot.boot_id


def test_until_somebody_else_said_yes_nothing_is_taken_down(fleet):
    batch = asked(fleet.rows[:2])
    for _ in range(5):
        over_nothing(batch)
    assert batch.state == "waiting"
    assert [fleet.counted("reboots", row) for row in fleet.rows[:2]] == [0, 0]


def over_nothing(batch):
    from tests.reboots.driving import turn

    turn()
    batch.refresh_from_db()
