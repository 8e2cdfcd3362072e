from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [('commands', '0003_fill_outcomes')]
    operations = [
        migrations.AddConstraint(
            model_name='target',
            constraint=models.CheckConstraint(condition=models.Q(('over', False), models.Q(('outcome', ''), _negated=True), _connector='XOR'), name='target_over_has_outcome'),
        ),
    ]
