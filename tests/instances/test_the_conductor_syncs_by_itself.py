"""Nobody asks for a sync: the conductor rings, a worker reads, the rows follow the cloud."""

import pytest

from tests.stack import Stack, until

pytestmark = pytest.mark.stack


def test_a_fresh_portal_mirrors_the_fleet_and_follows_it(tmp_path):
    stack = Stack(tmp_path)
    stack.environment["SYNC_SECONDS"] = "2"
    try:
        stack.start()
        query = "select instance_id from instances_instance where name = 'web-01'"
        ((instance_id,),) = until(lambda: stack.sql(query), 30, "a mirrored instance")
        stack.simulator.change(instance_id, name="renamed-01")
        until(
            lambda: stack.sql("select 1 from instances_instance where name = 'renamed-01'"),
            30,
            "the new name",
        )
        stack.simulator.faults({"kind": "empty", "operation": "DescribeInstances"})
        until(
            lambda: stack.sql("select 1 from instances_region where state = 'doubted'"),
            30,
            "a doubt",
        )
        assert stack.sql("select count(*) from instances_instance where released_at is not null")[
            0
        ] == (0,)
        stack.simulator.restore()
        until(
            lambda: not stack.sql("select 1 from instances_region where state = 'doubted'"),
            30,
            "the end of the doubt",
        )
        stack.stop()
    finally:
        stack.clean_up()
