"""The work list: which object needs a look, and when. This table, not the broker, is what gets work done."""

from __future__ import annotations

from django.db import models


class WorkItem(models.Model):
    """One object under one controller.

    `due_at` null means converged: nothing to do until something changes. `version` counts the wake-ups, so that one
    that arrives while a worker is busy with the object is not lost. A worker holds an item by its lease; a lease that
    has run out, or whose process is dead, may be taken over.
    """

    kind = models.CharField(max_length=64)
    object_id = models.BigIntegerField()
    due_at = models.DateTimeField(null=True)
    version = models.PositiveBigIntegerField(default=1)
    lease_owner = models.CharField(max_length=120, blank=True, default="")
    lease_until = models.DateTimeField(null=True)
    attempts = models.PositiveIntegerField(default=0)
    observed_generation = models.PositiveBigIntegerField(default=0)
    last_error = models.TextField(blank=True, default="")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["kind", "object_id"], name="unique_work_item")]
        indexes = [models.Index(fields=["due_at"], name="work_by_due", condition=models.Q(due_at__isnull=False))]

    def __str__(self) -> str:
        return f"{self.kind}#{self.object_id}"


class WakeUp(models.Model):
    """Whether a message is already on its way to the workers, so that a burst of changes sends one, not thousands."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=1)
    sent_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"sent at {self.sent_at}"
