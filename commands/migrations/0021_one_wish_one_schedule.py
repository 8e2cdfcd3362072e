
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('commands', '0020_rules_that_miss_less'),
    ]

    operations = [
        migrations.AddField(
            model_name='schedule',
            name='once',
            field=models.UUIDField(editable=False, null=True, unique=True),
        ),
    ]
