"""What becomes of a script's output on its way: cut to size, or bent by a fault."""

from __future__ import annotations

from dataclasses import replace

from simulator.faults import Rule
from simulator.machine import Ran

OUTPUT_LIMIT = 24_576
OUTPUT_HEAD = 6_000  # what the agent sent while the script ran; the rest is the tail


def clipped(output: bytes, dropped: int = 0) -> tuple[bytes, int]:
    """What Cloud Assistant keeps: the head, the tail, and how many bytes the middle lost."""
    if len(output) <= OUTPUT_LIMIT:
        return output, dropped
    tail = OUTPUT_LIMIT - OUTPUT_HEAD
    return output[:OUTPUT_HEAD] + output[-tail:], dropped + len(output) - OUTPUT_LIMIT


def bent(ran: Ran, rule: Rule) -> Ran:
    """The answer after a fault has been at it."""
    output, dropped = ran.output, ran.dropped
    match rule.arguments["mode"]:
        case "empty":
            output = b""
        case "truncate":
            output = output[: int(rule.arguments.get("bytes", len(output) // 2))]
        case "corrupt":
            noise = rule.dice.randbytes(len(output))
            output = bytes(n if n < 64 else o for n, o in zip(noise, output, strict=True))
        case "dropped":
            middle = int(rule.arguments.get("bytes", max(1, len(output) // 3)))
            start = max(0, (len(output) - middle) // 2)
            output, dropped = output[:start] + output[start + middle :], dropped + middle
    return replace(ran, output=output, dropped=dropped)
