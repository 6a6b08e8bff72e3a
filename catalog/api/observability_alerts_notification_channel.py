"""Notification channels: they stay in their environment; `isEnvDefault` is shown only when true."""

from __future__ import annotations

from catalog.api.collection import Collection, Draft
from catalog.kinds.base import Document
from catalog.kinds.observability_alerts_notification_channel import ObservabilityAlertsNotificationChannel
from portal.wire.responses import Refusal


def keep_environment(draft: Draft) -> None:
    if draft.held is not None and draft.spec.get("environment") != draft.held.spec.get("environment"):
        raise Refusal(400, "spec.environment is immutable")


def present(document: Document) -> Document:
    spec = {key: value for key, value in document["spec"].items() if (key, value) != ("isEnvDefault", False)}
    return {**document, "spec": spec}


COLLECTION = Collection(ObservabilityAlertsNotificationChannel, on_replace=keep_environment, present=present)
