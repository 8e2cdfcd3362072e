"""ClientToken: the same token and the same parameters get the same answer, and act once."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field

from simulator.errors import Refusal
from simulator.wire import Parameters

KEPT = 100_000
LONGEST = 64


@dataclass
class Tokens:
    """Answers by token; one being worked on has None."""

    answers: OrderedDict[tuple[str, ...], tuple[tuple, dict | None]] = field(
        default_factory=OrderedDict
    )
    lock: threading.Lock = field(default_factory=threading.Lock)

    def once(self, place: tuple[str, ...], params: Parameters, act: Callable[[], dict]) -> dict:
        """The answer of `act`, or the one it gave before for this token; no token: just `act`."""
        token = params.text("ClientToken")
        if not token:
            return act()
        _well_formed(token)
        key, frozen = (*place, token), tuple(sorted(params.values.items()))
        with self.lock:
            if key in self.answers:
                return self._known(key, frozen)
            self.answers[key] = (frozen, None)
        try:
            answer = act()
        except BaseException:
            with self.lock:
                del self.answers[key]
            raise
        with self.lock:
            self.answers[key] = (frozen, answer)
            while len(self.answers) > KEPT:
                self.answers.popitem(last=False)
        return answer

    def _known(self, key: tuple[str, ...], frozen: tuple) -> dict:
        before, answer = self.answers[key]
        if before != frozen:
            raise Refusal(
                403,
                "IdempotentParameterMismatch",
                "The specified parameters are not the same as those first sent with this token.",
            )
        if answer is None:
            raise Refusal(
                403, "IdempotentProcessing", "The previous request with this token is processing."
            )
        return answer


def _well_formed(token: str) -> None:
    if len(token) > LONGEST or not token.isascii():
        raise Refusal(
            400,
            "InvalidClientToken.Malformed",
            f"The ClientToken must be ASCII and at most {LONGEST} characters.",
        )
