"""Brings what is stored into the form that the next migration demands. Separate, because PostgreSQL alters no table
whose rows the same transaction has touched."""

from datetime import timedelta

from django.contrib.auth.hashers import make_password
from django.db import migrations
from django.utils import timezone


def conform(apps, schema_editor):
    """Machines lose staff rights and passwords; agents get the first superuser as owner, or stop being usable; tokens
    without an end get one in ninety days."""
    User, AccessToken = apps.get_model("accounts", "User"), apps.get_model("accounts", "AccessToken")
    machines = User.objects.exclude(principal_kind="human")
    for machine in machines:
        machine.is_staff = machine.is_superuser = False
        machine.password = make_password(None)
        machine.save()
    owner = User.objects.filter(principal_kind="human", is_superuser=True, is_active=True).order_by("pk").first()
    agents = User.objects.filter(principal_kind="agent", owner=None)
    if owner is not None:
        agents.update(owner=owner)
    else:
        agents.update(principal_kind="service_account", is_active=False)
    AccessToken.objects.filter(expires_at=None).update(expires_at=timezone.now() + timedelta(days=90))


class Migration(migrations.Migration):
    dependencies = [("accounts", "0002_principals")]
    operations = [migrations.RunPython(conform, migrations.RunPython.noop)]
