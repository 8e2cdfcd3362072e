"""DescribeAccountAttributes: the quotas that Cloud Assistant keeps."""

from __future__ import annotations

from simulator.cloud import Call
from simulator.library import QUOTA
from simulator.runs import DAILY_RUNS

ATTRIBUTES = {"max-axt-command-count": QUOTA, "max-axt-invocation-daily": DAILY_RUNS}


def describe_account_attributes(call: Call) -> dict:
    """Only these two are known here; others that are asked for are left out."""
    wanted = call.params.listed("AttributeName") or list(ATTRIBUTES)
    _region = call.region
    return {
        "AccountAttributeItems": {
            "AccountAttributeItem": [
                {
                    "AttributeName": name,
                    "AttributeValues": {"ValueItem": [{"Value": str(ATTRIBUTES[name])}]},
                }
                for name in wanted
                if name in ATTRIBUTES
            ]
        }
    }
