"""`manage.py diagnose`: a case from the command line, carried to its end right here."""

from __future__ import annotations

import re
import sys
import time
from argparse import ArgumentParser
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.core.management.base import BaseCommand
from django.utils import timezone
from django.utils.dateparse import parse_datetime

from commands import jobs as command_jobs
from diagnostics import cases, jobs, stages
from diagnostics.forms import OLDEST, REGION, UNSEEN, WITHIN_LEAST, WITHIN_MOST
from diagnostics.models import DiagnosisCase, StepState
from diagnostics.report import rendered
from diagnostics.speech import clock
from instances import lookup
from instances.models import CloudAccount, Instance
from portal.access import NotAllowed, acting_as

DONE, BAD_USAGE, UNKNOWN_INSTANCE, UNREACHABLE = 0, 2, 3, 4
NO_SUCH_REGION = "InvalidRegionId.NotFound"
FORMS = {"markdown": "md", "json": "json", "html": "html"}
LONGEST = timedelta(minutes=8)  # every stage has its own limit; this is the net below them
NAME = re.compile(r"[^\s\"'<>\\;|`$]{1,128}")


class Command(BaseCommand):
    help = (
        "Find out why an instance went down. Prints the report. Exit codes: 0 done (also when"
        " nothing could be determined), 2 bad usage, 3 unknown instance, 4 cloud unreachable."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("instance", help="instance ID, IP address, name or hostname")
        parser.add_argument("--region", required=True, help="such as cn-hangzhou")
        parser.add_argument("--account", default="default", help="name of the cloud account")
        parser.add_argument("--at", help="when it went down: ISO 8601; without a zone, TIME_ZONE")
        parser.add_argument("--within", type=int, default=30, help="± minutes (default 30)")
        parser.add_argument("--language", default="en", choices=dict(settings.LANGUAGES))
        parser.add_argument("--copy", default="internal", choices=("internal", "customer"))
        parser.add_argument(
            "--as", dest="person", default="", metavar="USER", help="sees and may what USER does"
        )
        parser.add_argument("--format", default="markdown", choices=FORMS)

    def handle(self, *args: Any, **asked: Any) -> None:
        case = self._opened(asked)
        _carry_to_its_end(case)
        case.refresh_from_db()
        if not case.over:
            self._stop(UNREACHABLE, f"case {case.pk} is still {case.get_state_display()}")
        self.stdout.write(rendered(case, asked["copy"], FORMS[asked["format"]]))
        code = _outcome(case)
        if code != DONE:
            self._stop(code, EXPLAINED[code] % {"name": asked["instance"], **asked})

    def _opened(self, asked: dict[str, Any]) -> DiagnosisCase:
        account = CloudAccount.objects.filter(name=asked["account"]).first()
        problem = _problem(asked, account)
        if problem:
            self._stop(BAD_USAGE, problem)
        try:
            person = acting_as(asked["person"], "diagnostics.add_diagnosiscase")
        except NotAllowed as refusal:
            self._stop(BAD_USAGE, f"--as: {refusal}")
        known = Instance.objects.filter(account=account, region=asked["region"])
        if person:
            known = known.visible_to(person)
        matches = lookup.find(known, asked["instance"])
        if matches.ambiguous or len(matches.found) > 1:
            several = matches.found or [i for rows in matches.ambiguous.values() for i in rows]
            ids = ", ".join(each.instance_id for each in several)
            self._stop(BAD_USAGE, f"{asked['instance']} names several instances: {ids}")
        return cases.open_case(
            opened_by=person,
            via="command",
            instance=matches.found[0] if matches.found else None,
            instance_text=asked["instance"],
            region=asked["region"],
            account=account,
            seen_at=_time(asked["at"]) if asked["at"] else None,
            seen_zone=settings.TIME_ZONE,
            seen_within=asked["within"],
            language=asked["language"],
            ring=False,
        )

    def _stop(self, code: int, message: str) -> None:
        self.stdout.flush()
        self.stderr.write(f"diagnose: {message}")
        sys.exit(code)


EXPLAINED = {
    UNKNOWN_INSTANCE: "ECS lists no instance %(name)s in %(region)s (account %(account)s)",
    UNREACHABLE: "the cloud could not be reached; the report says what was asked",
}


def _problem(asked: dict[str, Any], account: CloudAccount | None) -> str:
    """The first thing wrong with the arguments, naming it and what is allowed."""
    if UNSEEN.search(asked["instance"]) or not NAME.fullmatch(asked["instance"].strip()):
        return "instance: an ID, IP address, name or hostname of 1 to 128 characters is allowed"
    if not REGION.fullmatch(asked["region"]) or len(asked["region"]) > 40:
        return "--region: small letters, digits and dashes are allowed, such as cn-hangzhou"
    if account is None:
        names = ", ".join(CloudAccount.objects.values_list("name", flat=True)) or "none"
        return f"--account: there is no {asked['account']!r}; there are: {names}"
    if not WITHIN_LEAST <= asked["within"] <= WITHIN_MOST:
        return f"--within: {WITHIN_LEAST} to {WITHIN_MOST} minutes are allowed"
    return _time_problem(asked["at"]) if asked["at"] else ""


def _time_problem(text: str) -> str:
    at, now = _time(text), timezone.now()
    if at is None:
        return "--at: a date and time is allowed, such as 2026-11-20T02:30+08:00"
    if at > now + timedelta(minutes=2):
        return f"--at: {clock(at)} is in the future; it is {clock(now)}"
    if at < now - OLDEST:
        return f"--at: {clock(at)} is too long ago; at most {OLDEST.days} days are allowed"
    return ""


def _time(text: str) -> datetime | None:
    try:
        at = parse_datetime(text.strip())
        if at is None:
            return None
        at = at if at.tzinfo else at.replace(tzinfo=ZoneInfo(settings.TIME_ZONE))
        return at.astimezone(ZoneInfo("UTC"))
    except (ValueError, OverflowError):
        return None


def _carry_to_its_end(case: DiagnosisCase) -> None:
    """Do here what bells and workers do elsewhere; with workers about, both may take turns."""
    give_up = time.monotonic() + LONGEST.total_seconds()
    while time.monotonic() < give_up:
        jobs.advance(case.pk)
        case.refresh_from_db(fields=["state", "invocation", "due_at"])
        if case.over:
            return
        if case.invocation:
            for key in case.invocation.dispatches.values_list("pk", flat=True):
                command_jobs.carry_on(key)
        time.sleep(0.1)


def _outcome(case: DiagnosisCase) -> int:
    step = case.steps.get(key=stages.INSTANCE)
    if step.state != StepState.FAILED:
        return DONE
    if step.facts.get("error") == "NoAnswer":
        return UNREACHABLE
    if step.facts.get("code") == NO_SUCH_REGION or step.facts.get("listed") is False:
        return UNKNOWN_INSTANCE
    return DONE
