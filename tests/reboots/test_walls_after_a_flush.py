"""The walls stand after whatever makes and empties tables."""

import pytest
from django.core.management import call_command
from django.db import IntegrityError, connection

from commands.models import RebootBatch
from commands.walls import WALLS
from tests.reboots.driving import draft

pytestmark = pytest.mark.django_db(transaction=True)
STANDING = {
    "sqlite": "select name from sqlite_master where type = 'trigger'",
    "postgresql": "select tgname from pg_trigger where not tgisinternal",
}


def standing() -> set[str]:
    with connection.cursor() as cursor:
        cursor.execute(STANDING[connection.vendor])
        return {name for (name,) in cursor.fetchall()}


def test_they_stand_after_a_flush_and_after_migrations_back_and_forth():
    names = {wall.name for wall in WALLS}
    assert names <= standing()
    call_command("flush", verbosity=0, interactive=False)
    assert names <= standing()
    call_command("migrate", "commands", "0013", verbosity=0)  # rebuilds tables on SQLite
    call_command("migrate", verbosity=0)
    assert names <= standing()
    with pytest.raises(IntegrityError, match="nobody has approved"):
        draft(cleared="all", state="ready").save()
    assert not RebootBatch.objects.exists()
