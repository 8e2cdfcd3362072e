"""E-mail to persons is one channel like the others; the first rule tells those whom it concerns."""

from django.db import migrations

CONCERNING = [
    "approval.asked",
    "approval.reminder",
    "approval.decided",
    "approval.expired",
    "reboot.paused",
    "reboot.halted",
    "reboot.finished",
    "run.finished_badly",
    "schedule.missed",
    "case.finished",
]


def make(apps, schema_editor):
    apps.get_model("notices", "Channel").objects.get_or_create(
        kind="people", defaults={"name": "E-mail to persons"}
    )
    apps.get_model("notices", "Rule").objects.get_or_create(
        name="Those whom it concerns", defaults={"events": CONCERNING, "concerned": True}
    )


class Migration(migrations.Migration):
    dependencies = [("notices", "0001_channels_rules_and_messages")]

    operations = [migrations.RunPython(make, migrations.RunPython.noop)]
