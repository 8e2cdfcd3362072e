"""The rules that every portal starts with; administrators change or delete them."""

from django.db import migrations

RULES = [
    (
        "Removing the root directory",
        r"\brm\s+(-{1,2}[\w-]+\s+)*-\w*[rR]\w*\s+(-{1,2}[\w-]+\s+)*[\"']?/(\*|\s|[\"']|;|&|\||$)",
        "",
        "refuse",
        "rm -r on / destroys the system.",
    ),
    (
        "Formatting or overwriting a disk",
        r"\b(mkfs(\.\w+)?|wipefs|blkdiscard)\s|\bdd\b[^\n]*\bof=/dev/(sd|vd|nvme|xvd|hd)"
        r"|\bFormat-Volume\b|\bClear-Disk\b",
        "",
        "approve",
        "What is on the disk is lost.",
    ),
    (
        "Going down without the exit code",
        r"(^|[;&|]\s*|\bsudo\s+)(shutdown|reboot|poweroff|halt|init\s+[06]|telinit\s+[06]"
        r"|systemctl\s+(reboot|poweroff|halt|kexec))\b"
        r"|\b(Restart-Computer|Stop-Computer)\b",
        "",
        "warn",
        "Cloud Assistant loses the script's result when the machine goes down under it. End the "
        "script with exit 194 (restart) or 193 (stop), on Windows with 3010 or 3009, instead.",
    ),
    (
        "Protected instances",
        "",
        "protected",
        "approve",
        "At least one instance carries the tag protected.",
    ),
]


def make(apps, schema_editor):
    PolicyRule = apps.get_model("commands", "PolicyRule")
    for name, pattern, tag_key, verb, message in RULES:
        told = {"pattern": pattern, "tag_key": tag_key, "verb": verb, "message": message}
        PolicyRule.objects.get_or_create(name=name, defaults=told)


class Migration(migrations.Migration):
    dependencies = [("commands", "0007_policy_and_approvals")]
    operations = [migrations.RunPython(make, migrations.RunPython.noop)]
