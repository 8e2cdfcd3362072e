"""A saved command keeps every version, and nobody's work is overwritten unseen."""

import re

import pytest

from commands.models import CommandRevision, Favourite, SavedCommand
from portal.audit.models import AuditEntry
from tests.factories import a_person

pytestmark = pytest.mark.django_db


def told(**fields) -> dict:
    rows = {"parameter-TOTAL_FORMS": "0", "parameter-INITIAL_FORMS": "0"}
    script = {"type": "RunShellScript", "script": "uptime", "timeout": "60"}
    return {"name": "Uptime", **script, **rows, **fields}


def parameter(place: int = 0, **fields) -> dict:
    rows = {"parameter-TOTAL_FORMS": str(place + 1)}
    return rows | {f"parameter-{place}-{name}": value for name, value in fields.items()}


@pytest.fixture
def writer(client):
    person = a_person("operator")
    client.force_login(person)
    return person


@pytest.fixture
def uptime(client, writer) -> SavedCommand:
    assert client.post("/commands/new/", told()).status_code == 302
    return SavedCommand.objects.get()


def edit(client, command, **fields):
    return client.post(f"/commands/{command.pk}/edit/", told(**fields))


def test_a_change_is_a_new_revision_and_the_old_one_stays(client, uptime):
    edit(client, uptime, script="uptime -p", base="1", note="prettier")

    kept = list(uptime.revisions.order_by("number").values_list("number", "script", "note"))
    assert kept == [(1, "uptime", ""), (2, "uptime -p", "prettier")]
    assert AuditEntry.objects.filter(act="command.saved").count() == 2


def test_saving_the_same_text_again_makes_no_revision(client, uptime):
    edit(client, uptime, base="1", description="how long it is up")
    assert uptime.revisions.count() == 1
    uptime.refresh_from_db()
    assert uptime.description == "how long it is up"


def test_a_revision_cannot_be_changed(uptime):
    revision = uptime.newest()
    revision.script = "reboot"
    with pytest.raises(TypeError):
        revision.save()
    assert CommandRevision.objects.get().script == "uptime"


def test_two_editors_do_not_overwrite_each_other(client, uptime):
    edit(client, uptime, script="uptime -p", base="1")
    late = edit(client, uptime, script="uptime -s", base="1")
    assert late.status_code == 400
    assert "saved revision 2 meanwhile" in late.text
    assert uptime.newest().script == "uptime -p"


def test_any_two_revisions_can_be_compared(client, uptime):
    edit(client, uptime, script="uptime -p", timeout="90", base="1")
    edit(client, uptime, script="w", timeout="90", base="2")
    page = client.get(f"/commands/{uptime.pk}/compare/?old=1&new=3").text
    assert "- uptime" in page
    assert "+ w" in page
    assert "+ timeout: 90" in page


def test_a_name_is_taken_once_whatever_its_case(client, uptime):
    answer = client.post("/commands/new/", told(name="UPTIME"))
    assert answer.status_code == 400
    assert "There is a command of this name already" in answer.text


def test_an_archived_command_frees_its_name_and_runs_no_more(client, uptime):
    client.post(f"/commands/{uptime.pk}/archive/")
    assert client.post("/commands/new/", told()).status_code == 302
    assert "Run revision" not in client.get(f"/commands/{uptime.pk}/").text


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        (parameter(name="word", kind="text"), "has no place {{word}}"),
        (parameter(name="no space", kind="text"), "a name is 1 to 64"),
        (parameter(name="w", kind="choice"), "give at least one choice"),
        (parameter(name="w", kind="regex", allowed="("), "no regular expression"),
        (parameter(name="w", kind="secret", default="x"), "a secret has no default"),
        (parameter(name="w", kind="number", default="many"), "A number, such as"),
    ],
)
def test_a_parameter_that_cannot_be_is_refused_by_name(client, writer, fields, says):
    answer = client.post("/commands/new/", told(script="echo {{w}}", **fields))
    assert answer.status_code == 400
    assert says in answer.text
    assert not SavedCommand.objects.exists()


def test_parameters_are_kept_with_their_kind(client, writer):
    fields = parameter(name="level", kind="choice", allowed="info, debug", default="info")
    client.post("/commands/new/", told(script="log {{level}}", **fields))
    kept = SavedCommand.objects.get().newest().parameters
    assert kept == [
        {"name": "level", "kind": "choice", "choices": ["info", "debug"], "default": "info"}
    ]


def named(page) -> list[str]:
    """What stands in the rows of the parameters."""
    return re.findall(r'name="parameter-\d+-name"(?: value="(\w*)")?', page.text)


def test_every_place_of_the_script_gets_a_row_to_declare_it(client, writer):
    script = "echo {{a}} {{b}} {{c}} {{d}}"
    filled = parameter(name="b", kind="number", default="3")

    more = client.post("/commands/new/", told(script=script, stage="rows", **filled))
    assert (more.status_code, named(more)) == (200, ["b", "a", "c", "d", "", ""])
    assert "Nothing was saved" not in more.text and 'value="3"' in more.text

    refused = client.post("/commands/new/", told(script=script, **filled))
    assert (refused.status_code, named(refused)) == (400, ["b", "a", "c", "d", "", ""])
    assert "Not declared: a, c, d." in refused.text
    assert not SavedCommand.objects.exists()


def test_favourites_are_a_persons_own(client, uptime, writer):
    client.post(f"/commands/{uptime.pk}/favourite/", {"wanted": "1"})
    assert list(Favourite.objects.values_list("person", flat=True)) == [writer.pk]
    assert "Uptime" in client.get("/commands/?mine=favourites").text
    client.force_login(a_person("viewer"))
    assert "No command fits" in client.get("/commands/?mine=favourites").text


def test_commands_are_found_by_their_text_tag_and_type(client, uptime):
    edit(client, uptime, base="1", tags="linux, health")
    for query in ("text=upti", "tag=health", "type=RunShellScript", "mine=owned"):
        assert "Uptime" in client.get(f"/commands/?{query}").text, query
    for query in ("text=reboot", "type=RunBatScript", "mine=archived"):
        assert "No command fits" in client.get(f"/commands/?{query}").text, query
