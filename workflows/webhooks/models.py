"""Which component is built from which repository, and which deliveries have started builds."""

from __future__ import annotations

from django.db import models


class BuildSource(models.Model):
    """Where the code of a component lies that is built at each push. Kept in step by `sources.follow`."""

    component = models.OneToOneField("catalog.Component", on_delete=models.CASCADE, related_name="+")
    repository = models.CharField(max_length=512, db_index=True)
    """In the one form of `repositories.normalized`."""
    branch = models.CharField(max_length=255, blank=True)
    """"" means all of them."""
    app_path = models.CharField(max_length=1024, blank=True)
    """The directory in the repository, "" for all of it."""

    def __str__(self) -> str:
        return f"{self.repository} {self.branch or '(any branch)'} {self.app_path}".rstrip()


class WebhookDelivery(models.Model):
    """A delivery that has started builds, so that the same one starts none again."""

    provider = models.CharField(max_length=16)
    key = models.CharField(max_length=200)
    """The host's own id of the delivery (`id:…`), or the SHA-256 of its body (`body:…`)."""
    received_at = models.DateTimeField(db_index=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["provider", "key"], name="unique_webhookdelivery")]

    def __str__(self) -> str:
        return f"{self.provider} {self.key}"
