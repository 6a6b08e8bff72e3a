"""What a tenant's own types may bring forth: nothing that reaches beyond the cell that their objects are put into.

A type of a namespace (ComponentType, Trait, ResourceType, ProjectType, Workflow) is written by that tenant and applied
with the platform's rights on a plane. One that makes objects of the whole cluster, or pods that reach into the node, is
for those who may write its cluster-wide twin. Judged by what the templates say; what an expression may give is not
known here, so a kind or a key that is an expression counts as one that reaches. Values are not followed: a cluster's
own admission stays the last word. Called by `catalog.access.writing`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from catalog.kinds.base import Document, PlatformObject
from portal.access import guard
from portal.access.engine import Access
from portal.access.place import Place

KINDS = frozenset({"ComponentType", "Trait", "ResourceType", "ProjectType", "Workflow"})
OF_THE_CLUSTER = frozenset(
    {
        *("CustomResourceDefinition", "APIService", "MutatingWebhookConfiguration", "ValidatingWebhookConfiguration"),
        *("ValidatingAdmissionPolicy", "ValidatingAdmissionPolicyBinding", "MutatingAdmissionPolicy"),
        *("MutatingAdmissionPolicyBinding", "CertificateSigningRequest", "Node", "PersistentVolume", "StorageClass"),
        *("PriorityClass", "RuntimeClass", "CSIDriver", "IngressClass", "GatewayClass", "PodSecurityPolicy"),
    }
)
"""Beside every kind whose name begins with `Cluster`."""
SCHEMAS = frozenset({"parameters", "environmentConfigs"})
INTO_THE_NODE = frozenset({"hostPath", "hostNetwork", "hostPID", "hostIPC", "privileged"})


def require_reach(access: Access, model: type[PlatformObject], held: PlatformObject | None, document: Document) -> None:
    """Refuse a tenant's type that reaches beyond its cell, unless it did before. Raises `guard.Forbidden`."""
    before = set() if held is None else set(reaches(templates_of(held.full_spec())))
    gained = sorted(set(reaches(templates_of(document.get("spec")))) - before)
    action = f"cluster{model.kind.lower()}:{'create' if held is None else 'update'}"
    if not gained or access.allows(action, Place()):
        return
    raise guard.Forbidden(
        action,
        model.kind,
        Place(),
        is_hidden=False,
        message=(
            f"{', '.join(gained)}: a {model.kind} of a namespace makes nothing that reaches beyond its own cell; "
            f"ask somebody who has {action}"
        ),
    )


def templates_of(spec: Any) -> Any:
    """A spec without its schemas, where a parameter may be called anything."""
    return {name: part for name, part in spec.items() if name not in SCHEMAS} if isinstance(spec, Mapping) else None


def reaches(value: Any, key: str = "") -> Iterator[str]:
    """What in a spec of any form reaches beyond a cell, in words."""
    if isinstance(value, Mapping):
        if "apiVersion" in value and isinstance(value.get("kind"), str):
            kind = value["kind"]
            if "${" in kind or kind.startswith("Cluster") or kind in OF_THE_CLUSTER:
                yield f"kind {kind}"
        for name, item in value.items():
            if name in INTO_THE_NODE and item not in (False, None):
                yield str(name)
            yield from reaches(item, str(name))
    elif isinstance(value, list):
        for item in value:
            yield from reaches(item, key)
    elif key == "path" and isinstance(value, str):
        # A patch says by its path what it sets.
        yield from sorted(INTO_THE_NODE & set(value.split("/")))
