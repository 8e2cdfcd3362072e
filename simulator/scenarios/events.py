"""System events of the platform, as ECS publishes them."""

from datetime import datetime, timedelta

from simulator.machine import EventRecord
from simulator.scenarios.inventory import Card, resource_id

REASONS = {
    "SystemMaintenance.Reboot": (
        "The underlying host has a software risk; the instance is restarted to move it away",
        "System maintenance",
    ),
    "SystemFailure.Reboot": (
        "The underlying host failed; the instance was restarted on another host",
        "Underlying hardware failure",
    ),
    "InstanceFailure.Reboot": (
        "The operating system of the instance stopped unexpectedly and was restarted",
        "Guest OS failure",
    ),
    "InstanceExpiration.Stop": ("The subscription of the instance expired", "Expired"),
}


def event(
    card: Card,
    type: str,
    at: datetime,
    *,
    lasted: timedelta = timedelta(minutes=3),
    notice: timedelta = timedelta(),
    status: str = "Executed",
) -> EventRecord:
    """One event that took effect at `at`. `notice`: how long before that it was published."""
    reason, code = REASONS[type]
    at = at.replace(microsecond=0)
    return EventRecord(
        event_id=resource_id("e", card.region, f"{card.name}{type}{status}{notice}"),
        type=type,
        cycle_status=status,
        published_at=at - notice,
        not_before=at,
        finished_at=at + lasted if status == "Executed" else None,
        reason=reason,
        reason_code=code,
        extended={"ResponseResult": "true"} if notice else {},
    )
