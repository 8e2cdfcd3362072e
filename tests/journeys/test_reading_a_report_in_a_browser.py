"""Support staff at 3 a.m.: an IP address in, a report with its evidence out."""

import json

import pytest

from tests.journeys.conftest import person
from tests.sizes import long_only

pytestmark = pytest.mark.stack
CRASHED = "10.1.0.13"  # web-03: a panic in the nvme driver, with a dump
SILENT = "10.1.4.91"  # mq-01: it crashed, its agent is down, and the serial console is empty
PHONE = {"viewport": {"width": 390, "height": 844}}


def open_case(page, portal, address: str) -> None:
    page.goto(f"{portal.url}/cases/new/")
    page.get_by_role("textbox", name="Instance*").fill(address)
    page.keyboard.press("Enter")  # one field is enough; without a time the last boot is taken
    page.wait_for_url("**/cases/*/")


def test_support_staff_open_a_case_by_ip_and_download_the_report(portal, browser, tmp_path):
    with person(browser, portal, "support", accept_downloads=True) as page:
        open_case(page, portal, CRASHED)
        # The steps fill in by themselves; nobody reloads the page.
        page.get_by_text("Fatal exception in interrupt").first.wait_for(timeout=30_000)
        page.get_by_role("link", name="Read the report").wait_for(timeout=30_000)
        page.screenshot(path=tmp_path / "case.png", full_page=True)
        assert "nvme_queue_rq" in page.inner_text("main")

        case = page.url
        with page.expect_download() as download:
            page.get_by_role("link", name="Markdown").click()
        report = download.value.path().read_text()
        assert "### Step 4A: vmcore-dmesg.txt Analysis" in report
        assert "nvme_queue_rq" in report

        page.goto(f"{case}report/")
        assert "Diagnostic Conclusion" in page.inner_text("main")

    key = case.rstrip("/").rpartition("/")[2]
    kind, function, confidence = portal.sql(
        f"select kind, function, confidence from diagnostics_diagnosiscase where id = {key}"
    )[0]
    assert (kind, function, confidence) == ("kernel_panic", "nvme_queue_rq", "certain")


@long_only
def test_the_case_reads_the_same_on_a_phone_and_without_javascript(portal, browser):
    phone = PHONE | {"java_script_enabled": False, "color_scheme": "dark"}
    with person(browser, portal, "support", **phone) as page:
        open_case(page, portal, CRASHED)
        for _attempt in range(30):
            if "Read the report" in page.inner_text("main"):
                break
            page.wait_for_timeout(500)
            page.reload()
        assert "nvme_queue_rq" in page.inner_text("main")
        # A phone scrolls down, never sideways.
        assert page.locator("main").bounding_box()["width"] <= 390


def test_the_command_line_tells_the_same(portal):
    printed = portal.manage("diagnose", CRASHED, "--region", "cn-hangzhou", "--format", "json")
    told = json.loads(printed)
    assert told["verdict"]["kind"] == "kernel_panic"
    assert told["verdict"]["function"] == "nvme_queue_rq"
    assert told["recommendations"]


@long_only
def test_a_machine_whose_agent_is_down_comes_to_a_verdict_by_hand(portal, browser):
    with person(browser, portal, "support") as page:
        open_case(page, portal, SILENT)
        page.get_by_role("link", name="Collect the evidence by hand").click(timeout=30_000)
        by_hand = page.url
        line = page.locator("pre.line").inner_text()
        asked = {"instance": "mq-01", "lines": line}
        printed = portal.simulator.control("POST", "logins", asked)["output"]
        file = {"name": "ecs-case.txt", "mimeType": "text/plain", "buffer": printed.encode()}
        page.get_by_label("Files").set_input_files(file)
        page.get_by_role("button", name="Hand in and judge").click()
        page.get_by_role("link", name="Read the report").wait_for(timeout=30_000)
        answer = page.inner_text("main")
        assert "acs_poll_hw" in answer and "ecs-case.txt" in answer
        page.get_by_role("link", name="Read the report").click()
        assert "uploaded by a person, unverified" in page.inner_text("main")

    kind, state = portal.sql(
        "select kind, state from diagnostics_diagnosiscase order by id desc limit 1"
    )[0]
    assert (kind, state) == ("kernel_panic", "concluded")
    assert not portal.simulator.counters()["runs"].get("mq-01")

    with person(browser, portal, "support", java_script_enabled=False, **PHONE) as page:
        page.goto(by_hand)
        for part in ("pre.line", "textarea", "select"):
            box = page.locator(f"main {part}").first.bounding_box()
            assert box["x"] + box["width"] <= 390, part
        page.get_by_label("Or paste a text").fill(printed)
        page.get_by_role("button", name="Hand in and judge").click()
        assert "is there already" in page.inner_text("main")  # the same bytes, kept once
