"""ProjectReleaseBinding: the cell of a project in one environment, and every reason why there is none."""

from __future__ import annotations

import pytest

from catalog import store
from catalog.controllers.registry import controller_of
from catalog.kinds.registry import kind_named
from catalog.kinds.rendered_release import RenderedRelease
from tests.catalog.controllers import installation as it
from tests.factories import TESTER

pytestmark = pytest.mark.django_db
KIND = "ProjectReleaseBinding"


@pytest.fixture(autouse=True)
def installed():
    it.install()


@pytest.fixture
def binding():
    """A binding of a project in development, rendered, and the plane has not said anything yet."""
    it.apply_pipeline("development")
    it.apply_project()
    it.settle("Project", KIND)
    return it.get(KIND, "shop-development")


def refreshed(name="shop-development"):
    it.settle("Project", KIND)
    return it.get(KIND, name)


def bind(release="", environment="development", name="by-hand", project_name="shop"):
    spec = {"owner": {"projectName": project_name}, "environment": environment}
    return it.apply(KIND, name, {**spec, "projectRelease": release} if release else spec)


def not_rendered(binding, reason, message):
    """Whether the binding says why, on all its conditions, that it cannot be rendered."""
    assert it.state(binding, "Synced") == ("False", reason)
    assert it.message(binding, "Synced") == message
    for item in ("NamespaceReady", "ResourcesReady"):
        assert it.state(binding, item) == ("Unknown", "SyncedNotReady")
        assert it.message(binding, item) == f"{item} cannot be evaluated until Synced=True"
    assert it.state(binding, "Ready") == ("False", reason)
    assert it.message(binding, "Ready") == message
    return True


def test_it_renders_the_cell_for_its_plane(binding):
    release = it.release_of(binding)
    namespace = binding.status["namespace"]
    assert release.name.startswith("p-shop-development-")
    assert namespace.startswith("dp-default-shop-development-")
    assert release.labels == {
        "openchoreo.dev/namespace": "default",
        "openchoreo.dev/project": "shop",
        "openchoreo.dev/environment": "development",
    }
    spec = release.full_spec()
    assert (spec["owner"], spec["environmentName"]) == ({"projectName": "shop"}, "development")
    (entry,) = spec["resources"]
    assert entry["id"] == "cell"
    assert entry["object"]["metadata"]["name"] == namespace
    assert entry["object"]["metadata"]["labels"]["openchoreo.dev/project-uid"] == str(it.get("Project", "shop").uid)


def test_a_fresh_release_is_created_and_then_in_step(binding):
    name = it.release_of(binding).name
    assert it.state(binding, "Synced") == ("True", "ReleaseCreated")
    assert it.message(binding, "Synced") == f'RenderedRelease "{name}" created with 1 resource(s)'
    assert it.state(binding, "Ready") == ("False", "NamespaceProgressing")
    assert it.message(binding, "Ready") == f'Namespace "{binding.status["namespace"]}" has no observed status yet'

    it.plane_reports(it.release_of(binding))
    binding = refreshed()
    assert it.state(binding, "Synced") == ("True", "ReleaseSynced")
    assert it.message(binding, "Synced") == f'RenderedRelease "{name}" is up to date'
    assert it.state(binding, "NamespaceReady") == ("True", "NamespaceReady")
    assert it.message(binding, "NamespaceReady") == f'Namespace "{binding.status["namespace"]}" is ready'
    assert it.state(binding, "ResourcesReady") == ("True", "ResourcesReady")
    assert it.message(binding, "ResourcesReady") == "All 0 resource(s) ready"
    assert it.state(binding, "Ready") == ("True", "Ready")
    assert it.message(binding, "Ready") == "ProjectReleaseBinding is ready"
    assert set(binding.status) == {"conditions", "namespace"}


def test_a_converged_binding_is_looked_at_without_a_write(binding):
    it.plane_reports(it.release_of(binding))
    refreshed()
    newest = store.position()
    it.look_again(KIND, "shop-development")
    refreshed()
    assert store.position() == newest


@pytest.mark.parametrize(
    ("health", "reason", "words"),
    [("Degraded", "NamespaceDegraded", "degraded"), ("Progressing", "NamespaceProgressing", "Progressing")],
)
def test_a_namespace_that_is_not_well_makes_the_binding_not_ready(binding, health, reason, words):
    it.plane_reports(it.release_of(binding), health)
    binding = refreshed()
    assert it.state(binding, "NamespaceReady") == ("False", reason)
    assert it.message(binding, "NamespaceReady") == f'Namespace "{binding.status["namespace"]}" is {words}'
    assert it.state(binding, "Ready") == ("False", reason)


