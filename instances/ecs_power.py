"""Taking instances down and up: what is sent to ECS, and what it answers for each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from instances import ecs_wire as wire
from instances.ecs_errors import Refused

POWER_LIMIT = 100  # instances in one call
ACTS = {"reboot": "RebootInstances", "stop": "StopInstances", "start": "StartInstances"}
STOPPED_MODES = ("KeepCharging", "StopCharging")


@dataclass(frozen=True, slots=True)
class PowerAnswer:
    """What ECS said of one instance; `code` "" where it was taken."""

    instance_id: str
    code: str = ""
    message: str = ""


def asking(
    act: str, region: str, ids: Sequence[str], *, force: bool, stopped_mode: str
) -> dict[str, Any]:
    """Each instance separately: one that cannot be taken sinks no other."""
    if not 0 < len(ids) <= POWER_LIMIT:
        raise Refused(f"{len(ids)} instances; 1 to {POWER_LIMIT} are allowed", operation=ACTS[act])
    asked: dict[str, Any] = {
        "RegionId": region,
        "InstanceId": list(ids),
        "BatchOptimization": "SuccessFirst",
    }
    if act == "reboot":
        asked["ForceReboot"] = force
    if act == "stop":
        asked |= {"ForceStop": force, "StoppedMode": stopped_mode}
    return asked


def answered(body: Any) -> list[PowerAnswer]:
    """Instance by instance; nothing for those that the answer does not name."""
    rows = getattr(body.instance_responses, "instance_response", None) or []
    return [_answer(row) for row in rows if wire.text(row.instance_id)]


def _answer(row: Any) -> PowerAnswer:
    code = wire.text(row.code)
    taken = code in ("", "200")
    return PowerAnswer(
        wire.text(row.instance_id), "" if taken else code, "" if taken else wire.text(row.message)
    )
