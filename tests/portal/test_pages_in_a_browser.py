"""A real browser under the strict content policy: phone and desk, light and dark, by keyboard."""

import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest
from django.utils import timezone

from commands import firing
from commands.models import SavedCommand, Schedule
from tests.diagnostics.readiness.rows import kept
from tests.factories import CaseFactory, EventFactory, InstanceFactory, RegionFactory, a_person
from tests.sizes import long_only

pytestmark = [pytest.mark.stack, pytest.mark.django_db(transaction=True), long_only]
PHONE, DESK = {"width": 390, "height": 844}, {"width": 1280, "height": 800}
PAGES = [
    "/",
    "/instances/",
    "/instances/?text=nobody",
    "/instances/events/",
    "/instances/groups/",
    "/instances/regions/",
    "/cases/",
    "/cases/new/",
    "/commands/",
    "/commands/new/",
    "/commands/ecs/",
    "/runs/",
    "/runs/new/",
    "/agents/",
    "/schedules/",
    "/approvals/",
    "/reboots/",
    "/reboots/new/",
    "/readiness/",
    "/readiness/?check=journal&ready=missing",
    "/audit/",
    "/notices/",
    "/notices/channels/",
    "/notices/channels/new/webhook/",
    "/notices/rules/",
    "/notices/rules/new/",
    "/health/",
    "/password/",
    "/admin/",
]


@pytest.fixture
def person(live_server):
    person = a_person("administrator")
    person.set_password("a long enough word")
    person.save()
    now = timezone.now()
    machine = InstanceFactory(
        name="a-name-that-is-longer-than-most-names-are-" * 2,
        os_name="Windows Server 2022 Datacenter Edition 64bit English Edition",
        agent_running=True,
        agent_heartbeat_at=now,
        agent_asked_at=now,
    )
    machine.addresses.create(address="2001:db8:85a3:8d3:1319:8a2e:370:7348")
    machine.tags.create(key="k" * 128, value="v" * 128)
    person.event = EventFactory(instance=machine, type="SystemFailure.Reboot")
    person.case = CaseFactory(instance=machine)
    kept(machine, cmdline="quiet=" + "q" * 400, readiness={"journal_place": "none"})
    RegionFactory(state="doubted", problem="Forbidden.RAM " * 20)
    person.machine = machine
    return person


@pytest.fixture
def page_of(browser, live_server, person) -> Iterator[Callable]:
    """`page_of(viewport)`: a page before which the person logged in; closed with the test."""
    with ExitStack() as contexts:

        def opened(viewport: dict, scheme: str = "light", **more):
            context = browser.new_context(viewport=viewport, color_scheme=scheme, **more)
            contexts.callback(context.close)
            page = context.new_page()
            page.complaints = []
            page.on("console", lambda said: page.complaints.append(f"{said.text} {said.location}"))
            page.on("pageerror", lambda error: page.complaints.append(str(error)))
            page.goto(f"{live_server.url}/login/")
            page.fill("[name=username]", person.username)
            page.fill("[name=password]", "a long enough word")
            page.press("[name=password]", "Enter")
            page.wait_for_url(f"{live_server.url}/")
            return page

        yield opened


@pytest.mark.parametrize(
    ("viewport", "scheme"), [(PHONE, "light"), (DESK, "dark")], ids=["phone", "desk"]
)
def test_no_page_breaks_the_policy_or_the_width(page_of, live_server, person, viewport, scheme):
    page = page_of(viewport, scheme)
    wide = []
    rows = [row.get_absolute_url() for row in (person.machine, person.event, person.case)]
    for path in [*PAGES, *rows]:
        page.goto(live_server.url + path)
        if page.evaluate("document.documentElement.scrollWidth > window.innerWidth"):
            wide.append(path)
    assert not wide, "these pages scroll sideways"
    assert not page.complaints


def test_a_page_is_walked_by_keyboard(page_of):
    page = page_of(DESK)
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main"
    outlined = "getComputedStyle(document.activeElement).outlineStyle"
    page.keyboard.press("Tab")
    assert page.evaluate(outlined) != "none"


