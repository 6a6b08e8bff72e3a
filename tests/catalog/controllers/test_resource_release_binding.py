"""ResourceReleaseBinding: a resource in one environment, its readiness and its outputs."""

from __future__ import annotations

import pytest

from catalog import store
from tests.catalog.controllers import installation as it
from tests.factories import TESTER

pytestmark = pytest.mark.django_db
KIND = "ResourceReleaseBinding"
READY = {"readyReplicas": 1, "replicas": 1, "address": "10.0.0.7"}


@pytest.fixture(autouse=True)
def installed():
    it.install()
    it.apply_project()
    it.apply_resource_type()


@pytest.fixture
def binding():
    """A binding in development, rendered, and the plane has not said anything yet."""
    it.apply_resource()
    it.settle("Resource")
    it.apply_resource_binding(it.get("Resource", "cache").status["latestRelease"]["name"])
    return refreshed()


def refreshed(name="cache-development"):
    it.settle("Resource", KIND)
    return it.get(KIND, name)


def not_rendered(binding, reason, message):
    """Whether the binding says why, on all its conditions, that it cannot be rendered."""
    assert it.state(binding, "Synced") == ("False", reason)
    assert it.message(binding, "Synced") == message
    for item in ("ResourcesReady", "OutputsResolved"):
        assert it.state(binding, item) == ("Unknown", "SyncedNotReady")
        assert it.message(binding, item) == f"{item} cannot be evaluated until Synced=True"
    assert it.state(binding, "Ready") == ("False", reason)
    assert it.message(binding, "Ready") == message
    return True


def test_it_renders_the_resource_for_its_plane(binding):
    release = it.release_of(binding)
    assert release.name.startswith("r-cache-development-")
    assert release.labels == {
        "openchoreo.dev/namespace": "default",
        "openchoreo.dev/project": "shop",
        "openchoreo.dev/resource": "cache",
        "openchoreo.dev/environment": "development",
    }
    spec = release.full_spec()
    assert spec["owner"] == {"projectName": "shop", "resourceName": "cache"}
    assert [entry["id"] for entry in spec["resources"]] == ["store", "settings"]
    store_object = spec["resources"][0]["object"]
    assert store_object["spec"] == {"size": 1, "memory": "64Mi"}
    assert it.state(binding, "Synced") == ("True", "ReleaseCreated")


def test_environment_configs_of_the_binding_reach_the_manifests(binding):
    document = store.to_document(binding)
    document["spec"]["resourceTypeEnvironmentConfigs"] = {"memory": "1Gi"}
    store.replace(document, TESTER)
    entries = it.release_of(refreshed()).full_spec()["resources"]
    assert entries[0]["object"]["spec"]["memory"] == "1Gi"


def test_it_is_ready_when_its_objects_are_and_its_outputs_resolve(binding):
    release = it.release_of(binding)
    it.plane_reports(release, statuses={"store": READY})
    binding = refreshed()
    assert it.state(binding, "Synced") == ("True", "ReleaseSynced")
    assert it.message(binding, "Synced") == f'RenderedRelease "{release.name}" is up to date'
    assert it.state(binding, "ResourcesReady") == ("True", "ResourcesReady")
    assert it.message(binding, "ResourcesReady") == "All 2 resource(s) ready"
    assert it.state(binding, "OutputsResolved") == ("True", "OutputsResolved")
    assert it.message(binding, "OutputsResolved") == "Resolved 3 output(s)"
    assert it.state(binding, "Ready") == ("True", "Ready")
    assert it.message(binding, "Ready") == "ResourceReleaseBinding is ready"
    assert binding.status["outputs"] == [
        {"name": "host", "value": f"{release.name}.example"},
        {"name": "password", "secretKeyRef": {"name": f"{release.name}-creds", "key": "password"}},
        {"name": "address", "value": "10.0.0.7"},
    ]
    assert set(binding.status) == {"conditions", "outputs"}


def test_a_converged_binding_is_looked_at_without_a_write(binding):
    it.plane_reports(it.release_of(binding), statuses={"store": READY})
    refreshed()
    newest = store.position()
    it.look_again(KIND, "cache-development")
    refreshed()
    assert store.position() == newest


