"""PORTAL_MODE decides what leaves the house; a refusal names the mode that would allow it."""

import pytest
from django.apps import apps

from diagnostics import scripts
from instances import ecs
from portal.apps import COLLECTION
from tests.instances.endpoint import instance_page

HERE = ecs.Account()
OURS = "#!/bin/sh\nuname -a\n"


def cloud(request):
    return instance_page(["i-1"]) if request.action == "DescribeInstances" else {"InvokeId": "t-1"}


def run(script, read_only=False, type="RunShellScript"):
    return ecs.run_script(
        HERE,
        "cn-hangzhou",
        ["i-1"],
        script,
        type=type,
        token="t",
        timeout=60,
        read_only=read_only,
    )


@pytest.mark.parametrize("mode", ecs.MODES)
def test_reading_is_allowed_in_every_mode(answering, mode):
    with answering(cloud, mode=mode):
        assert ecs.instances(HERE, "cn-hangzhou").value


@pytest.mark.parametrize("mode", ["diagnose", "commands", "full"])
def test_a_registered_collection_script_runs_from_diagnose_on(answering, mode):
    with answering(cloud, mode=mode):
        ecs.allow_read_only(OURS, type="RunShellScript")
        assert run(OURS, read_only=True).value.invoke_id == "t-1"


def test_observe_does_not_run_even_that(answering):
    with answering(cloud, mode="observe") as endpoint:
        ecs.allow_read_only(OURS, type="RunShellScript")
        with pytest.raises(ecs.ModeForbids, match="diagnose would"):
            run(OURS, read_only=True)
    assert endpoint.requests == []


@pytest.mark.parametrize("mode", ["observe", "diagnose"])
def test_other_scripts_need_commands(answering, mode):
    with (
        answering(cloud, mode=mode) as endpoint,
        pytest.raises(ecs.ModeForbids, match="commands would"),
    ):
        run("reboot")
    assert endpoint.requests == []


@pytest.mark.parametrize("mode", ecs.MODES)
@pytest.mark.parametrize(
    ("script", "type"),
    [("reboot", "RunShellScript"), (OURS + " ", "RunShellScript"), (OURS, "RunPowerShellScript")],
)
def test_calling_a_script_read_only_does_not_make_it_so(answering, mode, script, type):
    with answering(cloud, mode=mode) as endpoint:
        ecs.allow_read_only(OURS, type="RunShellScript")
        with pytest.raises(ecs.ModeForbids, match="not one of the portal's own"):
            run(script, read_only=True, type=type)
    assert endpoint.requests == []


@pytest.mark.parametrize(("system", "type"), COLLECTION.items())
def test_the_portal_registers_its_own_collection_scripts(answering, system, type):
    apps.get_app_config("portal").ready()
    with answering(cloud, mode="diagnose"):
        assert run(scripts.text(system), read_only=True, type=type).value.invoke_id == "t-1"


def test_wrong_settings_close_the_gateway_instead_of_opening_the_real_cloud(settings):
    settings.ECS_ENDPOINT, settings.PORTAL_MODE = "127.0.0.1:8181", "full"
    apps.get_app_config("instances").ready()
    with pytest.raises(ecs.ModeForbids, match="ECS_ENDPOINT"):
        ecs.instances(HERE, "cn-hangzhou")


def test_nothing_configured_means_the_real_cloud_and_reads_only():
    assert ecs.mode() == "observe" and not ecs.is_local()


@pytest.mark.parametrize(
    ("endpoint", "mode", "words"),
    [
        ("", "everything", "PORTAL_MODE='everything': allowed are observe, diagnose"),
        ("127.0.0.1:8181", "full", "ECS_ENDPOINT"),
        ("ftp://127.0.0.1", "full", "ECS_ENDPOINT"),
        ("http://me:secret@127.0.0.1", "full", "ECS_ENDPOINT"),
        ("http://127.0.0.1:8181/path", "full", "ECS_ENDPOINT"),
        ("http://ecs.aliyuncs.com", "observe", "use https"),
    ],
)
def test_a_wrong_setting_is_named(endpoint, mode, words):
    with pytest.raises(ValueError, match=words):
        ecs.configure(endpoint=endpoint, mode=mode)
