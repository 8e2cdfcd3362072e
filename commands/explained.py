"""How a machine's part stands or ended, in plain words, and what to do next.

ECS's own code says more than its status, so the code is looked up first. A word that is not in
these tables is shown as ECS wrote it.
"""

from __future__ import annotations

from typing import NamedTuple

from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from commands.models import Outcome, Target
from portal.kept import told


class Told(NamedTuple):
    """What it means, and what to do about it ("" where nothing is)."""

    words: str
    advice: str


_RERUN = _("Run it again on this instance.")
_READ = _("Read the output and the exit code; correct the script or the machine, then run again.")
_START = _("Start the instance, then run it again.")
_AGENT = _("Check that the Cloud Assistant agent runs there, then run it again.")
_NETWORK = _(
    "Check the machine's network, its security groups and that it reaches Cloud Assistant; then "
    "run it again."
)
_UPGRADE = _("Upgrade the Cloud Assistant agent on the instance, then run it again.")
_LOOK = _("Look at the machine before running it again: the script may have done part of its work.")
_SCHEDULE = _("Correct the frequency, then schedule it again.")
_CONTAINER = _("Check the container's name, ID and state on the machine, then run it again.")
_FILE = _("Correct the file's name, path, owner or mode, then send it again.")
_ASK_US = _("Ask whoever runs the portal.")

STATUSES: dict[str, tuple] = {
    "Pending": (_("ECS is checking it or delivering it to the machine."), ""),
    "Scheduled": (_("It waits in ECS for its next time."), ""),
    "Running": (_("The script is running on the machine."), ""),
    "Stopping": (_("The machine was told to stop the script."), ""),
    "Success": (_("The script ended with exit code 0."), ""),
    "Failed": (_("The script ended with an exit code other than 0."), _READ),
    "Error": (_("The script could not go on."), _LOOK),
    "Timeout": (
        _("The script ran longer than it was allowed to and was ended."),
        _("Allow more time or make the script quicker. What it did until then is done."),
    ),
    "Invalid": (
        _("The machine cannot run this: its type or one of its settings does not fit."),
        _("Correct the setting that the reason names, then run it again."),
    ),
    "Aborted": (_("It could not be delivered to the machine; nothing ran."), _AGENT),
    "Cancelled": (_("It was stopped before it started; nothing ran."), ""),
    "Terminated": (_("It was stopped while it ran."), _LOOK),
    Target.WAITING: (_("The portal has not sent it yet."), ""),
    Target.NOT_STARTED: (_("It was never sent; nothing ran."), _RERUN),
    Target.REFUSED: (
        _("ECS refused the call, or it could not be made; nothing ran."),
        _("Remove what the reason names, then run it again."),
    ),
    Target.NO_ANSWER: (_("Nobody knows whether and how far it ran: no answer came."), _LOOK),
}
GOING_DOWN = (
    _("The script ended well and asked for a restart or stop; the machine goes down."),
    _("Check that the instance comes back, if it should."),
)

