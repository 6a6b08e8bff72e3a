"""Project: its releases, the cells of its environments, and how it goes."""

from __future__ import annotations

import pytest

from catalog import store
from catalog.kinds.project_release import ProjectRelease
from catalog.kinds.project_release_binding import ProjectReleaseBinding
from tests.catalog.controllers import installation as it
from tests.factories import TESTER

pytestmark = pytest.mark.django_db
BINDING = "ProjectReleaseBinding"


@pytest.fixture(autouse=True)
def installed():
    it.install()


def environments_bound(project="shop"):
    rows = [row for row in ProjectReleaseBinding.objects.system("test") if row.spec["owner"]["projectName"] == project]
    return sorted(row.spec["environment"] for row in rows)


def test_a_new_project_is_created_and_ready_with_a_release_of_its_type():
    it.apply_project()
    it.settle("Project")
    project = it.get("Project", "shop")
    latest = project.status["latestRelease"]
    assert it.state(project, "Created") == ("True", "ProjectCreated")
    assert it.message(project, "Created") == "Project is created"
    assert it.state(project, "Ready") == ("True", "Reconciled")
    assert it.message(project, "Ready") == f"ProjectRelease {latest['name']} in place"
    assert latest["name"] == f"shop-{latest['hash']}"
    release = it.get("ProjectRelease", latest["name"])
    assert release.spec["owner"] == {"projectName": "shop"}
    assert release.spec["projectType"]["spec"]["resources"][0]["id"] == "cell"
    assert release.owner_references == []


def test_without_its_type_a_project_says_so_and_recovers_when_the_type_comes():
    it.apply_project(type_name="later")
    it.settle("Project")
    project = it.get("Project", "shop")
    assert it.state(project, "Ready") == ("False", "ProjectTypeNotFound")
    assert it.message(project, "Ready") == 'ClusterProjectType "later" not found'
    assert it.state(project, "Created") == ("True", "ProjectCreated")
    assert "latestRelease" not in project.status
    assert ProjectReleaseBinding.objects.system("test").count() == 0

    it.apply("ClusterProjectType", "later", {"resources": [it.CELL]})
    it.settle("Project")
    assert it.state(it.get("Project", "shop"), "Ready") == ("True", "Reconciled")


def test_a_changed_type_is_a_new_release_and_bindings_keep_the_old_one():
    it.apply_project()
    it.settle("Project")
    first = it.get("Project", "shop").status["latestRelease"]["name"]
    it.apply_project_type(it.CELL, {**it.CELL, "id": "quota", "includeWhen": "${false}"})
    it.settle("Project")
    second = it.get("Project", "shop").status["latestRelease"]["name"]
    assert first != second
    assert ProjectRelease.objects.system("test").count() == 2
    assert {row.spec["projectRelease"] for row in ProjectReleaseBinding.objects.system("test")} == {first}


def test_changed_parameters_are_a_new_release():
    it.apply_project()
    it.settle("Project")
    first = it.get("Project", "shop").status["latestRelease"]["name"]
    document = store.to_document(it.get("Project", "shop"))
    document["spec"]["parameters"] = {"team": "red"}
    store.replace(document, TESTER)
    it.settle("Project")
    latest = it.get("Project", "shop").status["latestRelease"]["name"]
    assert latest != first
    assert it.get("ProjectRelease", latest).spec["parameters"] == {"team": "red"}


def test_a_release_name_held_by_another_project_is_refused_with_a_reason():
    it.apply_project("shop-a")
    it.settle("Project")
    taken = it.get("Project", "shop-a").status["latestRelease"]["hash"]
    spec = dict(it.get("ProjectRelease", f"shop-a-{taken}").spec)
    spec["owner"] = {"projectName": "shop-a"}
    it.apply("ProjectRelease", f"shop-{taken}", spec)
    it.apply_project("shop")
    it.settle("Project")
    assert it.state(it.get("Project", "shop"), "Ready") == ("False", "ReleaseOwnershipConflict")
    assert it.get("ProjectRelease", f"shop-{taken}").spec["owner"] == {"projectName": "shop-a"}


def test_every_environment_of_the_pipeline_gets_a_binding_with_the_release():
    it.apply_project()
    it.settle("Project")
    latest = it.get("Project", "shop").status["latestRelease"]["name"]
    for environment in it.ENVIRONMENTS:
        binding = it.get(BINDING, f"shop-{environment}")
        assert binding.spec == {
            "owner": {"projectName": "shop"}, "environment": environment, "projectRelease": latest
        }  # fmt: skip
        assert binding.labels == {"openchoreo.dev/project": "shop", "openchoreo.dev/environment": environment}


def test_a_converged_project_is_looked_at_without_a_write():
    it.apply_project()
    it.settle("Project")
    newest = store.position()
    it.look_again("Project", "shop")
    it.settle("Project")
    assert store.position() == newest


def test_a_binding_that_people_made_is_kept_and_only_its_empty_pin_is_filled():
    spec = {"owner": {"projectName": "shop"}, "environment": "development", "environmentConfigs": {"a": 1}}
    it.apply(BINDING, "by-hand", spec)
    it.apply_project()
    it.settle("Project")
    latest = it.get("Project", "shop").status["latestRelease"]["name"]
    assert it.get(BINDING, "by-hand").spec == {**spec, "projectRelease": latest}
    assert environments_bound() == sorted(it.ENVIRONMENTS)
    assert it.gone(BINDING, "shop-development")


