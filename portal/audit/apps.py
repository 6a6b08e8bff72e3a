"""The audit application."""

from django.apps import AppConfig


class AuditConfig(AppConfig):
    name = "portal.audit"
    label = "audit"
    verbose_name = "Audit"

    def ready(self) -> None:
        from portal.audit import accounts

        accounts.connect()
