"""Content is checked before anything is stored: schemas, templates and expressions of types, traits and releases."""

from __future__ import annotations

import pytest

from catalog import store
from catalog.kinds.component_release import ComponentRelease
from catalog.kinds.registry import kind_named
from catalog.store.admission import admit
from catalog.store.errors import Invalid
from tests.factories import TESTER

pytestmark = pytest.mark.django_db

TEMPLATE = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "${metadata.name}"}}
TYPE = {"workloadType": "deployment", "resources": [{"id": "deployment", "template": TEMPLATE}]}
RELEASE = {
    "owner": {"projectName": "shop", "componentName": "web"},
    "componentType": {"kind": "ComponentType", "name": "deployment/service", "spec": TYPE},
    "workload": {"container": {"image": "registry.example/web:1"}},
}
BROKEN = {"workloadType": "deployment", "resources": [{"id": "deployment", "template": {**TEMPLATE, "x": "${absent}"}}]}


def apply(kind: str, spec: dict) -> None:
    document = {"apiVersion": "openchoreo.dev/v1alpha1", "kind": kind, "metadata": {"name": "it"}, "spec": spec}
    store.apply(document, TESTER)


def test_a_type_with_faults_is_refused_with_all_of_them_and_nothing_is_stored() -> None:
    spec = {**BROKEN, "parameters": {"openAPIV3Schema": {"typ": "object"}}}
    with pytest.raises(Invalid) as caught:
        apply("ClusterComponentType", spec)
    found = [(error.path, error.reason) for error in caught.value.errors]
    assert found == [("spec.parameters", "Invalid"), ("spec.resources[0].template[x]", "Invalid")]
    assert not kind_named("ClusterComponentType").objects.system("test").exists()


def test_content_is_looked_at_only_when_the_form_is_right_as_in_the_contract() -> None:
    spec = {**BROKEN, "resources": [{**BROKEN["resources"][0], "id": "other"}]}
    with pytest.raises(Invalid) as caught:
        apply("ClusterComponentType", spec)
    assert [error.path for error in caught.value.errors] == ["spec"]


def test_a_release_is_checked_when_it_is_made_and_not_when_its_labels_change() -> None:
    broken = {**RELEASE, "componentType": {**RELEASE["componentType"], "spec": BROKEN}}
    document = {"metadata": {"name": "web-1", "namespace": "default"}, "spec": broken}
    stored, errors = admit(ComponentRelease, None, document)
    assert [error.path for error in errors] == ["spec.componentType.spec.resources[0].template[x]"]
    labelled = {**document, "metadata": {**document["metadata"], "labels": {"tier": "one"}}}
    assert admit(ComponentRelease, stored, labelled)[1] == []
