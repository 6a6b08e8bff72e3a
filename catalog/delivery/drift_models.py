"""What was found to differ on a plane, and what became of it: one row for each difference. None is lost silently.

`catalog.delivery.drift_records` writes these rows. They outlive the release that they speak of; the age limit is a
setting (`DRIFT_KEEP_DAYS`).
"""

from __future__ import annotations

import uuid

from django.db import models

from catalog.delivery.drift import DRIFT
from catalog.delivery.plane import ObjectKey
from catalog.kinds.base import DocumentField
from portal.access.doors import ProtectedManager


class DriftRecord(models.Model):
    """A difference of one object at one place, from when it was found to when it was over."""

    class State(models.TextChoices):
        OPEN = "open"
        """It is there: the policy is to report only, it keeps coming back, or mending it failed (see `note`)."""
        RESTORING = "restoring"
        RESTORED = "restored"
        ACCEPTED = "accepted"
        IGNORED = "ignored"
        EXPIRED = "expired"
        """It was ignored for a time, which is over."""
        NOTED = "noted"
        """It is no drift, but somebody did it."""

    release_uid = models.UUIDField(db_index=True, default=uuid.uuid4)
    release = models.CharField(max_length=253)
    namespace = models.CharField(max_length=63)
    owner_kind = models.CharField(max_length=64, blank=True)
    owner_name = models.CharField(max_length=253, blank=True)
    environment = models.CharField(max_length=253, blank=True)
    group = models.TextField(blank=True)
    kind = models.TextField()
    object_namespace = models.TextField(blank=True)
    name = models.TextField()
    difference = models.CharField(max_length=12)
    """Names object and place (`drift.difference_id`): how people point at it."""
    path = models.TextField(blank=True)
    change = models.CharField(max_length=32)
    compiled = DocumentField(null=True)
    """`{"value": …}`, null where there is none; so are the next two."""
    applied = DocumentField(null=True)
    live = DocumentField(null=True)
    manager = models.CharField(max_length=128, blank=True)
    changed_at = models.CharField(max_length=40, blank=True)
    """As the API server says it; "" where it keeps no trace."""
    found_at = models.DateTimeField()
    last_found_at = models.DateTimeField()
    count = models.PositiveIntegerField(default=1)
    """How often it was mended in a row, each soon after the other."""
    state = models.CharField(max_length=9, choices=State.choices)
    decided_by = models.CharField(max_length=255, blank=True)
    decided_at = models.DateTimeField(null=True)
    reason = models.TextField(blank=True)
    expires_at = models.DateTimeField(null=True)
    """Of an ignored one: when it is drift again. Of one that keeps coming back: when mending is tried again."""
    note = models.TextField(blank=True)

    objects = ProtectedManager()

    class Meta:
        indexes = [
            models.Index(fields=["namespace", "owner_kind", "owner_name"], name="drift_by_owner"),
            models.Index(fields=["release_uid", "state"], name="drift_by_release"),
        ]
        ordering = ["-id"]

    def __str__(self) -> str:
        return f"{self.kind} {self.name}: {self.path or 'the object'} {self.change}, {self.state}"

    @property
    def key(self) -> ObjectKey:
        return ObjectKey(self.group, self.kind, self.object_namespace, self.name)

    @property
    def is_drift(self) -> bool:
        return self.change in DRIFT