def test_a_ready_expression_decides_where_there_is_one(binding):
    it.plane_reports(it.release_of(binding), statuses={"store": {**READY, "readyReplicas": 0}})
    binding = refreshed()
    assert it.state(binding, "ResourcesReady") == ("False", "ResourcesProgressing")
    assert it.message(binding, "ResourcesReady") == 'Resource "store" readyWhen returned false'
    assert it.state(binding, "Ready") == ("False", "ResourcesProgressing")


def test_a_ready_expression_that_fails_is_told_with_its_error(binding):
    it.plane_reports(it.release_of(binding))
    binding = refreshed()
    assert it.state(binding, "ResourcesReady") == ("False", "ResourcesProgressing")
    assert it.message(binding, "ResourcesReady").startswith('readyWhen evaluation failed for "store": ')


@pytest.mark.parametrize(
    ("health", "reason", "words"),
    [("Degraded", "ResourcesDegraded", "degraded"), ("Progressing", "ResourcesProgressing", "Progressing")],
)
def test_health_decides_where_there_is_no_ready_expression(binding, health, reason, words):
    it.plane_reports(it.release_of(binding), statuses={"store": READY}, settings=health)
    binding = refreshed()
    assert it.state(binding, "ResourcesReady") == ("False", reason)
    assert it.message(binding, "ResourcesReady") == f'Resource "settings" (ConfigMap) is {words}'


def test_a_refused_application_is_told_in_the_words_of_the_plane(binding):
    it.plane_refuses(it.release_of(binding), 'namespaces "x" not found')
    binding = refreshed()
    assert it.state(binding, "ResourcesReady") == ("False", "ResourceApplyFailed")
    assert it.message(binding, "Ready") == 'namespaces "x" not found'


def test_outputs_that_cannot_be_resolved_yet_are_named_and_the_others_kept(binding):
    assert it.state(binding, "OutputsResolved") == ("False", "OutputResolutionFailed")
    assert it.message(binding, "OutputsResolved").startswith("Failed to resolve 1 output(s): ")
    assert "address" in it.message(binding, "OutputsResolved")
    assert [output["name"] for output in binding.status["outputs"]] == ["host", "password"]


def test_a_type_without_outputs_has_none_in_the_status():
    it.apply_resource_type(outputs=None)
    it.apply_resource()
    it.settle("Resource")
    it.apply_resource_binding(it.get("Resource", "cache").status["latestRelease"]["name"])
    binding = refreshed()
    assert it.message(binding, "OutputsResolved") == "Resolved 0 output(s)"
    assert "outputs" not in binding.status


def test_on_a_plane_that_does_not_observe_what_is_delivered_counts_as_ready(binding):
    it.apply_data_plane("git")
    refreshed()
    it.plane_reports(it.release_of(binding), "Unknown")
    binding = refreshed()
    assert it.state(binding, "ResourcesReady") == ("True", "ResourcesReady")
    assert it.message(binding, "ResourcesReady") == "All 2 resource(s) delivered; its plane does not report health"
    assert it.state(binding, "OutputsResolved") == ("False", "OutputResolutionFailed")
    assert it.message(binding, "OutputsResolved").endswith("(its plane does not report health)")


def test_what_a_plane_that_does_not_observe_has_not_taken_yet_is_awaited(binding):
    it.apply_data_plane("git")
    binding = refreshed()
    assert it.state(binding, "ResourcesReady") == ("False", "ResourcesProgressing")
    assert it.message(binding, "ResourcesReady") == 'Resource "store" has no observed status yet'


def test_without_a_pin_it_says_that_nobody_has_set_one():
    it.apply_resource()
    it.apply_resource_binding()
    message = "spec.resourceRelease is unset; pin a ResourceRelease to deploy this binding"
    assert not_rendered(refreshed(), "ResourceReleaseNotSet", message)


def test_a_release_that_is_not_there_is_named_and_awaited(binding):
    spec = dict(it.get("ResourceRelease", binding.spec["resourceRelease"]).spec)
    it.apply_resource_binding("cache-later", environment="staging")
    message = 'ResourceRelease "cache-later" not found'
    assert not_rendered(refreshed("cache-staging"), "ResourceReleaseNotFound", message)
    it.apply("ResourceRelease", "cache-later", spec)
    assert it.state(refreshed("cache-staging"), "Synced")[0] == "True"