@pytest.mark.parametrize(
    ("health", "reason", "words"),
    [("Degraded", "ResourcesDegraded", "degraded"), ("Progressing", "ResourcesProgressing", "Progressing")],
)
def test_another_object_of_the_cell_that_is_not_well_is_named(health, reason, words):
    quota = {
        "id": "quota",
        "template": {
            "apiVersion": "v1",
            "kind": "ResourceQuota",
            "metadata": {"name": "quota", "namespace": "${metadata.namespace}"},
        },
    }
    it.apply_project_type(it.CELL, quota)
    it.apply_pipeline("development")
    it.apply_project()
    it.settle("Project", KIND)
    it.plane_reports(it.release_of(it.get(KIND, "shop-development")), quota=health)
    binding = refreshed()
    assert it.state(binding, "NamespaceReady") == ("True", "NamespaceReady")
    assert it.state(binding, "ResourcesReady") == ("False", reason)
    assert it.message(binding, "ResourcesReady") == f'Resource "quota" (ResourceQuota) is {words}'
    assert it.state(binding, "Ready") == ("False", reason)

    it.plane_reports(it.release_of(binding))
    assert it.message(refreshed(), "ResourcesReady") == "All 1 resource(s) ready"


def test_a_refused_application_is_told_in_the_words_of_the_plane(binding):
    it.plane_refuses(it.release_of(binding), "namespaces is forbidden")
    binding = refreshed()
    for item in ("NamespaceReady", "ResourcesReady", "Ready"):
        assert it.state(binding, item) == ("False", "ResourceApplyFailed")
        assert it.message(binding, item) == "namespaces is forbidden"
    assert it.state(binding, "Synced") == ("True", "ReleaseSynced")


def test_the_report_on_an_older_generation_does_not_speak_for_the_newer(binding):
    it.plane_reports(it.release_of(binding))
    refreshed()
    it.apply_data_plane(gateway={})
    document = store.to_document(it.get(KIND, "shop-development"))
    document["spec"]["environmentConfigs"] = {"x": 1}
    store.replace(document, TESTER)
    it.apply_project_type(
        it.CELL,
        {**it.CELL, "id": "second", "template": {**it.CELL["template"], "metadata": {"name": "second-namespace"}}},
    )
    it.settle("Project", KIND)
    document = store.to_document(it.get(KIND, "shop-development"))
    document["spec"]["projectRelease"] = it.get("Project", "shop").status["latestRelease"]["name"]
    store.replace(document, TESTER)
    binding = refreshed()
    assert it.message(binding, "Synced").endswith("updated with 2 resource(s)")
    assert it.state(binding, "Ready") == ("False", "NamespaceProgressing")
    it.plane_reports(it.release_of(binding))
    it.look_again(KIND, "shop-development")
    assert it.state(refreshed(), "Ready") == ("True", "Ready")


def test_on_a_plane_that_does_not_observe_what_is_delivered_counts_as_ready(binding):
    it.apply_data_plane("git")
    refreshed()
    it.plane_reports(it.release_of(binding), "Unknown")
    binding = refreshed()
    assert it.state(binding, "Ready") == ("True", "Ready")
    namespace = binding.status["namespace"]
    delivered = f'Namespace "{namespace}" is delivered; its plane does not report health'
    assert it.message(binding, "NamespaceReady") == delivered
    assert it.message(binding, "ResourcesReady") == "All 0 resource(s) delivered; its plane does not report health"


def test_without_a_pin_it_says_that_nobody_has_set_one():
    bind(project_name="nobody")
    binding = refreshed("by-hand")
    message = "spec.projectRelease is unset; pin a ProjectRelease to deploy this binding"
    assert not_rendered(binding, "ProjectReleaseNotSet", message)
    assert "namespace" not in binding.status


def test_a_release_that_is_not_there_is_named_and_awaited(binding):
    release = dict(it.get("ProjectRelease", binding.spec["projectRelease"]).spec)
    bind("shop-later", "staging")
    assert not_rendered(refreshed("by-hand"), "ProjectReleaseNotFound", 'ProjectRelease "shop-later" not found')
    it.apply("ProjectRelease", "shop-later", release)
    assert it.state(refreshed("by-hand"), "Synced")[0] == "True"


def test_the_release_of_another_project_is_refused(binding):
    it.apply_project("other")
    it.settle("Project")
    bind(binding.spec["projectRelease"], project_name="other")
    message = 'binding owner (project: "other") does not match ProjectRelease owner (project: "shop")'
    assert not_rendered(refreshed("by-hand"), "InvalidReleaseConfiguration", message)


def test_an_environment_that_is_not_there_is_named_and_awaited(binding):
    bind(binding.spec["projectRelease"], "moon")
    assert not_rendered(refreshed("by-hand"), "EnvironmentNotFound", 'Environment "moon" not found')
    it.apply("Environment", "moon", {"dataPlaneRef": {"kind": "ClusterDataPlane", "name": "default"}})
    assert it.state(refreshed("by-hand"), "Synced")[0] == "True"


def test_a_data_plane_that_is_not_there_is_told_and_awaited(binding):
    it.apply("Environment", "edge", {"dataPlaneRef": {"kind": "DataPlane", "name": "edge"}})
    bind(binding.spec["projectRelease"], "edge")
    assert not_rendered(refreshed("by-hand"), "DataPlaneNotFound", 'DataPlane not found for environment "edge"')
    it.apply("DataPlane", "edge", {"clusterAgent": {"clientCA": {"value": "a certificate"}}})
    assert it.state(refreshed("by-hand"), "Synced")[0] == "True"


