"""One call to ECS: whether it may be made, how often it is repeated, when an operation rests."""

from __future__ import annotations

import functools
import itertools
import os
import random
import re
import time
from collections.abc import Callable
from typing import Any, TypeVar

from instances import ecs_mode, ecs_pages, ecs_sdk
from instances.ecs_errors import EcsError, NoAnswer, Refused, Throttled
from instances.ecs_values import Account, Answer
from instances.throttle import MustRest, Throttle

ATTEMPTS = 3  # of a call that may be repeated
BACKOFF = 0.1  # seconds before the second attempt is made, doubled for each further one
PATIENCE = 8.0  # seconds after which no further attempt is started
DISPENSABLE = frozenset({"LookupEvents"})  # nobody waits twice for an answer that does not come

Outcome = TypeVar("Outcome")

_throttle = Throttle()


def forget_connections() -> None:
    """Drop every connection, thread, pause and cached credential of this process.

    A forked child calls this by itself: with connections inherited from its parent it would
    read answers that were meant for somebody else.
    """
    global _throttle
    _throttle = Throttle()
    ecs_pages.forget_threads()
    ecs_sdk.forget()


os.register_at_fork(after_in_child=forget_connections)


def _may_repeat(operation: str, asked: dict[str, Any]) -> bool:
    reads = operation.startswith(("Describe", "Get", "Lookup"))
    return reads or "ClientToken" in asked or operation == "StopInvocation"


def call(
    account: Account,
    region: str,
    operation: str,
    asked: dict[str, Any],
    of: Callable[[], ecs_sdk.Product] = ecs_sdk.ecs,
) -> Any:
    """The body of the answer. What may be repeated is, when it was throttled or not answered."""
    ecs_mode.permit_any(operation)
    if not re.fullmatch(r"[a-z0-9-]{1,40}", region):  # it becomes part of a host name
        raise Refused(f"{region!r} is not a region", operation=operation, code="InvalidRegionId")
    # Looks from outside are counted for each instance, everything else for the region.
    counted = f"{operation} {asked['InstanceId']}" if operation.startswith("Get") else operation
    key, give_up = (account.name, region, counted), time.monotonic() + PATIENCE
    attempts = ATTEMPTS if _may_repeat(operation, asked) else 1
    in_doubt = False
    for attempt in itertools.count(1):
        _take_turn(key, give_up - time.monotonic(), in_doubt)
        try:
            body = ecs_sdk.once(account, region, operation, asked, of)
        except EcsError as error:
            error.in_doubt = in_doubt = in_doubt or isinstance(error, NoAnswer)
            if isinstance(error, Throttled):
                error.retry_after = _throttle.pause(key, error.retry_after)
            silent = isinstance(error, NoAnswer) and operation not in DISPENSABLE
            may_help = silent or isinstance(error, Throttled)
            if not may_help or attempt >= attempts or time.monotonic() > give_up:
                raise
            if isinstance(error, NoAnswer):
                time.sleep(random.uniform(0.5, 1.5) * BACKOFF * 2**attempt)
        else:
            _throttle.passed(key)
            return body
    raise AssertionError("unreachable")


def _take_turn(key: tuple[str, str, str], patience: float, in_doubt: bool) -> None:
    try:
        _throttle.wait(key, max(patience, 0.1))
    except MustRest as rest:
        throttled = Throttled(
            f"ECS said that it is called too often; it rests for {rest.seconds:.0f} s more",
            operation=key[2].partition(" ")[0],
            retry_after=rest.seconds,
        )
        throttled.in_doubt = in_doubt
        raise throttled from None


def listing(
    account: Account,
    region: str,
    operation: str,
    asked: dict[str, Any],
    rows: tuple[str, str],
    read: Callable[[Any], Outcome],
    inside: str = "",
) -> Answer[list[Outcome]]:
    """All rows of all pages of an operation."""
    asking = functools.partial(call, account, region, operation)
    try:
        return ecs_pages.listed(ecs_pages.pages(asking, asked, inside), rows, read)
    except NoAnswer as error:
        error.operation = operation
        raise
