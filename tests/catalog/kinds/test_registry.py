"""The registry of kinds against the contract: every kind is there, under its names, scope and finalizer."""

from __future__ import annotations

import re
from typing import Any

import pytest

from catalog.kinds.base import API_VERSION, PlatformObject
from catalog.kinds.registry import KINDS, UnknownKind, kind_named, kind_of_plural
from tests.catalog.kinds.crd_oracle import Crd

NOT_A_CRD = {"Namespace"}


def test_every_crd_has_a_kind_and_every_kind_a_crd(crds: dict[str, Crd]) -> None:
    assert {model.kind for model in KINDS} - NOT_A_CRD == set(crds)


def test_plurals_and_scopes_are_those_of_the_crds(crds: dict[str, Crd]) -> None:
    for kind, crd in crds.items():
        model = kind_named(kind)
        assert (model.plural, model.namespaced, model.api_version) == (crd.plural, crd.namespaced, API_VERSION)


def test_a_kind_has_rules_of_its_own_where_its_crd_has(crds: dict[str, Crd]) -> None:
    for kind, crd in crds.items():
        overridden = kind_named(kind).violations.__func__ is not PlatformObject.violations.__func__
        assert overridden == ("x-kubernetes-validations" in str(crd.spec_schema)), kind


def test_printer_columns_are_those_of_the_crds(crds: dict[str, Crd]) -> None:
    for kind, crd in crds.items():
        columns = crd.version.get("additionalPrinterColumns", [])
        wanted = [(column["name"], dotted(column["jsonPath"])) for column in columns]
        assert list(kind_named(kind).printer_columns) == wanted, kind


def dotted(json_path: str) -> str:
    """`.status.conditions[?(@.type=="Ready")].status` as `status.conditions[Ready].status`."""
    return re.sub(r'\[\?\(@\.type=="(\w+)"\)\]', r"[\1]", json_path).removeprefix(".")


def test_new_objects_start_with_the_finalizers_of_the_recorded_ones(recorded_objects: list[dict[str, Any]]) -> None:
    seen = set()
    for recorded in recorded_objects:
        if "deletionTimestamp" in recorded["metadata"]:
            continue
        finalizer = kind_named(recorded["kind"]).finalizer_for(recorded["spec"])
        assert ([finalizer] if finalizer else []) == recorded["metadata"].get("finalizers", []), recorded["kind"]
        seen.add(finalizer)
    assert {"openchoreo.dev/dataplane-cleanup", "openchoreo.dev/obsplane-cleanup", ""} <= seen


def test_a_kind_is_found_by_name_and_by_plural_and_scope() -> None:
    for model in KINDS:
        assert kind_named(model.kind) is model
        assert kind_of_plural(model.plural, model.namespaced) is model


@pytest.mark.parametrize("find", [lambda: kind_named("Deployment"), lambda: kind_of_plural("traits", False)])
def test_an_unknown_kind_is_said_to_be_unknown(find: Any) -> None:
    with pytest.raises(UnknownKind, match="unknown kind"):
        find()


def test_each_foreign_key_is_named_by_a_role_that_the_kind_refers_by(recorded_objects: list[dict[str, Any]]) -> None:
    """A foreign key that no reference fills would stay empty for ever."""
    filled: dict[str, set[str]] = {}
    for recorded in recorded_objects:
        model = kind_named(recorded["kind"])
        refs = model.references_of(recorded["metadata"].get("namespace", ""), recorded["spec"], {})
        targets = {ref.role: ref.kind for ref in refs}
        keys = {field.name: field for field in model._meta.get_fields() if field.many_to_one and field.concrete}
        for role in targets.keys() & keys.keys():
            assert keys[role].related_model.kind == targets[role]
            filled.setdefault(recorded["kind"], set()).add(role)
    assert filled["ReleaseBinding"] == {"project", "component", "environment", "component_release"}
    assert filled["Component"] >= {"project", "component_type", "cluster_component_type", "cluster_workflow"}
    assert filled["RenderedRelease"] == {"project", "component", "resource", "environment"}
