"""What is to be watched in clusters, and which process watches."""

from __future__ import annotations

from django.db import models


class WatchedCluster(models.Model):
    """A cluster that objects have been delivered to. One process at a time watches it, by a lease."""

    name = models.CharField(max_length=400, primary_key=True)
    """`<name>`, or `<namespace>/<name>` for a cluster of one namespace's planes, or `agent:…` for one behind agents."""
    holder = models.CharField(max_length=200, blank=True)
    renewed_at = models.DateTimeField(null=True)
    """When the holder last said that its watches are up to date; the lease ends some seconds after that."""

    def __str__(self) -> str:
        return self.name


class WatchedKind(models.Model):
    """A kind that objects have been delivered of, `group/Kind`."""

    cluster = models.ForeignKey(WatchedCluster, on_delete=models.CASCADE, related_name="kinds")
    name = models.CharField(max_length=317)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["cluster", "name"], name="unique_watched_kind")]

    def __str__(self) -> str:
        return f"{self.name} in {self.cluster_id}"
