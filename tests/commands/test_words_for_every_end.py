"""Every status and error code of Cloud Assistant is told in words, with the next act."""

import re

import pytest

from commands.explained import CODES, STATUSES, explained
from commands.models import Target
from commands.outcomes import outcome_of
from instances import ecs

DOCUMENTED = re.findall(
    r"\w+",
    """
InstanceNotExists InstanceReleased InstanceNotRunning InstanceRestarted InstanceDeregistered
CommandNotApplicable InvalidCommandText CommandContentDecodeError InvalidSystemBuiltInParameter
AccountNotExists DirectoryNotExists DefaultWorkingDirectoryNotAvailable BadCronExpression
CronExpressionExpired InvalidRateExpression RateFrequencyTooLarge InvalidAtExpression
AtExpressionExpired InvalidGMTOffsetForTimezone InvalidGMTOffsetHourForTimezone
InvalidGMTOffsetMinuteForTimezone TimezoneInformationCorrupt ClientNotRunning ClientNotResponse
ClientNotOnline ClientNetworkBlocked SecurityGroupRuleDenied ClientIsUpgrading ClientNeedUpgrade
ClientRestarted DeliveryTimeout TaskConcurrencyLimit ExecutionTimeout ExecutionException
ExecutionInterrupted ExitCodeNonzero TerminationException UserOrPasswordInvalid
QueryParameterStoreFailed InstanceRoleInvalid InvalidContainerId InvalidContainerName
UnsupportedContainerRuntime ContainerConnectFailed ContainerStateAbnormal ContainerNotFound
ContainerNameDuplicated ContainerNameAndIdNotMatch FileCreateFail FileAlreadyExists
FileContentInvalid FileNameInvalid FilePathInvalid FileAuthorityInvalid UserGroupNotExists
""",
)
GOOD_OR_GOING = {"Pending", "Scheduled", "Running", "Stopping", "Success", "Cancelled", "waiting"}


def told(status: str, code: str = "", info: str = "", outcome: str = ""):
    return explained(Target(status=status, error_code=code, error_info=info, outcome=outcome))


@pytest.mark.parametrize("code", DOCUMENTED)
def test_every_documented_code_has_words_and_an_act(code):
    words, act = told("Error", code)
    assert code not in words
    assert act


def test_every_status_has_words_and_bad_ones_an_act():
    assert set(STATUSES) >= ecs.FINAL_INVOCATION_STATUSES
    for status in STATUSES:
        words, act = told(status)
        assert words and "ECS says" not in words
        assert bool(act) == (status not in GOOD_OR_GOING), status


def test_an_unknown_code_is_shown_in_the_words_of_ecs():
    words, act = told("Aborted", "MoonInTheWay", "the moon is in the way")
    assert "MoonInTheWay: the moon is in the way" in words
    assert act == told("Aborted").advice


def test_an_unknown_status_is_shown_as_it_came():
    assert "Meditating" in told("Meditating").words


def test_going_down_is_no_failure():
    assert "goes down" in told("Failed", "ExitCodeNonzero", outcome="going_down").words


def test_what_failed_on_the_way_does_not_hide_that_nobody_knows():
    assert told(Target.NO_ANSWER, "Forbidden.RAM").words == told(Target.NO_ANSWER).words


def test_every_line_is_a_sentence():
    for words, act in [*STATUSES.values(), *CODES.values()]:
        for line in filter(None, (str(words), str(act))):
            assert re.fullmatch(r"[A-Z{].*\.", line), line


@pytest.mark.parametrize("status", ["Success", "Failed"])
@pytest.mark.parametrize(
    ("type", "code"), [("RunShellScript", 193), ("RunShellScript", 194), ("RunBatScript", 3010)]
)
def test_the_codes_that_take_a_machine_down_count_in_either_word_of_ecs(status, type, code):
    assert outcome_of(status, type, code) == "going_down"
    assert outcome_of("Timeout", type, code) == "failed"
    assert outcome_of("Failed", type, 7) == "failed"
