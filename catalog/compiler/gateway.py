"""The gateways of a plane and of an environment, as expressions see them.

An environment may replace gateways of its data plane one by one (``ingress.external``, ``ingress.internal``,
``egress.external``, ``egress.internal``), each as a whole. Zero ports and empty texts are absent. Called by the
context builders of the pipelines.
"""

from __future__ import annotations

from catalog.compiler.documents import Document, section, spec_of, text

_DIRECTIONS = ("ingress", "egress")
_REACHES = ("external", "internal")
_LISTENERS = ("http", "https", "tls")


def plane_gateway(data_plane: Document, keep_empty_directions: bool) -> Document | None:
    """Return the gateways of a DataPlane document (variable ``dataplane.gateway``), or ``None`` when it has none.

    The component pipeline keeps an ``ingress: {}`` that names no gateway, the other pipelines drop it.
    """
    gateway = section(spec_of(data_plane), "gateway")
    found: Document = {}
    for direction in _DIRECTIONS:
        declared = gateway.get(direction)
        if declared is None:
            continue
        seen = {reach: _endpoint(declared[reach]) for reach in _REACHES if declared.get(reach) is not None}
        if seen or keep_empty_directions:
            found[direction] = seen
    return found or None


def effective_gateway(environment: Document, data_plane: Document) -> Document | None:
    """Return the gateways that serve an environment (``environment.gateway``, also ``gateway``), or ``None``."""
    own = section(spec_of(environment), "gateway")
    inherited = section(spec_of(data_plane), "gateway")
    found: Document = {}
    for direction in _DIRECTIONS:
        preferred, fallback = section(own, direction), section(inherited, direction)
        seen: Document = {}
        for reach in _REACHES:
            declared = preferred.get(reach)
            if declared is None:
                declared = fallback.get(reach)
            if declared is not None:
                seen[reach] = _endpoint(declared)
        if seen:
            found[direction] = seen
    return found or None


def plane_context(data_plane: Document, keep_empty_directions: bool = False) -> Document:
    """Return the variable ``dataplane``: ``{secretStore?, gateway?, observabilityPlaneRef?{kind, name}}``."""
    spec = spec_of(data_plane)
    context: Document = {}
    if store := text(section(spec, "secretStoreRef"), "name"):
        context["secretStore"] = store
    gateway = plane_gateway(data_plane, keep_empty_directions)
    if gateway is not None:
        context["gateway"] = gateway
    reference = spec.get("observabilityPlaneRef")
    if reference is not None:
        # A cluster-wide plane can only name one of its own sort, and its field may leave the kind out.
        kind = "ClusterObservabilityPlane" if data_plane.get("kind") == "ClusterDataPlane" else text(reference, "kind")
        context["observabilityPlaneRef"] = {"kind": kind, "name": text(reference, "name")}
    return context


def environment_context(environment: Document, data_plane: Document) -> Document:
    """Return the variable ``environment``: ``{gateway?}``."""
    gateway = effective_gateway(environment, data_plane)
    return {} if gateway is None else {"gateway": gateway}


def _endpoint(declared: Document) -> Document:
    endpoint: Document = {field: declared[field] for field in ("name", "namespace") if declared.get(field)}
    for protocol in _LISTENERS:
        listener = declared.get(protocol)
        if listener is not None:
            endpoint[protocol] = _listener(listener)
    return endpoint


def _listener(declared: Document) -> Document:
    listener: Document = {field: declared[field] for field in ("listenerName", "host") if declared.get(field)}
    if declared.get("port"):
        listener["port"] = float(declared["port"])
    return listener
