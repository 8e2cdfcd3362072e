"""What ECS refuses did not happen; whose fault it is decides what a person has to do."""

import pytest
from django.db import IntegrityError

from instances import ecs
from instances.models import CloudAccount
from tests.instances.endpoint import Raw, error, instance_page

HERE = ecs.Account()


def refused(answering, answer, account=HERE):
    with answering(lambda request: answer) as endpoint, pytest.raises(ecs.EcsError) as caught:
        ecs.instances(account, "cn-hangzhou")
    assert len(endpoint.requests) <= 1, "a refusal is not repeated"
    return caught.value


def test_a_missing_right_is_named_as_a_policy_names_it(answering):
    error_ = refused(answering, error(403, "Forbidden.RAM", "User not authorized"))
    assert type(error_) is ecs.NotPermitted
    assert error_.action == "ecs:DescribeInstances"
    assert error_.request_id == "0A1B2C3D"


def test_the_right_that_ecs_itself_names_wins(answering):
    body = {
        "RequestId": "R",
        "Code": "NoPermission",
        "Message": "no",
        "AccessDeniedDetail": {"AuthAction": "ecs:DescribeInstancesFullStatus"},
    }
    error_ = refused(answering, Raw(403, body))
    assert error_.action == "ecs:DescribeInstancesFullStatus"


@pytest.mark.parametrize(
    "code",
    [
        "InvalidAccessKeyId.NotFound",
        "SignatureDoesNotMatch",
        "Forbidden.AccessKeyDisabled",
        "InvalidSecurityToken.Expired",
        "InvalidTimeStamp.Expired",
    ],
)
def test_credentials_that_ecs_does_not_accept(answering, code):
    assert type(refused(answering, error(404, code))) is ecs.NotSigned


def test_risk_control_is_no_missing_right(answering):
    assert type(refused(answering, error(403, "Forbidden.RiskControl"))) is ecs.Refused


def test_a_profile_that_does_not_exist_is_said_before_any_call(answering):
    nobody = ecs.Account(name="x", kind="profile", profile="nobody-has-this")
    with (
        answering(lambda request: instance_page([])) as endpoint,
        pytest.raises(ecs.NotSigned, match="no usable credentials"),
    ):
        ecs.instances(nobody, "cn-hangzhou")
    assert endpoint.requests == []


def test_a_role_without_its_arn_is_a_refusal_and_not_a_crash(answering):
    with (
        answering(lambda request: instance_page([])) as endpoint,
        pytest.raises(ecs.NotSigned, match="role_arn"),
    ):
        ecs.instances(ecs.Account(name="r", kind="role"), "cn-hangzhou")
    assert endpoint.requests == []


def test_a_role_is_assumed_with_the_keys_of_its_profile():
    account = ecs.Account(name="r", kind="role", profile="p", role_arn="acs:ram::1:role/portal")
    provider = ecs.ecs_call.ecs_sdk._source(account)
    assert provider._role_arn == account.role_arn
    assert provider._credentials_provider.get_provider_name() == "profile"


@pytest.mark.django_db
@pytest.mark.parametrize("kind", ["profile", "role"])
def test_an_account_that_could_not_sign_is_not_saved(kind):
    with pytest.raises(IntegrityError):
        CloudAccount.objects.create(name="x", kind=kind)


def test_a_profile_signs_with_its_own_key(answering, tmp_path, monkeypatch):
    ini = tmp_path / "credentials.ini"
    ini.write_text(
        "[ops]\ntype = access_key\naccess_key_id = OPSKEY\naccess_key_secret = ops-secret\n"
    )
    path = "alibabacloud_credentials.utils.auth_util.environment_credentials_file"
    monkeypatch.setattr(path, str(ini))
    with answering(lambda request: instance_page([])) as endpoint:
        ecs.instances(ecs.Account(name="ops", kind="profile", profile="ops"), "cn-hangzhou")
    assert "Credential=OPSKEY," in endpoint.requests[0].headers["authorization"]


def test_anything_else_keeps_its_code_and_clean_message(answering):
    error_ = refused(answering, error(404, "InvalidRegionId.NotFound", "The region is unknown."))
    assert type(error_) is ecs.Refused
    assert error_.message == "The region is unknown."
    assert str(error_) == "DescribeInstances InvalidRegionId.NotFound: The region is unknown."