CODES: dict[str, tuple] = {
    # The instance
    "InstanceNotExists": (_("ECS has no such instance."), _("Sync the region and choose again.")),
    "InstanceReleased": (
        _("The instance was released."),
        _("Sync the region and choose again."),
    ),
    "InstanceNotRunning": (_("The instance was not Running, so nothing ran."), _START),
    "InstanceRestarted": (_("The instance rebooted while the script ran."), _LOOK),
    "InstanceDeregistered": (
        _("The managed instance is no longer registered."),
        _("Register it again, then run it again."),
    ),
    # The script
    "CommandNotApplicable": (
        _("The script's type does not fit the system of the machine."),
        _("Choose shell for Linux, PowerShell or batch for Windows."),
    ),
    "InvalidCommandText": (_("ECS cannot read the script's text."), _("Correct the script.")),
    "CommandContentDecodeError": (
        _("The script's text did not arrive whole."),
        _("Run it again; if that happens twice, ask whoever runs the portal."),
    ),
    "InvalidSystemBuiltInParameter": (
        _("The script names a built-in parameter that ECS does not have."),
        _("Correct the {{ACS::...}} names in the script."),
    ),
    "ExitCodeNonzero": (_("The script ended with an exit code other than 0."), _READ),
    "ExecutionTimeout": STATUSES["Timeout"],
    "ExecutionException": (_("The agent met an error while it ran the script."), _LOOK),
    "ExecutionInterrupted": (_("The script was interrupted on the machine."), _LOOK),
    "TerminationException": (
        _("The script could not be stopped."),
        _("Look at the machine: it may still be running."),
    ),
    # User and directory
    "AccountNotExists": (
        _("The user that it was to run as does not exist on the machine."),
        _("Create the user there or choose another one, then run it again."),
    ),
    "UserOrPasswordInvalid": (
        _("Windows refused the user or the password."),
        _("Check the user and its password in the Parameter Store."),
    ),
    "QueryParameterStoreFailed": (
        _("The password could not be read from the Parameter Store."),
        _("Check the password's name, and that the instance's role may read it."),
    ),
    "InstanceRoleInvalid": (
        _("The instance has no RAM role that may read the password."),
        _("Attach such a role to the instance."),
    ),
    "DirectoryNotExists": (
        _("The working directory does not exist on the machine."),
        _("Create it there or choose another one, then run it again."),
    ),
    "DefaultWorkingDirectoryNotAvailable": (
        _("The user's default working directory does not exist on the machine."),
        _("Name a working directory, then run it again."),
    ),
    # The agent
    "ClientNotRunning": (
        _("The Cloud Assistant agent is stopped or not installed; nothing ran."),
        _("Install or start the agent on the instance, then run it again."),
    ),
    "ClientNotResponse": (_("The Cloud Assistant agent did not answer; nothing ran."), _AGENT),
    "ClientNotOnline": (_("The Cloud Assistant agent is not connected; nothing ran."), _NETWORK),
    "ClientNetworkBlocked": (_("The machine's network is blocked; nothing ran."), _NETWORK),
    "SecurityGroupRuleDenied": (
        _("A security group keeps the machine from reaching Cloud Assistant; nothing ran."),
        _("Allow the address that the reason names, then run it again."),
    ),
    "ClientIsUpgrading": (
        _("The Cloud Assistant agent is upgrading itself; nothing ran."),
        _("Wait some minutes, then run it again."),
    ),
    "ClientNeedUpgrade": (
        _("The Cloud Assistant agent is too old for this; nothing ran."),
        _UPGRADE,
    ),
    "ClientRestarted": (_("The Cloud Assistant agent restarted while the script ran."), _LOOK),
    "DeliveryTimeout": (_("It could not be delivered in time; nothing ran."), _AGENT),
    "TaskConcurrencyLimit": (
        _("Too many scripts run on this machine at once; this one did not start."),
        _("Wait until they are over, then run it again."),
    ),
    # Schedules
    **dict.fromkeys(
        (
            "BadCronExpression",
            "InvalidRateExpression",
            "InvalidAtExpression",
            "InvalidGMTOffsetForTimezone",
            "InvalidGMTOffsetHourForTimezone",
            "InvalidGMTOffsetMinuteForTimezone",
        ),
        (_("ECS cannot read the frequency."), _SCHEDULE),
    ),
    **dict.fromkeys(
        ("CronExpressionExpired", "AtExpressionExpired"),
        (_("The time that the frequency names is over."), _SCHEDULE),
    ),
    "RateFrequencyTooLarge": (_("It would run too rarely for ECS: 7 days at most."), _SCHEDULE),
    "TimezoneInformationCorrupt": (
        _("The machine does not know the time zone."),
        _("Name another zone, or repair the zone files on the machine."),
    ),
    # Containers
    **dict.fromkeys(
        ("InvalidContainerId", "InvalidContainerName", "ContainerNameAndIdNotMatch"),
        (_("The container's name or ID is not right."), _CONTAINER),
    ),
    "ContainerNotFound": (_("There is no such container on the machine."), _CONTAINER),
    "ContainerNameDuplicated": (
        _("Several containers on the machine have this name."),
        _("Give the container's ID too."),
    ),
    "ContainerStateAbnormal": (_("The container is not running."), _CONTAINER),
    "ContainerConnectFailed": (_("The agent could not reach the container."), _CONTAINER),
    "UnsupportedContainerRuntime": (
        _("The agent does not know how to reach this kind of container."),
        _("Run it on the machine itself, with the container's own tools."),
    ),
    # Files
    **dict.fromkeys(
        ("FileNameInvalid", "FilePathInvalid", "FileAuthorityInvalid", "UserGroupNotExists"),
        (_("The file's name, path, owner or mode does not fit the machine."), _FILE),
    ),
    "FileCreateFail": (_("The file could not be written."), _FILE),
    "FileAlreadyExists": (
        _("There is a file of this name already."),
        _("Allow it to be overwritten, or choose another name."),
    ),
    "FileContentInvalid": (_("The file's content did not arrive whole."), _RERUN),
    # What the call itself was refused for
    "InvalidInstance.NotMatch": (
        _("ECS does not take this instance for a run: not Running, or not in a VPC; nothing ran."),
        _START,
    ),
    "InvalidInstance.NotFound": (
        _("ECS has no such instance in this region; nothing ran."),
        _("Sync the region and choose again."),
    ),
    "Invocation.ExceedQuota": (
        _("The account's run quota of this day and region is used up; nothing ran."),
        _("Run it again tomorrow, or have the quota raised in Quota Center."),
    ),
    # Our own
    "Stopped": (_("The run was stopped before this instance was asked; nothing ran."), _RERUN),
    "TooManyErrors": (
        _("The run had more errors than it was allowed and left this instance out."),
        _("See what went wrong on the others, then run it again on the rest."),
    ),
    "RunForgotten": (_("ECS no longer knows this run, so nobody knows how it went."), _LOOK),
    "NotShown": (
        _(
            "ECS shows no run of this machine for this time: it was off or silent, or ECS forgot"
            " it."
        ),
        _("Look at the machine and its agent. Its other times are not touched."),
    ),
    "NoAnswerInTime": (_("No answer came in time, so nobody knows how it went."), _LOOK),
    "WrongKey": (
        _("The secret parameters cannot be opened, because SECRETS_KEY was changed."),
        _("Give them again in a new run."),
    ),
    "ModeForbids": (_("The portal's mode does not allow this; nothing was sent."), _ASK_US),
}


def explained(target: Target) -> Told:
    """Plain words for this target, and the next act. Never empty words."""
    if target.outcome == Outcome.GOING_DOWN:
        found = GOING_DOWN
    elif target.status in (Target.NO_ANSWER, "Timeout") and target.error_code not in OUR_DOUBTS:
        found = STATUSES[target.status]  # the code only says what came in between
    else:
        found = CODES.get(target.error_code)
        if found is None and target.error_code:
            return Told(_ecs_words(target), str(STATUSES.get(target.status, ("", ""))[1]))
        found = found or STATUSES.get(target.status)
    if found is None:
        return Told(_ecs_words(target), "")
    return Told(str(found[0]), str(found[1]))


OUR_DOUBTS = ("RunForgotten", "NoAnswerInTime", "NotShown")


def _ecs_words(target: Target) -> str:
    said = ": ".join(part for part in (target.error_code, told(target.error_info)) if part)
    return _now("ECS says: %(words)s") % {"words": said or target.status}
