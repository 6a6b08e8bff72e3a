"""To which hosts Git credentials are taken: those that somebody has chosen who might as well replace the credentials.

A workflow's schema marks the parameters that hold a repository's address and the SecretReference with its credentials.
Who writes a component or starts a run names both, and a build shows the credentials to the host of the address. So a
credential that is kept while the address is turned to another host would be handed to that host. Whoever pairs the two
anew needs `secretreference:update`: the right to give the secret again. Called by `catalog.access.writing`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from catalog.compiler.errors import ReferenceResolutionError
from catalog.compiler.schema.refs import resolve_refs
from catalog.kinds.base import Document, PlatformObject
from catalog.store.read import get_or_none
from portal.access import guard
from portal.access.engine import Access
from portal.access.place import Place

MARK = "x-openchoreo-component-parameter-repository-"
KINDS = frozenset({"Component", "WorkflowRun"})
COMPONENT_LABEL = "openchoreo.dev/component"
SCP = re.compile(r"(?:[^@/\s]+@)?([^:/\s]+):(?!//)")
MAX_DEPTH = 20
ACTION = "secretreference:update"


class Pair(NamedTuple):
    """A credential, by its SecretReference's name, and a host that it is shown to."""

    secret: str
    host: str


def require_known_hosts(
    access: Access, model: type[PlatformObject], namespace: str, held: PlatformObject | None, document: Document
) -> None:
    """Refuse a credential at a host where it is not used yet, to those who may not replace it. Raises `Forbidden`."""
    spec = document.get("spec")
    gained = pairs_of(namespace, spec if isinstance(spec, Mapping) else {})
    if not gained or access.allows(ACTION, Place(namespace)):
        return
    gained -= known_pairs(model, namespace, held, document)
    if not gained:
        return
    secret, host = min(gained)
    raise guard.Forbidden(
        ACTION,
        model.kind,
        Place(namespace),
        is_hidden=False,
        message=(
            f"the credentials {secret!r} would be shown to {host or 'a host that cannot be told'}, where they are not "
            f"used yet: that needs {ACTION}, as setting them anew does"
        ),
    )


def known_pairs(
    model: type[PlatformObject], namespace: str, held: PlatformObject | None, document: Document
) -> set[Pair]:
    """What is paired already: by the object itself, or by the component that a run belongs to."""
    if held is not None:
        return pairs_of(namespace, held.full_spec())
    labels = (document.get("metadata") or {}).get("labels")
    name = labels.get(COMPONENT_LABEL) if isinstance(labels, Mapping) else None
    component = get_or_none("Component", namespace, name) if model.kind == "WorkflowRun" and name else None
    return set() if component is None else pairs_of(namespace, component.full_spec())


def pairs_of(namespace: str, spec: Mapping[str, Any]) -> set[Pair]:
    """Each credential with each host, in the spec of a component or run of any form."""
    configured = spec.get("workflow")
    if not isinstance(configured, Mapping) or not isinstance(configured.get("name"), str):
        return set()
    kind = "Workflow" if configured.get("kind") == "Workflow" else "ClusterWorkflow"
    workflow = get_or_none(kind, namespace if kind == "Workflow" else "", configured["name"])
    if workflow is None:
        return set()  # nothing can run it; whoever makes the workflow later is judged by the components that use it
    schema = parameters_schema(workflow.full_spec())
    values = configured.get("parameters")
    secrets = {text for text in marked_texts(schema, values, "secret-ref") if text}
    hosts = {host_of(text) for text in marked_texts(schema, values, "url")}
    return {Pair(secret, host) for secret in secrets for host in hosts}


def parameters_schema(workflow: Mapping[str, Any]) -> Any:
    schema: Any = (workflow.get("parameters") or {}).get("openAPIV3Schema") or {}
    with suppress(ReferenceResolutionError):
        return resolve_refs(schema)
    return schema


def marked_texts(schema: Any, values: Any, role: str, depth: int = 0) -> Iterator[str]:
    """The texts of all parameters that the schema marks for a role; its default where none is given."""
    properties = schema.get("properties") if isinstance(schema, Mapping) else None
    for name, nested in properties.items() if isinstance(properties, Mapping) and depth < MAX_DEPTH else ():
        if not isinstance(nested, Mapping):
            continue
        value = values.get(name) if isinstance(values, Mapping) else None
        if nested.get(f"{MARK}{role}") is True:
            text = nested.get("default") if value is None else value
            if isinstance(text, str):
                yield text.strip()
        yield from marked_texts(nested, value, role, depth + 1)


def host_of(address: str) -> str:
    """The host of a repository's address, in lower case, with its port if it names one; "" if it has none."""
    address = address.lower()
    if "://" in address:
        try:
            parts = urlsplit(address)
            port = parts.port
        except ValueError:
            return ""
        # Without encryption anybody on the way is shown the credentials too.
        plain = f"{parts.scheme}://" if parts.scheme in ("http", "git") else ""
        return f"{plain}{parts.hostname or ''}{f':{port}' if port else ''}"
    found = SCP.match(address)
    return found[1] if found else ""
