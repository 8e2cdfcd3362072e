"""The operations that are served, by name; anything else is InvalidApi.NotFound.

Of ECS, and of ActionTrail the one that tells who called what.
"""

from __future__ import annotations

from collections.abc import Callable

from simulator.actions import (
    account,
    assistant,
    commands,
    console,
    events,
    instances,
    power,
    results,
    runs,
    trail,
)
from simulator.cloud import Call

OPERATIONS: dict[str, Callable[[Call], dict]] = {
    "DescribeRegions": instances.describe_regions,
    "DescribeInstances": instances.describe_instances,
    "DescribeInstanceHistoryEvents": events.describe_instance_history_events,
    "DescribeCloudAssistantStatus": assistant.describe_cloud_assistant_status,
    "DescribeAccountAttributes": account.describe_account_attributes,
    "InstallCloudAssistant": assistant.install_cloud_assistant,
    "CreateCommand": commands.create_command,
    "ModifyCommand": commands.modify_command,
    "DeleteCommand": commands.delete_command,
    "DescribeCommands": commands.describe_commands,
    "RunCommand": runs.run_command,
    "InvokeCommand": runs.invoke_command,
    "StopInvocation": runs.stop_invocation,
    "DescribeInvocations": results.describe_invocations,
    "DescribeInvocationResults": results.describe_invocation_results,
    "RebootInstance": power.reboot_instance,
    "RebootInstances": power.reboot_instances,
    "StopInstance": power.stop_instance,
    "StopInstances": power.stop_instances,
    "StartInstance": power.start_instance,
    "StartInstances": power.start_instances,
    "GetInstanceConsoleOutput": console.get_instance_console_output,
    "GetInstanceScreenshot": console.get_instance_screenshot,
}
OF_ACTIONTRAIL: dict[str, Callable[[Call], dict]] = {"LookupEvents": trail.lookup_events}
# By the version that calls of a product carry.
PRODUCTS = {"2014-05-26": ("ecs", OPERATIONS), "2020-07-06": ("actiontrail", OF_ACTIONTRAIL)}
KNOWN = OPERATIONS.keys() | OF_ACTIONTRAIL.keys()
