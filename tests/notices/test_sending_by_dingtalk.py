"""A DingTalk robot that checks the signature takes our messages, and its no is understood."""

import pytest

from portal.notices.models import Channel, Kind, Notification
from tests.notices.conftest import a_channel, a_rule, later, tell, work_off

pytestmark = pytest.mark.django_db


def a_robot(robot, **changes):
    return a_channel(Kind.DINGTALK, **{"url": robot.robot, "secret": robot.secret} | changes)


def test_the_robot_accepts_the_signature(robot):
    a_rule(a_robot(robot))
    tell()
    work_off()
    assert Notification.objects.get().state == "sent"
    (post,) = robot.posts
    assert post.said["msgtype"] == "text"
    assert post.said["text"]["content"] == (
        "uname on web finished badly\nweb-01 10.1.0.11: exit code 1\n\n"
        "https://portal.example.com/runs/7/"
    )


@pytest.mark.parametrize("stamp", range(3))
def test_whatever_characters_the_signature_has(robot, stamp):
    robot.secret = f"SEC{stamp}/+&=?"
    a_rule(a_robot(robot))
    tell()
    work_off()
    assert Notification.objects.get().state == "sent"


def test_an_address_that_was_copied_with_its_anchor(robot):
    a_rule(a_robot(robot, url=f"{robot.robot}#/group"))
    tell()
    work_off()
    assert Notification.objects.get().state == "sent"


def test_a_wrong_secret_is_a_failure_although_the_status_is_200(robot):
    a_rule(a_robot(robot, secret="SECwrong"))
    tell()
    work_off()
    row = Notification.objects.get()
    assert row.state == "failed" and row.trouble == "DingTalk: 310000 sign not match"


def test_a_robot_without_a_secret_gets_no_signature(robot):
    a_rule(a_robot(robot, secret=""))
    tell()
    work_off()
    assert "sign=" not in robot.posts[0].path


def test_too_many_messages_make_the_whole_channel_rest(robot):
    robot.answer = b'{"errcode":130101,"errmsg":"send too fast"}'
    a_rule(channel := a_robot(robot))
    for number in range(3):
        tell(once=str(number))
    work_off()
    assert len(robot.posts) == 1
    assert Channel.objects.get(pk=channel.pk).resting_until
    robot.answer = b"ok"
    later()
    work_off()
    assert Notification.objects.filter(state="sent").count() == 3


@pytest.mark.parametrize("answer", [b"<html>", b"[]", b"{}", b"null", b"[" * 5000, b'"ok"'])
def test_an_answer_that_is_not_dingtalks_is_no_success(robot, answer):
    robot.answer = answer
    a_rule(a_robot(robot))
    tell()
    work_off()
    assert Notification.objects.get().state == "failed"


def test_a_long_message_is_cut_to_what_the_robot_takes(robot):
    a_rule(a_robot(robot))
    tell(lines=["实例" * 150] * 30)
    work_off()
    assert len(robot.posts[0].body) < 20_000
    assert Notification.objects.get().state == "sent"
