import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('accounts', '0001_initial'),
        ('auth', '0012_alter_user_first_name_max_length'),
    ]

    operations = [
        migrations.AddField(
            model_name='accesstoken',
            name='actions',
            field=models.JSONField(blank=True, default=list, help_text='What it may be used for at most, as in roles; none means everything.'),
        ),
        migrations.AddField(
            model_name='accesstoken',
            name='last_used_at',
            field=models.DateTimeField(blank=True, editable=False, null=True),
        ),
        migrations.AddField(
            model_name='accesstoken',
            name='namespace',
            field=models.CharField(blank=True, default='', help_text='Only within this namespace.', max_length=63),
        ),
        migrations.AddField(
            model_name='accesstoken',
            name='on_behalf_of',
            field=models.ForeignKey(blank=True, help_text='For an agent: the person for whom it acts. It then may do only what both may.', null=True, on_delete=django.db.models.deletion.CASCADE, related_name='delegated_tokens', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddField(
            model_name='accesstoken',
            name='place_uid',
            field=models.UUIDField(editable=False, null=True),
        ),
        migrations.AddField(
            model_name='accesstoken',
            name='project',
            field=models.CharField(blank=True, default='', help_text='Only within this project.', max_length=253),
        ),
        migrations.AddField(
            model_name='user',
            name='expires_at',
            field=models.DateTimeField(blank=True, help_text='From then on the account may do nothing.', null=True),
        ),
        migrations.AddField(
            model_name='user',
            name='issuer',
            field=models.CharField(blank=True, default='', editable=False, max_length=255),
        ),
        migrations.AddField(
            model_name='user',
            name='owner',
            field=models.ForeignKey(blank=True, help_text='The person who answers for it. Needed by agents, which end with their owner.', limit_choices_to={'principal_kind': 'human'}, null=True, on_delete=django.db.models.deletion.CASCADE, related_name='owned', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddField(
            model_name='user',
            name='subject',
            field=models.CharField(blank=True, default='', editable=False, max_length=255),
        ),
    ]
