"""The values of secrets that users hand over, as long as no plane holds them: one row a secret, sealed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db import models
from django.utils import timezone

from portal.secrets.columns import declare_sealed
from portal.secrets.envelope import context


class HeldSecret(models.Model):
    """What belongs to one reference to a secret: how often it was set, and its values unless a plane holds them.

    `sealed` is a JSON object of texts, sealed for this owner; "" where the plane holds the values. `namespace` and
    `name` say to whom the row belongs, for people who look at the table; what counts is `owner`.
    """

    owner = models.UUIDField(unique=True)
    namespace = models.CharField(max_length=63)
    name = models.CharField(max_length=253)
    version = models.PositiveIntegerField(default=1)
    sealed = models.TextField(blank=True)
    changed_at = models.DateTimeField(default=timezone.now)

    class Meta:
        indexes = [models.Index(fields=["namespace", "name"], name="held_secret_by_name")]

    def __str__(self) -> str:
        return f"{self.namespace}/{self.name}"

    @property
    def context(self) -> str:
        return context_of_row({"owner": self.owner, "namespace": self.namespace})


def context_of_row(row: Mapping[str, Any]) -> str:
    """The place that the values are sealed for."""
    return context("heldsecret", row["owner"], "sealed", row["namespace"])


declare_sealed(HeldSecret, "sealed", context_of_row, needs=("owner", "namespace"))
