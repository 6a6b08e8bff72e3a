"""Alerts that have fired, and the incidents that some of them opened. Rows outlive the objects that they are about, so
they hold names and uids, not keys."""

from __future__ import annotations

import uuid
from typing import Any

from django.db import models
from django.utils import timezone


class OfPlace(models.Model):
    """What both tables have: an id, a moment, and the component, project and environment concerned."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    at = models.DateTimeField(default=timezone.now)
    namespace = models.CharField(max_length=63)
    project = models.CharField(max_length=253, blank=True)
    component = models.CharField(max_length=253, blank=True)
    environment = models.CharField(max_length=253, blank=True)
    project_uid = models.UUIDField(null=True, blank=True)
    component_uid = models.UUIDField(null=True, blank=True)
    environment_uid = models.UUIDField(null=True, blank=True)

    class Meta:
        abstract = True
        indexes = [
            models.Index(fields=["namespace", "at"], name="%(class)s_namespace_at"),
            models.Index(fields=["component_uid", "at"], name="%(class)s_component_at"),
        ]

    def __str__(self) -> str:
        return f"{self.namespace}/{self.component or self.project} {self.at:%Y-%m-%dT%H:%M:%SZ}"


class Alert(OfPlace):
    """A rule that has fired. `rule` is what it was then: `{name, description, severity, source, condition}`."""

    value = models.CharField(max_length=64, blank=True)
    opens_incident = models.BooleanField(default=False)
    channels: Any = models.JSONField(default=list)
    rule: Any = models.JSONField(default=dict)


class Incident(OfPlace):
    """What an alert has opened: active, then acknowledged, then resolved, never back."""

    alert = models.ForeignKey(Alert, on_delete=models.CASCADE, related_name="incidents")
    status = models.CharField(max_length=16, default="active")
    triggers_rca = models.BooleanField(default=False)
    triggers_cost_analysis = models.BooleanField(default=False)
    acknowledged_at = models.DateTimeField(null=True, blank=True)
    resolved_at = models.DateTimeField(null=True, blank=True)
    notes = models.TextField(blank=True)
    description = models.TextField(blank=True)
