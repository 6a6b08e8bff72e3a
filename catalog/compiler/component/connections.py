"""Connections: the endpoints of other components that a workload depends on.

The controller looks up the provider's bindings; what follows from them is decided here. A connection that does not
resolve says why, and its component renders without the variables. Called by the release-binding controller.
"""

from __future__ import annotations

from collections.abc import Sequence

from catalog.compiler.documents import Document, items, section, spec_of, text
from catalog.compiler.messages import quote

_URL_SCHEMES = frozenset({"http", "https", "ws", "wss", "tls"})
_IDENTITY = ("namespace", "project", "component", "endpoint", "visibility")


def connection_targets(workload: Document, namespace: str, project: str, environment: str) -> list[Document]:
    """Return ``{namespace, project, component, endpoint, visibility, environment}`` per declared endpoint dependency.

    ``workload`` is a workload's spec (or a release's ``spec.workload``); the other three are those of the binding that
    depends. A dependency without a project stays in its own. Shape of ``status.connectionTargets``.
    """
    return [
        {
            "namespace": namespace,
            "project": text(declared, "project") or project,
            "component": text(declared, "component"),
            "endpoint": text(declared, "name"),
            "visibility": text(declared, "visibility"),
            "environment": environment,
        }
        for declared in _declared(workload)
    ]


def resolve_connection(target: Document, providers: Sequence[Document]) -> tuple[Document | None, Document | None]:
    """Resolve one target against the ReleaseBindings of its component in its environment and namespace.

    Returns ``(resolved, None)`` with the target's identity and its ``url{scheme?, host, port?, path?}``, or
    ``(None, pending)`` with ``reason``. Shapes of ``status.resolvedConnections`` and ``status.pendingConnections``.
    """
    url, reason = _provided_url(target, providers)
    if url is not None:
        return {**{field: target[field] for field in _IDENTITY}, "url": url}, None
    return None, {**{field: target[field] for field in _IDENTITY[:4]}, "reason": reason}


def endpoint_dependency_items(
    workload: Document, namespace: str, project: str, resolved_connections: Sequence[Document]
) -> list[Document]:
    """Return the ``DependencyItems`` of a render: one per declared dependency, in order.

    A connection that is not among ``resolved_connections`` gets no environment variables.
    """
    urls = {tuple(connection[field] for field in _IDENTITY): connection["url"] for connection in resolved_connections}
    found = []
    for declared in _declared(workload):
        item = {
            "namespace": namespace,
            "project": text(declared, "project") or project,
            "component": text(declared, "component"),
            "endpoint": text(declared, "name"),
            "visibility": text(declared, "visibility"),
        }
        url = urls.get(tuple(item[field] for field in _IDENTITY))
        variables = [] if url is None else _environment_variables(section(declared, "envBindings"), url)
        found.append({**item, "envVars": variables})
    return found


def endpoint_address(url: Document) -> str:
    """Print an endpoint's URL: with scheme for HTTP, WebSocket and TLS, else ``host:port/path``."""
    scheme, port, path = text(url, "scheme"), url.get("port"), text(url, "path")
    address = f"{scheme}://" if scheme in _URL_SCHEMES else ""
    address += text(url, "host")
    if port:
        address += f":{int(port)}"
    if path and not path.startswith("/"):
        address += "/"
    return address + path


def _declared(workload: Document) -> list[Document]:
    return items(section(workload, "dependencies"), "endpoints")


def _provided_url(target: Document, providers: Sequence[Document]) -> tuple[Document | None, str]:
    component = f"{target['project']}/{target['component']}"
    if not providers:
        return None, f"ReleaseBinding not found for component {component}"
    if len(providers) > 1:
        environment = text(target, "environment")
        return None, f"multiple ReleaseBindings found for component {component} in environment {environment}"
    provider = providers[0]
    if spec_of(provider).get("state") == "Undeploy":
        return None, "component is undeployed"
    endpoint = quote(target["endpoint"])
    for status in items(section(provider, "status"), "endpoints"):
        if status.get("name") == target["endpoint"]:
            url = _url_for(status, target["visibility"])
            return url, f"endpoint {endpoint} has no URL for visibility {target['visibility']}"
    return None, f"endpoint {endpoint} not yet resolved"


def _url_for(endpoint_status: Document, visibility: str) -> Document | None:
    if visibility in ("project", "namespace"):
        return endpoint_status.get("serviceURL")
    if visibility == "external":
        urls = section(endpoint_status, "externalURLs")
        return next((urls[listener] for listener in ("https", "http", "tls") if urls.get(listener)), None)
    return None


def _environment_variables(bindings: Document, url: Document) -> list[Document]:
    port = url.get("port")
    values = {
        "address": endpoint_address(url),
        "host": text(url, "host"),
        "port": str(int(port)) if port else "",
        "basePath": text(url, "path"),
    }
    return [environment_variable(bindings[part], value) for part, value in values.items() if bindings.get(part)]


def environment_variable(name: str, value: str) -> Document:
    """Return ``{name, value}``; an empty value is left out."""
    return {"name": name, "value": value} if value else {"name": name}
