"""What a Kubernetes API server would say: an independent reading of the contract's CustomResourceDefinitions.

It prunes, defaults and validates by the CRD files themselves, with the jsonschema library, and evaluates their rules
with Google's CEL. Nothing of the product is used, so that the product can be compared with it.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache, cached_property
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import jsonschema
import re2
import yaml
from cel_expr_python import cel

Schema = Mapping[str, Any]
PRESERVE = "x-kubernetes-preserve-unknown-fields"
RANGES = {"int32": (-(2**31), 2**31 - 1), "int64": (-(2**63), 2**63 - 1)}


@dataclass(frozen=True)
class Verdict:
    """The completed spec, the paths at which the schema is broken, and the broken rules as (path, message)."""

    spec: dict[str, Any]
    schema_errors: list[str]
    rule_errors: list[tuple[str, str]]

    @property
    def accepted(self) -> bool:
        return not self.schema_errors and not self.rule_errors


@dataclass(frozen=True)
class Crd:
    """One CustomResourceDefinition."""

    document: Mapping[str, Any] = field(repr=False)

    @property
    def kind(self) -> str:
        return self.document["spec"]["names"]["kind"]

    @property
    def plural(self) -> str:
        return self.document["spec"]["names"]["plural"]

    @property
    def namespaced(self) -> bool:
        return self.document["spec"]["scope"] == "Namespaced"

    @property
    def version(self) -> Mapping[str, Any]:
        (version,) = self.document["spec"]["versions"]
        return version

    @cached_property
    def spec_schema(self) -> Schema:
        return self.version["schema"]["openAPIV3Schema"]["properties"]["spec"]

    @property
    def spec_required(self) -> bool:
        return "spec" in self.version["schema"]["openAPIV3Schema"].get("required", [])

    @cached_property
    def validator(self) -> Any:
        return Validator(self.spec_schema)

    def admit(self, old: Mapping[str, Any] | None, spec: Mapping[str, Any]) -> Verdict:
        """Judge a spec; `old` is the stored spec of an update."""
        completed = complete(self.spec_schema, spec)
        completed = mutated_by_webhook(self.kind, old, completed)
        schema_errors = sorted({error.json_path for error in self.validator.iter_errors(completed)})
        schema_errors += duplicates(self.spec_schema, completed, "spec")
        rule_errors = [] if schema_errors else list(broken_rules(self.spec_schema, completed, old, "spec"))
        return Verdict(completed, schema_errors, rule_errors)


def load(directory: Path) -> dict[str, Crd]:
    """All CRDs of a directory, by kind."""
    documents = [yaml.load(path.read_text(), yaml.CSafeLoader) for path in sorted(directory.glob("*.yaml"))]
    return {crd.kind: crd for crd in map(Crd, documents)}


def complete(schema: Schema, spec: Any) -> Any:
    """Prune unknown fields, set defaults, drop nulls: what the API server does before it validates."""
    completed = copy.deepcopy(spec)
    prune(schema, completed)
    set_defaults(schema, completed)
    drop_nulls(schema, completed)
    return completed


def prune(schema: Schema, value: Any) -> None:
    if isinstance(value, dict):
        for name in list(value):
            child = child_schema(schema, name)
            if child is not None:
                prune(child, value[name])
            elif not schema.get(PRESERVE):
                del value[name]
    elif isinstance(value, list) and "items" in schema:
        for item in value:
            prune(schema["items"], item)


def set_defaults(schema: Schema, value: Any) -> None:
    if isinstance(value, dict):
        for name, child in schema.get("properties", {}).items():
            if "default" in child and value.get(name) is None:
                value[name] = copy.deepcopy(child["default"])
        for name, item in value.items():
            set_defaults(child_schema(schema, name) or {}, item)
    elif isinstance(value, list):
        for item in value:
            set_defaults(schema.get("items", {}), item)


def drop_nulls(schema: Schema, value: Any) -> None:
    if isinstance(value, dict):
        for name in list(value):
            child = child_schema(schema, name)
            if child is None:
                continue
            if value[name] is None:
                del value[name]
            else:
                drop_nulls(child, value[name])
    elif isinstance(value, list) and "items" in schema:
        for item in value:
            drop_nulls(schema["items"], item)


def child_schema(schema: Schema, name: str) -> Schema | None:
    """The schema of a field, None if the field is unknown."""
    if name in schema.get("properties", {}):
        return schema["properties"][name]
    additional = schema.get("additionalProperties")
    return additional if isinstance(additional, Mapping) else None


def mutated_by_webhook(kind: str, old: Mapping[str, Any] | None, spec: dict[str, Any]) -> dict[str, Any]:
    """What the control plane's own defaulting webhooks add."""
    if kind == "Project" and isinstance(spec.get("deploymentPipelineRef"), str):
        name = spec["deploymentPipelineRef"]
        return {**spec, "deploymentPipelineRef": {"kind": "DeploymentPipeline", "name": name}}
    if kind == "ReleaseBinding" and old and old.get("releaseName") and spec.get("releaseName") in (None, ""):
        return {**spec, "releaseName": old["releaseName"]}
    if kind in ("Workflow", "ClusterWorkflow") and isinstance(spec.get("runTemplate"), dict):
        run_template = copy.deepcopy(spec["runTemplate"])
        run_template.setdefault("spec", {})["serviceAccountName"] = "workflow-sa"
        return {**spec, "runTemplate": run_template}
    return spec


