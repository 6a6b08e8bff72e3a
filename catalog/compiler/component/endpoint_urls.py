"""The addresses of a component's endpoints, read from what was rendered for it.

Gateway routes say by labels which endpoint they serve; the listener's port comes from the gateway, the host name and
path from the route. Services give the addresses inside the cluster. Called by the release-binding controller; the
result is ``status.endpoints`` of a ReleaseBinding.
"""

from __future__ import annotations

from collections.abc import Sequence

from catalog.compiler import labels
from catalog.compiler.documents import Document, items, name_of, namespace_of, objects, section, spec_of, text

_ROUTE_GROUP = "gateway.networking.k8s.io"
_ROUTED_TYPES = {
    "HTTPRoute": frozenset({"HTTP", "GraphQL", "Websocket", "gRPC"}),
    "GRPCRoute": frozenset({"gRPC"}),
    "TLSRoute": frozenset({"HTTP", "GraphQL", "Websocket", "gRPC", "TCP"}),
}
_PLAIN_SCHEMES = {"HTTP": "http", "GraphQL": "http", "Websocket": "ws", "gRPC": "grpc"}
_SECURE_SCHEMES = {"HTTP": "https", "GraphQL": "https", "Websocket": "wss", "gRPC": "grpcs", "TCP": "tls"}
_SERVICE_SCHEMES = {**_PLAIN_SCHEMES, "TCP": "tcp", "UDP": "udp"}


def endpoint_statuses(
    objects: Sequence[Document], endpoints: Document, environment: Document, data_plane: Document
) -> list[Document]:
    """Return ``{name, type, serviceURL?, internalURLs?, externalURLs?}`` of every endpoint that can be reached.

    ``objects``: what was rendered for the data plane; ``endpoints``: those of the workload's spec. A URL is
    ``{scheme?, host, port?, path?}``; ``internalURLs`` and ``externalURLs`` hold one for each of ``http``, ``https``
    and ``tls``. Endpoints with a route come first, each group sorted by name.
    """
    statuses = _routed_endpoints(objects, endpoints, environment, data_plane)
    service = _best_service(objects, endpoints)
    if service is None:
        return list(statuses.values())
    for name in sorted(endpoints):
        url = _service_url(service, endpoints[name])
        if url is not None:
            status = statuses.setdefault(name, {"name": name})
            status.update(type=text(endpoints[name], "type"), serviceURL=url)
    return list(statuses.values())


def _routed_endpoints(
    objects: Sequence[Document], endpoints: Document, environment: Document, data_plane: Document
) -> dict[str, Document]:
    routes: dict[tuple[str, bool], Document] = {}
    for route in objects:
        name = _served_endpoint(route, endpoints)
        if name is not None:
            routes[name, _is_external(route)] = route  # of several, the last one counts

    statuses: dict[str, Document] = {}
    for name in sorted({name for name, _ in routes}):
        endpoint_type = text(endpoints[name], "type")
        status: Document = {"name": name, "type": endpoint_type}
        for is_external, field in ((True, "externalURLs"), (False, "internalURLs")):
            if (name, is_external) in routes:
                gateway = _listening_gateway(environment, data_plane, is_external)
                if urls := _route_urls(routes[name, is_external], endpoint_type, gateway):
                    status[field] = urls
        statuses[name] = status
    return statuses


def _served_endpoint(route: Document, endpoints: Document) -> str | None:
    group, slash, _ = text(route, "apiVersion").partition("/")
    if not slash or group != _ROUTE_GROUP:
        return None
    name = text(section(section(route, "metadata"), "labels"), labels.ENDPOINT_NAME)
    served_types = _ROUTED_TYPES.get(text(route, "kind"), frozenset())
    return name if name in endpoints and endpoints[name].get("type") in served_types else None


def _is_external(route: Document) -> bool:
    return section(section(route, "metadata"), "labels").get(labels.ENDPOINT_VISIBILITY) == "external"


def _listening_gateway(environment: Document, data_plane: Document, is_external: bool) -> Document | None:
    # Unlike in templates, an environment with any ingress replaces the gateway of the plane as a whole.
    ingress = section(spec_of(environment), "gateway").get("ingress")
    if ingress is None:
        ingress = section(spec_of(data_plane), "gateway").get("ingress")
    return section({"ingress": ingress}, "ingress").get("external" if is_external else "internal")


def _route_urls(route: Document, endpoint_type: str, gateway: Document | None) -> Document:
    host = next(iter(items(spec_of(route), "hostnames")), "")
    if not host or not isinstance(host, str) or gateway is None:
        return {}
    kind = text(route, "kind")
    path = text(section(section(route, "metadata"), "annotations"), labels.ENDPOINT_BASE_PATH_ANNOTATION)
    if not path and kind == "HTTPRoute":
        path = _first_path(route)
    listeners = {"tls": _SECURE_SCHEMES}
    if kind != "TLSRoute":
        listeners = {"http": _PLAIN_SCHEMES, "https": _SECURE_SCHEMES}
    return {
        listener: _url(schemes.get(endpoint_type, ""), host, gateway[listener].get("port"), path)
        for listener, schemes in listeners.items()
        if gateway.get(listener) is not None
    }


def _first_path(route: Document) -> str:
    rules = objects(spec_of(route), "rules")
    matches = objects(rules[0], "matches") if rules else []
    return text(section(matches[0], "path"), "value") if matches else ""


def _best_service(objects: Sequence[Document], endpoints: Document) -> Document | None:
    """Return the Service that serves most endpoints' ports; the first one when several do."""
    services = [item for item in objects if item.get("kind") == "Service" and item.get("apiVersion") == "v1"]
    wanted = {endpoint.get("port") for endpoint in endpoints.values()}
    return max(services, key=lambda service: sum(port in wanted for port in _service_ports(service)), default=None)


def _service_ports(service: Document) -> list[int]:
    return [port["port"] for port in objects(spec_of(service), "ports") if isinstance(port.get("port"), int)]


def _service_url(service: Document, endpoint: Document) -> Document | None:
    port = endpoint.get("port")
    if port not in _service_ports(service):
        return None
    host = f"{name_of(service)}.{namespace_of(service)}.svc.cluster.local"
    return _url(_SERVICE_SCHEMES.get(text(endpoint, "type"), "http"), host, port, text(endpoint, "basePath"))


def _url(scheme: str, host: str, port: int | None, path: str) -> Document:
    url: Document = {"scheme": scheme, "host": host, "port": port, "path": path}
    return {field: value for field, value in url.items() if value or field == "host"}
