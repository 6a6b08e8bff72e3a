"""Namespace: active as it is, and gone after everything in it."""

from __future__ import annotations

import pytest

from catalog import store
from catalog.kinds.registry import KINDS
from tests.catalog.controllers import installation as it
from tests.factories import TESTER

pytestmark = pytest.mark.django_db
OWN = (
    "Namespace", "Project", "ProjectReleaseBinding", "Resource", "ResourceReleaseBinding", "Environment",
    "DeploymentPipeline", "DataPlane", "ObservabilityAlertsNotificationChannel",
)  # fmt: skip


def test_a_namespace_is_active():
    it.apply("Namespace", "team")
    it.settle("Namespace")
    assert it.get("Namespace", "team").status == {"phase": "Active"}


def test_an_empty_namespace_goes_at_once():
    it.apply("Namespace", "team")
    store.delete("Namespace", "", "team", TESTER)
    it.settle("Namespace")
    assert it.gone("Namespace", "team")


def test_a_namespace_takes_everything_along_and_leaves_other_namespaces_alone():
    it.install()
    it.install("team")
    for namespace in ("default", "team"):
        it.apply_project(namespace=namespace)
        it.apply("Trait", "plain", {}, namespace)
        it.apply("DataPlane", "edge", {"clusterAgent": {"clientCA": {"value": "a certificate"}}}, namespace)
    it.settle(*OWN)
    store.delete("Namespace", "", "team", TESTER)
    it.settle(*OWN)
    namespace = it.get("Namespace", "team")
    assert namespace.status["phase"] == "Terminating"
    assert it.state(namespace, "NamespaceContentRemaining") == ("True", "SomeResourcesRemain")
    assert "has 1 resource instances" in it.message(namespace, "NamespaceContentRemaining")
    # The environments must outlive the cells: without them the planes cannot be found.
    assert it.get("Environment", "staging", "team").deleted_at is None

    it.finish_cleanup()
    it.settle(*OWN)
    assert it.gone("Namespace", "team")
    left = [
        model.kind
        for model in KINDS
        if model.namespaced and model.objects.system("test").filter(namespace_id="team").exists()
    ]
    assert left == []
    assert it.get("Project", "shop").deleted_at is None
    assert it.get("Trait", "plain").deleted_at is None
    assert it.get("Namespace", "default").status["phase"] == "Active"
