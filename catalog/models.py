"""Where Django looks for the catalog's models: the kinds and their rows, the store's log, the reconcilers' queue."""

from catalog.access.journal import AccessChange
from catalog.access.models import GRANTS, Cluster, CompiledMapping, GrantUse, PolicyException, PolicyState
from catalog.controllers.models import WakeUp, WorkItem
from catalog.delivery.agent.models import ConnectedAgent, GatewayReplica
from catalog.delivery.drift_models import DriftRecord
from catalog.delivery.health_models import HealthRule
from catalog.delivery.kubernetes.models import WatchedCluster, WatchedKind
from catalog.kinds.registry import KINDS
from catalog.kinds.rendered_object import Manifest, RenderedObject
from catalog.store.models import LogHorizon, ObjectReference, Revision

__all__ = [
    "GRANTS", "KINDS", "AccessChange", "Cluster", "CompiledMapping", "ConnectedAgent", "DriftRecord", "GatewayReplica",
    "GrantUse", "HealthRule", "LogHorizon", "Manifest", "ObjectReference", "PolicyException", "PolicyState",
    "RenderedObject", "Revision", "WakeUp", "WatchedCluster", "WatchedKind", "WorkItem",
]  # fmt: skip