def test_a_project_that_is_not_there_is_named_and_awaited():
    it.apply_project("other")
    it.settle("Project")
    spec = dict(it.get("ProjectRelease", it.get("Project", "other").status["latestRelease"]["name"]).spec)
    it.apply("ProjectRelease", "shop-1", {**spec, "owner": {"projectName": "shop"}})
    bind("shop-1")
    assert not_rendered(refreshed("by-hand"), "ProjectNotFound", 'Project "shop" not found')
    it.apply_project("shop")
    assert it.state(refreshed("by-hand"), "Synced")[0] == "True"


def test_a_type_that_does_not_render_is_told_with_the_compilers_words():
    it.apply_project_type({"id": "cell", "template": {**it.CELL["template"], "metadata": {"name": "${nowhere.name}"}}})
    it.apply_project()
    binding = refreshed()
    assert it.state(binding, "Synced") == ("False", "RenderingFailed")
    assert it.message(binding, "Synced").startswith("Failed to render manifests: ")
    assert "nowhere" in it.message(binding, "Synced")


def test_a_type_without_the_namespace_of_the_cell_is_refused():
    it.apply_project_type({**it.CELL, "includeWhen": "${false}"})
    it.apply_project()
    binding = refreshed()
    assert it.state(binding, "Synced") == ("False", "NamespaceMissing")
    assert it.message(binding, "Ready") == (
        f'rendered resources must include a v1/Namespace named "{binding.status["namespace"]}"; declare it in '
        "(Cluster)ProjectType.spec.resources with metadata.name set to ${metadata.namespace}"
    )
    assert RenderedRelease.objects.system("test").count() == 0


def test_a_rendered_release_of_another_owner_is_not_taken_over(binding):
    bind(binding.spec["projectRelease"], name="second")
    second = refreshed("second")
    name = it.release_of(it.get(KIND, "shop-development")).name
    message = f'RenderedRelease exists but is not owned by this binding: "{name}"'
    assert not_rendered(second, "ReleaseOwnershipConflict", message)


def test_a_binding_that_loses_its_environment_keeps_its_namespace_in_the_status(binding):
    namespace = binding.status["namespace"]
    store.remove_finalizer(it.get("Environment", "development"), "openchoreo.dev/environment-cleanup", TESTER)
    store.delete("Environment", "default", "development", TESTER)
    binding = refreshed()
    assert it.state(binding, "Synced") == ("False", "EnvironmentNotFound")
    assert binding.status["namespace"] == namespace


def test_a_changed_plane_renders_its_cells_anew():
    gateway = "${has(gateway.ingress) ? gateway.ingress.external.http.host : 'none'}"
    cell = {**it.CELL["template"], "metadata": {"name": "${metadata.namespace}", "annotations": {"host": gateway}}}
    it.apply_project_type({"id": "cell", "template": cell})
    it.apply_pipeline("development")
    it.apply_project()
    it.settle("Project", KIND)
    external = {"name": "gateway", "namespace": "edge", "http": {"host": "apps.example", "port": 80}}
    it.apply_data_plane(gateway={"ingress": {"external": external}})
    (entry,) = it.release_of(refreshed()).full_spec()["resources"]
    assert entry["object"]["metadata"]["annotations"] == {"host": "apps.example"}


def test_deleted_it_waits_until_the_plane_is_clean(binding):
    store.delete(KIND, "default", "shop-development", TESTER)
    it.settle(KIND)
    binding = it.get(KIND, "shop-development")
    assert it.state(binding, "Finalizing") == ("True", "Finalizing")
    assert it.message(binding, "Finalizing") == "ProjectReleaseBinding is finalizing"
    assert it.release_of(binding).deleted_at is not None
    it.finish_cleanup()
    it.settle(KIND)
    assert it.gone(KIND, "shop-development")


def test_the_rendered_release_of_another_binding_survives_a_deletion(binding):
    bind(binding.spec["projectRelease"], name="second")
    refreshed("second")
    store.delete(KIND, "default", "second", TESTER)
    it.settle(KIND)
    assert it.gone(KIND, "second")
    assert it.release_of(it.get(KIND, "shop-development")).deleted_at is None


@pytest.mark.parametrize(("kind", "name"), [("Project", "shop"), (KIND, "shop-development")])
def test_a_converged_look_costs_few_queries(binding, django_assert_max_num_queries, kind, name):
    it.plane_reports(it.release_of(binding))
    refreshed()
    look = controller_of(kind)
    obj = look_up(kind, name, look.related)
    with django_assert_max_num_queries(5):  # two of them are the transaction's
        look.reconcile(obj)


def look_up(kind, name, related):
    return kind_named(kind).objects.system("test").select_related(*related).get(namespace_id="default", name=name)
