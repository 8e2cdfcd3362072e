"""Every byte that is signed matters: change one, and the call is refused."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from urllib.parse import quote

import pytest
from alibabacloud_ecs20140526 import models

from simulator.errors import Refusal
from simulator.signature import AccessKey, Verifier
from tests.simulation import KEY
from tests.simulator.wires import captured, send, signed

DATED = {"InvalidTimeStamp.Format", "InvalidTimeStamp.Expired", "SignatureDoesNotMatch"}
REQUEST = models.RunCommandRequest(
    region_id="cn-hangzhou",
    type="RunShellScript",
    command_content="echo 'a+b c' *~ / é 中",
    instance_id=["i-1", "i-2"],
    timed=False,
    description="",
)


@pytest.fixture(scope="module")
def request_of_the_sdk():
    return captured(lambda client: client.run_command(REQUEST))


def flipped(text: str):
    """`text` with one character changed, once for each position."""
    for position, character in enumerate(text):
        other = "1" if character != "1" else "2"
        yield text[:position] + other + text[position + 1 :]


def refused(simulator, request) -> str:
    told = send(simulator, request)
    assert 400 <= told.status < 500, told.raw
    assert set(told.body) >= {"RequestId", "HostId", "Code", "Message", "Recommend"}
    return told.code


def test_the_sdks_own_signature_is_accepted(simulator, request_of_the_sdk):
    told = send(simulator, request_of_the_sdk)
    assert told.code == "InvalidInstance.NotFound"  # past the signature: the ids are made up


def test_one_changed_byte_of_any_signed_header_is_refused(simulator, request_of_the_sdk):
    headers = request_of_the_sdk.headers
    names = headers["authorization"].split("SignedHeaders=")[1].split(",")[0].split(";")
    assert {"accept", "host", "user-agent", "x-acs-action", "x-acs-date"} <= set(names)
    for name in names:
        allowed = DATED if name == "x-acs-date" else {"SignatureDoesNotMatch"}
        for value in flipped(headers[name]):
            changed = replace(request_of_the_sdk, headers={**headers, name: value})
            assert refused(simulator, changed) in allowed, f"{name}: {value}"


def test_one_changed_byte_of_any_query_parameter_is_refused(simulator, request_of_the_sdk):
    pairs = request_of_the_sdk.query_pairs
    assert len(pairs) == 7
    for place, (name, value) in enumerate(pairs):
        for other in [*((n, value) for n in flipped(name)), *((name, v) for v in flipped(value))]:
            changed = [*pairs[:place], other, *pairs[place + 1 :]]
            query = "&".join(f"{quote(n)}={quote(v)}" for n, v in changed)
            code = refused(simulator, replace(request_of_the_sdk, query=query))
            assert code == "SignatureDoesNotMatch", other


@pytest.mark.parametrize("query", ["{}&Extra=1", "{}&InstanceId.1=i-1", "Extra&{}"])
def test_an_added_parameter_is_refused(simulator, request_of_the_sdk, query):
    changed = replace(request_of_the_sdk, query=query.format(request_of_the_sdk.query))
    assert refused(simulator, changed) == "SignatureDoesNotMatch"


def test_a_missing_parameter_is_refused(simulator, request_of_the_sdk):
    query = request_of_the_sdk.query.partition("&")[2]
    changed = replace(request_of_the_sdk, query=query)
    assert refused(simulator, changed) == "SignatureDoesNotMatch"


@pytest.mark.parametrize(
    "change", [{"method": "GET"}, {"method": "PUT"}, {"path": "/1"}, {"body": b"1"}]
)
def test_a_changed_method_path_or_body_is_refused(simulator, request_of_the_sdk, change):
    changed = replace(request_of_the_sdk, **change)
    assert refused(simulator, changed) == "SignatureDoesNotMatch"


def test_one_changed_byte_of_the_authorization_is_refused(simulator, request_of_the_sdk):
    headers = request_of_the_sdk.headers
    algorithm, parts = headers["authorization"].split(" ")
    credential, names, signature = parts.split(",")
    answers = {
        "InvalidAccessKeyId.NotFound": [
            f"{algorithm} Credential={c},{names},{signature}" for c in flipped(credential[11:])
        ],
        "IncompleteSignature": [
            *(f"{a} {parts}" for a in flipped(algorithm)),
            *(
                f"{algorithm} {credential},SignedHeaders={n},{signature}"
                for n in flipped(names[14:])
            ),
        ],
        "SignatureDoesNotMatch": [
            f"{algorithm} {credential},{names},Signature={s}" for s in flipped(signature[10:])
        ],
    }
    for code, values in answers.items():
        assert values
        for value in values:
            changed = replace(request_of_the_sdk, headers={**headers, "authorization": value})
            assert refused(simulator, changed) == code, value


@pytest.mark.parametrize(
    "name", ["x-acs-date", "x-acs-action", "x-acs-signature-nonce", "x-acs-content-sha256"]
)
def test_a_header_that_must_be_signed_cannot_be_left_out(simulator, request_of_the_sdk, name):
    headers = dict(request_of_the_sdk.headers)
    headers["authorization"] = headers["authorization"].replace(f"{name};", "")
    changed = replace(request_of_the_sdk, headers=headers)
    assert refused(simulator, changed) == "IncompleteSignature"


def test_a_signed_hash_of_another_body_is_refused(simulator):
    request = signed("DescribeRegions", {}, x_acs_content_sha256=sha256(b"another").hexdigest())
    assert refused(simulator, request) == "SignatureDoesNotMatch"


def test_no_authorization_is_refused(simulator, request_of_the_sdk):
    headers = {k: v for k, v in request_of_the_sdk.headers.items() if k != "authorization"}
    changed = replace(request_of_the_sdk, headers=headers)
    assert refused(simulator, changed) == "IncompleteSignature"


def test_a_nonce_is_good_once(simulator):
    request = signed("DescribeRegions", {})
    assert send(simulator, request).status == 200
    assert refused(simulator, request) == "SignatureNonceUsed"


def test_a_wrong_secret_does_not_use_the_nonce_up(simulator):
    request = signed("DescribeRegions", {})
    forged = replace(
        request,
        headers={**request.headers, "authorization": request.headers["authorization"][:-1] + "x"},
    )
    assert refused(simulator, forged) == "SignatureDoesNotMatch"
    assert send(simulator, request).status == 200


@pytest.mark.parametrize(
    ("shift", "code"),
    [
        (timedelta(minutes=14, seconds=59), None),
        (timedelta(minutes=-14, seconds=-59), None),
        (timedelta(minutes=15, seconds=1), "InvalidTimeStamp.Expired"),
        (timedelta(minutes=-15, seconds=-1), "InvalidTimeStamp.Expired"),
    ],
)
def test_dates_are_good_for_fifteen_minutes(shift, code):
    now = datetime.now(UTC).replace(microsecond=0)
    request = signed("DescribeRegions", {}, x_acs_date=now.strftime("%Y-%m-%dT%H:%M:%SZ"))
    verifier = Verifier({KEY[0]: AccessKey(*KEY)})
    if code is None:
        assert verifier.identify(request, now + shift).id == KEY[0]
        return
    with pytest.raises(Refusal) as refusal:
        verifier.identify(request, now + shift)
    assert refusal.value.code == code


def test_a_date_in_another_form_is_refused(simulator):
    request = signed("DescribeRegions", {}, x_acs_date="Sat, 21 Nov 2026 00:00:00 GMT")
    assert refused(simulator, request) == "InvalidTimeStamp.Format"


@pytest.fixture(scope="module")
def request_of_an_older_sdk():
    return captured(lambda client: client.run_command(REQUEST), signature_algorithm="v2")


def test_the_older_signature_is_accepted_once(simulator, request_of_an_older_sdk):
    pairs = dict(request_of_an_older_sdk.pairs)
    assert pairs["SignatureMethod"] == "HMAC-SHA1"
    assert "authorization" not in request_of_an_older_sdk.headers
    told = send(simulator, request_of_an_older_sdk)
    assert told.code == "InvalidInstance.NotFound"
    assert refused(simulator, request_of_an_older_sdk) == "SignatureNonceUsed"


def test_one_changed_byte_of_the_older_request_is_refused(simulator, request_of_an_older_sdk):
    special = {
        "AccessKeyId": {"InvalidAccessKeyId.NotFound"},
        "SignatureMethod": {"IncompleteSignature"},
        "SignatureVersion": {"IncompleteSignature"},
        "Timestamp": DATED,
    }
    pairs = request_of_an_older_sdk.pairs
    for place, (name, value) in enumerate(pairs):
        for other in flipped(value):
            changed = [*pairs[:place], (name, other), *pairs[place + 1 :]]
            query = "&".join(f"{quote(n)}={quote(v)}" for n, v in changed)
            request = replace(request_of_an_older_sdk, query=query, body=b"")
            code = refused(simulator, request)
            assert code in special.get(name, {"SignatureDoesNotMatch"}), f"{name}={other}"
    changed = replace(request_of_an_older_sdk, method="GET")
    assert refused(simulator, changed) == "SignatureDoesNotMatch"


def test_an_unsigned_header_cannot_name_another_operation(simulator):
    request = captured(
        lambda client: client.describe_regions(models.DescribeRegionsRequest()),
        signature_algorithm="v2",
    )
    changed = replace(request, headers={**request.headers, "x-acs-action": "DescribeInstances"})
    assert "Regions" in send(simulator, changed).body