def test_the_release_of_another_resource_is_refused(binding):
    it.apply_resource("queue")
    it.apply_resource_binding(binding.spec["resourceRelease"], resource="queue")
    message = (
        'binding owner (project: "shop", resource: "queue") does not match '
        'ResourceRelease owner (project: "shop", resource: "cache")'
    )
    assert not_rendered(refreshed("queue-development"), "InvalidReleaseConfiguration", message)


def test_an_environment_that_is_not_there_is_named_and_awaited(binding):
    it.apply_resource_binding(binding.spec["resourceRelease"], environment="moon")
    assert not_rendered(refreshed("cache-moon"), "EnvironmentNotFound", 'Environment "moon" not found')
    it.apply("Environment", "moon", {"dataPlaneRef": {"kind": "ClusterDataPlane", "name": "default"}})
    assert it.state(refreshed("cache-moon"), "Synced")[0] == "True"


def test_a_data_plane_that_is_not_there_is_told(binding):
    it.apply("Environment", "edge", {"dataPlaneRef": {"kind": "DataPlane", "name": "edge"}})
    it.apply_resource_binding(binding.spec["resourceRelease"], environment="edge")
    message = 'DataPlane not found for environment "edge"'
    assert not_rendered(refreshed("cache-edge"), "DataPlaneNotFound", message)


@pytest.mark.parametrize(("kind", "name", "missing"), [("Resource", "cache", "other"), ("Project", "shop", "nobody")])
def test_owners_that_are_not_there_are_named(binding, kind, name, missing):
    spec = dict(it.get("ResourceRelease", binding.spec["resourceRelease"]).spec)
    owner = {"projectName": "shop", "resourceName": "cache", f"{kind.lower()}Name": missing}
    it.apply("ResourceRelease", "elsewhere", {**spec, "owner": owner})
    it.apply(KIND, "elsewhere", {"owner": owner, "environment": "development", "resourceRelease": "elsewhere"})
    assert not_rendered(refreshed("elsewhere"), f"{kind}NotFound", f'{kind} "{missing}" not found')


def test_a_type_that_does_not_render_is_told_with_the_compilers_words():
    it.apply_resource_type(resources=[{"id": "store", "template": {"x": "${gateway.ingress.external.name}"}}])
    it.apply_resource()
    it.settle("Resource")
    it.apply_resource_binding(it.get("Resource", "cache").status["latestRelease"]["name"])
    binding = refreshed()
    assert it.state(binding, "Synced") == ("False", "RenderingFailed")
    assert it.message(binding, "Ready").startswith("Failed to render manifests: ")


def test_a_rendered_release_of_another_owner_is_not_taken_over(binding):
    it.apply(KIND, "second", dict(binding.spec))
    name = it.release_of(binding).name
    message = f'RenderedRelease exists but is not owned by this binding: "{name}"'
    assert not_rendered(refreshed("second"), "ReleaseOwnershipConflict", message)


def test_deleted_it_waits_until_the_plane_is_clean(binding):
    store.delete(KIND, "default", "cache-development", TESTER)
    it.settle(KIND)
    binding = it.get(KIND, "cache-development")
    assert it.state(binding, "Finalizing") == ("True", "Finalizing")
    assert it.message(binding, "Finalizing") == "ResourceReleaseBinding is finalizing"
    it.finish_cleanup()
    it.settle(KIND)
    assert it.gone(KIND, "cache-development")


def test_retained_it_holds_what_it_made_until_a_person_lets_go():
    it.apply_resource()
    it.settle("Resource")
    it.apply_resource_binding(it.get("Resource", "cache").status["latestRelease"]["name"], retain="Retain")
    refreshed()
    store.delete(KIND, "default", "cache-development", TESTER)
    it.settle(KIND)
    binding = it.get(KIND, "cache-development")
    assert it.state(binding, "Finalizing") == ("True", "RetainHold")
    assert it.message(binding, "Finalizing") == "retainPolicy=Retain; finalizer held until cleared manually"
    assert it.release_of(binding).deleted_at is None

    document = store.to_document(binding)
    document["metadata"]["annotations"] = {"stagecraft.dev/delete-retained": "true"}
    store.replace(document, TESTER)
    it.settle(KIND)
    it.finish_cleanup()
    it.settle(KIND)
    assert it.gone(KIND, "cache-development")
