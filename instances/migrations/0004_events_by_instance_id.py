from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("instances", "0003_quota_of_runs")]
    operations = [
        migrations.AddIndex(
            model_name="systemevent",
            index=models.Index(fields=["instance_id_text"], name="instances_s_instanc_ff1973_idx"),
        )
    ]
