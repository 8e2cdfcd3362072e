"""What varies from machine to machine or from second to second in outputs that say the same."""

from __future__ import annotations

import re

WEEKDAY = rb"(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)[a-z]{0,6},?"
MONTH = rb"(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)[a-z]{0,6}"
CLOCK = rb"\d{1,2}:\d\d(?::\d\d(?:[.,]\d+)?)?"
ZONE = rb"(?:\ ?(?:Z|[A-Z]{3,4}|[+-]\d\d:?\d\d)\b)?"
VARIES = re.compile(
    b"|".join(
        (
            rb"\d{4}-\d\d-\d\d(?:[T ]" + CLOCK + ZONE + rb")?",  # 2026-11-21T03:00:00+08:00
            rb"(?:" + WEEKDAY + rb" +)?" + MONTH + rb" +\d{1,2} +" + CLOCK + rb"(?: \d{4}\b)?",
            rb"(?:" + WEEKDAY + rb" +)?\d{1,2} " + MONTH + rb" \d{4}",
            CLOCK,
            rb"\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b",  # a UUID
            rb"\b(?:\d{1,3}\.){3}\d{1,3}\b",  # IPv4
            rb"\b(?:[0-9a-f]{2}:){5}[0-9a-f]{2}\b",  # a MAC address
            rb"\b(?:[0-9a-f]{1,4}:){4,7}[0-9a-f]{1,4}\b|\bfe80::[0-9a-f:]+",  # IPv6
            rb"\b[a-z]{1,3}-[0-9a-z]{17,22}\b",  # ids of ECS
            rb"0x[0-9a-f]+",
            rb"\b(?=[0-9a-f]*\d)[0-9a-f]{12,64}\b",  # digests
            rb"\bpid[ =:]+\d+|\[\d+\]",  # process numbers
            rb"\b\d{5,}\b",
        )
    ),
    re.IGNORECASE,
)


def masked(body: bytes) -> bytes:
    """The text with every time, id, address, process number and long number made alike."""
    return VARIES.sub("\N{MIDDLE DOT}".encode(), body)
