"""A schedule that ECS keeps, from the form to its first time; one made elsewhere is stopped."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from tests.journeys.conftest import person
from tests.simulation import as_a_process
from tests.sizes import long_only
from tests.stack import Stack, until

pytestmark = [pytest.mark.stack, long_only]
MADE_ELSEWHERE = """
from instances import ecs
from instances.models import Instance
one = Instance.objects.filter(os_type="linux").first()
ecs.run_script(one.account.signing(), one.region, [one.instance_id], "df -h",
    type="RunShellScript", token="made-elsewhere", timeout=60, name="night job",
    repeat_mode="Period", frequency="0 0 2 * * ? Asia/Shanghai")
"""


@pytest.fixture(scope="module")
def portal(tmp_path_factory) -> Iterator[Stack]:
    """A portal before a small simulated fleet."""
    stack = Stack(tmp_path_factory.mktemp("kept"))
    port = stack.simulator.endpoint.rpartition(":")[2]
    try:
        with as_a_process("--world", "fleet:20", "--port", port):
            stack.manage("sync_instances")
            stack.python(MADE_ELSEWHERE)
            stack.start("--no-simulator")
            stack.manage("demo_users")
            yield stack
            stack.stop()
    finally:
        stack.clean_up()


@pytest.fixture(scope="module")
def operator(portal, browser):
    with person(browser, portal, "operator") as page:
        yield page


def shown(page, text: str, seconds: float = 60):
    """Reload until the page says so."""
    until(lambda: page.reload() and page.get_by_text(text).count(), seconds, text)


@pytest.mark.usefixtures("sandbox_needed")
def test_a_schedule_kept_in_ecs_fires_once_and_shows_what_came_of_it(portal, operator):
    page = operator
    page.goto(f"{portal.url}/commands/new/")
    page.get_by_label("Name", exact=True).first.fill("Uptime")
    page.get_by_label("Script", exact=True).fill("uptime > /dev/null && echo up")
    page.get_by_label("Timeout").fill("10")
    page.get_by_role("button", name="Save").first.click()
    page.get_by_role("link", name="Schedule", exact=True).first.click()
    region = portal.sql("select region from instances_instance where os_type='linux' limit 1")[0][0]
    names = portal.sql(
        "select instance_id from instances_instance where os_type='linux'"
        f" and status='Running' and region='{region}' limit 3"
    )
    page.get_by_label("ECS: up to 100").check()
    soon = datetime.now(UTC) + timedelta(seconds=15)
    page.get_by_label("When", exact=True).fill(f"at({soon:%Y-%m-%d %H:%M:%S})")
    page.get_by_label("IDs, IPs").fill(" ".join(name for (name,) in names))
    page.get_by_role("button", name="Preview").click()
    page.get_by_role("button", name="Have ECS keep it for 3 instances").click()
    page.wait_for_url("**/schedules/*/")
    shown(page, "3 succeeded")
    shown(page, "ended", 20)
    page.get_by_role("link", name="The run", exact=True).click()
    page.get_by_role("heading", name="All answered the same").wait_for()
    assert portal.simulator.counters()["acts"]["invocations"] == 2  # ours, and the one elsewhere


def test_a_run_made_elsewhere_is_listed_and_stopped(portal, operator):
    page = operator
    page.goto(f"{portal.url}/schedules/")
    page.get_by_role("button", name="Look now").click()
    shown(page, "night job")
    page.get_by_role("link", name="Stop", exact=True).click()
    page.get_by_role("button", name="Stop it on 1 instance").click()
    shown(page, "confirmed")
