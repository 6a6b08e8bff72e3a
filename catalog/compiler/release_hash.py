"""The hash in a release's name.

``{component}-{hash}``: the reference hashes the text that Go's ``spew`` package makes of its typed release. So the text
depends on things that the document does not show: the order of a struct's fields, the names of Go types, absent lists
(``<nil>``) against empty ones (``[]``), and the exact bytes of every raw JSON part, written as decimal numbers. The
tables of catalog.compiler.release_layout hold those facts; this module walks a release document along them.

Called by the controllers that cut releases, and before promoting, to find an equal release. Recorded names are checked
in tests/compiler/test_release_hash.py.
"""

from __future__ import annotations

from collections.abc import Mapping

from catalog.compiler.errors import InputError
from catalog.compiler.gohash import hash_text
from catalog.compiler.gotext import json_text
from catalog.compiler.release_layout import CLUSTER_TYPE_LISTS, PACKAGES, RAW, STRUCTS, Field

Document = Mapping[str, object]


def component_release_hash(spec: Document) -> str:
    """Return the hash of a ComponentRelease's ``spec``; its owner and the order of its traits do not count.

    Raises ``InputError`` that names the field when the document does not fit the type.
    """
    traits = sorted(_list(spec.get("traits"), "spec.traits"), key=_kind_and_name)
    component_type = _with_made_lists(_object(spec.get("componentType", {}), "spec.componentType"))
    hashed = {**spec, "traits": traits, "componentType": component_type}
    return hash_text(_struct("component.ReleaseSpec", hashed, "spec"))


def project_release_hash(spec: Document) -> str:
    """Return the hash of a ProjectRelease's ``spec``; its owner does not count. Raises ``InputError``."""
    return hash_text(_struct("project.ReleaseSpec", spec, "spec"))


def resource_release_hash(spec: Document) -> str:
    """Return the hash of a ResourceRelease's ``spec``; its owner does not count. Raises ``InputError``."""
    return hash_text(_struct("resource.ReleaseSpec", spec, "spec"))


def _kind_and_name(trait: object) -> tuple[str, str]:
    document = _object(trait, "traits")
    return (str(document.get("kind", "")), str(document.get("name", "")))


def _with_made_lists(component_type: Document) -> Document:
    """The reference copies a cluster-wide type element by element and so makes lists where there were none."""
    if component_type.get("kind") != "ClusterComponentType":
        return component_type
    spec = _object(component_type.get("spec", {}), "spec.componentType.spec")
    return {**component_type, "spec": {**spec, **{key: spec.get(key) or [] for key in CLUSTER_TYPE_LISTS}}}


def _struct(name: str, document: Document, path: str) -> str:
    """``(type){Field:(type)value …}``"""
    return f"({_type_text(name)}){_fields(name, document, path)}"


def _fields(name: str, document: Document, path: str) -> str:
    return "{" + " ".join(_field(field, document, path) for field in STRUCTS[name]) + "}"


def _field(field: Field, document: Document, path: str) -> str:
    if field.is_inline:
        return f"{field.name}:{_struct(field.type, document, path)}"
    value, place = document.get(field.key), f"{path}.{field.key}"
    if value is None and field.is_empty_when_absent:
        value = []
    return f"{field.name}:({_type_text(field.type)}){_value(field.type, value, place)}"


def _value(type_: str, value: object, path: str) -> str:
    """The text of a value whose type was already written."""
    if type_.startswith("*"):
        return "<nil>" if value is None else _value(type_[1:], value, path)
    if type_.startswith("[]"):
        if value is None:
            return "<nil>"
        items = enumerate(_list(value, path))
        return "[" + " ".join(_value(type_[2:], item, f"{path}[{index}]") for index, item in items) + "]"
    if type_.startswith("map[string]"):
        if value is None:
            return "<nil>"
        element = type_.removeprefix("map[string]")
        entries = sorted(_object(value, path).items())
        return "map[" + " ".join(f"{key}:{_value(element, item, f'{path}.{key}')}" for key, item in entries) + "]"
    if type_ == RAW:
        return f"{{Raw:([]uint8)[{' '.join(map(str, json_text(value).encode()))}] Object:(runtime.Object)<nil>}}"
    if type_ in STRUCTS:
        return _fields(type_, _object({} if value is None else value, path), path)
    return _scalar(type_, value, path)


def _scalar(type_: str, value: object, path: str) -> str:
    if type_ == "bool":
        if not isinstance(value, bool):
            raise InputError(f"{path} must be a boolean")
        return "true" if value else "false"
    if type_ == "int32":
        number = 0 if value is None else value
        if isinstance(number, bool) or not isinstance(number, (int, float)) or number != int(number):
            raise InputError(f"{path} must be an integer")
        return str(int(number))
    text = "" if value is None else value
    if not isinstance(text, str):
        raise InputError(f"{path} must be a string")
    return text


def _type_text(type_: str) -> str:
    """The Go name of a type, with its package."""
    for prefix in ("*", "[]", "map[string]"):
        if type_.startswith(prefix):
            return prefix + _type_text(type_.removeprefix(prefix))
    return PACKAGES.get(type_, f"v1alpha1.{type_}" if type_[0].isupper() else type_)


def _object(value: object, path: str) -> Document:
    if not isinstance(value, Mapping):
        raise InputError(f"{path} must be an object")
    return value


def _list(value: object, path: str) -> list[object]:
    if value is not None and not isinstance(value, list):
        raise InputError(f"{path} must be a list")
    return value or []
