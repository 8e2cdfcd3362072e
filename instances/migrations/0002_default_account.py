"""Every installation signs by the default credential chain until somebody says otherwise."""

from django.db import migrations
from django.utils import timezone


def make(apps, schema_editor):
    apps.get_model("instances", "CloudAccount").objects.get_or_create(
        name="default", defaults={"due_at": timezone.now()}
    )


class Migration(migrations.Migration):
    dependencies = [("instances", "0001_initial")]
    operations = [migrations.RunPython(make, migrations.RunPython.noop)]
