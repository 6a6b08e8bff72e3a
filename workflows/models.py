"""The tables of the workflows layer, gathered for Django."""

from workflows.observer.models import Alert, Incident
from workflows.webhooks.models import BuildSource, WebhookDelivery

__all__ = ["Alert", "BuildSource", "Incident", "WebhookDelivery"]
