"""The account's audit trail: who called which power operation on which machine, and from where."""

from __future__ import annotations

import hashlib
import threading
import uuid
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

from simulator.wire import seconds

MOST = 20_000  # events kept


@dataclass(frozen=True, slots=True)
class TrailRecord:
    """One call as ActionTrail keeps it."""

    name: str
    at: datetime
    region: str
    instance_ids: tuple[str, ...]
    user: str
    user_type: str = "ram-user"
    key_id: str = ""
    source_ip: str = "127.0.0.1"
    agent: str = ""
    request_id: str = field(default_factory=lambda: str(uuid.uuid4()).upper())
    error: str = ""
    force: bool = False
    refused: tuple[tuple[str, str], ...] = ()  # of these ids a call for many took none, and why

    def shown(self) -> dict:
        """In the words of a management event."""
        asked = {"RegionId": self.region, "ForceStop": self.force}
        asked["InstanceId"] = ",".join(self.instance_ids)
        row = {
            "eventId": self.request_id,
            "eventVersion": "1",
            "eventCategory": "Management",
            "eventType": "ApiCall",
            "eventRW": "Write",
            "eventName": self.name,
            "eventTime": seconds(self.at),
            "eventSource": f"ecs.{self.region}.aliyuncs.com",
            "serviceName": "Ecs",
            "apiVersion": "2014-05-26",
            "acsRegion": self.region,
            "requestId": self.request_id,
            "requestParameters": asked,
            "referencedResources": {"ACS::ECS::Instance": list(self.instance_ids)},
            "resourceType": "ACS::ECS::Instance",
            "resourceName": ",".join(self.instance_ids),
            "sourceIpAddress": self.source_ip,
            "userAgent": self.agent,
            "userIdentity": {
                "type": self.user_type,
                "userName": self.user,
                "principalId": _number(self.user),
                "accountId": "1000000000000000",
                "accessKeyId": self.key_id,
            },
        }
        if self.error:
            row |= {"errorCode": self.error, "errorMessage": "The call was refused."}
        if self.refused:
            answers = [{"InstanceId": one, "Code": code} for one, code in self.refused]
            row["responseElements"] = {"InstanceResponses": {"InstanceResponse": answers}}
        return row


def _number(user: str) -> str:
    """An identity's number, the same for the same name."""
    return f"2{int(hashlib.sha256(user.encode()).hexdigest(), 16) % 10**16:016}"


class Trail:
    """Every record, oldest first; safe from any thread."""

    def __init__(self, records: Iterable[TrailRecord] = ()) -> None:
        self._records = deque(sorted(records, key=lambda each: each.at), maxlen=MOST)
        self._lock = threading.Lock()

    def add(self, record: TrailRecord) -> None:
        with self._lock:
            self._records.append(record)

    def between(self, since: datetime, until: datetime) -> list[TrailRecord]:
        with self._lock:
            return [each for each in self._records if since <= each.at <= until]
