"""A run's page shows the odd machine first, and never believes what a machine printed."""

import csv
import html
import io
import json
import re

import pytest

from commands.models import Invocation, Target
from tests.commands.a_run import over
from tests.factories import InstanceFactory, a_person

pytestmark = pytest.mark.django_db


def fleet(number: int, **fields) -> list:
    return InstanceFactory.create_batch(number, **fields)


@pytest.fixture
def viewer(client):
    person = a_person("viewer")
    client.force_login(person)
    return person


def a_mixed_run():
    same, odd, failed = fleet(5), fleet(1, name="odd-01"), fleet(1, name="failed-01")
    return over(
        [
            *((i, "Success", 0, b"5.10.134\nok\n") for i in same),
            (odd[0], "Success", 0, b"4.19.91\nok\n"),
            (failed[0], "Failed", 2, b"no such file\n"),
        ]
    )


def test_identical_answers_are_one_group_and_the_odd_ones_come_first(client, viewer):
    page = client.get(a_mixed_run().get_absolute_url()).text
    assert "3 different answers" in page
    failed, odd, common = (
        page.index(word) for word in ("failed-01", "odd-01", "The most common answer")
    )
    assert failed < odd < common
    assert '<span class="drop">- 5.10.134' in page
    assert '<span class="add">+ 4.19.91' in page
    assert "5 instances" in page


def test_answers_that_differ_only_in_times_and_ids_group_when_asked(client, viewer):
    run = over(
        (i, "Success", 0, b"pid=%d up since 2026-11-21 03:00:%02d" % (n, n))
        for n, i in enumerate(fleet(4))
    )
    assert "4 different answers" in client.get(run.get_absolute_url()).text
    assert "All answered the same" in client.get(f"{run.get_absolute_url()}?by=alike").text


def test_a_group_opens_as_the_list_of_its_instances(client, viewer):
    run = a_mixed_run()
    same = run.targets.filter(status="Success").order_by("pk").first().output_id
    page = client.get(f"{run.get_absolute_url()}?same={same}").text
    listed = page[page.index('id="answers"') :]
    assert listed.count('class="wide" data-label="Instance"') == 5


def test_outputs_are_searched_whatever_their_case(client, viewer):
    run = a_mixed_run()
    page = client.get(f"{run.get_absolute_url()}?text=NO+SUCH").text
    listed = page[page.index('id="answers"') :]
    assert "failed-01" in listed
    assert "odd-01" not in listed


def test_outputs_are_searched_for_a_regular_expression(client, viewer):
    run = a_mixed_run()
    query = {"text": "^no such.*$", "text_is": "pattern"}
    page = client.get(run.get_absolute_url(), query).text
    listed = page[page.index('id="answers"') :]
    assert "failed-01" in listed
    assert "odd-01" not in listed
    rows = client.get(f"/runs/{run.pk}/answers.csv", query).getvalue().decode()
    assert "failed-01" in rows
    assert "odd-01" not in rows


def test_what_is_no_regular_expression_is_told_at_its_field(client, viewer):
    run = a_mixed_run()
    page = client.get(run.get_absolute_url(), {"text": "(", "text_is": "pattern"})
    assert page.status_code == 200
    assert "no regular expression" in page.text
    listed = page.text[page.text.index('id="answers"') :]
    assert "failed-01" not in listed


HOSTILE = b"<script>alert(1)</script>\x1b[31mred\x1b[0m\x1b]0;title\x07\x1b[2J\x07 \xe2\x80\xae"


def test_what_a_machine_printed_is_only_ever_text(client, viewer):
    run = over([(fleet(1)[0], "Success", 0, HOSTILE)])
    for url in (run.get_absolute_url(), run.targets.get().get_absolute_url()):
        page = client.get(url).text
        assert "<script>alert" not in page
        assert "&lt;script&gt;" in page
        assert '<span class="ansi-red">red</span>' in page
        assert "\x1b" not in page
        assert "title" not in page[page.index("&lt;script") : page.index("ansi-red")]
        assert "\u202e" not in page


def test_gbk_is_read_and_binary_is_not_shown(client, viewer):
    text, binary = fleet(2)
    run = over(
        [(text, "Success", 0, "中文输出".encode("gbk")), (binary, "Success", 0, b"\x7fELF\0\1")]
    )
    pages = {t.instance: client.get(t.get_absolute_url()).text for t in run.targets.all()}
    assert "中文输出" in pages[text]
    assert "Read as gbk" in pages[text]
    assert "Binary data" in pages[binary]


def test_what_was_dropped_is_said_with_how_much_and_where(client, viewer):
    run = a_mixed_run()
    Target.objects.filter(invocation=run).update(dropped=2048)
    assert "dropped 2.0\xa0KB from the middle" in client.get(run.get_absolute_url()).text


def test_the_raw_output_is_a_download_of_the_very_bytes(client, viewer):
    run = over([(fleet(1)[0], "Success", 0, HOSTILE)])
    answer = client.get(f"{run.targets.get().get_absolute_url()}raw/")
    assert answer.content == HOSTILE
    assert answer["Content-Disposition"].startswith("attachment")
    assert answer["X-Content-Type-Options"] == "nosniff"


def test_everything_is_exported_in_three_forms(client, viewer):
    url = a_mixed_run().get_absolute_url()
    rows = list(
        csv.DictReader(io.StringIO(client.get(f"{url}answers.csv").getvalue().decode("utf-8-sig")))
    )
    assert [row["Outcome"] for row in rows].count("ok") == 6
    assert rows[-1]["Output"] == "no such file\n"
    told = json.loads(client.get(f"{url}answers.json").getvalue())
    assert [row["exit_code"] for row in told] == [0] * 6 + [2]
    text = client.get(f"{url}answers.txt?outcome=failed").getvalue().decode()
    assert text.startswith("=== failed-01")
    assert text.endswith("no such file\n")
    assert client.get(f"{url}answers.exe").status_code == 404


