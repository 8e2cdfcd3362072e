"""Answers that come in many parts: every page followed, many calls side by side."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from typing import Any, TypeVar

from instances import ecs_wire as wire
from instances.ecs_errors import NoAnswer, request_id_of, strange
from instances.ecs_values import Answer

THREADS = 16  # of a process

Part = TypeVar("Part")
Outcome = TypeVar("Outcome")
Key = TypeVar("Key", bound=Hashable)
Call = Callable[[dict[str, Any]], Any]  # parameters -> body of the answer

_pool: ThreadPoolExecutor | None = None
_pool_lock = threading.Lock()


def pages(call: Call, asked: dict[str, Any], inside: str = "") -> Iterator[tuple[Any, str]]:
    """Every page and its RequestId; list and token may stand `inside` a part of the body."""
    token, seen = "", set()
    while True:
        body = call(asked | ({"NextToken": token} if token else {}))
        page = getattr(body, inside) if inside else body
        if page is None:
            raise strange()
        yield page, request_id_of(body.request_id)
        token = wire.text(page.next_token)
        if not token:
            return
        if token in seen:
            raise NoAnswer("ECS gave the same page twice")
        seen.add(token)


def listed(
    parts: Iterable[tuple[Any, str]], rows: tuple[str, str], read: Callable[[Any], Outcome]
) -> Answer[list[Outcome]]:
    """All rows of all pages. A page without its list is no answer, which is not "none"."""
    found, request_ids = [], []
    for page, request_id in parts:
        request_ids.append(request_id)
        container = getattr(page, rows[0])
        if container is None:
            raise strange()
        try:
            found += [read(row) for row in getattr(container, rows[1]) or ()]
        except (AttributeError, TypeError, ValueError):
            raise strange() from None
    return Answer(found, tuple(request_ids))


def each(call: Callable[[Part], Answer[list]], parts: Sequence[Part]) -> Answer[list]:
    """`call` for every part, side by side; one answer of all, or the first failure."""
    answers = list(map(call, parts)) if len(parts) < 2 else list(_threads().map(call, parts))
    return Answer(
        [row for answer in answers for row in answer.value],
        tuple(itertools.chain.from_iterable(answer.request_ids for answer in answers)),
    )


def side_by_side(
    calls: Mapping[Key, Callable[[], Outcome]],
) -> Iterator[tuple[Key, Outcome | Exception]]:
    """Make all these calls, THREADS at a time; each one's answer or failure as it comes."""
    if len(calls) == 1:
        ((key, call),) = calls.items()
        yield key, _attempted(call)
        return
    waiting, flying = iter(calls.items()), {}
    while True:
        for key, call in itertools.islice(waiting, THREADS - len(flying)):
            flying[_threads().submit(_attempted, call)] = key
        if not flying:
            return
        for future in wait(flying, return_when=FIRST_COMPLETED).done:
            yield flying.pop(future), future.result()


def _attempted(call: Callable[[], Outcome]) -> Outcome | Exception:
    try:
        return call()
    except Exception as error:
        return error


def chunks(ids: Iterable[str], size: int) -> list[list[str]]:
    unique = list(dict.fromkeys(ids))
    return [unique[start : start + size] for start in range(0, len(unique), size)]


def _threads() -> ThreadPoolExecutor:
    global _pool
    with _pool_lock:
        if _pool is None:
            _pool = ThreadPoolExecutor(THREADS, thread_name_prefix="ecs")
        return _pool


def forget_threads() -> None:
    """A forked child has none of its parent's threads."""
    global _pool, _pool_lock
    _pool, _pool_lock = None, threading.Lock()
