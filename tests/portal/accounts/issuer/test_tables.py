"""The tables of django-oauth-toolkit are made by one migration of ours; it must not fall behind a new release."""

from __future__ import annotations

import pytest
from django.core.management import call_command

pytestmark = pytest.mark.django_db


def test_the_tables_are_those_that_the_toolkit_wants():
    call_command("makemigrations", "oauth2_provider", "issuer", check_changes=True, dry_run=True, verbosity=0)
