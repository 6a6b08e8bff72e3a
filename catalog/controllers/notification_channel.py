"""ObservabilityAlertsNotificationChannel: an environment with channels has a default one, the first if none is named.

Sets no condition, as in the contract. Its copy on the observability plane comes with that plane.
"""

from __future__ import annotations

from collections.abc import Iterable

from catalog import store
from catalog.controllers.registry import Result, Watch, by_others, controller
from catalog.kinds.observability_alerts_notification_channel import ObservabilityAlertsNotificationChannel
from catalog.store.changes import Change
from portal.accounts.actor import system

ACTOR = system("notification-channel-controller")
KIND = ObservabilityAlertsNotificationChannel.kind


def siblings_of_former_default(change: Change, watcher: str) -> Iterable[int]:
    """When a channel goes or changes, another may have to become the default of their environment."""
    channel = change.obj
    return [row.pk for row in siblings(channel.namespace_name, channel.spec["environment"]) if row.pk != channel.pk]


def siblings(namespace: str, environment: str) -> list[ObservabilityAlertsNotificationChannel]:
    """The channels of an environment that are not being deleted, the oldest first."""
    rows = ObservabilityAlertsNotificationChannel.objects.system("reconcile").filter(
        namespace_id=namespace, deleted_at=None
    )
    # By name, because the environment need not exist; there are few channels in a namespace.
    return [row for row in rows.order_by("created_at", "id") if row.spec["environment"] == environment]


@controller(
    KIND,
    watches=[by_others(ACTOR, Watch(KIND, siblings_of_former_default, frozenset({"changed", "deleting", "deleted"})))],
)
def reconcile(channel: ObservabilityAlertsNotificationChannel) -> Result:
    """One look: become the default if the environment has none, or go."""
    with store.transaction():
        if channel.deleted_at is not None:
            store.remove_finalizer(channel, ObservabilityAlertsNotificationChannel.finalizer, ACTOR)
        elif is_next_default(channel):
            document = store.to_document(channel, with_status=False)
            document["spec"] = {**document["spec"], "isEnvDefault": True}
            store.put(document, ACTOR)
    return Result()


def is_next_default(channel: ObservabilityAlertsNotificationChannel) -> bool:
    """Whether no channel of the environment is the default, and this is the oldest."""
    channels = siblings(channel.namespace_name, channel.spec["environment"])
    return bool(channels) and channels[0].pk == channel.pk and not any(c.spec.get("isEnvDefault") for c in channels)
