"""The workload of a component: overrides of a binding, and what expressions see of it.

Called by ``component.context`` (variables ``workload`` and ``configurations``) and by the release-binding controller
(overrides, secret references).
"""

from __future__ import annotations

from collections.abc import Mapping

from catalog.compiler.documents import Document, items, section, spec_of, text

# Every endpoint is reachable inside its project, declared or not.
_ALWAYS_VISIBLE = "project"


def with_overrides(workload_spec: Document, overrides: Document | None) -> Document:
    """Return a workload's spec with a binding's ``workloadOverrides`` applied; the input is not changed.

    Only ``container.env`` and ``container.files`` can be overridden, entry by entry (``key``), each as a whole. The
    last override of a key takes the place of the workload's entry; new keys follow, all of them, in their order.
    """
    container_overrides = section(overrides, "container")
    if not container_overrides:
        return workload_spec
    container = dict(section(workload_spec, "container"))
    for field in ("env", "files"):
        if replacements := items(container_overrides, field):
            container[field] = _override(items(container, field), replacements)
    return {**workload_spec, "container": container}


def workload_context(workload_spec: Document) -> Document:
    """Return the variable ``workload``: ``{container{image?,command?,args?}, endpoints{name: …}}``."""
    container = section(workload_spec, "container")
    endpoints = section(workload_spec, "endpoints")
    return {
        "container": {field: container[field] for field in ("image", "command", "args") if container.get(field)},
        "endpoints": {name: _endpoint_context(endpoint) for name, endpoint in endpoints.items()},
    }


def configurations_context(workload_spec: Document, secret_references: Mapping[str, Document]) -> Document:
    """Return the variable ``configurations``: ``{configs{envs,files}, secrets{envs,files}}``.

    ``secret_references`` holds SecretReference documents by name. An entry whose secret does not resolve is left out;
    the controller checks that before.
    """
    configs: Document = {"envs": [], "files": []}
    secrets: Document = {"envs": [], "files": []}
    container = section(workload_spec, "container")
    for source, target in (("env", "envs"), ("files", "files")):
        for entry in items(container, source):
            seen = {"name": text(entry, "key"), "value": text(entry, "value")}
            if source == "files":
                seen["mountPath"] = text(entry, "mountPath")
            reference = _secret_key_reference(entry)
            if reference is None:
                configs[target].append(seen)
            elif (remote := remote_reference(reference, secret_references)) is not None:
                secrets[target].append({**seen, "value": "", "remoteRef": remote})
    return {"configs": configs, "secrets": secrets}


def remote_reference(reference: Document, secret_references: Mapping[str, Document]) -> Document | None:
    """Return ``{key, property?, version?}`` that a ``secretKeyRef{name, key}`` stands for, or ``None``."""
    secret_reference = secret_references.get(text(reference, "name"))
    for row in items(spec_of(secret_reference), "data"):
        if row.get("secretKey") == reference.get("key"):
            remote = section(row, "remoteRef")
            found = {"key": text(remote, "key")}
            found.update({field: remote[field] for field in ("property", "version") if remote.get(field)})
            return found
    return None


def secret_key_references(workload_spec: Document) -> list[Document]:
    """Return the ``secretKeyRef{name, key}`` of all environment variables, then of all files, in their order."""
    container = section(workload_spec, "container")
    entries = [*items(container, "env"), *items(container, "files")]
    return [reference for entry in entries if (reference := _secret_key_reference(entry)) is not None]


def _secret_key_reference(entry: Document) -> Document | None:
    return section(entry, "valueFrom").get("secretKeyRef")


def _override(entries: list[Document], replacements: list[Document]) -> list[Document]:
    pending = {text(replacement, "key"): replacement for replacement in replacements}
    merged = [pending.pop(text(entry, "key"), entry) for entry in entries]
    return merged + [replacement for replacement in replacements if text(replacement, "key") in pending]


def _endpoint_context(endpoint: Document) -> Document:
    port = float(endpoint.get("port") or 0)
    visibility = dict.fromkeys([_ALWAYS_VISIBLE, *items(endpoint, "visibility")])
    context = {
        "port": port,
        "targetPort": float(endpoint.get("targetPort") or port),
        "type": text(endpoint, "type"),
        "visibility": list(visibility),
    }
    context.update({field: endpoint[field] for field in ("displayName", "basePath") if endpoint.get(field)})
    return context
