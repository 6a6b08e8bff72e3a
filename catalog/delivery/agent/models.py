"""Which replicas of the gateway there are, and which agents are connected to each."""

from __future__ import annotations

from django.db import models


class GatewayReplica(models.Model):
    """A running gateway. It counts as long as it has said so lately; its agents count with it."""

    name = models.CharField(max_length=64, primary_key=True)
    url = models.CharField(max_length=300)
    """Where the platform's other processes reach its internal port."""
    renewed_at = models.DateTimeField()

    def __str__(self) -> str:
        return self.name


class ConnectedAgent(models.Model):
    """An agent's connection. `planes` are those that it may speak for, as the gateway calls them."""

    id = models.CharField(max_length=32, primary_key=True)
    replica = models.ForeignKey(GatewayReplica, on_delete=models.CASCADE, related_name="agents")
    plane_type = models.CharField(max_length=32)
    plane_id = models.CharField(max_length=253)
    planes = models.JSONField(default=list)
    connected_at = models.DateTimeField()

    class Meta:
        indexes = [models.Index(fields=["plane_type", "plane_id"], name="connected_agent_by_plane")]

    def __str__(self) -> str:
        return f"{self.plane_type}/{self.plane_id} at {self.replica_id}"
