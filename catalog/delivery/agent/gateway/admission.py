"""For which planes an agent speaks: those of its type and id whose own authority signed its certificate."""

from __future__ import annotations

import json
from collections.abc import Iterable

from catalog.delivery.agent.gateway.certificates import NotTrusted, require_signed
from catalog.delivery.agent.gateway.tls import Certificates
from catalog.delivery.agent.heads import TYPES, Head, head_of
from catalog.delivery.agent.messages import PLANE_TYPES
from catalog.kinds.base import PlatformObject
from catalog.kinds.registry import kind_named
from portal.secrets import CannotOpen, open_sealed
from portal.secrets.models import HeldSecret


class Refused(Exception):
    """The agent is not let in: an HTTP status, and what to do about it."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(text)
        self.status = status


def admit(
    certificates: Certificates, plane_type: str, plane_id: str, planes: Iterable[PlatformObject] | None = None
) -> frozenset[Head]:
    """The planes that the agent may speak for, at least one. Raises `Refused`.

    `planes`: all of that type, read by the caller; else the database is asked.
    """
    if not plane_type or not plane_id:
        raise Refused(400, f"missing {'planeType' if not plane_type else 'planeID'} parameter")
    if plane_type not in PLANE_TYPES:
        raise Refused(400, "invalid planeType: must be 'dataplane', 'workflowplane', or 'observabilityplane'")
    if not certificates:
        raise Refused(401, "no client certificate presented")
    reasons = []
    admitted = set()
    for plane in planes_of(plane_type) if planes is None else planes:
        if head_of(plane).plane_id != plane_id:
            continue
        try:
            require_signed(certificates, authority_of(plane))
            admitted.add(head_of(plane))
        except NotTrusted as error:
            reasons.append(f"{plane.kind} {plane.name}: {error}")
    if not admitted:
        why = "; ".join(reasons) or f"there is no {plane_type} with planeID {plane_id!r}"
        raise Refused(401, f"client certificate verification failed: {why}")
    return frozenset(admitted)


def judge(agents: Iterable[tuple[Certificates, str, str]]) -> list[frozenset[Head] | Refused]:
    """`admit` for many agents, whose planes are read once."""
    planes = {plane_type: planes_of(plane_type) for plane_type in PLANE_TYPES}
    found: list[frozenset[Head] | Refused] = []
    for certificates, plane_type, plane_id in agents:
        try:
            found.append(admit(certificates, plane_type, plane_id, planes[plane_type]))
        except Refused as refused:
            found.append(refused)
    return found


def planes_of(plane_type: str) -> list[PlatformObject]:
    kinds = [kind for kind, found in TYPES.items() if found == plane_type]
    return [plane for kind in kinds for plane in kind_named(kind).objects.system("agents' certificates").order_by("pk")]


def authority_of(plane: PlatformObject) -> str:
    """The bundle of a plane, "" if it names none. Raises `NotTrusted`."""
    given = (plane.spec.get("clusterAgent") or {}).get("clientCA") or {}
    if given.get("value"):
        return str(given["value"])
    reference = given.get("secretKeyRef")
    if not reference:
        return ""
    namespace = str(reference.get("namespace") or plane.namespace_name)
    if plane.namespace_name and namespace != plane.namespace_name:
        raise NotTrusted(f"clientCA.secretKeyRef must name a secret in the plane's namespace, not in {namespace}")
    return held_value(namespace, str(reference["name"]), str(reference["key"]))


def held_value(namespace: str, name: str, key: str) -> str:
    """A value of a secret that the platform holds. Raises `NotTrusted`."""
    row = HeldSecret.objects.filter(namespace=namespace, name=name).exclude(sealed="").order_by("pk").first()
    if row is None:
        raise NotTrusted(f"the platform holds no secret {namespace}/{name}; put the authority into clientCA.value")
    try:
        found = json.loads(open_sealed(row.sealed, row.context).reveal())
    except CannotOpen as error:
        raise NotTrusted(f"secret {namespace}/{name} cannot be opened: {error}") from None
    if key not in found:
        raise NotTrusted(f"secret {namespace}/{name} has no key {key}")
    return str(found[key])
