"""The form of a TypeTest: its fields, and what is wrong with a document that claims to be one.

apiVersion: stagecraft.dev/v1alpha1
kind: TypeTest
spec:
  target: {kind: ClusterComponentType, name: service}
  types: [../types]          files and folders with the definitions, from this file on
  given: {...}               inputs of all cases
  cases:
    - name: A sentence about the type
      given: {...}           laid over the shared inputs
      expect: {...}
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from catalog.compiler.schema import compile_schema
from catalog.kinds.base import FieldError
from catalog.kinds.schema import Schema, array, boolean, enum, integer, map_of, obj, raw_object, string
from catalog.kinds.shapes import name, typed_ref

API_VERSION = "stagecraft.dev/v1alpha1"
KIND = "TypeTest"
TARGET_KINDS = (
    "ComponentType", "ClusterComponentType", "Trait", "ClusterTrait", "ProjectType", "ClusterProjectType",
    "ResourceType", "ClusterResourceType", "Workflow", "ClusterWorkflow",
)  # fmt: skip
ERROR_CLASSES = (
    "scan", "compile", "evaluate", "key", "type", "structure", "input", "schema", "pre-render", "post-render",
    "trait-missing", "patch", "output",
)  # fmt: skip

_PLACES = ("namespace", "project", "environment", "dataPlane", "parameters", "environmentConfigs")
_COMPONENT = ("component", "workload", "workloadOverrides", "traits", "secrets", "notificationChannel", "dependencies")
GIVEN_FIELDS: Mapping[str, frozenset[str]] = {
    "ComponentType": frozenset((*_PLACES, *_COMPONENT)),
    "Trait": frozenset((*_PLACES, *_COMPONENT, "instanceName", "componentType")),
    "ProjectType": frozenset((*_PLACES, "annotations")),
    "ResourceType": frozenset((*_PLACES, "resource", "annotations", "observed")),
    "Workflow": frozenset(("namespace", "run", "parameters", "labels", "externalRefs", "secretStore")),
}
"""Which inputs a test of a kind may give."""


def _given() -> Schema:
    trait = {
        "kind": enum("Trait", "ClusterTrait"),
        "name!": name(),
        "instanceName": name(),
        "parameters": raw_object(),
        "environmentConfigs": raw_object(),
    }
    on = {"kind": enum("ComponentType", "ClusterComponentType", default="ComponentType"), "name!": name()}
    return obj(
        {
            **{field: name() for field in ("namespace", "project", "component", "resource", "run", "instanceName")},
            "environment": obj({"name": name()}, keep_unknown=True),
            "dataPlane": obj({"name": name()}, keep_unknown=True),
            "parameters": raw_object(),
            "environmentConfigs": raw_object(),
            "workload": raw_object(),
            "workloadOverrides": raw_object(),
            "traits": array(obj(trait)),
            "componentType": obj({**on, "parameters": raw_object(), "environmentConfigs": raw_object()}),
            "secrets": map_of(array(raw_object())),
            "notificationChannel": string(),
            "dependencies": obj({"endpoints": array(raw_object()), "resources": array(raw_object())}),
            "annotations": map_of(string()),
            "labels": map_of(string()),
            "observed": map_of(raw_object()),
            "externalRefs": map_of(raw_object()),
            "secretStore": string(),
        }
    )


def _expect() -> Schema:
    check = {"that!": name(), "for": raw_object(), "message": string()}
    return obj(
        {
            "objects": array(raw_object()),
            "absent": array(raw_object()),
            "kinds": map_of(integer(minimum=0)),
            "snapshot": name(),
            "checks": array(obj(check)),
            "outputs": raw_object(),
            "ready": map_of(boolean()),
            "error": obj({"class": enum(*ERROR_CLASSES), "message": string()}),
        }
    )


_SPEC = compile_schema(
    obj(
        {
            "target!": typed_ref(*TARGET_KINDS),
            "types": array(name()),
            "given": _given(),
            "cases!": array(obj({"name!": name(), "given": _given(), "expect": _expect()}), min_items=1),
        }
    )
)


def complete(spec: Any) -> tuple[dict[str, Any], list[FieldError]]:
    """Return the spec of a TypeTest with its defaults, and everything wrong with it."""
    if not isinstance(spec, dict):
        return {}, [FieldError("spec", "Required", "Required value: a TypeTest has a target and cases")]
    known: Any = _SPEC.prune(spec)
    errors = [FieldError(path, "Forbidden", "there is no such field in a TypeTest") for path in _dropped(spec, known)]
    completed: Any = _SPEC.default(_SPEC.drop_nulls(known))
    errors += [FieldError(found.path, found.reason, found.message) for found in _SPEC.field_errors(completed, "spec")]
    if not errors:
        errors += _misplaced(completed)
        errors += _repeated(completed["cases"])
    if not errors:
        # In a case's inputs a null has a meaning: it takes away what the shared inputs give.
        for case, written in zip(completed["cases"], known["cases"], strict=True):
            case["given"] = written.get("given") or {}
    return completed, errors


def _dropped(before: Any, after: Any, path: str = "spec") -> Iterator[str]:
    """Yield the paths of fields that are in the one document and not in the other."""
    if isinstance(before, dict) and isinstance(after, dict):
        for key, value in before.items():
            if key not in after:
                yield f"{path}.{key}"
            else:
                yield from _dropped(value, after[key], f"{path}.{key}")
    elif isinstance(before, list) and isinstance(after, list):
        for index, (left, right) in enumerate(zip(before, after, strict=False)):
            yield from _dropped(left, right, f"{path}[{index}]")


def _misplaced(spec: Mapping[str, Any]) -> Iterator[FieldError]:
    """Yield the inputs that the kind of type does not have."""
    kind = spec["target"]["kind"]
    allowed = GIVEN_FIELDS[kind.removeprefix("Cluster")]
    places = [("spec.given", spec.get("given"))]
    places += [(f"spec.cases[{index}].given", case.get("given")) for index, case in enumerate(spec["cases"])]
    for path, given in places:
        for field in given or ():
            if field not in allowed:
                yield FieldError(f"{path}.{field}", "Forbidden", f"a test of a {kind} has no such input")


def _repeated(cases: list[dict[str, Any]]) -> Iterator[FieldError]:
    seen: set[str] = set()
    for index, case in enumerate(cases):
        if case["name"] in seen:
            yield FieldError(f"spec.cases[{index}].name", "Duplicate", "another case has this name")
        seen.add(case["name"])
