"""Whoever was told that an instance did not come back hears that it did. Where somebody changed
the first rule, it stays as it is."""

from django.db import migrations

BEFORE = [
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


def change(apps, schema_editor):
    for rule in apps.get_model("notices", "Rule").objects.filter(name="Those whom it concerns"):
        if rule.events == BEFORE:
            rule.events = [*BEFORE, "back_to_normal"]
            rule.save(update_fields=["events"])


class Migration(migrations.Migration):
    dependencies = [("notices", "0004_find_what_was_not_sent")]
    operations = [migrations.RunPython(change, migrations.RunPython.noop)]
