"""One request in, one reply out: verify, route, act, answer; faults bend it on the way."""

from __future__ import annotations

import logging
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import urlencode

from simulator.actions import KNOWN, PRODUCTS, trail
from simulator.cloud import Call, Cloud
from simulator.errors import Refusal, forbidden
from simulator.faults import Rule
from simulator.signature import AccessKey, Verifier, asked_for
from simulator.wire import Parameters, Reply, Request

log = logging.getLogger(__name__)

HTML = b"<html><head><title>Bad Gateway</title></head><body><h1>502 Bad Gateway</h1></body></html>"
# Access control hides listings of instances instead of refusing them; see docs/simulator.md.
HIDES = {"DescribeInstances"}
ALWAYS_ALLOWED = {"DescribeRegions"}


class Reset(Exception):
    """The connection must be reset; the caller never hears whether the act was done."""


@dataclass
class Endpoint:
    """The ECS API in front of a cloud."""

    cloud: Cloud
    verifier: Verifier
    clock: Callable[[], datetime] = lambda: datetime.now(UTC)

    def answer(self, request: Request) -> Reply:
        """The reply to one request; raises Reset where a fault asks for a dead connection."""
        request_id = str(uuid.uuid4()).upper()
        operation, region, ids = _about(request)
        try:
            key = self.verifier.identify(request, self.clock())
            if (bent := self._bent(operation, region, ids)) is not None:
                return bent
            reply = self._act(operation, request, key, request_id)
        except Reset:
            raise
        except Refusal as refusal:
            reply = self._refused(operation, refusal, request, request_id)
        except Exception:
            log.exception("%s broke", operation)
            refusal = Refusal(500, "InternalError", "The request processing has failed.")
            reply = self._refused(operation, refusal, request, request_id)
        self.cloud.counters.add("calls", operation if operation in KNOWN else "unknown")
        if self._struck("lost", operation, region, ids):
            raise Reset
        return reply

    def _act(self, operation: str, request: Request, key: AccessKey, request_id: str) -> Reply:
        if request.method not in ("POST", "GET"):
            raise Refusal(403, "UnsupportedHTTPMethod", "POST and GET are supported.")
        params = Parameters(request.pairs)
        if (version := asked_for(request)[1]) not in PRODUCTS:
            raise Refusal(404, "InvalidVersion", f"Known versions: {', '.join(PRODUCTS)}.")
        product, operations = PRODUCTS[version]
        act = operations.get(operation)
        if act is None:
            raise Refusal(
                404, "InvalidApi.NotFound", "Specified api is not found, please check your url."
            )
        if not key.may(operation) and operation not in HIDES | ALWAYS_ALLOWED:
            raise forbidden(operation, key.id, product)
        call = Call(self.cloud, operation, params, key, self.clock())
        try:
            body = act(call)
        except Refusal as refusal:
            trail.record(call, request, request_id, refusal)
            raise
        trail.record(call, request, request_id, body)
        body = self._emptied(operation, params, body)
        return Reply.json(200, {"RequestId": request_id, **body})

    def _refused(
        self, operation: str, refusal: Refusal, request: Request, request_id: str
    ) -> Reply:
        known = operation if operation in KNOWN else "unknown"
        self.cloud.counters.add("refused", known, refusal.code)
        question = urlencode({"q": refusal.code, "product": "Ecs", "requestId": request_id})
        body = {
            "RequestId": request_id,
            "HostId": request.headers.get("host", ""),
            "Code": refusal.code,
            "Message": refusal.message,
            "Recommend": f"https://api.aliyun.com/troubleshoot?{question}",
        }
        if refusal.detail:
            body["AccessDeniedDetail"] = refusal.detail
        return Reply.json(refusal.status, body, refusal.headers)

    def _struck(self, kind: str, operation: str, region: str, ids: list[str]) -> Rule | None:
        rule = self.cloud.faults.strike(kind, operation, region, ids)
        if rule:
            self.cloud.counters.add("faults", kind)
        return rule

    def _bent(self, operation: str, region: str, ids: list[str]) -> Reply | None:
        """What a fault puts in place of the act, if one strikes."""
        place = (operation, region, ids)
        if rule := self._struck("slow", *place):
            time.sleep(float(rule.arguments.get("seconds", 5)))
        if self._struck("reset", *place):
            raise Reset
        if rule := self._struck("html", *place):
            return Reply(int(rule.arguments.get("status", 502)), HTML, content_type="text/html")
        if rule := self._struck("throttle", *place):
            raise _throttled(rule)
        if rule := self._struck("error", *place):
            raise _error(rule)
        return None

    def _emptied(self, operation: str, params: Parameters, body: dict) -> dict:
        place = (operation, params.text("RegionId"), _ids(params))
        if operation.startswith(("Describe", "Lookup")) and self._struck("empty", *place):
            body = _without_rows(body)
        if self._struck("shape", *place):
            body = _misshapen(body)
        return body


def _about(request: Request) -> tuple[str, str, list[str]]:
    """Operation, region and instances, read without trusting anything yet."""
    params = Parameters(request.pairs)
    return asked_for(request)[0], params.text("RegionId"), _ids(params)


def _ids(params: Parameters) -> list[str]:
    try:
        listed = params.json_list("InstanceIds", most=1000) or []
    except Refusal:
        listed = []
    one = params.text("InstanceId")
    return [*params.listed("InstanceId"), *listed, *([one] if one else [])]


def _without_rows(value: object) -> object:
    if isinstance(value, dict):
        emptied = {key: _without_rows(inner) for key, inner in value.items()}
        counts = {"TotalCount": 0, "NextToken": ""}
        return emptied | {key: none for key, none in counts.items() if key in emptied}
    return [] if isinstance(value, list) else value


def _misshapen(body: dict) -> dict:
    """Lists where objects belong and objects where lists belong."""

    def turned(value: object) -> object:
        if isinstance(value, dict):
            return [turned(inner) for inner in value.values()]
        return {"0": value} if isinstance(value, list) else value

    return {key: turned(value) for key, value in body.items()}


def _throttled(rule: Rule) -> Refusal:
    after = rule.arguments.get("retry_after")
    return Refusal(
        int(rule.arguments.get("status", 400)),
        str(rule.arguments.get("code", "Throttling.User")),
        "Request was denied due to user flow control.",
        headers={"x-acs-retry-after": str(after)} if after else {},
    )


def _error(rule: Rule) -> Refusal:
    return Refusal(
        int(rule.arguments.get("status", 503)),
        str(rule.arguments.get("code", "ServiceUnavailable")),
        str(rule.arguments.get("message", "The request has failed due to a temporary failure.")),
    )
