"""Try each call the portal needs and say which right is missing. Changes nothing anywhere."""

from __future__ import annotations

from argparse import ArgumentParser
from dataclasses import asdict
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

from instances import ecs, rights
from instances.models import CloudAccount
from portal import cli


class Command(BaseCommand):
    help = (
        "Tries each call that the portal needs, per account and region, and names the RAM "
        "actions that are missing. Runs nothing on any instance. Policies are in docs/ram/."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--account", help="only this cloud account")
        parser.add_argument("--region", action="append", help="only this region (repeatable)")
        cli.add_format(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        accounts = CloudAccount.objects.filter(enabled=True)
        if options["account"] and not accounts.filter(name=options["account"]).exists():
            raise cli.BadUsage(f"--account {options['account']}: no enabled account has this name")
        if options["account"]:
            accounts = accounts.filter(name=options["account"])
        checked = [_checked(account, options["region"]) for account in accounts]
        told = {"mode": ecs.mode(), "accounts": checked}
        cli.show(self.stdout, told, options["format"], _text)
        if any(account["problem"] for account in checked):
            raise cli.CloudUnreachable("not everything could be asked")


def _checked(account: CloudAccount, names: list[str] | None) -> dict[str, Any]:
    signing, findings, problem = account.signing(), [], ""
    try:
        for region in _regions(signing, names):
            findings += rights.check(signing, region)
    except ecs.EcsError as error:
        problem = str(error)
    unknown = [finding.note for finding in findings if finding.state == rights.UNKNOWN]
    return {
        "account": account.name,
        "problem": problem or (unknown[0] if unknown else ""),
        "modes": {mode: rights.possible(mode, findings) for mode in ecs.MODES} if findings else {},
        "missing": sorted({f.action for f in findings if f.state == rights.MISSING}),
        "rights": [asdict(finding) for finding in findings],
    }


def _regions(account: ecs.Account, names: list[str] | None) -> list[str]:
    """Where to look: as told, as configured, or wherever ECS offers; at least one region."""
    if wanted := names or settings.ECS_REGIONS:
        return list(wanted)
    try:
        return sorted(region.region_id for region in ecs.regions(account).value)
    except ecs.NotPermitted:
        return [ecs.HOME_REGION]


def _text(told: dict[str, Any]) -> str:
    lines = [f"PORTAL_MODE is {told['mode']}"]
    for account in told["accounts"]:
        lines += _account_lines(account)
    return "\n".join(lines)


def _account_lines(account: dict[str, Any]) -> list[str]:
    lines, region = [], ""
    for right in account["rights"]:
        if right["region"] != region:
            region = right["region"]
            lines += ["", f"{account['account']}/{region}"]
        lines.append(
            f"  {right['state']:<10}  {right['mode']:<8}  {right['action']}  ({right['note']})"
        )
    modes = ", ".join(f"{mode}: {answer}" for mode, answer in account["modes"].items())
    lines += ["", f"{account['account']}: rights suffice for {modes}" if modes else ""]
    if account["missing"]:
        lines.append(f"{account['account']}: missing {', '.join(account['missing'])}")
    if account["problem"]:
        lines.append(f"{account['account']}: {account['problem']}")
    return lines
