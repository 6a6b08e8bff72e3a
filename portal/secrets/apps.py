"""Secrets at rest."""

from django.apps import AppConfig


class SecretsConfig(AppConfig):
    name = "portal.secrets"
    label = "secrets"
    verbose_name = "Secrets"
