"""Machines of the demo world for tests, without a server before them."""

import functools
import threading
from datetime import UTC, datetime

from simulator.machine import Machine, Ran
from simulator.world import World


@functools.cache
def demo() -> World:
    """One world a process: its machines keep their file trees from test to test."""
    return World.demo(datetime.now(UTC))


def machine(name: str) -> Machine:
    return next(m for m in demo().machines if m.name == name)


def shell(name: str, script: str, *, timeout: float = 20, **how) -> Ran:
    return machine(name).run(
        script, type="RunShellScript", timeout=timeout, stop=threading.Event(), **how
    )


def told(name: str, script: str) -> str:
    """What the script printed on that machine."""
    return shell(name, script).output.decode()


def answering() -> list[Machine]:
    """The Linux machines on which scripts really run."""
    now = datetime.now(UTC)
    return [
        m
        for m in demo().machines
        if m.os_type == "linux" and m.agent_running(now) and m.agent.silent_since is None
    ]
