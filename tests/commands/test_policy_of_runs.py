"""Rules warn, demand approval or refuse, judged on the text as it would run and on its targets."""

import time

import pytest
from django.core.exceptions import ValidationError

from commands import parameters, policy
from commands.models import Invocation, PolicyRule, SavedCommand
from instances.models import InstanceTag
from tests.commands.test_composing_a_run import carried, preview, ready
from tests.factories import a_person

pytestmark = pytest.mark.django_db


def verbs(text: str, *instances) -> set[str]:
    judged = policy.judge(text, instances)
    fired = {"warn": judged.warns, "approve": judged.demands, "refuse": judged.refuses}
    return {verb for verb, rules in fired.items() if rules}


@pytest.mark.parametrize(
    "text",
    [
        "rm -rf /",
        "rm -fr / ",
        "sudo rm -r -f /*",
        "cd /tmp; rm --no-preserve-root -rf /",
        'rm -rf "/"',
        "true && rm -Rf /; echo",
    ],
)
def test_removing_the_root_is_refused(text):
    assert "refuse" in verbs(text)


@pytest.mark.parametrize(
    "text",
    ["rm -rf /tmp/cache", "rm -rf ./build", "echo arm -rf", "rm /etc/motd", "rm -rf /var/x/*"]
    + [r"rd /s /q C:\Temp", "cd /tmp && rm -rf *", "find / -name core -delete", 'rm -rf "/$x"'],
)
def test_removing_something_else_is_not(text):
    assert verbs(text) == set()


@pytest.mark.parametrize(
    "text",
    [
        "mkfs.ext4 /dev/vdb1",
        "dd if=/dev/zero of=/dev/vda bs=1M",
        "wipefs -a /dev/vdb",
        'dd if=image of="/dev/vda"',
        "cat image > /dev/vda",
        "shred -n 1 /dev/vdb",
        "sgdisk --zap-all /dev/vdb",
        "format d: /q /y",
        "diskpart /s clean.txt",
        "Initialize-Disk -Number 1",
    ],
)
def test_formatting_demands_approval(text):
    assert verbs(text) == {"approve"}


@pytest.mark.parametrize(
    "text",
    [
        "reboot",
        "yum -y update; shutdown -r now",
        "systemctl reboot",
        "if true; then\n    reboot\nfi",
        "/sbin/reboot -f",
        "sudo -n /sbin/shutdown now",
        "(sleep 5; reboot) &",
        "nohup sh -c 'sleep 5; reboot'",
        "systemctl --force reboot",
        "echo b > /proc/sysrq-trigger",
        "shutdown /r /t 0",
        "reb\\\noot",
    ],
)
def test_going_down_without_the_exit_code_is_no_easier_than_with_it(text):
    assert verbs(text) == {"approve"}


@pytest.mark.parametrize(
    "text",
    [
        "last reboot",
        "exit 19",
        "exit 1940",
        "grep reboot /var/log/messages",
        "grep -E 'panic|reboot' /var/log/messages",
        "# reboot needed",
        "shutdown -c",
        "shutdown /a",
        "systemctl status reboot.target",
        "test -f /run/reboot-required && echo yes",
        "PORT=3010; curl localhost:$PORT; exit $?",
        "if ($p.ExitCode -eq 3010) { 'restart wanted' }",
        "exit $LASTEXITCODE",
    ],
)
def test_words_are_not_acts(text):
    assert verbs(text) == set()


@pytest.mark.parametrize(
    "text",
    [
        "exit 194",
        "yum -y update && exit 193",
        "exit $(( 0 )) || (exit 194)",
        "exit /b 3010",
        "[Environment]::Exit(3009)",
        "exit(3010)",
        'exit "194"',
        "exit 0194",
        "exit 19\\\n4",
        "exit 450",  # what a shell makes 194 of
        "rc=194\nexit $rc",
        "python3 -c 'import os; os._exit(194)'",
        "main() { return 194; }; main",
        "$host.SetShouldExit(3010)",
    ],
)
def test_a_script_that_takes_its_machine_down_demands_approval(text):
    assert verbs(text) == {"approve"}


def test_to_pass_on_what_an_installer_ends_with_is_warned_of():
    assert verbs("msiexec /i agent.msi /qn\nexit $LASTEXITCODE") == {"warn"}


def test_a_rule_that_cannot_be_read_fires():
    PolicyRule.objects.create(name="old", pattern="a(?=b)", verb="refuse", message="x")
    assert "refuse" in verbs("uptime")


