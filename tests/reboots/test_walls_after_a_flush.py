"""The walls stand after whatever makes and empties tables."""

import pytest
from django.core.management import call_command
from django.core.management.sql import emit_post_migrate_signal, emit_pre_migrate_signal
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


def rebuild(model: type, name: str) -> None:
    """Alter a field there and back, as a migration does: SQLite copies the table for it."""
    field = model._meta.get_field(name)
    longer = field.clone()
    longer.max_length += 1
    longer.set_attributes_from_name(name)
    longer.model = model
    with connection.schema_editor() as editor:
        editor.alter_field(model, field, longer, strict=True)
        editor.alter_field(model, longer, field, strict=True)


def test_they_stand_after_a_flush_and_after_a_migration():
    names = {wall.name for wall in WALLS}
    assert names <= standing()
    call_command("flush", verbosity=0, interactive=False)
    assert names <= standing()
    emit_pre_migrate_signal(0, False, "default")
    rebuild(RebootBatch, "ticket")
    emit_post_migrate_signal(0, False, "default")
    assert names <= standing()
    with pytest.raises(IntegrityError, match="nobody has approved"):
        draft(cleared="all", state="ready").save()
    assert not RebootBatch.objects.exists()
