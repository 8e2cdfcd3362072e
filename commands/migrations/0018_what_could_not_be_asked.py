from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("commands", "0017_rules_that_read_as_a_shell_does")]
    operations = [
        migrations.RenameField("rebootwave", "probed_at", "looked_at"),
        migrations.AlterField(
            "rebootwave",
            "looked_at",
            models.DateTimeField(null=True, verbose_name="instances looked at"),
        ),
        migrations.AddField(
            "rebootbatch",
            "look_problems",
            models.JSONField(default=list, editable=False, verbose_name="could not be asked"),
        ),
    ]
