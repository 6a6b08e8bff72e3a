"""The audit application."""

from django.apps import AppConfig


class AuditConfig(AppConfig):
    name = "portal.audit"
    label = "audit"
    verbose_name = "Audit"

    def ready(self) -> None:
        from portal.access.actions import extension
        from portal.audit import accounts

        extension("auditlog:view", "component", "See what was done, by whom, and what was refused")
        accounts.connect()
