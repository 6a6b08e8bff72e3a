"""Conditions: the one way in which controllers say how things stand.

Types and reasons are part of the contract (`docs/compatibility.md`); clients read them by name.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal

from django.utils import timezone

from catalog.kinds.base import PlatformObject
from catalog.store.documents import timestamp

ConditionStatus = Literal["True", "False", "Unknown"]

ONLY_IN_CONDITIONS = frozenset(
    {"Environment", "ProjectReleaseBinding", "RenderedRelease", "ResourceReleaseBinding", "WorkflowRun"}
)
"""Kinds that carry `observedGeneration` in their conditions but not beside them."""


@dataclass(frozen=True, slots=True)
class Condition:
    type: str
    status: ConditionStatus
    reason: str
    message: str


def true(condition_type: str, reason: str, message: str) -> Condition:
    return Condition(condition_type, "True", reason, message)


def false(condition_type: str, reason: str, message: str) -> Condition:
    return Condition(condition_type, "False", reason, message)


def unknown(condition_type: str, reason: str, message: str) -> Condition:
    return Condition(condition_type, "Unknown", reason, message)


def with_conditions(
    obj: PlatformObject, conditions: Iterable[Condition], *, drop: Iterable[str] = ()
) -> dict[str, Any]:
    """The object's status with these conditions set and the types in `drop` gone.

    The order is that of first setting, and `lastTransitionTime` moves only when the condition's status does, both as
    Kubernetes' own helper keeps them.
    """
    gone = set(drop)
    held = {item["type"]: item for item in obj.status.get("conditions") or () if item["type"] not in gone}
    for condition in conditions:
        before = held.get(condition.type)
        same = before is not None and before["status"] == condition.status
        held[condition.type] = {
            "type": condition.type,
            "status": condition.status,
            "reason": condition.reason,
            "message": condition.message,
            "observedGeneration": obj.generation,
            "lastTransitionTime": before["lastTransitionTime"] if same and before else timestamp(timezone.now()),
        }
    status = dict(obj.status)
    status["conditions"] = list(held.values())
    if obj.kind not in ONLY_IN_CONDITIONS:
        status["observedGeneration"] = obj.generation
    return status
