"""The rule against removing the root directory knows more ways to write it, and no text makes it
slow. Where somebody changed the rule it stays as it is."""

from django.db import migrations

BEFORE = r"\brm\s+(-{1,2}[\w-]+\s+)*-\w*[rR]\w*\s+(-{1,2}[\w-]+\s+)*[\"']?/(\*|\s|[\"']|;|&|\||$)"
PATTERN = (
    r"\brm(?=[^;&|\n]{0,500}\s-(?:\w{0,9}r|-recursive))"  # an option to go down the tree
    r"[^;&|\n]{0,500}\s[\"']?/[/.*]*(?=[\s\"';&|)`}]|$)"  # and the root among what is removed
)


def change(apps, schema_editor):
    rules = apps.get_model("commands", "PolicyRule").objects
    rules.filter(pattern=BEFORE).update(pattern=PATTERN)


class Migration(migrations.Migration):
    dependencies = [("commands", "0001_squashed_0016_a_batch_that_was_changed")]
    operations = [migrations.RunPython(change, migrations.RunPython.noop)]
