"""What is said, loudly, while security is switched off: in the log at every start, and on every page of the admin.

Nothing public says it, except the discovery document of the contract, whose clients ask it whether to sign in.
"""

from __future__ import annotations

import logging

from django.conf import settings

log = logging.getLogger("stagecraft.security")


def insecurity() -> str:
    """What is switched off, in a sentence; "" if nothing is."""
    if not settings.SECURITY_ENABLED:
        return "SECURITY IS OFF (SECURITY_ENABLED=false): everybody who reaches the API may do everything."
    if not settings.AUTHZ_ENABLED:
        return "PERMISSIONS ARE OFF (AUTHZ_ENABLED=false): everybody who is signed in may do everything."
    return ""


def warn() -> None:
    """Say it in the log."""
    if text := insecurity():
        log.critical("%s\n%s\n%s", "*" * len(text), text, "*" * len(text))
