"""An operator asks for forty reboots; a manager sees what changed, says yes in two steps, and both
read what happened to each machine."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import pytest

from tests.journeys.conftest import person
from tests.simulation import as_a_process
from tests.sizes import long_only
from tests.stack import Stack, until

pytestmark = [pytest.mark.stack, long_only]
MINUTES = 60_000
PHONE = {"viewport": {"width": 390, "height": 844}}


@pytest.fixture(scope="module")
def portal(tmp_path_factory) -> Iterator[Stack]:
    """A portal before a simulated fleet whose machines are back within three seconds."""
    stack = Stack(tmp_path_factory.mktemp("reboots"))
    port = stack.simulator.endpoint.rpartition(":")[2]
    world = ("--world", "fleet:44", "--port", port, "--power-seconds", "1-3")
    try:
        with as_a_process(*world):
            stack.start("--no-simulator")
            stack.wait_for_mirror()
            yield stack
            stack.stop()
    finally:
        stack.clean_up()


def names(portal: Stack) -> list[tuple[str, str]]:
    """(name, id) of forty machines of one region, in the order of the portal's lists."""
    rows = portal.sql(
        "select name, instance_id from instances_instance where os_type = 'linux'"
        " order by name, instance_id"
    )
    assert len(rows) >= 40
    return rows[:40]


def reboots(portal: Stack, instance_id: str) -> int:
    return portal.simulator.counters().get("reboots", {}).get(instance_id, 0)


@contextlib.contextmanager
def two_people(portal, browser):
    with (
        person(browser, portal, "operator", accept_downloads=True) as operator,
        person(browser, portal, "manager", **PHONE) as manager,
    ):
        yield operator, manager


def ask(page, url: str, ids: list[str]) -> str:
    page.goto(f"{url}/reboots/new/")
    page.get_by_label("IDs, IPs, names or hostnames").fill("\n".join(ids))
    page.get_by_label("Reason").fill("new kernel")
    page.get_by_label("Name", exact=True).first.fill("Patch night")
    page.get_by_label("Mode").select_option("Batch")
    page.get_by_label("Sizes").fill("13")
    page.get_by_label("Errors allowed").fill("1")
    page.get_by_text("Spread, and how long a machine may take").click()
    page.get_by_label("Linux back within (minutes)").fill("1")
    page.get_by_role("button", name="Show the plan").click()
    assert "4 waves" in page.inner_text("main")
    page.get_by_role("button", name="Ask for approval: 40 instances").click()
    page.wait_for_url("**/reboots/*/")
    return page.url


def decide(page, url: str, button: str, comment: str) -> None:
    page.goto(f"{url}/")
    page.get_by_text("waits for you").first.wait_for()
    page.get_by_role("link", name="Patch night").first.click()
    page.wait_for_url("**/approvals/*/")
    page.get_by_label("Comment").fill(comment)
    page.get_by_role("button", name=button).click()
    page.wait_for_url("**/reboots/*/")


def stands(page, url: str, words: str, within: int = 2 * MINUTES) -> None:
    """The page itself comes to say so; nobody reloads it."""
    page.goto(url)
    page.get_by_text(words).first.wait_for(timeout=within)


@pytest.mark.usefixtures("sandbox_needed")
def test_the_whole_way_of_a_patch_night(portal, browser, tmp_path):
    fleet = names(portal)
    ids = [instance_id for _name, instance_id in fleet]
    released, retagged, same_boot, gone = ids[5], ids[6], ids[15], ids[16]
    control = portal.simulator
    with two_people(portal, browser) as (operator, manager):
        batch = ask(operator, portal.url, ids)
        operator.screenshot(path=tmp_path / "asked.png", full_page=True)

        # Their own yes is not offered, and refused where it is forced.
        operator.goto(f"{portal.url}/approvals/")
        operator.get_by_role("link", name="Patch night").first.click()
        assert "somebody else has to decide" in operator.inner_text("main")

        control.change(released, released=True)
        control.change(retagged, tags={"protected": "yes"})
        manager.goto(f"{portal.url}/approvals/")
        manager.get_by_role("link", name="Patch night").first.click()
        approval = manager.url
        checked = "select max(checked_at) from commands_rebootbatch"
        before = portal.sql(checked)
        manager.get_by_role("button", name="Look at them now").click()
        until(lambda: portal.sql(checked) != before, 30, "a fresh look")
        manager.goto(approval)
        told = manager.inner_text("main")
        assert "−1" in told and "not in ECS's listing" in told
        assert "tag protected" in told and "tagged as protected" in told
        assert "39 of 40 instances" in told
        manager.screenshot(path=tmp_path / "approval.png", full_page=True)

        control.change(same_boot, on_reboot="same_boot")
        control.faults({"kind": "no_return", "instance": gone, "status": "Starting"})
        decide(manager, portal.url, "Approve the canary (1) and ask me again", "canary first")
        stands(operator, batch, "The canary is over")
        assert sum(reboots(portal, each) for each in ids) == 1
        decide(manager, portal.url, "Approve all: 38 instances go down", "all of it")

        stands(operator, batch, "more errors than allowed")
        operator.screenshot(path=tmp_path / "halted.png", full_page=True)
        told = operator.inner_text("main")
        assert "same boot" in told and "not back" in told and "not started" in told
        counts = dict(portal.sql("select outcome, count(*) from commands_rebootitem group by 1"))
        assert counts == {
            "proven": 24,
            "same_boot": 1,
            "not_back": 1,
            "skipped": 1,
            "not_started": 13,
        }
        never = portal.sql(
            "select i.instance_id from commands_rebootitem r join instances_instance i"
            " on i.id = r.instance_id where r.outcome in ('skipped', 'not_started')"
        )
        assert not any(reboots(portal, row[0]) for row in never)

        # What did not go well is mended, and "continue" finishes the rest.
        control.restore()
        until(lambda: control.counters(), 5, "the simulator")
        control.change(gone, status="Running", agent="running")
        operator.goto(batch)
        operator.get_by_role("link", name="Continue with these").click()
        operator.get_by_role("button", name="Show the plan").click()
        operator.get_by_role("button", name="Ask for approval").click()
        operator.wait_for_url("**/reboots/*/")
        rest = operator.url
        decide(manager, portal.url, "Approve all", "go on")
        stands(operator, rest, "every instance had its turn", within=3 * MINUTES)
        last = dict(
            portal.sql(
                "select outcome, count(*) from commands_rebootitem where batch_id ="
                " (select max(id) from commands_rebootbatch) group by 1"
            )
        )
        assert set(last) <= {"proven", "skipped"}
        assert last["proven"] >= 14

        # The report is read, and the audit tells who said what.
        operator.goto(batch)
        operator.get_by_role("link", name="Report").click()
        assert "canary first" in operator.inner_text("main")
        operator.goto(batch)
        with operator.expect_download() as download:
            operator.get_by_role("link", name="CSV", exact=True).first.click()
        assert download.value.path().read_text().count("proven") >= 24
    with person(browser, portal, "administrator") as page:
        page.goto(f"{portal.url}/audit/")
        told = page.inner_text("main")
        assert "reboot.asked" in told and "approval.given" in told
        assert "reboot.wave_taken_down" in told
    portal.manage("verify_audit")
    for each in ids:
        assert reboots(portal, each) <= 2  # once in each of the two batches, at most
