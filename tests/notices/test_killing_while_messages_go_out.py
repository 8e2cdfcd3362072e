"""The workers are killed with -9 while messages go out, and the receiver fails: all arrive."""

import random
from pathlib import Path

import psutil
import pytest

from tests.notices.receivers import Receiver, listening
from tests.sizes import long_only
from tests.stack import Stack, until

pytestmark = [pytest.mark.stack, long_only]
MESSAGES, KILLS = 60, 8
TELL = """
from portal import notices, secrets
from portal.notices.models import Channel, Rule
sealed = secrets.seal({{"url": {url!r}, "secret": "s" * 16}})
Rule.objects.create(name="all").channels.add(
    Channel.objects.create(name="hook", kind="webhook", sealed=sealed)
)
for number in range({messages}):
    notices.tell(
        "case.finished", subject_label="x", subject_key=f"x:{{number}}", url="/", title="x",
        once=f"x:{{number}}",
    )
"""


@pytest.fixture
def portal(tmp_path: Path):
    stack = Stack(tmp_path)
    stack.environment["NOTIFY_HOSTS"] = "127.0.0.1"
    try:
        stack.start()
        yield stack
        stack.stop()
    finally:
        stack.clean_up()


def states(portal: Stack) -> dict[str, int]:
    return dict(portal.sql("select state, count(*) from notices_notification group by state"))


def test_each_arrives_and_repeats_carry_the_same_key(portal):
    chance = random.Random(20261121)
    with listening(Receiver(delay=0.05)) as receiver:
        portal.python(TELL.format(url=receiver.url, messages=MESSAGES))
        for turn in range(KILLS):
            seen = len(receiver.posts)
            until(
                lambda seen=seen: len(receiver.posts) > seen or _all_sent(portal), 60, "a message"
            )
            receiver.status = 500 if turn == KILLS // 2 else 200
            for pid in chance.sample(portal.pids()["worker"] or [0], 1):
                if pid:
                    psutil.Process(pid).kill()
        receiver.status = 200
        until(lambda: _all_sent(portal), 120, f"all of them sent; {states(portal)}")
        keys = [post.headers["Idempotency-Key"] for post in receiver.posts]
        assert len(set(keys)) == MESSAGES
        assert len(keys) <= MESSAGES + 2 * KILLS + 2  # repeats: only of what a kill cut off


def _all_sent(portal: Stack) -> bool:
    return states(portal) == {"sent": MESSAGES}
