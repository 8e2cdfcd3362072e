"""The first rules know more of the ways in which scripts say the same, on Windows too. To restart
by `reboot` demands approval as the exit code does: otherwise the way that loses the result would
be the easier one. Where somebody changed a rule, it stays as it is."""

from django.db import migrations

TREE = r"-(?:\w{0,9}r|-recursive)"
OLD_ROOT = r"\s[\"']?/[/.*]*"
ROOT = r"\s[\"']?/[/.*?]*"
ROOT_BEFORE = (
    rf"\brm(?:[^;&|\n]*\s{TREE}[^;&|\n]*{OLD_ROOT}(?:[\s\"';&|)`}}]|$)"
    rf"|[^;&|\n]*{OLD_ROOT}[\s\"')`}}](?:[^;&|\n]*\s)?{TREE})"
)
ROOT_NOW = (
    rf"\brm(?:[^;&|\n]*\s{TREE}[^;&|\n]*{ROOT}(?:[\s\"';&|)`}}]|$)"
    rf"|[^;&|\n]*{ROOT}[\s\"')`}}](?:[^;&|\n]*\s)?{TREE})"
    r"|--no-preserve-root\b"
    rf"|\bcd\s+[\"']?/+[\"']?\s*(?:;|&&|\n)\s*(?:sudo\s+)?rm\s[^;&|\n]*{TREE}[^;&|\n]*\s(?:\./)?\*"
    r"|\bfind\s+/+\s+(?:-(?:xdev|mount|depth)\s+)*-delete\b"
)
DRIVE = r"\s[\"']?(?:c:|\$env:systemdrive|%systemdrive%)[\\/]+[*.]*(?:[\s\"';&|)]|$)"
DOWN_ALL = r"\s(?:/s|-r)"
DRIVE_NOW = {
    "name": "Removing the system drive",
    "pattern": (
        r"\b(?:remove-item|rmdir|rd|ri|rm|del|erase)\b"
        rf"(?:[^;&|\n]*{DOWN_ALL}[^;&|\n]*{DRIVE}|[^;&|\n]*{DRIVE}(?:[^;&|\n]*\s)?(?:/s|-r))"
    ),
    "verb": "refuse",
    "message": "What is on the system drive is lost.",
}
DISK_BEFORE = (
    r"\b(mkfs(\.\w+)?|wipefs|blkdiscard)\s|\bdd\b[^\n]*\bof=/dev/(sd|vd|nvme|xvd|hd)"
    r"|\bFormat-Volume\b|\bClear-Disk\b"
)
DISK = r"[\"']?/dev/(?:[shv]d[a-z]|xvd|nvme|md\d|dm-|mapper/|disk/)"
DISK_NOW = (
    r"\b(?:mkfs(?:\.\w+)?|mke2fs|mkswap|wipefs|blkdiscard|vgremove|lvremove|luksFormat)\s"
    rf"|(?:\bdd\b[^\n]*\bof=|\bshred\b[^\n]*\s|\btee\s+(?:-a\s+)?|>\s*){DISK}"
    r"|\bsgdisk\s+(?:-[zo]|--zap|--clear)|\bparted\b[^\n]*\bmk(?:label|table|part)"
    r"|\b(?:Format-Volume|Clear-Disk|Initialize-Disk|Remove-Partition|diskpart)\b"
    r"|(?:^|[;&|(]|/c)\s*format(?:\.com)?\s+[\"']?[a-z]:"
)
REBOOT_BEFORE = (
    r"(^|[;&|]\s*|\bsudo\s+)(shutdown|reboot|poweroff|halt|init\s+[06]|telinit\s+[06]"
    r"|systemctl\s+(reboot|poweroff|halt|kexec))\b"
    r"|\b(Restart-Computer|Stop-Computer)\b"
)
LEAD = (
    r"(?:^|[;&({`]|\|\||\b(?:then|else|do|exec|nohup|setsid|command|sudo(?:\s+-\S+)*)\s"
    r"|\s-c\s+[\"']?)\s*(?:\S*/)?"
)
REBOOT_NOW = (
    LEAD + r"(?:(?:reboot|poweroff|halt|(?:tel)?init\s+[06]|kexec\s+-e"
    r"|systemctl\s+(?:-\S+\s+|start\s+|isolate\s+)*(?:reboot|poweroff|halt|kexec))(?:[\s\"';&)`.]|$)"
    r"|shutdown(?:\.exe)?(?:[ \t]+(?:[-/][^ca]|[^-/\s])|\s*(?:[\"';&)`]|$)))"
    r"|\b(?:Restart|Stop)-Computer\b|(?:>|\btee)\s*/proc/sysrq-trigger"
)
CODE_BEFORE = r"\bexit\b[\s(]*(?:/b\s+)?[\"']?(?:19[34]|30(?:09|10))\b"
CODE = r"0*(?:19[34]|449|450|3009|3010)\b|-6[23]\b"  # a shell takes them modulo 256
CODE_NOW = (
    rf"(?:exit|\breturn)\b[\s(]*(?:/b\s+)?[\"']?(?:{CODE})"
    rf"|(?s:=\s*[\"']?(?:{CODE}).*\bexit\s+(?:/b\s+)?[\"']?[$%][\w{{])"
)
PASSED_ON = {
    "name": "Passing on an installer's exit code",
    "pattern": (
        r"(?s:\b(?:msiexec|wusa|dism|Start-Process)\b.*\bexit\b[^\n]*"
        r"(?:\$LASTEXITCODE|ExitCode\b|%errorlevel%))"
    ),
    "verb": "warn",
    "message": (
        "Installers end with 3010 where they want a restart, and Cloud Assistant then restarts "
        "the machine."
    ),
}


def change(apps, schema_editor):
    rules = apps.get_model("commands", "PolicyRule").objects
    for before, now in (
        (ROOT_BEFORE, ROOT_NOW),
        (DISK_BEFORE, DISK_NOW),
        (CODE_BEFORE, CODE_NOW),
    ):
        rules.filter(pattern=before).update(pattern=now)
    rules.filter(pattern=REBOOT_BEFORE, verb="warn").update(verb="approve")
    rules.filter(pattern=REBOOT_BEFORE).update(pattern=REBOOT_NOW)
    for rule in (DRIVE_NOW, PASSED_ON):
        rules.get_or_create(name=rule["name"], defaults=rule)


class Migration(migrations.Migration):
    dependencies = [("commands", "0019_rules_in_linear_time")]
    operations = [migrations.RunPython(change, migrations.RunPython.noop)]
