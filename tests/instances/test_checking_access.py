"""`manage.py check_access` names missing rights and changes nothing."""

import ast
import json
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from instances import ecs, rights
from instances.models import CloudAccount
from tests.factories import AccountFactory
from tests.instances.endpoint import error, instance_page
from tests.instances.syncing import HANGZHOU, SINGAPORE
from tests.simulation import KEY_WITHOUT_RIGHTS, KEY_WITHOUT_RUNS

pytestmark = pytest.mark.django_db
ROOT = Path(__file__).resolve().parents[2]
POLICIES = {"observe": "observe", "diagnose": "diagnose-commands", "commands": "diagnose-commands"}
POLICIES["full"] = "full"


@pytest.fixture(autouse=True)
def one_account(db):
    CloudAccount.objects.exclude(name="default").delete()
    return AccountFactory()


@pytest.fixture
def cloud(cloud):
    cloud.cloud.screenshots.clear()  # ECS gives one in ten seconds
    return cloud


def check(capsys, *arguments, code=0):
    found = 0
    try:
        call_command("check_access", "--format", "json", *arguments)
    except CommandError as error:
        found = error.returncode
    told = json.loads(capsys.readouterr().out)
    assert found == code
    return told["accounts"][0]


def states(account):
    return {right["action"]: right["state"] for right in account["rights"]}


def acts(cloud):
    """What changed or ran anything, as the other side counted it."""
    counters = cloud.counters()
    return counters["acts"], counters["runs"], counters["scripts"]


def test_an_able_identity_has_every_right_that_can_be_probed(cloud, capsys):
    before = acts(cloud)
    account = check(capsys, "--region", HANGZHOU)
    found = states(account)
    power = {"ecs:RebootInstances", "ecs:StopInstances", "ecs:StartInstances"}
    power.add("ecs:InstallCloudAssistant")
    power |= {f"ecs:{act}Command" for act in ("Create", "Modify", "Delete")}
    assert {action for action, state in found.items() if state == "allowed"} == set(found) - power
    assert all(found[action] == "not probed" for action in power)
    assert account["modes"] == {
        "observe": "yes",
        "diagnose": "yes",
        "commands": "yes",
        "full": "unknown",
    }
    assert acts(cloud) == before, "a check must not run or change anything"


def test_an_identity_that_may_only_look_lacks_the_right_to_run(cloud, capsys, rightless):
    before = acts(cloud)
    with rightless(CloudAccount.objects.get(), KEY_WITHOUT_RUNS):
        account = check(capsys, "--region", HANGZHOU)
    assert account["missing"] == ["ecs:RunCommand", "ecs:StopInvocation"]
    assert account["modes"]["observe"] == "yes" and account["modes"]["diagnose"] == "no"
    assert acts(cloud) == before


def test_an_empty_listing_does_not_hide_a_missing_right(cloud, capsys, rightless):
    with rightless(CloudAccount.objects.get(), KEY_WITHOUT_RIGHTS):
        account = check(capsys, "--region", HANGZHOU)
    assert "ecs:DescribeInstances" in account["missing"]
    assert set(account["modes"].values()) == {"no"}


def test_in_observe_no_run_is_even_asked_for(cloud, capsys):
    ecs.configure(endpoint=cloud.endpoint, mode="observe")
    before = cloud.counters()["calls"].get("RunCommand", 0)
    account = check(capsys, "--region", HANGZHOU)
    assert states(account)["ecs:RunCommand"] == "not probed"
    assert account["modes"]["observe"] == "yes" and account["modes"]["diagnose"] == "unknown"
    assert cloud.counters()["calls"].get("RunCommand", 0) == before


def test_every_offered_region_is_looked_at(cloud, capsys):
    regions = {right["region"] for right in check(capsys)["rights"]}
    assert {HANGZHOU, SINGAPORE, "cn-beijing"} <= regions


def test_a_region_without_instances_leaves_looks_from_outside_unprobed(cloud, capsys):
    found = states(check(capsys, "--region", "cn-beijing"))
    assert found["ecs:GetInstanceScreenshot"] == "not probed"
    assert found["ecs:DescribeInstances"] == "allowed"


def test_an_empty_region_leaves_no_doubt_where_another_one_showed_the_right(cloud, capsys):
    beside = check(capsys, "--region", "cn-beijing", "--region", HANGZHOU)
    assert beside["modes"]["observe"] == beside["modes"]["diagnose"] == "yes"
    assert check(capsys, "--region", "cn-beijing")["modes"]["observe"] == "unknown"


def test_an_answer_that_is_none_proves_no_right(cloud, capsys):
    cloud.faults({"kind": "html", "operation": "DescribeInstanceHistoryEvents"})
    account = check(capsys, "--region", HANGZHOU, code=4)
    assert states(account)["ecs:DescribeInstanceHistoryEvents"] == "unknown"
    assert account["modes"]["observe"] == "unknown"


def test_keys_that_ecs_does_not_accept_end_it_with_code_4(answering, capsys):
    with answering(lambda request: error(404, "InvalidAccessKeyId.NotFound", "no such key")):
        account = check(capsys, "--region", HANGZHOU, code=4)
    assert "no such key" in account["problem"] and account["modes"] == {}


def test_the_probe_of_a_run_cannot_run_anywhere(answering):
    with answering(lambda request: instance_page([])) as endpoint:
        ecs.check_running(ecs.Account(), HANGZHOU)
    sent = endpoint.requests[0].parameters
    assert sent["RepeatMode"] == "DryRun" and endpoint.requests[0].ids() == [ecs.NOWHERE]


def test_an_unknown_account_is_bad_usage(cloud):
    with pytest.raises(CommandError) as caught:
        call_command("check_access", "--account", "nobody")
    assert caught.value.returncode == 2


def test_the_text_names_modes_and_missing_rights(cloud, capsys, rightless):
    with rightless(CloudAccount.objects.get(), KEY_WITHOUT_RUNS):
        call_command("check_access", "--region", HANGZHOU)
    out = capsys.readouterr().out
    assert "missing ecs:RunCommand, ecs:StopInvocation" in out
    assert "observe: yes, diagnose: no" in out


# --- Policies ---


def operations_of_the_gateway():
    """Every name of an SDK operation that stands in the gateway's code."""
    known = {name.removesuffix("Request") for name in dir(ecs.ecs_call.ecs_sdk.parts().models)}
    trees = [ast.parse(path.read_text()) for path in (ROOT / "instances").glob("ecs*.py")]
    nodes = [node for tree in trees for node in ast.walk(tree)]
    strings = {node.value for node in nodes if isinstance(node, ast.Constant)}
    return {text for text in strings if isinstance(text, str) and text in known}


def actions(policy):
    document = json.loads((ROOT / "docs" / "ram" / f"{policy}.json").read_text())
    assert document["Version"] == "1"
    return [action for statement in document["Statement"] for action in statement["Action"]]


@pytest.mark.parametrize("mode", ecs.MODES)
def test_each_policy_holds_exactly_what_its_mode_needs(mode):
    assert sorted(actions(POLICIES[mode])) == sorted(right.action for right in rights.needed(mode))


def test_every_operation_that_the_gateway_uses_has_its_right():
    used = operations_of_the_gateway()
    assert {"DescribeInstances", "RunCommand", "GetInstanceScreenshot"} <= used
    assert used <= {right.operation for right in rights.RIGHTS}


def test_the_policies_say_what_run_command_means():
    text = (ROOT / "docs" / "ram" / "README.md").read_text()
    assert "means root on the machines" in text
