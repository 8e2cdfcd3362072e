"""Rows keep our sentences in English; whoever looks reads them in the own language."""

import ast
import subprocess
import sys

import pytest
from django.utils import translation

from commands import answers, firing, sending
from commands.models import ItemOutcome, PolicyRule, RebootBatch, RebootItem
from commands.reboots import conducting, halting, shown, steering, waves
from commands.reboots.preflight import Unfit
from portal.kept import told
from tests import messages
from tests.chinese import chinese, compiled

__all__ = ["chinese", "compiled"]


@pytest.fixture
def in_chinese(chinese):
    with translation.override("zh-hans"):
        yield


def test_a_sentence_of_ours_is_told_in_the_readers_language(in_chinese):
    assert told(halting.NO_TIME) == "窗口剩余时间不足以完成该波次。"
    assert told(steering.BY_HAND % {"who": "li.hua"}) == "由 li.hua 暂停。"


def test_the_rules_that_every_portal_starts_with_speak_chinese(in_chinese, db):
    rules = PolicyRule.objects.all()
    assert [rule for rule in rules if told(rule.words) == rule.words] == []
    assert len(rules) == 7


def test_a_schedule_tells_why_it_did_not_begin(in_chinese):
    assert told(firing.NOT_ALLOWED % {"owner": "li.hua"}) == "li.hua 已无权执行命令。"
    assert told(firing.GOES_ON) == "上一次运行尚未结束。"


def test_what_ecs_said_after_it_stays_as_it_came(in_chinese):
    again = sending.ASKED_AGAIN % {"words": "Throttling.User: slow down"}
    assert told(f"{answers.TOO_LATE} RunCommand: HTTP 502") == (
        "未在时限内收到答复；不清楚脚本做了什么。 RunCommand: HTTP 502"
    )
    assert told(f"{sending.IN_DOUBT} {again}").endswith("再次请求：Throttling.User: slow down")


@pytest.mark.parametrize("words", ["", "ECS says: no", "A batch is over. ", "Paused by"])
def test_what_is_not_ours_is_left_alone(words, in_chinese):
    assert told(words) in (words, "一批已结束。")


def test_in_english_nothing_changes():
    for words in (halting.NO_TIME, waves.NOT_SEEN % {"why": "HTTP 502"}, "something else"):
        assert told(words) == words


def test_a_pause_names_its_outcomes_in_the_same_language(in_chinese):
    found = "w-1 proven, but the post-check failed, w-2 not back"
    batch = RebootBatch(paused_why=conducting.CANARY_FAILED % {"found": found})
    told_so = (
        "金丝雀未能证实：w-1 已证实重启，但后置检查失败, w-2 未恢复。请先查看，再决定继续或停止。"
    )
    assert shown.pause_reason(batch) == told_so


def test_an_instance_that_was_left_out_tells_why(in_chinese):
    item = RebootItem(
        outcome=ItemOutcome.SKIPPED, reason=f"{Unfit.NO_PROOF.value}: {waves.NO_READING}"
    )
    assert shown.reason_words(item).endswith("重启前无法读取其启动标识，且无人接受无法证实。")


def test_the_pages_know_every_sentence_that_workers_keep():
    """Told is only what was loaded: the pages' modules load them all."""
    ours = {
        node.args[0].value
        for path in messages.modules()
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "kept"
    }
    look = "import django; django.setup(); import portal.urls, portal.kept as kept"
    code = f"{look}; print(len(kept._SENTENCES))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert int(done.stdout.split()[-1]) == len(ours) > 20
