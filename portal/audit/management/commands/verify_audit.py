"""Whether the audit chain is whole. Exit code 0: it is; 1: it is not."""

from __future__ import annotations

import json
import sys
from argparse import ArgumentParser

from django.core.management.base import BaseCommand

from portal.audit import chain
from portal.audit.models import AuditEntry


class Command(BaseCommand):
    help = "Finds changed, deleted, inserted, reordered and cut-off audit entries."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--head", default="", help="a MAC from a log line `audit head N MAC`")
        parser.add_argument("--format", choices=["text", "json"], default="text")

    def handle(self, *args: object, **options: str) -> None:
        found = list(chain.problems(options["head"]))
        number = AuditEntry.objects.count()
        if options["format"] == "json":
            self.stdout.write(json.dumps({"entries": number, "problems": found}))
        else:
            for problem in found:
                self.stdout.write(problem)
            self.stdout.write(f"{number} entries, {len(found)} problems")
        if found:
            sys.exit(1)
