"""The fingerprint by which the same crash on many machines is one thing."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping

from .culprit import told

TOP = 3  # frames that count
RELEASE = re.compile(r"(?:Linux version |(?:Not tainted|Tainted: .{0,60}?) )(\d+\.\d+)")
NO_CRASH = {"none", "normal_reboot"}


def release(text: str) -> str | None:
    """The major kernel version, such as 6.1, where this line names it."""
    found = RELEASE.search(text)
    return found[1] if found else None


def of(facts: Mapping[str, object], kernel: str | None) -> str | None:
    """cause:function:module:kernel:digest of the top frames. Free of addresses, pids and times."""
    if facts["kind"] in NO_CRASH:
        return None
    frames = [frame for frame in facts.get("trace", ()) if told(str(frame))][:TOP]
    digest = hashlib.sha256(" ".join(map(str, frames)).encode()).hexdigest()[:8] if frames else "-"
    named = (facts["subkind"] or facts["kind"], facts.get("function"), facts.get("module"), kernel)
    return ":".join([*(str(part or "-") for part in named), digest])
