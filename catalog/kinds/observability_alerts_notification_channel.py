"""ObservabilityAlertsNotificationChannel: where an environment's alerts are sent, by mail or webhook."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from catalog.kinds import refs
from catalog.kinds.base import Document, FieldError, Namespaced, Ref, reference_to
from catalog.kinds.container import port, value_or_secret
from catalog.kinds.rules import immutable, invalid
from catalog.kinds.schema import Schema, array, boolean, enum, map_of, obj, string
from catalog.kinds.shapes import secret_key_ref

_ATOM = r"[a-zA-Z0-9!#$%&'*+/=?^_~-]+"
_LABEL = r"[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?"
EMAIL_ADDRESS = rf"^{_ATOM}(?:\.{_ATOM})*@{_LABEL}(?:\.{_LABEL})*$"


def email_config() -> Schema:
    """How mail is sent, to whom, and what it says."""
    credential = obj({"secretKeyRef": secret_key_ref()})
    return obj(
        {
            "from!": string(pattern=EMAIL_ADDRESS),
            "to!": array(string(pattern=EMAIL_ADDRESS), min_items=1),
            "template!": obj({"subject!": string(), "body!": string()}),
            "smtp!": obj(
                {
                    "host!": string(),
                    "port!": port(),
                    "auth!": obj({"username!": credential, "password!": credential}),
                    "tls!": obj({"insecureSkipVerify!": boolean(default=False)}),
                }
            ),
        }
    )


def webhook_config() -> Schema:
    """Which address is called, with what headers and body."""
    return obj(
        {
            "url!": string(format="uri"),
            "headers": map_of(obj(value_or_secret())),
            "payloadTemplate": string(),
        }
    )


class ObservabilityAlertsNotificationChannel(Namespaced):
    kind = "ObservabilityAlertsNotificationChannel"
    plural = "observabilityalertsnotificationchannels"
    finalizer = "openchoreo.dev/notification-channel-cleanup"
    printer_columns = (
        ("Type", "spec.type"),
        ("Age", "metadata.creationTimestamp"),
        ("Notifications", "status.notificationCount"),
    )
    spec_schema = obj(
        {
            "environment!": string(),
            "isEnvDefault": boolean(default=False),
            "type!": enum("email", "webhook"),
            "emailConfig": email_config(),
            "webhookConfig": webhook_config(),
        }
    )

    environment = reference_to("Environment")

    @classmethod
    def references_of(cls, namespace: str, spec: Mapping[str, Any], status: Mapping[str, Any]) -> Iterator[Ref]:
        yield from refs.to("Environment", namespace, spec.get("environment"))

    @classmethod
    def violations(cls, old: Document | None, new: Document) -> Iterator[FieldError]:
        spec = new["spec"]
        yield from immutable(cls.spec_schema, old, new, "spec.environment", "spec.environment is immutable")
        for channel_type, config in (("email", "emailConfig"), ("webhook", "webhookConfig")):
            if spec["type"] == channel_type and config not in spec:
                yield invalid("spec", f"{config} is required when type is {channel_type}", spec)
        for header, entry in ((spec.get("webhookConfig") or {}).get("headers") or {}).items():
            if ("value" in entry) == ("valueFrom" in entry):
                path = f"spec.webhookConfig.headers[{header}]"
                yield invalid(path, "exactly one of value or valueFrom must be set", entry)
