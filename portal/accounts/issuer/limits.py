"""How often tokens may be asked for: counted in the database, so that all replicas count together.

Failures count against the address, and against client and address; they are in the audit anyway. Successes count
against the client and whom it asks for, by the rows of the tokens.
"""

from __future__ import annotations

from datetime import timedelta

from django.utils import timezone
from oauth2_provider.models import get_access_token_model

from portal.audit.models import AuditEvent

ACTION, DEVICE_ACTION = "oauth:token", "oauth:device"
WINDOW = timedelta(minutes=15)
FAILURES_PER_CLIENT_AND_ADDRESS = 20
FAILURES_PER_ADDRESS = 50
CODES_PER_ADDRESS = 50
MINUTE = timedelta(minutes=1)
TOKENS_PER_MINUTE = 120


def has_failed_too_often(client_id: str, address: str | None) -> bool:
    """Whether that client may ask no more from that address for now."""
    failures = AuditEvent.objects.system("count refused tokens").filter(
        action=ACTION,
        outcome=AuditEvent.Outcome.DENIED,
        source_ip=address,
        recorded_at__gte=timezone.now() - WINDOW,
    )
    return bool(
        failures.filter(name=client_id)[:FAILURES_PER_CLIENT_AND_ADDRESS].count() >= FAILURES_PER_CLIENT_AND_ADDRESS
        or failures[:FAILURES_PER_ADDRESS].count() >= FAILURES_PER_ADDRESS
    )


def has_begun_too_often(address: str | None) -> bool:
    """Whether devices at that address have had their codes for now."""
    begun = AuditEvent.objects.system("count device codes").filter(
        action=DEVICE_ACTION, source_ip=address, recorded_at__gte=timezone.now() - WINDOW
    )
    return bool(begun[:CODES_PER_ADDRESS].count() >= CODES_PER_ADDRESS)


def has_too_many(client_pk: int, user_pk: int) -> bool:
    """Whether the client has had its tokens of the minute for that account."""
    recent = get_access_token_model().objects.filter(
        application_id=client_pk, user_id=user_pk, created__gte=timezone.now() - MINUTE
    )
    return bool(recent[:TOKENS_PER_MINUTE].count() >= TOKENS_PER_MINUTE)