@pytest.mark.parametrize("pattern", ["(", "a(?=b)", r"(a)\1", "a)(b", "x{2000}"])
def test_a_rule_that_could_not_be_read_is_not_taken(pattern):
    rule = PolicyRule(name="no", pattern=pattern, verb="refuse", message="x")
    with pytest.raises(ValidationError) as refusal:
        rule.full_clean()
    assert set(refusal.value.message_dict) == {"pattern"}


def test_no_rule_makes_a_text_slow():
    PolicyRule.objects.create(name="slow", pattern="(a+)+$", verb="refuse", message="x")
    assert verbs("a" * 18_000 + "b") == set(), "a search that steps back would take for ever"


def test_anything_on_a_protected_instance_demands_approval():
    one, other = ready(), ready()
    InstanceTag.objects.create(instance=one, key="protected", value="yes")
    assert verbs("uptime", other) == set()
    assert verbs("uptime", one, other) == {"approve"}


def test_a_rule_may_look_at_the_number_of_instances():
    PolicyRule.objects.create(name="many", above=1, verb="warn", message="many")
    one, other = ready(), ready()
    assert verbs("uptime", one) == set()
    assert verbs("uptime", one, other) == {"warn"}


def test_a_rule_that_is_switched_off_does_not_fire():
    PolicyRule.objects.update(enabled=False)
    assert verbs("rm -rf /") == set()


def test_what_is_refused_cannot_be_sent_from_the_page(client):
    client.force_login(a_person("operator"))
    ready(name="web-01")
    page = preview(client, text="web-01", script="rm -rf /")
    assert "refused" in page.text
    assert 'value="send"' not in page.text
    assert client.post("/runs/new/", carried(page)).status_code == 400
    assert not Invocation.objects.exists()


def test_parameters_are_judged_in_their_places(client):
    client.force_login(a_person("operator"))
    ready(name="web-01")
    fields = {"text": "web-01", "script": "rm -rf {{where}}"}
    assert "refused" not in preview(client, **fields).text
    assert "refused" in preview(client, **fields | {"script": "rm -rf /"}).text


def test_a_rule_that_is_made_after_the_look_is_shown_first(client):
    client.force_login(a_person("operator"))
    ready(name="web-01")
    page = preview(client, text="web-01")
    PolicyRule.objects.create(name="no", pattern="uptime", verb="approve", message="no")
    answer = client.post("/runs/new/", carried(page))
    assert answer.status_code == 400
    assert not Invocation.objects.exists()


@pytest.mark.parametrize(
    "text",
    [
        "rm --recursive --force /",
        "rm / -rf",
        "(rm -rf /)",
        "echo `rm -rf /`",
        "rm -rf //",
        "rm -rf /./",
        "rm -rf /home /",
        "rm -rf \\\n  /",
        "r\\\nm -rf /",
        'rm -rf --no-preserve-root "$where"',
        "cd / && rm -rf *",
        "find / -xdev -delete",
        "Remove-Item -Recurse -Force C:\\",
        "Remove-Item C:\\* -Recurse",
        "rd /s /q C:\\",
    ],
)
def test_removing_the_root_is_known_however_it_is_written(text):
    assert "refuse" in verbs(text)


@pytest.mark.parametrize("text", ["rm " + "--aa " * 3000, "rm -r " * 3000, "rm -r " + "/" * 18_000])
def test_no_text_keeps_the_rules_busy(text):
    began = time.process_time()
    verbs(text + "x")
    assert time.process_time() - began < 0.5


def test_the_launcher_is_judged_as_well(client):
    client.force_login(a_person("operator"))
    ready(name="web-01")
    page = preview(client, text="web-01", launcher='sh -c "rm -rf /"')
    assert "refused" in page.text
    assert 'value="send"' not in page.text


def test_the_directory_that_a_script_begins_in_is_judged_as_well(client):
    client.force_login(a_person("operator"))
    ready(name="web-01")
    assert "refused" in preview(client, text="web-01", script="rm -rf *", working_dir="/").text
    assert "refused" not in preview(client, text="web-01", script="rm -rf *", working_dir="/x").text


def test_a_secret_value_is_judged_but_not_shown(client):
    person = a_person("operator")
    client.force_login(person)
    ready(name="web-01")
    secret = parameters.Parameter("where", kind="secret").kept()
    command = SavedCommand.objects.create(name="clean", owner=person)
    revision = command.revise(
        by=person, parameters=[secret], script="rm -rf {{where}}", type="RunShellScript", timeout=60
    )
    page = preview(client, text="web-01", revision=str(revision.pk), **{"p-where": "//"})
    assert "refused" in page.text
    assert "rm -rf //" not in page.text
