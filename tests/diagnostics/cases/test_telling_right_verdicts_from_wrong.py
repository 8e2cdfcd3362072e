"""People say what really happened; the hit rate counts it, version by version."""

import pytest
from django.core.management import call_command

from diagnostics import history, marking, trust, version
from diagnostics.models import Judging, Mark
from portal.audit.models import AuditEntry
from tests.diagnostics.cases.kept import OLDER, as_older_analyzers_saw_it, judged_case
from tests.factories import a_person

pytestmark = pytest.mark.django_db


@pytest.fixture
def support():
    return a_person("support")


def says(client, case, **told):
    return client.post(f"/cases/{case.pk}/mark/", {"truth": "right", "version": 1, **told})


def test_a_right_verdict_counts_as_a_hit(client, support):
    case = judged_case()
    client.force_login(support)
    assert says(client, case).url == case.get_absolute_url()
    mark = Mark.objects.get()
    assert (mark.truth, mark.true_kind, mark.by) == ("right", "kernel_panic", support)
    assert case.judgings.get().right is True
    assert AuditEntry.objects.get(act="case.marked").actor == support
    page = client.get("/cases/hits/").content.decode()
    assert "1 of 1 verdicts that the cases show today are right: 100 %" in page
    assert "None of these verdicts was wrong." in page
    assert "marked as right" in client.get(case.get_absolute_url()).content.decode()


def test_a_wrong_verdict_is_listed_with_what_it_really_was(client, support):
    case = as_older_analyzers_saw_it(judged_case())
    client.force_login(support)
    says(client, case, truth="wrong", true_kind="oom_kill", words="the DIMM was replaced")
    page = client.get("/cases/hits/").content.decode()
    assert "0 of 1 verdicts" in page and "Wrong verdicts" in page
    assert f"#{case.pk}" in page and "the DIMM was replaced" in page
    assert "process killed for lack of memory" in page and OLDER in page


def test_newer_analyzers_that_find_the_truth_are_right_and_the_older_stay_wrong(client, support):
    case = as_older_analyzers_saw_it(judged_case())
    client.force_login(support)
    says(client, case, truth="wrong", true_kind="kernel_panic", true_subkind="null_deref")
    call_command("rejudge", "--apply")
    assert list(case.judgings.order_by("number").values_list("right", flat=True)) == [False, True]
    rates = {
        share.name: (share.right, share.told) for share in trust.by_version(trust.judged(support))
    }
    assert rates == {OLDER: (0, 1), version.analyzers(): (1, 1)}
    assert trust.overall(trust.judged(support)).percent == 100
    rests_on = {share.name for share in trust.by_analyzer(trust.judged(support))}
    assert any(name.startswith("panic.") and v == version.analyzers() for name, v in rests_on)


def test_newer_analyzers_that_leave_the_truth_are_wrong():
    case = as_older_analyzers_saw_it(judged_case())
    marking.mark(case, by=a_person("support"), via="page", version=1, truth="right")
    call_command("rejudge", "--apply")
    assert [row.right for row in case.judgings.order_by("number")] == [True, False]


def test_the_latest_word_counts(support):
    case = judged_case()
    for truth in ("right", "unknown"):
        marking.mark(case, by=support, via="page", version=1, truth=truth)
    assert Mark.objects.count() == 2
    assert Judging.objects.get().right is None
    assert trust.overall(trust.judged(support)).told == 0


@pytest.mark.parametrize(
    ("told", "complaint"),
    [
        ({"truth": "wrong"}, "Say what it really was, here or in words."),
        ({"truth": "perhaps"}, "perhaps"),
        ({"truth": "wrong", "true_kind": "gremlins"}, "gremlins"),
    ],
)
def test_a_mark_outside_the_vocabulary_is_refused(client, support, told, complaint):
    case = judged_case()
    client.force_login(support)
    answer = says(client, case, **told)
    assert answer.status_code == 400 and complaint in answer.content.decode()
    assert not Mark.objects.exists()


def test_the_form_begins_with_what_is_known_of_the_verdict_shown_now(support):
    case = as_older_analyzers_saw_it(judged_case())
    told = {"truth": "wrong", "true_kind": "kernel_panic", "true_subkind": "null_deref"}
    marking.mark(case, by=support, via="page", version=1, **told)
    assert marking.as_marked(case)["truth"] == "wrong"
    call_command("rejudge", "--apply")
    assert marking.as_marked(case)["truth"] == "right"


def test_a_verdict_that_changed_while_the_form_was_open_is_not_marked_unseen(client, support):
    case = as_older_analyzers_saw_it(judged_case())
    call_command("rejudge", "--apply")
    client.force_login(support)
    assert says(client, case, version=1).status_code == 400
    assert not Mark.objects.exists()


def test_marks_of_instances_that_one_does_not_see_do_not_count(client, support):
    case = judged_case()
    marking.mark(case, by=support, via="page", version=1, truth="right")
    elsewhere = a_person("support", region="cn-elsewhere")
    assert trust.overall(trust.judged(elsewhere)).told == 0
    client.force_login(elsewhere)
    assert says(client, case).status_code == 404


def word(truth: str, kind: str = "", subkind: str = "") -> Mark:
    return Mark(
        judging=Judging(kind="hang", subkind="soft_lockup", function="f"),
        truth=truth,
        true_kind=kind,
        true_subkind=subkind,
    )


@pytest.mark.parametrize(
    ("mark", "verdict", "right"),
    [
        (word("right", "hang", "soft_lockup"), ("hang", "soft_lockup", "f"), True),
        (word("right", "hang", "soft_lockup"), ("kernel_panic", "oops", "f"), False),
        (word("wrong", "kernel_panic"), ("hang", "soft_lockup", "f"), False),
        (word("wrong", "kernel_panic"), ("kernel_panic", "mce", ""), True),
        (word("wrong", "kernel_panic", "oops"), ("kernel_panic", "mce", ""), False),
        (word("wrong", "hang"), ("hang", "soft_lockup", "g"), None),  # no word for what is wrong
        (word("wrong"), ("kernel_panic", "oops", ""), None),
        (word("unknown"), ("hang", "soft_lockup", "f"), None),
    ],
)
def test_a_verdict_is_held_against_what_people_know(mark, verdict, right):
    kind, subkind, function = verdict
    judging = Judging(kind=kind, subkind=subkind, function=function)
    assert history.rated(judging, mark) is right


def test_a_share_is_never_rounded_up_to_all():
    assert trust.Share("", 1000, 999).percent == 99
    assert trust.Share("", 0, 0).percent is None


def test_a_verdict_that_rightly_says_nothing_is_no_hit_and_later_ones_are_not_wrong(support):
    case = as_older_analyzers_saw_it(judged_case(), kind="undetermined", subkind="", function="")
    marking.mark(case, by=support, via="page", version=1, truth="right")
    call_command("rejudge", "--apply")
    assert [row.right for row in case.judgings.order_by("number")] == [None, None]


def test_nothing_is_said_of_a_verdict_before_somebody_chose(client, support):
    case = judged_case()
    client.force_login(support)
    page = client.get(f"/cases/{case.pk}/mark/").content.decode()
    choice = page[page.index('name="truth"') :]
    assert '<option value="" selected>' in choice[: choice.index("</select>")]
    assert says(client, case, truth="").status_code == 400
