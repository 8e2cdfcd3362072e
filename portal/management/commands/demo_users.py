"""One person per role for the demo, with printed passwords: on the simulated cloud only."""

from __future__ import annotations

import json
from argparse import ArgumentParser

from django.conf import settings
from django.contrib.auth.models import Group, User
from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

from instances.models import Scope
from portal import audit
from portal.access import ROLES
from portal.backends import DEMO_MAIL


class Command(BaseCommand):
    help = "Creates a user per role whose password is `demo-ROLE`; refuses on a real cloud."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--format", choices=["text", "json"], default="text")

    def handle(self, *args: object, **options: str) -> None:
        if not settings.ECS_IS_LOCAL:
            raise CommandError(
                "demo users have public passwords: they are made only while ECS_ENDPOINT is a "
                "loopback address (the simulator)",
                returncode=2,
            )
        people = {role: f"demo-{role}" for role in ROLES}
        for role, password in people.items():
            self._make(role, password)
        if options["format"] == "json":
            self.stdout.write(json.dumps(people))
            return
        for role, password in people.items():
            self.stdout.write(f"{role:<14} {password}")

    @transaction.atomic
    def _make(self, role: str, password: str) -> None:
        mail = f"{role}{DEMO_MAIL}"
        person, made = User.objects.get_or_create(username=role, defaults={"email": mail})
        person.groups.add(Group.objects.get(name=role))
        if made:
            person.set_password(password)
            person.save(update_fields=["password"])
            Scope.objects.create(user=person)  # the whole fleet
            audit.record(actor="demo_users", act="user.added", subject=person, via="command")
