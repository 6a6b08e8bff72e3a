"""How often a password may be tried: counted in the audit, which has every failed sign-in anyway.

Failures count against the name from one address, against the address, and against the name from everywhere. The last
is set high, so that a stranger cannot lock a person out cheaply.
"""

from __future__ import annotations

from datetime import timedelta

from django.utils import timezone

from portal.audit.models import AuditEvent

WINDOW = timedelta(minutes=15)
PER_NAME_AND_ADDRESS = 10
PER_ADDRESS = 50
PER_NAME = 200


def is_limited(name: str, address: str | None) -> bool:
    """Whether this name may not be tried from this address for now."""
    failures = AuditEvent.objects.system("count failed sign-ins").filter(
        action="session:create", outcome=AuditEvent.Outcome.DENIED, recorded_at__gte=timezone.now() - WINDOW
    )
    by_name = failures.filter(actor=name)
    return (
        by_name.filter(source_ip=address)[:PER_NAME_AND_ADDRESS].count() >= PER_NAME_AND_ADDRESS
        or failures.filter(source_ip=address)[:PER_ADDRESS].count() >= PER_ADDRESS
        or by_name[:PER_NAME].count() >= PER_NAME
    )
