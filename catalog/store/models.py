"""The rows behind the one write path: the log of revisions, and who refers to whom."""

from __future__ import annotations

from django.db import models

from catalog.kinds.base import DocumentField
from portal.access.doors import ProtectedManager


class Revision(models.Model):
    """One accepted change, in the one order that all readers see.

    A reader that has seen row N never finds a row below N later: sequences are handed out under a lock that is held
    until the transaction has committed (`catalog.store.log`).
    """

    class Action(models.TextChoices):
        CREATED = "created"
        CHANGED = "changed"
        STATUS = "status"
        DELETING = "deleting"
        DELETED = "deleted"

    sequence = models.BigAutoField(primary_key=True)
    recorded_at = models.DateTimeField(db_index=True)
    kind = models.CharField(max_length=64)
    namespace = models.CharField(max_length=63, blank=True)
    name = models.CharField(max_length=253)
    uid = models.UUIDField(db_index=True)
    action = models.CharField(max_length=8, choices=Action.choices)
    generation = models.PositiveBigIntegerField()
    actor = models.CharField(max_length=255)
    actor_kind = models.CharField(max_length=15)
    surface = models.CharField(max_length=12)
    request_id = models.CharField(max_length=64)
    before = DocumentField(null=True)
    """The document as it was (for status rows: `{"status": …}` only), null on creation."""
    after = DocumentField(null=True)
    """The document as it became (for status rows: `{"status": …}` only), null on removal."""

    objects = ProtectedManager()

    class Meta:
        ordering = ["sequence"]
        indexes = [models.Index(fields=["kind", "namespace", "name", "sequence"], name="revision_by_object")]

    def __str__(self) -> str:
        where = f"{self.namespace}/" if self.namespace else ""
        return f"{self.sequence} {self.action} {self.kind} {where}{self.name}"


class LogHorizon(models.Model):
    """How far back the log reaches. Retention moves it; a watch that starts before it is answered `Gone`."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=1)
    oldest_sequence = models.BigIntegerField(default=1)

    def __str__(self) -> str:
        return f"log from {self.oldest_sequence}"


class ObjectReference(models.Model):
    """An object names another, whether that exists or not: the index behind "who refers to this"."""

    source_kind = models.CharField(max_length=64)
    source_id = models.BigIntegerField()
    role = models.CharField(max_length=48)
    target_kind = models.CharField(max_length=64)
    target_namespace = models.CharField(max_length=63, blank=True)
    target_name = models.CharField(max_length=253)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["source_kind", "source_id", "role", "target_kind", "target_namespace", "target_name"],
                name="unique_reference",
            )
        ]
        indexes = [
            models.Index(fields=["target_kind", "target_namespace", "target_name", "role"], name="reference_by_target")
        ]

    def __str__(self) -> str:
        return f"{self.source_kind}#{self.source_id} -{self.role}-> {self.target_kind} {self.target_name}"
