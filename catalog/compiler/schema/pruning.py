"""Removal of what a schema does not know, as the Kubernetes API server prunes custom resources.

Parameters of types and traits are never pruned in the contract; the kinds' own specs are, before anything is stored.
Both functions leave their argument unchanged and share unchanged parts with the result.
"""

from __future__ import annotations

from catalog.compiler.schema.node import Node

_RESOURCE_FIELDS = frozenset(("apiVersion", "kind", "metadata"))


def prune(node: Node | None, value: object) -> object:
    """Return ``value`` without the fields that ``node`` does not specify; None prunes every field.

    Below ``x-kubernetes-preserve-unknown-fields`` unknown fields stay, while known ones are pruned by their own
    schema. Fields under ``additionalProperties: true`` stay, but nothing inside them does: that keyword says nothing
    about what they hold.
    """
    if node is not None and node.preserves_unknown_fields:
        return _prune_known(node, value)
    if isinstance(value, list):
        return [prune(node.items if node is not None else None, element) for element in value]
    if not isinstance(value, dict):
        return value
    if node is None:
        return {}
    return {key: _prune_field(node, key, child) for key, child in value.items() if _is_known(node, key)}


def _prune_known(node: Node | None, value: object) -> object:
    """Prune inside the fields that ``node`` specifies and keep all others as they are."""
    if node is None:
        return value
    if isinstance(value, list):
        return [_prune_known(node.items, element) for element in value]
    if not isinstance(value, dict):
        return value
    return {key: _prune_field(node, key, child) for key, child in value.items()}


def _is_known(node: Node, key: str) -> bool:
    return key in node.properties or node.additional is not None or _is_resource_field(node, key)


def _is_resource_field(node: Node, key: str) -> bool:
    return node.embedded_resource and key in _RESOURCE_FIELDS


def _prune_field(node: Node, key: str, value: object) -> object:
    if _is_resource_field(node, key):
        return value
    if key in node.properties:
        return prune(node.properties[key], value)
    if node.additional is not None:
        return prune(node.additional if isinstance(node.additional, Node) else None, value)
    return value


def drop_nulls(node: Node | None, value: object) -> object:
    """Return ``value`` without null fields that may not be null and have no default.

    The API server does this between pruning and defaulting, so that a client may write ``field: null`` for absent.
    """
    if node is None:
        return value
    if isinstance(value, list):
        return [drop_nulls(node.items, element) for element in value]
    if not isinstance(value, dict):
        return value
    kept: dict[str, object] = {}
    for key, child in value.items():
        schema = node.properties.get(key) or (node.additional if isinstance(node.additional, Node) else None)
        if child is None and schema is not None and not schema.nullable and schema.default is None:
            continue
        kept[key] = drop_nulls(schema, child)
    return kept
