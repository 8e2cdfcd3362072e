"""At 8 a.m. the report tells of each machine, and "continue" offers all that are not well."""

import csv
from io import StringIO

import pytest

from commands.models import ItemOutcome, RebootBatch
from tests.factories import a_person
from tests.reboots.waiting import instances, waiting

pytestmark = pytest.mark.django_db
GOOD = {"proven", "rehearsed"}


@pytest.fixture
def operator(client):
    person = a_person("operator")
    client.force_login(person)
    return person


@pytest.fixture
def batch(operator) -> RebootBatch:
    """One that is over, with one instance for each way to end."""
    rows = instances(len(ItemOutcome.values))
    made = waiting(rows=rows, by=operator, name="Patch night", sizes=["3"], ticket="CHG-7").batch
    items = made.items.order_by("place")
    for item, outcome in zip(items, ItemOutcome.values, strict=True):
        made.items.filter(pk=item.pk).update(state="over", outcome=outcome)
    RebootBatch.objects.update(state="finished", ending="budget", finished_at=made.asked_at)
    return made


def ended(batch) -> dict[str, str]:
    rows = batch.items.values_list("outcome", "instance__instance_id")
    return dict(rows)


def test_every_form_of_the_report_names_each_machine_with_its_end(client, batch):
    address = f"{batch.get_absolute_url()}report"
    html, markdown = (client.get(f"{address}.{form}").text for form in ("html", "md"))
    table = client.get(f"{address}.csv").getvalue().decode("utf-8-sig")
    rows = list(csv.DictReader(StringIO(table)))
    assert {row["Outcome"]: row["Instance"] for row in rows} == ended(batch)
    for outcome, name in ended(batch).items():
        heading = f"## {ItemOutcome(outcome).label}: 1\n"
        assert f"`{name}`" in markdown.partition(heading)[2].partition("##")[0]
        assert name in html
    for words in ("1 proven", "1 not back", "1 unverified", "CHG-7"):
        assert words in html and words in markdown


def test_whoever_sees_a_part_only_reads_that_there_is_more(client, batch):
    first = batch.items.first().instance
    first.region = "us-east-1"
    first.save()
    client.force_login(a_person("operator", region="us-east-1"))
    hidden = f"{batch.size - 1} more instances are outside the part of the fleet that you see."
    for form in ("html", "md"):
        assert hidden in client.get(f"{batch.get_absolute_url()}report.{form}").text


def test_the_worst_ends_stand_first(client, batch):
    told = client.get(f"{batch.get_absolute_url()}report.md").text
    ends = [told.index(f"## {ItemOutcome(o).label}: 1") for o in ("not_back", "skipped", "proven")]
    assert ends == sorted(ends)


def test_continue_offers_whoever_failed_never_started_or_is_not_verified(client, batch):
    page = client.get(f"/reboots/new/?continues={batch.pk}")
    left = {key for outcome, key in keys(batch).items() if outcome not in GOOD}
    assert set(page.context["picked"]) == left
    told = {"stage": "preview", "continues": batch.pk, "instance": list(left), "reason": "again"}
    plan = client.post("/reboots/new/", told)
    once = dict(plan.context["carried"])["once"]
    client.post("/reboots/new/", told | {"stage": "send", "once": once})
    rest = RebootBatch.objects.exclude(pk=batch.pk).get()
    assert (rest.continues, rest.state, rest.size) == (batch, "waiting", len(left))


def keys(batch) -> dict[str, int]:
    return dict(batch.items.values_list("outcome", "instance"))


def test_force_is_offered_as_a_request_of_its_own(client, batch):
    page = client.get(batch.get_absolute_url()).text
    assert f"?continues={batch.pk}&amp;way=force" in page
    form = client.get(f"/reboots/new/?continues={batch.pk}&way=force").context["form"]
    assert form["way"].value() == "force"


def test_of_a_batch_that_one_does_not_see_nothing_is_offered(client, batch):
    client.force_login(a_person("operator", region="us-east-1"))
    assert client.get(f"/reboots/new/?continues={batch.pk}").context["picked"] == []
    assert client.get(f"{batch.get_absolute_url()}report.csv").status_code == 404