def test_a_narrowed_person_reads_their_part_and_is_told_so(client):
    run = over(
        [
            (fleet(1, region="cn-hangzhou", name="mine-01")[0], "Success", 0, b"mine"),
            (fleet(1, region="cn-beijing", name="theirs-01")[0], "Success", 0, b"theirs"),
        ]
    )
    client.force_login(a_person("viewer", region="cn-hangzhou"))
    url = run.get_absolute_url()
    page = client.get(url).text
    assert "1 of the run's 2 instances" in page
    for text in (page, client.get(f"{url}answers.json").getvalue().decode()):
        assert "theirs" not in text
    hidden = run.targets.get(instance__region="cn-beijing")
    assert client.get(hidden.get_absolute_url()).status_code == 404


def test_an_answer_says_in_plain_words_what_happened_and_what_to_do(client, viewer):
    run = a_mixed_run()
    target = run.targets.get(status="Failed")
    Target.objects.filter(pk=target.pk).update(
        status="Aborted", outcome="unreached", error_code="ClientNotResponse", exit_code=None
    )
    page = client.get(target.get_absolute_url()).text
    assert "agent did not answer; nothing ran" in page
    assert "Check that the Cloud Assistant agent runs there" in page


@pytest.mark.parametrize("number", [100, 1000])
def test_the_page_costs_the_same_queries_for_any_number_of_instances(
    client, viewer, number, django_assert_max_num_queries
):
    instances = fleet(number)
    run = over((i, "Success", 0, b"%d" % (n % 50)) for n, i in enumerate(instances))
    with django_assert_max_num_queries(30):
        assert client.get(run.get_absolute_url()).status_code == 200


def test_the_history_is_found_by_name_instance_and_outcome(client, viewer):
    run = a_mixed_run()
    for query in ("text=uname", "text=odd-01", "outcome=failed", "state=finished"):
        assert run.get_absolute_url() in client.get(f"/runs/?{query}").text, query
    for query in ("text=other", "outcome=unknown", "state=running", "since=2099-01-01"):
        assert "No run fits" in client.get(f"/runs/?{query}").text, query


def test_no_filter_value_breaks_a_page(client, viewer):
    run = a_mixed_run()
    for query in (
        "exit_code=x",
        "outcome=x",
        "same=" + "x" * 99,
        "text=%00",
        "at=x&sort=x",
        "by=x",
    ):
        assert client.get(f"{run.get_absolute_url()}?{query}").status_code == 200, query
    for query in ("state=x", "since=x", "text=%00", "sort=x"):
        assert client.get(f"/runs/?{query}").status_code == 200, query


def test_a_group_opens_as_its_own_instances_whatever_else_printed_the_same(client, viewer):
    silent, gone = fleet(2)
    run = over([(silent, "Aborted", None, b""), (gone, "Aborted", None, b"")])
    for machine, code in ((silent, "ClientNotResponse"), (gone, "InstanceReleased")):
        run.targets.filter(instance=machine).update(error_code=code)
    page = client.get(run.get_absolute_url()).text
    links = re.findall(r'href="([^"#]*same=[^"#]*)', page)
    assert len(links) == 2
    for link in links:
        listed = client.get(html.unescape(link)).text
        assert listed[listed.index('id="answers"') :].count('data-label="Instance"') == 1


def test_who_was_left_out_is_named_to_those_who_see_them(client):
    left_out = {"agent_silent": {"count": 2, "names": ["secret-db-01", "secret-db-02"]}}
    run = over([(fleet(1, region="cn-hangzhou")[0], "Success", 0, b"")], left_out=left_out)
    for person, named in (
        (a_person("viewer"), True),
        (a_person("viewer", region="cn-hangzhou"), 0),
    ):
        client.force_login(person)
        page = client.get(run.get_absolute_url()).text
        assert "<strong>Cloud Assistant silent</strong> 2" in page
        assert ("secret-db-01" in page) == bool(named)


def test_the_answers_of_a_run_that_goes_on_are_looked_at_again(client, viewer):
    run = a_mixed_run()
    again = 'hx-select="#rows"'
    assert again not in client.get(run.get_absolute_url()).text
    Invocation.objects.filter(pk=run.pk).update(state="running", finished_at=None)
    assert again in client.get(f"{run.get_absolute_url()}?status=Success").text
    assert again not in client.get(f"{run.get_absolute_url()}?text=ok").text, "a search is dear"


def test_what_the_page_was_narrowed_to_is_what_is_taken_away(client, viewer):
    url = a_mixed_run().get_absolute_url()
    page = client.get(f"{url}?text=4.19&status=Success").text
    [link] = re.findall(r'href="([^"]+answers.json[^"]*)"', page)
    [row] = json.loads(client.get(html.unescape(link)).getvalue())
    assert row["name"] == "odd-01"
    assert f'href="{url}answers.json"' in client.get(url).text


def test_an_export_by_a_filter_that_cannot_be_read_is_no_empty_file(client, viewer):
    url = a_mixed_run().get_absolute_url()
    for form in ("csv", "json", "txt"):
        answer = client.get(f"{url}answers.{form}?text=(&text_is=pattern")
        assert answer.status_code == 400
        assert "no regular expression" in answer.text
