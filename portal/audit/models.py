"""The rows of the audit. They are written once by `ledger`, sealed once by `sealing`, and never changed."""

from __future__ import annotations

from django.db import models

from portal.access.doors import ProtectedManager


class AuditEvent(models.Model):
    """One attempted operation: who, for whom, from where, what, on which object, decided how, with what result.

    On PostgreSQL the table is partitioned by month of `recorded_at`. `details` is canonical JSON as text, so that
    what was hashed is what is read. `seal` and `hash` are null until the sealer has been by.
    """

    class Outcome(models.TextChoices):
        SUCCESS = "success"
        DENIED = "denied"
        INVALID = "invalid"
        CONFLICT = "conflict"
        ERROR = "error"

    id = models.UUIDField(primary_key=True)
    recorded_at = models.DateTimeField(db_index=True)
    actor = models.CharField(max_length=255)
    actor_kind = models.CharField(max_length=15)
    on_behalf_of = models.CharField(max_length=255, blank=True)
    credential = models.CharField(max_length=80, blank=True)
    """Which of the actor's credentials was used: `token:<id>` or `session`; never the credential itself."""
    surface = models.CharField(max_length=12)
    action = models.CharField(max_length=80)
    kind = models.CharField(max_length=64, blank=True)
    namespace = models.CharField(max_length=63, blank=True)
    project = models.CharField(max_length=253, blank=True)
    component = models.CharField(max_length=253, blank=True)
    name = models.CharField(max_length=253, blank=True)
    uid = models.UUIDField(null=True)
    generation = models.PositiveBigIntegerField(null=True)
    decision = models.CharField(max_length=5, blank=True)
    outcome = models.CharField(max_length=8, choices=Outcome.choices)
    status = models.PositiveSmallIntegerField(null=True)
    request_id = models.CharField(max_length=64)
    parent = models.UUIDField(null=True)
    source_ip = models.GenericIPAddressField(null=True)
    details = models.TextField(default="{}")
    seal = models.BigIntegerField(null=True)
    hash = models.CharField(max_length=64, blank=True, default="")

    objects = ProtectedManager()

    class Meta:
        ordering = ["-id"]
        indexes = [
            models.Index(fields=["seal"], name="audit_by_seal"),
            models.Index(fields=["id"], name="audit_unsealed", condition=models.Q(seal__isnull=True)),
            models.Index(fields=["actor", "id"], name="audit_by_actor"),
            models.Index(fields=["kind", "namespace", "name", "id"], name="audit_by_object"),
        ]

    def __str__(self) -> str:
        where = f"{self.namespace}/" if self.namespace else ""
        return f"{self.actor} {self.action} {where}{self.name}: {self.outcome}"


class AuditCheckpoint(models.Model):
    """A signed statement about the chain: "seal N has this hash". Also written to a file outside of the database.

    An anchor says besides that everything up to N has been dropped by retention. `bridges` then gives, for events
    below N that were kept, the hash that stood before each.
    """

    class Kind(models.TextChoices):
        HEAD = "head"
        ANCHOR = "anchor"

    recorded_at = models.DateTimeField()
    kind = models.CharField(max_length=6, choices=Kind.choices)
    seal = models.BigIntegerField(db_index=True)
    hash = models.CharField(max_length=64)
    bridges = models.JSONField(default=dict)
    signature = models.CharField(max_length=64)

    class Meta:
        ordering = ["id"]

    def __str__(self) -> str:
        return f"{self.kind} at {self.seal}"
