from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('accounts', '0003_principals_as_the_rules_want_them'),
    ]

    operations = [
        migrations.AlterField(
            model_name='accesstoken',
            name='expires_at',
            field=models.DateTimeField(),
        ),
        migrations.AddConstraint(
            model_name='accesstoken',
            constraint=models.CheckConstraint(condition=models.Q(('project', ''), models.Q(('namespace', ''), _negated=True), _connector='OR'), name='token_project_in_namespace'),
        ),
        migrations.AddConstraint(
            model_name='accesstoken',
            constraint=models.CheckConstraint(condition=models.Q(('namespace', ''), ('place_uid__isnull', False), _connector='OR'), name='token_place_is_an_object'),
        ),
        migrations.AddConstraint(
            model_name='accesstoken',
            constraint=models.CheckConstraint(condition=models.Q(('on_behalf_of__isnull', True), models.Q(('on_behalf_of', models.F('user')), _negated=True), _connector='OR'), name='token_for_somebody_else'),
        ),
        migrations.AddConstraint(
            model_name='user',
            constraint=models.UniqueConstraint(condition=models.Q(('issuer', ''), _negated=True), fields=('issuer', 'subject'), name='user_unique_in_its_issuer'),
        ),
        migrations.AddConstraint(
            model_name='user',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('issuer', ''), ('subject', '')), models.Q(models.Q(('issuer', ''), _negated=True), models.Q(('subject', ''), _negated=True)), _connector='OR'), name='user_issuer_and_subject'),
        ),
        migrations.AddConstraint(
            model_name='user',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('principal_kind', 'agent'), _negated=True), ('owner__isnull', False), _connector='OR'), name='user_agent_has_owner', violation_error_message='An agent needs an owner: the person who answers for it.'),
        ),
        migrations.AddConstraint(
            model_name='user',
            constraint=models.CheckConstraint(condition=models.Q(('principal_kind', 'human'), models.Q(('is_staff', False), ('is_superuser', False)), _connector='OR'), name='user_machine_is_no_staff', violation_error_message='Service accounts and agents are never staff or superusers.'),
        ),
        migrations.AddConstraint(
            model_name='user',
            constraint=models.CheckConstraint(condition=models.Q(('principal_kind', 'human'), ('password__startswith', '!'), _connector='OR'), name='user_machine_has_no_password', violation_error_message='Service accounts and agents have no password; give them a token.'),
        ),
    ]
