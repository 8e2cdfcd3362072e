"""DescribeRegions and DescribeInstances."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from fnmatch import fnmatchcase

from simulator.cloud import Call
from simulator.errors import Refusal, forbidden, invalid
from simulator.machine import Machine
from simulator.paging import Limits, page
from simulator.wire import Parameters, minutes

STATUSES = ("Pending", "Starting", "Running", "Stopping", "Stopped")
LOCK_REASONS = ("financial", "security", "Recycling", "dedicatedhostfinancial", "refunded")
LANGUAGES = ("zh-CN", "en-US", "ja")
FILTERS = ("CreationStartTime", "CreationEndTime", "ExpiredStartTime", "ExpiredEndTime")
Fits = Callable[[Machine], bool]
LIMITS = Limits(most=100, least=10, clamps=True)
ALIKE = {  # what no simulated machine differs in
    "AutoReleaseTime": "",
    "DeletionProtection": False,
    "DeviceAvailable": True,
    "Recyclable": False,
    "IoOptimized": True,
    "SaleCycle": "",
    "SpotStrategy": "NoSpot",
    "Description": "",
    "KeyPairName": "",
    "ClusterId": "",
    "GPUAmount": 0,
    "GPUSpec": "",
    "DedicatedHostAttribute": {"DedicatedHostId": "", "DedicatedHostName": ""},
    "MetadataOptions": {"HttpEndpoint": "enabled", "HttpTokens": "optional"},
    "InternetChargeType": "PayByTraffic",
    "InternetMaxBandwidthIn": -1,
    "RdmaIpAddress": {"IpAddress": []},
}
WORDS: dict[str, Callable[[Machine], list[str]]] = {
    "ZoneId": lambda m: [m.zone],
    "VpcId": lambda m: [m.vpc_id],
    "VSwitchId": lambda m: [m.vswitch_id],
    "InstanceType": lambda m: [m.instance_type],
    "InstanceTypeFamily": lambda m: [family(m)],
    "InstanceChargeType": lambda m: [m.charge_type],
    "ImageId": lambda m: [m.image_id],
    "SecurityGroupId": lambda m: m.security_group_ids,
    "ResourceGroupId": lambda m: [m.resource_group_id],
    "InstanceNetworkType": lambda m: [m.network],
    "Status": lambda m: [m.status],
    "LockReason": lambda m: m.lock_reasons,
    "KeyPairName": lambda m: [],
    "HpcClusterId": lambda m: [],
}
CLOSED = {
    "Status": (STATUSES, "InvalidStatus.NotFound"),
    "LockReason": (LOCK_REASONS, "InvalidLockReason.NotFound"),
    "InstanceNetworkType": (("vpc", "classic"), "InvalidNetworkType.NotFound"),
    "InstanceChargeType": (("PrePaid", "PostPaid"), "InvalidInstanceChargeType.NotFound"),
}


def describe_regions(call: Call) -> dict:
    language = call.params.text("AcceptLanguage", "zh-CN")
    if language not in LANGUAGES:
        raise Refusal(
            404, "InvalidAcceptLanguage.NotFound", f"AcceptLanguage is one of {LANGUAGES}."
        )
    regions = call.cloud.world.regions
    return {
        "Regions": {
            "Region": [
                {
                    "RegionId": region.region_id,
                    "LocalName": region.local_name if language == "zh-CN" else region.local_name_en,
                    "RegionEndpoint": region.endpoint,
                    "Status": "available",
                }
                for region in regions
            ]
        }
    }


def describe_instances(call: Call) -> dict:
    region, params = call.region, call.params
    wanted = _asked(params)
    if params.flag("DryRun"):
        if not call.key.may(call.operation):
            raise forbidden(call.operation, call.key.id)
        raise Refusal(400, "DryRunOperation", "Request validation has been passed with DryRun.")
    machines = call.cloud.machines(region) if call.key.may(call.operation) else []
    found = [machine for machine in machines if all(fits(machine) for fits in wanted)]
    part = page(found, params, LIMITS, lambda machine: machine.instance_id, call.scope)
    return {"Instances": {"Instance": [shown(machine) for machine in part.rows]}, **part.keys}


def _asked(params: Parameters) -> list[Fits]:
    """One predicate a filter; all of them must fit."""
    wanted = [*_identities(params), *_words(params), *_times(params)]
    for key, value in tags(params):
        wanted.append(lambda m, k=key, v=value: k in m.tags and v in (None, m.tags[k]))
    return wanted


def _identities(params: Parameters) -> Iterator[Fits]:
    lists = {
        "InstanceIds": lambda m: [m.instance_id],
        "PrivateIpAddresses": lambda m: m.private_ips if m.vpc_id else [],
        "PublicIpAddresses": lambda m: m.public_ips,
        "EipAddresses": lambda m: [m.eip] if m.eip else [],
        "InnerIpAddresses": lambda m: [] if m.vpc_id else m.private_ips,
    }
    for name, of in lists.items():
        asked = params.json_list(name)
        if asked is not None:
            yield lambda m, of=of, asked=frozenset(asked): not asked.isdisjoint(of(m))


def _words(params: Parameters) -> Iterator[Fits]:
    for name, (allowed, code) in CLOSED.items():
        if (value := params.text(name)) and value not in allowed:
            raise Refusal(404, code, f"The specified {name} is not one of {', '.join(allowed)}.")
    for name, of in WORDS.items():
        if value := params.text(name):
            yield lambda m, of=of, value=value: value in of(m)
    if name := params.text("InstanceName"):
        pattern = name.replace("[", "[[]").replace("?", "[?]")
        yield lambda m: fnmatchcase(m.name, pattern)


def _times(params: Parameters) -> Iterator[Fits]:
    for number, entry in enumerate(params.structures("Filter"), 1):
        key = entry.get("Key", "")
        if key not in FILTERS:
            raise Refusal(404, "InvalidFilterKey.NotFound", f"Filter.N.Key is one of {FILTERS}.")
        moment = params.moment(f"Filter.{number}.Value")
        if moment is None:
            raise invalid(f"Filter.{number}.Value", "a UTC time is needed")
        of = "created_at" if key.startswith("Creation") else "expires_at"
        start = key.endswith("StartTime")
        yield (
            lambda m, of=of, start=start, at=moment: (
                getattr(m, of) is not None and (getattr(m, of) >= at) == start
            )
        )


def tags(params: Parameters, name: str = "Tag") -> list[tuple[str, str | None]]:
    """The tag filter: at most 20; a key without a value fits any value."""
    asked = params.structures(name)
    if len(asked) > 20:
        raise Refusal(400, "InvalidTagCount", "At most 20 tags are allowed.")
    if any(not tag.get("Key") for tag in asked):
        raise Refusal(400, "InvalidTag.Mismatch", f"{name}.N.Key must not be empty.")
    return [(tag["Key"], tag.get("Value")) for tag in asked]


def family(machine: Machine) -> str:
    return ".".join(machine.instance_type.split(".")[:2])


def shown(machine: Machine) -> dict:
    """One machine as DescribeInstances tells it."""
    return {
        **_names(machine),
        **_network(machine),
        "CreationTime": minutes(machine.created_at),
        "StartTime": minutes(machine.started_at),
        "ExpiredTime": minutes(machine.expires_at),
        "InstanceChargeType": machine.charge_type,
        "StoppedMode": machine.stopped_mode if machine.status == "Stopped" else "Not-applicable",
        "Tags": {"Tag": [{"TagKey": k, "TagValue": v} for k, v in machine.tags.items()]},
        "OperationLocks": {
            "LockReason": [{"LockReason": why, "LockMsg": ""} for why in machine.lock_reasons]
        },
        "ResourceGroupId": machine.resource_group_id,
        **ALIKE,
    }


def _names(machine: Machine) -> dict:
    return {
        "InstanceId": machine.instance_id,
        "InstanceName": machine.name,
        "HostName": machine.hostname,
        "Status": machine.status,
        "RegionId": machine.region,
        "ZoneId": machine.zone,
        "InstanceType": machine.instance_type,
        "InstanceTypeFamily": family(machine),
        "Cpu": machine.cpu,
        "Memory": machine.memory_mib,
        "OSName": machine.os_name,
        "OSNameEn": machine.os_name_en,
        "OSType": machine.os_type,
        "ImageId": machine.image_id,
        "SerialNumber": machine.serial_number,
    }


def _network(machine: Machine) -> dict:
    eip = {"AllocationId": "", "IpAddress": "", "InternetChargeType": ""}
    if machine.eip:
        allocation = f"eip-{machine.instance_id[2:]}"
        eip = {
            "AllocationId": allocation,
            "IpAddress": machine.eip,
            "Bandwidth": 5,
            "InternetChargeType": "PayByTraffic",
        }
    private = {"IpAddress": machine.private_ips}
    nothing = {"IpAddress": []}
    inside = machine.network == "vpc"
    return {
        "InstanceNetworkType": machine.network,
        "InnerIpAddress": nothing if inside else private,
        "VpcAttributes": {
            "VpcId": machine.vpc_id,
            "VSwitchId": machine.vswitch_id,
            "NatIpAddress": "",
            "PrivateIpAddress": private if inside else nothing,
        },
        "PublicIpAddress": {"IpAddress": machine.public_ips},
        "EipAddress": eip,
        "InternetMaxBandwidthOut": 5 if machine.public_ips else 0,
        "SecurityGroupIds": {"SecurityGroupId": machine.security_group_ids},
        "NetworkInterfaces": {"NetworkInterface": _interfaces(machine)},
    }


def _interfaces(machine: Machine) -> list[dict]:
    return [
        {
            "NetworkInterfaceId": f"eni-{machine.instance_id[2:]}{number or ''}",
            "Type": "Secondary" if number else "Primary",
            "MacAddress": "",
            "PrimaryIpAddress": address,
            "PrivateIpSets": {"PrivateIpSet": [{"PrivateIpAddress": address, "Primary": True}]},
            "Ipv6Sets": {"Ipv6Set": []},
            "Ipv4PrefixSets": {"Ipv4PrefixSet": []},
            "Ipv6PrefixSets": {"Ipv6PrefixSet": []},
        }
        for number, address in enumerate(machine.private_ips)
    ]
