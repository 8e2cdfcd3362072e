"""Mirror instances, agents and events now, and say what came of it."""

from __future__ import annotations

import time
from argparse import ArgumentParser
from dataclasses import asdict
from typing import Any

from django.core.management.base import BaseCommand
from django.db.models import QuerySet
from django.utils import timezone

from instances import sync
from instances.models import CloudAccount, Region
from portal import cli, work
from portal.transitions import WrongState

PATIENCE = 60  # seconds to wait for a worker that reads the same region


class Command(BaseCommand):
    help = (
        "Mirrors instances, agent status and events of all configured regions. "
        "Exit code 4: something could not be read."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--account", help="only this cloud account")
        parser.add_argument("--region", action="append", help="only this region (repeatable)")
        parser.add_argument(
            "--accept-shrink",
            metavar="REGION",
            help="believe a doubted listing: what it lacked may be marked released",
        )
        cli.add_format(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        accounts = _accounts(options["account"])
        if options["accept_shrink"]:
            _accept(accounts, options["accept_shrink"])
        found = [_taken(CloudAccount, account.pk, sync.look_at_regions) for account in accounts]
        problems = [f"{look.account}: {look.problem}" for look in found if look and look.problem]
        if problems and not Region.objects.filter(account__in=accounts).exists():
            raise cli.CloudUnreachable("; ".join(problems))
        regions = _regions(accounts, options["region"])
        looks = [_taken(Region, region.pk, sync.look) for region in regions]
        told = {
            "regions": [asdict(look) for look in looks if look],
            "not_configured": [
                {"account": outcome.account, "region": region, "instances": count}
                for outcome in found
                if outcome
                for region, count in outcome.elsewhere.items()
            ],
            "problems": problems,
            "busy": [str(region) for region, look in zip(regions, looks, strict=True) if not look],
        }
        cli.show(self.stdout, told, options["format"], _text)
        failed = [look for look in looks if look and look.state == Region.State.FAILED]
        if failed or problems or told["busy"]:
            raise cli.CloudUnreachable("not everything could be read")


def _accounts(name: str | None) -> list[CloudAccount]:
    accounts = CloudAccount.objects.filter(enabled=True)
    if name and not accounts.filter(name=name).exists():
        raise cli.BadUsage(f"--account {name}: no enabled account has this name")
    return list(accounts.filter(name=name) if name else accounts)


def _regions(accounts: list[CloudAccount], names: list[str] | None) -> list[Region]:
    regions: QuerySet[Region] = Region.objects.filter(account__in=accounts, configured=True)
    known = set(regions.values_list("region_id", flat=True))
    if unknown := set(names or ()) - known:
        raise cli.BadUsage(
            f"--region {', '.join(sorted(unknown))}: configured are {', '.join(sorted(known))}"
        )
    chosen = regions.filter(region_id__in=names) if names else regions
    return list(chosen.select_related("account").order_by("account__name", "region_id"))


def _accept(accounts: list[CloudAccount], name: str) -> None:
    doubted = Region.objects.filter(account__in=accounts, region_id=name)
    if not doubted:
        raise cli.BadUsage(f"--accept-shrink {name}: no such region is mirrored")
    if len(doubted) > 1:
        raise cli.BadUsage(f"--accept-shrink {name}: several accounts have it; name --account")
    try:
        doubted[0].accept_shrink(cli.person(), via="command")
    except WrongState as error:
        raise cli.BadUsage(f"--accept-shrink {name}: {error}") from None


def _taken(model: Any, key: int, step: Any) -> Any:
    """The step's outcome, or None if a worker holds the row all the time."""
    deadline = time.monotonic() + PATIENCE
    while True:
        model.objects.filter(pk=key).update(due_at=timezone.now())
        if claim := work.claim(model, key):
            return step(claim)
        if time.monotonic() > deadline:
            return None
        time.sleep(0.5)


def _text(told: dict[str, Any]) -> str:
    lines = []
    for look in told["regions"]:
        counts = ", ".join(
            f"{look[name]} {name}" for name in ("new", "missed", "released", "back") if look[name]
        )
        line = f"{look['account']}/{look['region']}: {look['instances']} instances, {look['state']}"
        lines.append(line + (f" ({counts})" if counts else ""))
        if look["problem"]:
            lines.append(f"    {look['problem']}")
    for place in told["not_configured"]:
        lines.append(
            f"{place['account']}/{place['region']}: holds {place['instances']} instances "
            "but is not configured (ECS_REGIONS)"
        )
    lines += [f"{region}: being read by a worker all the time" for region in told["busy"]]
    return "\n".join(lines + told["problems"])
