import django.utils.timezone
from django.db import migrations, models


def begin(apps, schema_editor):
    """What was before this row is not in the record."""
    apps.get_model("catalog", "AccessChange").objects.create(what="began")


class Migration(migrations.Migration):

    dependencies = [
        ('catalog', '0003_grants_by_hand_and_use'),
    ]

    operations = [
        migrations.CreateModel(
            name='AccessChange',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('recorded_at', models.DateTimeField(db_index=True, default=django.utils.timezone.now)),
                ('what', models.CharField(choices=[('began', 'Began'), ('member', 'Member'), ('grant', 'Grant'), ('account', 'Account')], max_length=7)),
                ('holds', models.BooleanField(default=True)),
                ('user_id', models.BigIntegerField(db_index=True, null=True)),
                ('group', models.CharField(blank=True, db_index=True, max_length=150)),
                ('level', models.CharField(blank=True, max_length=9)),
                ('row', models.BigIntegerField(null=True)),
                ('scope_uid', models.UUIDField(null=True)),
                ('permission', models.CharField(blank=True, max_length=100)),
                ('expires_at', models.DateTimeField(null=True)),
                ('before', models.JSONField(default=dict)),
                ('after', models.JSONField(default=dict)),
                ('actor', models.CharField(blank=True, max_length=255)),
            ],
            options={
                'ordering': ['id'],
            },
        ),
        migrations.RunPython(begin, migrations.RunPython.noop),
    ]
