"""Runs from before outcomes were kept get theirs; their outputs get what they are grouped by."""

import zlib
from hashlib import sha256

from django.db import migrations
from django.db.models import Count

from commands.masking import masked

OUTCOMES = {
    "Success": "ok",
    "Failed": "failed",
    "Error": "failed",
    "Timeout": "failed",
    "Invalid": "unreached",
    "Aborted": "unreached",
    "refused": "unreached",
    "Cancelled": "stopped",
    "Terminated": "stopped",
    "no_answer": "unknown",
}


def fill(apps, schema_editor):
    Target = apps.get_model("commands", "Target")
    ended = Target.objects.filter(over=True, outcome="")
    for status, outcome in OUTCOMES.items():
        ended.filter(status=status).update(outcome=outcome)
    ended.update(outcome="failed")
    for dispatch in apps.get_model("commands", "Dispatch").objects.filter(size=0).iterator():
        dispatch.size = dispatch.targets.count()
        dispatch.save(update_fields=["size"])
    for run in apps.get_model("commands", "Invocation").objects.filter(size=0).iterator():
        run.size = run.targets.count()
        if run.state == "finished":
            rows = run.targets.order_by().values_list("outcome").annotate(Count("pk"))
            run.outcomes = dict(rows)
        run.save(update_fields=["size", "outcomes"])
    for output in apps.get_model("commands", "Output").objects.filter(alike="").iterator():
        body = zlib.decompress(bytes(output.packed))
        output.alike = sha256(masked(body)).hexdigest()
        output.save(update_fields=["alike"])


class Migration(migrations.Migration):
    dependencies = [("commands", "0002_saved_commands_and_whole_runs")]
    operations = [migrations.RunPython(fill, migrations.RunPython.noop)]
