"""ObservabilityAlertRule: when an observability plane raises an alert, and whom it tells."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from catalog.kinds import refs
from catalog.kinds.base import Document, FieldError, Namespaced, Ref
from catalog.kinds.rules import invalid
from catalog.kinds.schema import array, boolean, enum, integer, obj, string
from catalog.kinds.shapes import name


class ObservabilityAlertRule(Namespaced):
    kind = "ObservabilityAlertRule"
    plural = "observabilityalertrules"
    finalizer = "openchoreo.dev/alertrule-cleanup"
    printer_columns = (
        ("Severity", "spec.severity"),
        ("Enabled", "spec.enabled"),
        ("Phase", "status.phase"),
        ("Age", "metadata.creationTimestamp"),
    )
    spec_schema = obj(
        {
            "name!": string(),
            "description": string(),
            "severity": string(),
            "enabled": boolean(),
            "source!": obj({"type!": enum("log", "metric", "budget"), "query": string(), "metric": string()}),
            "condition!": obj(
                {
                    "window!": string(),
                    "interval!": string(),
                    "operator!": enum("gt", "lt", "gte", "lte", "eq"),
                    "threshold!": integer(format="int64"),
                }
            ),
            "actions!": obj(
                {
                    "notifications!": obj({"channels!": array(name(), min_items=1, unique=True)}),
                    "incident": obj(
                        {
                            "enabled": boolean(default=False),
                            "triggerAiRca": boolean(default=False),
                            "triggerAiCostAnalysis": boolean(default=False),
                        }
                    ),
                }
            ),
        }
    )

    @classmethod
    def references_of(cls, namespace: str, spec: Mapping[str, Any], status: Mapping[str, Any]) -> Iterator[Ref]:
        notifications = (spec.get("actions") or {}).get("notifications") or {}
        for channel in notifications.get("channels") or ():
            yield from refs.to("ObservabilityAlertsNotificationChannel", namespace, channel, "notification_channel")

    @classmethod
    def violations(cls, old: Document | None, new: Document) -> Iterator[FieldError]:
        spec = new["spec"]
        incident = spec["actions"].get("incident") or {}
        if incident.get("triggerAiCostAnalysis") and spec["source"]["type"] != "budget":
            yield invalid("spec", "AI cost analysis can only be triggered for budget alerts", spec)
        for trigger, purpose in (("triggerAiRca", "AI RCA"), ("triggerAiCostAnalysis", "AI cost analysis")):
            if incident.get(trigger) and not incident.get("enabled"):
                yield invalid("spec.actions.incident", f"Incident must be enabled to trigger {purpose}", incident)
