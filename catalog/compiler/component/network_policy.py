"""The network policy that guards every component: ingress by the visibility of its endpoints, egress open.

Each endpoint is reachable from its own cell (the data-plane namespace). Visibility ``namespace`` adds the other
projects of the same control-plane namespace and environment; ``internal`` and ``external`` add the gateways. The
controller appends the policy after the rendered resources.
"""

from __future__ import annotations

from collections.abc import Callable

from catalog.compiler import labels
from catalog.compiler.documents import Document, items, section
from catalog.compiler.names import RESOURCE_NAME_LIMIT, kubernetes_name

_BEHIND_GATEWAYS = ("internal", "external")
_PROXIED_TYPES = frozenset({"HTTP", "GraphQL", "Websocket", "gRPC"})
_ANY_NAMESPACE = {"key": "k8s:io.kubernetes.pod.namespace", "operator": "Exists"}
_GATEWAY_PODS = {"key": labels.SYSTEM_COMPONENT, "operator": "Exists"}

_Endpoints = list[Document]


def network_policy(metadata: Document, endpoints: Document, data_plane: Document) -> Document:
    """Return the policy of one component.

    ``metadata`` is the render's variable of that name, ``endpoints`` those of the workload's spec (not overridden),
    ``data_plane`` a DataPlane or ClusterDataPlane document, whose annotation may choose Cilium.
    """
    annotations = section(section(data_plane, "metadata"), "annotations")
    if annotations.get(labels.NETWORK_POLICY_PROVIDER_ANNOTATION) == "cilium":
        return _cilium_policy(metadata, endpoints)
    return _kubernetes_policy(metadata, endpoints)


def _kubernetes_policy(metadata: Document, endpoints: Document) -> Document:
    ordered = [endpoints[name] for name in sorted(endpoints)]
    sources: tuple[Document, ...] = (
        {"podSelector": {}},
        {"namespaceSelector": {"matchLabels": _same_environment(metadata)}},
        {"namespaceSelector": {}, "podSelector": {"matchExpressions": [_GATEWAY_PODS]}},
    )
    rules = [
        {"from": [source], "ports": [_kubernetes_port(endpoint) for endpoint in reachable]}
        for source, reachable in zip(sources, _by_reach(ordered), strict=True)
        if reachable
    ]
    spec: Document = {"podSelector": {"matchLabels": metadata["podSelectors"]}, "policyTypes": ["Ingress"]}
    if rules:
        spec["ingress"] = rules
    return _policy("networking.k8s.io/v1", "NetworkPolicy", metadata, spec)


def _cilium_policy(metadata: Document, endpoints: Document) -> Document:
    # By port as text, as the contract has it; by name where ports are equal, which the contract leaves open.
    ordered = [endpoints[name] for name in sorted(endpoints, key=lambda name: (str(_port(endpoints[name])), name))]
    sources: tuple[Document, ...] = (
        {},
        {"matchLabels": _same_environment(metadata), "matchExpressions": [_ANY_NAMESPACE]},
        {"matchExpressions": [_GATEWAY_PODS, _ANY_NAMESPACE]},
    )
    rules = [
        {"fromEndpoints": [source], "toPorts": _cilium_ports(reachable)}
        for source, reachable in zip(sources, _by_reach(ordered), strict=True)
        if reachable
    ]
    spec = {"endpointSelector": {"matchLabels": metadata["podSelectors"]}, "ingress": rules}
    return _policy("cilium.io/v2", "CiliumNetworkPolicy", metadata, spec)


def _policy(api_version: str, kind: str, metadata: Document, spec: Document) -> Document:
    name = f"openchoreo-{metadata['componentName']}"
    if len(name.encode()) > RESOURCE_NAME_LIMIT:
        name = kubernetes_name(RESOURCE_NAME_LIMIT, "openchoreo", metadata["componentName"])
    return {
        "apiVersion": api_version,
        "kind": kind,
        "metadata": {"name": name, "namespace": metadata["namespace"]},
        "spec": spec,
    }


def _by_reach(endpoints: _Endpoints) -> tuple[_Endpoints, _Endpoints, _Endpoints]:
    """Split by who may call: the cell, the same environment, the gateways. One visibility, one entry."""

    def seen_by(is_reached: Callable[[str], bool]) -> _Endpoints:
        return [
            endpoint for endpoint in endpoints for visibility in items(endpoint, "visibility") if is_reached(visibility)
        ]

    return endpoints, seen_by(lambda visibility: visibility == "namespace"), seen_by(_BEHIND_GATEWAYS.__contains__)


def _same_environment(metadata: Document) -> Document:
    return {
        labels.NAMESPACE: metadata["componentNamespace"],
        labels.ENVIRONMENT: metadata["environmentName"],
    }


def _port(endpoint: Document) -> int:
    return int(endpoint.get("port") or 0)


def _protocol(endpoint: Document) -> str:
    return "UDP" if endpoint.get("type") == "UDP" else "TCP"


def _kubernetes_port(endpoint: Document) -> Document:
    return {"protocol": _protocol(endpoint), "port": _port(endpoint)}


def _cilium_ports(endpoints: _Endpoints) -> list[Document]:
    proxied = [endpoint for endpoint in endpoints if endpoint.get("type") in _PROXIED_TYPES]
    direct = [endpoint for endpoint in endpoints if endpoint.get("type") not in _PROXIED_TYPES]
    ports: list[Document] = []
    if proxied:
        ports.append({"ports": [_cilium_port(endpoint) for endpoint in proxied], "rules": {"http": [{}]}})
    if direct:
        ports.append({"ports": [_cilium_port(endpoint) for endpoint in direct]})
    return ports


def _cilium_port(endpoint: Document) -> Document:
    return {"port": str(_port(endpoint)), "protocol": _protocol(endpoint)}
