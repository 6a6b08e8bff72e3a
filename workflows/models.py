"""The tables of the workflows layer, gathered for Django."""

from workflows.webhooks.models import BuildSource, WebhookDelivery

__all__ = ["BuildSource", "WebhookDelivery"]
