"""The rule against removing the root directory says the same without looking ahead, which the
engine does not know any more. A script that takes its machine down demands approval: it is a
reboot. Where somebody changed the first rule, or named one like the second, it stays as it is."""

from django.db import migrations

BEFORE = (
    r"\brm(?=[^;&|\n]{0,500}\s-(?:\w{0,9}r|-recursive))"
    r"[^;&|\n]{0,500}\s[\"']?/[/.*]*(?=[\s\"';&|)`}]|$)"
)
TREE = r"-(?:\w{0,9}r|-recursive)"  # an option to go down the tree
ROOT = r"\s[\"']?/[/.*]*"  # and the root among what is removed, in either order
PATTERN = (
    rf"\brm(?:[^;&|\n]*\s{TREE}[^;&|\n]*{ROOT}(?:[\s\"';&|)`}}]|$)"
    rf"|[^;&|\n]*{ROOT}[\s\"')`}}](?:[^;&|\n]*\s)?{TREE})"
)
DOWN = {
    "name": "Going down by exit code",
    "pattern": r"\bexit\b[\s(]*(?:/b\s+)?[\"']?(?:19[34]|30(?:09|10))\b",
    "verb": "approve",
    "message": "The instances restart or stop when the script ends.",
}


def change(apps, schema_editor):
    rules = apps.get_model("commands", "PolicyRule").objects
    rules.filter(pattern=BEFORE).update(pattern=PATTERN)
    rules.get_or_create(name=DOWN["name"], defaults=DOWN)


class Migration(migrations.Migration):
    dependencies = [("commands", "0018_what_could_not_be_asked")]
    operations = [migrations.RunPython(change, migrations.RunPython.noop)]
