"""Secret parameters reach the machine, and nothing else: no row, no output, no error text."""

import base64
import json
from urllib.parse import quote

import pytest

from commands import jobs
from commands.models import Invocation, Output
from commands.secret_parameters import MARK, Redactor
from instances import ecs
from tests.commands.conftest import ask, work_on
from tests.factories import InstanceFactory

pytestmark = pytest.mark.django_db
SECRET = "s3cret/päss word"


@pytest.fixture
def run(db):
    return ask(
        InstanceFactory(),
        script="login {{user}} {{password}}",
        parameters={"user": "bob"},
        secrets={"password": SECRET},
    )


def everything(run: Invocation) -> bytes:
    """Whatever the database holds of it."""
    rows = [run, *run.dispatches.all(), *run.targets.all()]
    texts = [
        repr({f.name: getattr(row, f.attname) for f in row._meta.concrete_fields}) for row in rows
    ]
    return " ".join(texts).encode() + b"".join(o.body() for o in Output.objects.all())


def test_they_are_given_to_ecs_and_kept_out_of_everything_else(fake, run):
    assert SECRET.encode() not in everything(run)
    jobs.carry_on(run.dispatches.get().pk)
    assert fake.asked[0]["parameters"] == {"user": "bob", "password": SECRET}

    raw, packed = SECRET.encode(), base64.b64encode(SECRET.encode())
    leaks = b"1 " + raw + b" 2 " + packed + b" 3 " + quote(SECRET, safe="").encode() + b" end"
    fake.end(status="Failed", output=leaks, error_info=f"bad {SECRET}")
    work_on(run)

    kept = everything(run)
    assert all(form not in kept for form in (raw, packed, quote(SECRET, safe="").encode()))
    target = run.targets.get()
    assert target.output.body() == b"1 *** 2 *** 3 *** end"
    assert target.error_info == f"bad {MARK}"
    assert bytes(run.sealed) == b""


def test_a_refusal_that_quotes_them_is_cleaned(fake, run):
    fake.errors["RunCommand"] = [ecs.Refused(f"bad value {SECRET}", code="InvalidParameter")]
    work_on(run)
    assert SECRET.encode() not in everything(run)
    assert MARK in run.targets.get().error_info


@pytest.mark.parametrize("before", ["", "a", "ab", "abc"])
def test_they_are_found_inside_the_base64_of_a_longer_text(before):
    text = f"{before}{SECRET} and more".encode()
    cleaned = Redactor([SECRET]).body(base64.b64encode(text))
    assert MARK.encode() in cleaned
    assert base64.b64encode(SECRET.encode())[4:16] not in cleaned


def test_with_another_key_nothing_is_sent_and_nothing_is_shown(fake, run, settings):
    jobs.carry_on(run.dispatches.get().pk)
    settings.SECRETS_KEY = "another"
    fake.end(output=SECRET.encode())
    work_on(run)
    assert SECRET.encode() not in everything(run)
    assert "withheld" in run.targets.get().output.body().decode()


def test_a_run_that_cannot_be_opened_is_refused(fake, run, settings):
    settings.SECRETS_KEY = "another"
    work_on(run)
    assert fake.calls == {}
    assert run.targets.get().error_code == "WrongKey"


@pytest.mark.parametrize(
    "printed",
    [
        json.dumps({"password": "it's \"pässe\\"}),
        json.dumps({"password": "it's \"pässe\\"}, ensure_ascii=False),
        "+ login 'it'\\''s \"pässe\\'",
    ],
)
def test_they_are_found_as_programs_quote_them(printed):
    cleaned = Redactor(["it's \"pässe\\"]).text(printed)
    assert MARK in cleaned
    assert "sse" not in cleaned


@pytest.mark.parametrize("encoding", ["gbk", "utf-16-le"])
def test_they_are_found_where_a_machine_does_not_speak_utf_8(encoding):
    cleaned = Redactor(["密码是春天"]).body("登录 密码是春天 成功".encode(encoding))
    assert MARK.encode() in cleaned
    assert "春天".encode(encoding) not in cleaned
