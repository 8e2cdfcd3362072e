"""An operator writes a command, runs it on 300 machines, finds the odd ones, and goes on."""

import json
from collections.abc import Iterator

import pytest

from tests.journeys.conftest import person
from tests.simulation import as_a_process
from tests.sizes import long_only
from tests.stack import Stack

pytestmark = pytest.mark.stack
FLEET = 300  # three of them are behind, two lack the file; see docs/simulator.md


@pytest.fixture(scope="module")
def portal(tmp_path_factory) -> Iterator[Stack]:
    """A portal before a simulated fleet instead of the demo machines."""
    stack = Stack(tmp_path_factory.mktemp("fleet"))
    port = stack.simulator.endpoint.rpartition(":")[2]
    try:
        with as_a_process("--world", f"fleet:{FLEET}", "--port", port):
            stack.start("--no-simulator")
            stack.wait_for_mirror()
            yield stack
            stack.stop()
    finally:
        stack.clean_up()


@pytest.fixture(scope="module")
def operator(portal, browser):
    with person(browser, portal, "operator", accept_downloads=True) as page:
        yield page


def send(page, script: str, name: str, count: int) -> None:
    """From the form through the preview to the run's page."""
    page.get_by_label("Script", exact=True).fill(script)
    page.get_by_label("Name of the run").fill(name)
    page.get_by_label("OS", exact=True).select_option("linux")
    page.get_by_text(f"{count} instances").first.wait_for()  # told while the form is filled
    page.get_by_role("button", name="Preview").click()
    page.get_by_label(f"Type {count} to confirm").fill(str(count))
    page.get_by_role("button", name=f"Run on {count} instances").click()
    page.wait_for_url("**/runs/*/")


def over(page) -> None:
    """The page itself says so; nobody reloads it."""
    page.get_by_role("heading", name="Run again").wait_for(timeout=60_000)


@long_only
@pytest.mark.usefixtures("sandbox_needed")
def test_the_whole_way_over_three_hundred_machines(portal, operator, tmp_path):
    page = operator
    page.goto(f"{portal.url}/commands/new/")
    page.get_by_label("Name", exact=True).first.fill("App release")
    page.get_by_label("Script", exact=True).fill("cat /etc/app-release")
    page.get_by_role("button", name="Save", exact=True).click()
    page.get_by_role("link", name="Run revision 1").click()

    page.get_by_label("OS", exact=True).select_option("linux")
    page.get_by_text("300 instances").first.wait_for()
    page.get_by_role("button", name="Preview").click()
    page.get_by_label("Type 300 to confirm").fill("300")
    page.get_by_role("button", name="Run on 300 instances").click()
    page.wait_for_url("**/runs/*/")
    over(page)
    page.screenshot(path=tmp_path / "run.png", full_page=True)

    told = page.inner_text("main")
    assert told.index("2 instances") < told.index("3 instances") < told.index("295 instances")
    assert "- 41.2" in told and "+ 40.9" in told
    run = page.url
    with page.expect_download() as download:
        page.get_by_role("link", name="JSON").click()
    answers = json.loads(download.value.path().read_text())
    assert len(answers) == FLEET
    assert sum(answer["output"] == "40.9\n" for answer in answers) == 3

    page.get_by_role("link", name="3 instances").click()
    assert "3 shown of 3" in page.inner_text("main")

    page.goto(run)
    page.get_by_role("button", name="Run again on these").click()
    page.get_by_role("button", name="Preview").click()
    page.get_by_role("button", name="Run on 2 instances").click()
    page.wait_for_url("**/runs/*/")
    over(page)
    assert "2 failed" in page.inner_text("main")
    assert portal.sql("select size, rerun_of_id from commands_invocation order by id desc")[0] == (
        2,
        int(run.rstrip("/").rpartition("/")[2]),
    )


@long_only
@pytest.mark.usefixtures("sandbox_needed")
def test_a_run_is_stopped_and_every_machine_tells_how_it_ended(portal, operator):
    page = operator
    page.goto(f"{portal.url}/runs/new/")
    send(page, "sleep 600", "too long", FLEET)
    page.get_by_text("ECS has it").wait_for()
    page.get_by_role("link", name="Stop").click()
    page.get_by_role("button", name="Stop it on 300 instances").click()
    over(page)
    ends = "select outcome, count(*) from commands_target where invocation_id = (select max(id) "
    assert portal.sql(f"{ends}from commands_invocation) group by 1") == [("stopped", FLEET)]
    assert "300 confirmed" in page.inner_text("main")