def test_a_pin_is_filled_once_and_then_belongs_to_people():
    it.apply_project()
    it.settle("Project")
    document = store.to_document(it.get(BINDING, "shop-staging"))
    document["spec"]["projectRelease"] = "an-older-one"
    store.replace(document, TESTER)
    it.settle("Project")
    assert it.get(BINDING, "shop-staging").spec["projectRelease"] == "an-older-one"

    del document["spec"]["projectRelease"]
    store.replace(document, TESTER)
    it.settle("Project")
    latest = it.get("Project", "shop").status["latestRelease"]["name"]
    assert it.get(BINDING, "shop-staging").spec["projectRelease"] == latest


def test_the_annotation_leaves_making_bindings_to_others_but_still_fills_pins():
    it.apply_project(annotations={"stagecraft.dev/manage-project-release-bindings": "false"})
    it.settle("Project")
    assert environments_bound() == []
    it.apply(BINDING, "shop-development", {"owner": {"projectName": "shop"}, "environment": "development"})
    it.settle("Project")
    assert environments_bound() == ["development"]
    assert it.get(BINDING, "shop-development").spec["projectRelease"]


def test_an_installation_can_leave_all_bindings_to_others(settings):
    settings.MANAGE_PROJECT_RELEASE_BINDINGS = False
    it.apply_project()
    it.settle("Project")
    assert environments_bound() == []


def test_an_environment_that_comes_later_gets_its_binding():
    it.apply_pipeline("development", "staging", "production", "disaster-recovery")
    it.apply_project()
    it.settle("Project")
    assert "disaster-recovery" not in environments_bound()
    it.apply("Environment", "disaster-recovery", {"dataPlaneRef": {"kind": "ClusterDataPlane", "name": "default"}})
    it.settle("Project")
    assert "disaster-recovery" in environments_bound()


def test_a_longer_pipeline_gives_existing_projects_the_new_cell():
    it.apply_pipeline("development")
    it.apply_project()
    it.settle("Project")
    assert environments_bound() == ["development"]
    it.apply_pipeline("development", "staging")
    it.settle("Project")
    assert environments_bound() == ["development", "staging"]


def test_a_binding_that_is_deleted_comes_back_because_components_need_the_cell():
    it.apply_project()
    it.settle("Project", BINDING)
    store.delete(BINDING, "default", "shop-staging", TESTER)
    it.settle("Project", BINDING)
    it.finish_cleanup()
    it.settle("Project", BINDING)
    assert environments_bound() == sorted(it.ENVIRONMENTS)


def test_two_projects_that_want_the_same_binding_name_both_get_one():
    it.apply("Environment", "b-c", {})
    it.apply("Environment", "c", {})
    it.apply_pipeline("b-c", "c")
    it.apply_project("a")
    it.apply_project("a-b")
    it.settle("Project")
    assert environments_bound("a") == ["b-c", "c"]
    assert environments_bound("a-b") == ["b-c", "c"]


def test_a_project_is_deleted_from_what_runs_to_where_it_runs():
    it.apply_project()
    owner = {"projectName": "shop"}
    it.apply("Component", "web", {"owner": owner, "componentType": {"name": "deployment/service"}})
    it.settle("Project", BINDING)
    store.delete("Project", "default", "shop", TESTER)
    it.settle("Project", BINDING)
    project = it.get("Project", "shop")
    assert it.state(project, "Finalizing") == ("True", "ProjectFinalizing")
    assert it.message(project, "Finalizing") == "Waiting for child resources to be deleted"
    assert it.get("Component", "web").deleted_at is not None
    assert it.get(BINDING, "shop-development").deleted_at is None

    store.remove_finalizer(it.get("Component", "web"), "openchoreo.dev/component-cleanup", it.DELIVERY)
    it.settle("Project", BINDING)
    assert it.get(BINDING, "shop-development").deleted_at is not None
    assert ProjectRelease.objects.system("test").count() == 1

    it.finish_cleanup()
    it.settle("Project", BINDING)
    assert it.gone("Project", "shop")
    assert ProjectReleaseBinding.objects.system("test").count() == 0
    assert ProjectRelease.objects.system("test").count() == 0


def test_a_project_in_a_namespace_that_goes_makes_nothing_new():
    it.apply_project()
    store.delete("Namespace", "", "default", TESTER)
    it.settle("Project")
    assert environments_bound() == []


def test_a_client_that_creates_the_binding_itself_takes_it_over():
    it.apply_project()
    it.settle("Project")
    made = it.get(BINDING, "shop-development")
    document = {
        "apiVersion": made.api_version,
        "kind": BINDING,
        "metadata": {"name": "shop-development", "namespace": "default", "labels": {"team": "x"}},
        "spec": {"owner": {"projectName": "shop"}, "environment": "development", "environmentConfigs": {"a": 1}},
    }
    created = store.create(document, TESTER)
    assert created.pk == made.pk
    it.settle("Project")
    binding = it.get(BINDING, "shop-development")
    assert (binding.labels, binding.annotations) == ({"team": "x"}, {})
    assert binding.spec["environmentConfigs"] == {"a": 1}
    assert binding.spec["projectRelease"] == it.get("Project", "shop").status["latestRelease"]["name"]
    with pytest.raises(store.AlreadyExists):
        store.create(document, TESTER)


def test_a_binding_of_that_name_for_another_environment_is_refused():
    it.apply_project()
    it.settle("Project")
    document = store.to_document(it.get(BINDING, "shop-development"))
    document["spec"]["environment"] = "staging"
    with pytest.raises(store.AlreadyExists):
        store.create(document, TESTER)
