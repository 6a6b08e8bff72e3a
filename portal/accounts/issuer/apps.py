"""The issuer application: makes our own tokens known to whoever verifies tokens."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.apps import AppConfig

if TYPE_CHECKING:
    from portal.accounts.issuers import Issuer


class IssuerConfig(AppConfig):
    name = "portal.accounts.issuer"
    label = "issuer"
    verbose_name = "Sign-in of programs"

    def ready(self) -> None:
        from portal.accounts.issuer import ending
        from portal.accounts.issuers import register

        register(found)
        ending.connect()


def found(name: str) -> Issuer | None:
    """Our own issuer, for whoever verifies tokens. Loaded when the first token comes."""
    from portal.accounts.issuer import verification

    return verification.found(name)