def _pattern(validator: Any, pattern: str, instance: Any, schema: Schema) -> Iterator[jsonschema.ValidationError]:
    if isinstance(instance, str) and re2.search(pattern, instance) is None:
        yield jsonschema.ValidationError(f"{instance!r} does not match {pattern!r}")


def _format(validator: Any, name: str, instance: Any, schema: Schema) -> Iterator[jsonschema.ValidationError]:
    if name in RANGES and isinstance(instance, int | float) and not isinstance(instance, bool):
        low, high = RANGES[name]
        if not low <= instance <= high:
            yield jsonschema.ValidationError(f"{instance} is no {name}")
    if name == "uri" and isinstance(instance, str) and not is_request_uri(instance):
        yield jsonschema.ValidationError(f"{instance!r} is no URI")


def is_request_uri(text: str) -> bool:
    """Go's url.ParseRequestURI for the texts that the tests use: absolute, or a path from the root."""
    return text.isprintable() and " " not in text and (bool(urlsplit(text).scheme) or text.startswith("/"))


Validator = jsonschema.validators.extend(
    jsonschema.Draft202012Validator,
    # Neither does an API server make lists unique by `uniqueItems`: it has list types, see `duplicates`.
    {"pattern": _pattern, "format": _format},
)


def duplicates(schema: Schema, value: Any, path: str) -> list[str]:
    """Where a list declared as a set or map has an entry twice."""
    found: list[str] = []
    if isinstance(value, dict):
        for name, item in value.items():
            found += duplicates(child_schema(schema, name) or {}, item, f"{path}.{name}")
    elif isinstance(value, list):
        keys = schema.get("x-kubernetes-list-map-keys", [])
        seen: list[Any] = []
        for index, item in enumerate(value):
            identity = [item.get(key) for key in keys] if keys and isinstance(item, dict) else item
            if schema.get("x-kubernetes-list-type") in ("set", "map") and identity in seen:
                found.append(f"{path}[{index}]")
            seen.append(identity)
            found += duplicates(schema.get("items", {}), item, f"{path}[{index}]")
    return found


def broken_rules(schema: Schema, value: Any, old: Any, path: str) -> Iterator[tuple[str, str]]:
    """Every rule below `path` that fails, parents first. `old` is None where there is nothing to compare with."""
    for rule in schema.get("x-kubernetes-validations", []):
        if "oldSelf" in rule["rule"] and old is None:
            continue
        outcome = program(rule["rule"]).eval(data={"self": ordered(schema, value), "oldSelf": ordered(schema, old)})
        if outcome.type() == cel.Type.ERROR:
            yield path, f"evaluating rule: {rule['message']}"
        elif outcome.value() is not True:
            yield path, rule["message"]
    if isinstance(value, dict):
        for name, item in value.items():
            child = child_schema(schema, name)
            if child is not None:
                below = f"{path}.{name}" if name in schema.get("properties", {}) else f"{path}[{name}]"
                yield from broken_rules(child, item, old.get(name) if isinstance(old, dict) else None, below)
    elif isinstance(value, list):
        for index, item in enumerate(value):
            # Entries of these lists have no counterpart in the old list: none of their rules compares with it.
            yield from broken_rules(schema.get("items", {}), item, None, f"{path}[{index}]")


@cache
def program(rule: str) -> Any:
    environment = cel.NewEnv(variables={"self": cel.Type.DYN, "oldSelf": cel.Type.DYN})
    return environment.compile(rule)


def ordered(schema: Schema, value: Any) -> Any:
    """The value with sets and map lists sorted: Kubernetes compares them without regard to order."""
    if isinstance(value, dict):
        return {name: ordered(child_schema(schema, name) or {}, item) for name, item in value.items()}
    if isinstance(value, list):
        items = [ordered(schema.get("items", {}), item) for item in value]
        if schema.get("x-kubernetes-list-type") in ("set", "map"):
            keys = schema.get("x-kubernetes-list-map-keys", [])
            items.sort(key=lambda item: repr([item.get(key) for key in keys] if keys else item))
        return items
    return value