def test_the_portal_works_without_scripts_on_a_phone(page_of, live_server, person):
    page = page_of(PHONE, java_script_enabled=False)
    page.click("details.drawer summary")
    page.click("details.drawer >> text=Instances")
    page.locator("main table.list tbody a").first.click()
    assert page.url == live_server.url + person.machine.get_absolute_url()
    page.click("details.drawer summary")
    page.click("details.drawer >> text=Dark")
    assert page.locator("html[data-theme=dark]").count() == 1


def test_what_a_list_was_filtered_by_goes_along_to_a_run(page_of, live_server, person):
    now = timezone.now()
    alive = {"agent_running": True, "agent_heartbeat_at": now, "agent_asked_at": now}
    for name, tier in [("alpha-1", "gold"), ("alpha-2", "tin"), ("beta-1", "gold")]:
        machine = InstanceFactory(name=name, **alive)
        machine.tags.create(key="tier", value=tier)
        machine.tags.create(key="shop", value="west")
    page = page_of(DESK)
    page.goto(f"{live_server.url}/instances/?text=alpha&tag=tier%3Dgold&tag=shop")
    assert page.locator("main table.list tbody tr").count() == 1
    page.get_by_role("button", name="Run on all that fit").click()
    page.wait_for_url(f"{live_server.url}/runs/new/")
    page.get_by_text("1 instance", exact=False).first.wait_for()
    page.get_by_label("Script", exact=True).fill("true")
    page.get_by_role("button", name="Preview").click()
    page.get_by_role("button", name="Run on 1 instance").wait_for()
    assert "alpha-1" in page.locator("main").text_content()
    page.goto(f"{live_server.url}/instances/?text=a-1")
    page.locator("input[name=instance]").first.check()
    page.get_by_role("button", name="Run on ticked").click()
    page.wait_for_url(f"{live_server.url}/runs/new/")
    assert not page.complaints


def test_the_next_times_stand_in_the_zone_of_whoever_reads(page_of, live_server, person):
    command = SavedCommand.objects.create(name="uptime", owner=person)
    script = {"script": "uptime", "type": "RunShellScript", "timeout": 60}
    schedule = Schedule.objects.create(
        name="nightly",
        revision=command.revise(by=person, parameters=[], **script),
        picked={"text": person.machine.name},
        expression="0 30 2 * * ? America/New_York",
        zone="UTC",
        owner=person,
    )
    firing.begin(schedule)
    page = page_of(DESK, timezone_id="Asia/Shanghai")
    page.goto(live_server.url + schedule.get_absolute_url())
    told = [each.inner_text() for each in page.locator("[data-here]:visible").all()]
    assert len(told) == 5
    for line in told:  # half past two in New York, an hour later there in winter
        assert re.fullmatch(r"= \d{4}-\d\d-\d\d 1[45]:30:00 Asia/Shanghai", line)
    assert "America/New_York UTC" not in page.inner_text("main")
    page = page_of(DESK, timezone_id="UTC")
    page.goto(live_server.url + schedule.get_absolute_url())
    assert page.locator("[data-here]").count() == 5
    assert page.locator("[data-here]:visible").count() == 0


def test_a_first_case_starts_in_the_zone_of_the_browser(page_of, live_server, person):
    for zone in ("Asia/Shanghai", "UTC"):
        page = page_of(DESK, timezone_id=zone)
        page.goto(f"{live_server.url}/cases/new/")
        assert page.locator("select[name=seen_zone]").input_value() == zone
        assert not page.complaints


def test_an_id_is_copied_by_a_click(page_of, live_server, person):
    granted = {"permissions": ["clipboard-read", "clipboard-write"]}
    page = page_of(DESK, **granted)
    page.goto(live_server.url + person.machine.get_absolute_url())
    page.locator("button.copy").first.click()
    page.wait_for_function("document.querySelector('button.copy').textContent === 'Copied'")
    assert page.evaluate("navigator.clipboard.readText()") == person.machine.instance_id


def test_the_health_page_refreshes_itself(page_of, live_server, person):
    page = page_of(DESK)
    page.goto(f"{live_server.url}/health/")
    with page.expect_response("**/health/", timeout=20_000) as answer:
        pass
    assert answer.value.request.headers["hx-request"] == "true"
    page.wait_for_selector("#health h2")
    assert not page.complaints
