"""What becomes of a component: the checks in their order, releases, bindings, and its end."""

from __future__ import annotations

import pytest

from catalog import store
from catalog.kinds.component import Component
from catalog.kinds.component_release import ComponentRelease
from catalog.kinds.component_type import ComponentType
from catalog.kinds.workload import Workload
from portal.accounts.actor import Actor
from tests.catalog.controllers import components as c
from tests.catalog.controllers import installation as it
from tests.catalog.controllers.installation import TESTER, apply, gone

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def installation() -> None:
    c.install()


def test_a_workload_becomes_a_release_and_a_binding_of_the_first_environment() -> None:
    c.deploy()
    latest = c.component().status["latestRelease"]
    assert latest["name"] == f"web-{latest['releaseHash']}"
    assert c.releases() == [latest["name"]]
    assert c.binding().spec == {
        "owner": {"projectName": "shop", "componentName": "web"},
        "environment": "development",
        "releaseName": latest["name"],
        "state": "Active",
    }
    message = (
        f'ComponentRelease "{latest["name"]}" and ReleaseBinding "web-development" '
        'successfully managed for environment "development"'
    )
    assert c.ready(c.component()) == ("True", "ComponentReleaseReady", message)


def test_what_auto_deploy_makes_carries_no_labels() -> None:
    c.deploy()
    assert c.binding().labels == {}
    assert ComponentRelease.objects.system("test").get().labels == {}


def test_a_new_image_is_a_new_release_and_moves_the_first_environment_only() -> None:
    c.deploy()
    (first,) = c.releases()
    c.apply_binding(first, "staging")
    c.apply_workload(image="web:2")
    c.settle()
    assert len(c.releases()) == 2
    second = c.component().status["latestRelease"]["name"]
    assert second != first
    assert c.binding("development").spec["releaseName"] == second
    assert c.binding("staging").spec["releaseName"] == first


def test_settings_of_the_first_environment_stay_when_the_release_moves() -> None:
    c.deploy()
    c.apply_binding("", "development", spec={"componentTypeEnvironmentConfigs": {"replicas": 3}})
    c.apply_workload(image="web:2")
    c.settle()
    assert c.binding().spec["componentTypeEnvironmentConfigs"] == {"replicas": 3}
    assert c.binding().spec["releaseName"] == c.component().status["latestRelease"]["name"]


def test_returning_to_former_content_returns_to_the_former_release() -> None:
    c.deploy(image="web:1")
    c.apply_workload(image="web:2")
    c.settle()
    c.apply_workload(image="web:1")
    c.settle()
    assert len(c.releases()) == 2
    assert c.component().status["latestRelease"]["name"] == c.releases()[0]


def test_an_edited_type_cuts_a_new_release_of_every_component_at_once() -> None:
    c.deploy("web")
    c.deploy("api")
    properties = {"replicas": {"type": "integer", "default": 2}}
    c.apply_type(environmentConfigs={"openAPIV3Schema": {"type": "object", "properties": properties}})
    c.settle()
    assert len(c.releases()) == 4
    assert c.manifests(name="api")["Deployment"]["spec"]["replicas"] == 2


def test_an_edited_trait_cuts_a_new_release_of_those_who_use_it() -> None:
    apply("ClusterTrait", "alert", {"creates": [c.ALERT]})
    c.apply_component(traits=[{"kind": "ClusterTrait", "name": "alert", "instanceName": "errors"}])
    c.apply_workload()
    c.deploy("api")
    apply("ClusterTrait", "alert", {"creates": []})
    c.settle()
    assert sorted(name.partition("-")[0] for name in c.releases()) == ["api", "web", "web"]


def test_an_edited_trait_that_the_type_embeds_cuts_a_new_release() -> None:
    apply("ClusterTrait", "alert", {"creates": [c.ALERT]})
    c.apply_type(traits=[{"kind": "ClusterTrait", "name": "alert", "instanceName": "errors"}], allowedTraits=None)
    c.deploy()
    apply("ClusterTrait", "alert", {"creates": []})
    c.settle()
    assert len(c.releases()) == 2


def test_somebody_who_points_the_first_environment_elsewhere_is_overruled() -> None:
    c.deploy()
    (name,) = c.releases()
    other = store.to_document(it.get("ComponentRelease", name), with_status=False)
    apply("ComponentRelease", "web-by-hand", other["spec"])
    c.apply_binding("web-by-hand", "development")
    c.settle()
    assert c.binding().spec["releaseName"] == name


def test_a_deleted_release_is_cut_again() -> None:
    c.deploy()
    (name,) = c.releases()
    store.delete("ComponentRelease", "default", name, TESTER)
    c.settle()
    assert c.releases() == [name]
    assert it.state(c.binding(), "ReleaseSynced")[0] == "True"


def test_a_deleted_binding_of_the_first_environment_is_made_again() -> None:
    c.deploy()
    (name,) = c.releases()
    store.delete(c.BINDING, "default", "web-development", TESTER)
    c.settle()
    it.finish_cleanup()
    c.settle()
    assert c.releases() == [name]
    assert c.binding().deleted_at is None


def test_a_look_that_finds_everything_in_place_writes_nothing() -> None:
    c.deploy()
    before = store.position()
    it.look_again(c.COMPONENT, "web")
    c.settle()
    assert store.position() == before


def test_without_auto_deploy_a_component_is_only_checked() -> None:
    c.apply_component(autoDeploy=False)
    c.apply_workload()
    c.settle()
    assert c.ready(c.component()) == ("True", "Reconciled", "Component validated successfully")
    assert c.releases() == []
    assert c.bindings() == []


# The checks, in their order; each component fulfils all that are asked before.


def not_ready(name: str = "web") -> tuple[str, str]:
    status, reason, message = c.ready(c.component(name))
    assert status == "False"
    return reason, message


@pytest.mark.parametrize("kind", ["ComponentType", "ClusterComponentType"])
def test_a_missing_type_is_named_and_its_arrival_is_noticed(kind: str) -> None:
    c.apply_component(type_name="deployment/absent", type_kind=kind)
    c.apply_workload()
    c.settle()
    assert not_ready() == ("ComponentTypeNotFound", f'{kind} "absent" not found')
    c.apply_type("absent", kind, allowedTraits=None, allowedWorkflows=None)
    c.settle()
    assert c.ready(c.component())[:2] == ("True", "ComponentReleaseReady")


def test_a_type_of_another_workload_type_is_refused() -> None:
    c.apply_component(type_name="statefulset/service")
    c.settle()
    message = "WorkloadType mismatch: component specifies statefulset but ComponentType has deployment"
    assert not_ready() == ("InvalidConfiguration", message)


def test_a_workflow_is_refused_where_the_type_allows_none() -> None:
    c.apply_type(allowedWorkflows=None)
    c.apply_component(workflow={"name": "docker"})
    c.settle()
    message = 'No workflows are allowed by ComponentType "service", but component specifies workflow "docker"'
    assert not_ready() == ("WorkflowNotAllowed", message)


def test_a_workflow_that_the_type_does_not_allow_is_refused() -> None:
    c.apply_component(workflow={"name": "other"})
    c.settle()
    message = (
        'Workflow "other" (kind ClusterWorkflow) is not allowed by ComponentType "service"; '
        "allowed workflows: [{ClusterWorkflow docker}]"
    )
    assert not_ready() == ("WorkflowNotAllowed", message)


@pytest.mark.parametrize("kind", ["Workflow", "ClusterWorkflow"])
def test_a_missing_workflow_is_named_and_its_arrival_is_noticed(kind: str) -> None:
    c.apply_type(allowedWorkflows=[{"kind": kind, "name": "docker"}])
    c.apply_component(workflow={"kind": kind, "name": "docker"})
    c.apply_workload()
    c.settle()
    assert not_ready() == ("WorkflowNotFound", f'Workflow "docker" (kind {kind}) not found')
    run = {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "Workflow",
        "metadata": {"name": "${metadata.workflowRunName}", "namespace": "${metadata.namespace}"},
        "spec": {},
    }
    apply(kind, "docker", {"runTemplate": run})
    c.settle()
    assert c.ready(c.component())[0] == "True"


def test_a_component_waits_for_its_workload() -> None:
    c.apply_component()
    c.settle()
    message = 'Workload for component "web" not found, waiting for workload to be created'
    assert not_ready() == ("WorkloadNotFound", message)


def test_a_workload_of_the_same_component_name_in_another_project_does_not_count() -> None:
    c.apply_component()
    c.apply_workload(project="other")
    c.settle()
    assert not_ready()[0] == "WorkloadNotFound"


def test_two_workloads_are_one_too_many() -> None:
    c.apply_component()
    c.apply_workload(name="one")
    c.apply_workload(name="two")
    c.settle()
    message = 'Multiple Workloads found for component "web" (expected exactly 1)'
    assert not_ready() == ("InvalidConfiguration", message)
    store.delete("Workload", "default", "two", TESTER)
    c.settle()
    assert c.ready(c.component())[0] == "True"


@pytest.mark.parametrize(
    ("changes", "traits", "problem"),
    [
        (
            {"allowedTraits": None},
            [("ClusterTrait", "alert", "a")],
            "no traits are allowed, but component has 1 trait(s)",
        ),
        (
            {},
            [("Trait", "alert", "a"), ("ClusterTrait", "alert", "b")],
            "traits [Trait:alert] are not in the allowed list [ClusterTrait:alert Trait:quota]",
        ),
        (
            {},
            [("ClusterTrait", "alert", "a"), ("Trait", "quota", "a")],
            "duplicate trait instance names [a] in component traits",
        ),
        (
            {"traits": [{"kind": "ClusterTrait", "name": "scale", "instanceName": "a"}]},
            [("ClusterTrait", "alert", "a")],
            "trait instance names [a] collide with embedded traits",
        ),
        (
            {
                "traits": [
                    {"kind": "ClusterTrait", "name": "scale", "instanceName": "a"},
                    {"kind": "ClusterTrait", "name": "other", "instanceName": "a"},
                ]
            },
            [],
            "duplicate trait instance names [a] in embedded traits",
        ),
    ],
)
def test_traits_must_be_allowed_and_each_instance_name_used_once(
    changes: dict, traits: list[tuple[str, str, str]], problem: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Admission refuses some of these; they may have been stored before it did.
    monkeypatch.setattr(ComponentType, "content_violations", lambda old, new: ())
    monkeypatch.setattr(Component, "content_violations", lambda old, new: ())
    c.apply_type(**changes)
    used = [{"kind": kind, "name": name, "instanceName": instance} for kind, name, instance in traits]
    c.apply_component(traits=used)
    c.apply_workload()
    c.settle()
    assert not_ready() == ("InvalidConfiguration", f'ComponentType "service": {problem}')


def test_a_missing_trait_is_named_and_its_arrival_is_noticed() -> None:
    c.apply_component(traits=[{"kind": "Trait", "name": "quota", "instanceName": "q"}])
    c.apply_workload()
    c.settle()
    assert not_ready() == ("TraitNotFound", 'Trait "quota" not found')
    apply("Trait", "quota", {"creates": []})
    c.settle()
    assert c.ready(c.component())[0] == "True"


def test_a_missing_project_is_named_and_its_arrival_is_noticed() -> None:
    c.apply_component(project="later")
    c.apply_workload(project="later")
    c.settle()
    assert not_ready() == ("ProjectNotFound", 'Project "later" not found')
    it.apply_project("later")
    c.settle()
    assert c.ready(c.component())[0] == "True"


def test_a_missing_pipeline_is_named_and_its_arrival_is_noticed() -> None:
    spec = {"deploymentPipelineRef": {"name": "fast"}, "type": {"kind": "ClusterProjectType", "name": "default"}}
    apply("Project", "shop", spec)
    c.deploy()
    assert not_ready() == ("DeploymentPipelineNotFound", 'DeploymentPipeline "fast" not found')
    it.apply_pipeline(name="fast")
    c.settle()
    assert c.ready(c.component())[0] == "True"


def test_a_pipeline_without_a_beginning_is_refused_and_a_better_one_is_noticed() -> None:
    it.apply_pipeline("development", "staging", "development")
    c.deploy()
    problem = "deployment pipeline default has no root environment (all sources are also targets)"
    assert not_ready() == ("InvalidConfiguration", f"Invalid deployment pipeline configuration: {problem}")
    apply("DeploymentPipeline", "default", {"promotionPaths": []})
    c.settle()
    problem = "deployment pipeline default has no promotion paths defined"
    assert not_ready() == ("InvalidConfiguration", f"Invalid deployment pipeline configuration: {problem}")
    it.apply_pipeline("staging", "production")
    c.settle()
    assert c.bindings() == ["web-staging"]


def test_the_first_check_that_fails_is_the_one_that_is_told() -> None:
    c.apply_component(project="absent", type_name="deployment/absent", workflow={"name": "absent"})
    c.settle()
    assert not_ready()[0] == "ComponentTypeNotFound"


def test_two_bindings_in_the_first_environment_leave_auto_deploy_without_a_choice() -> None:
    owner = {"projectName": "shop", "componentName": "web"}
    for name in ("one", "two"):
        apply(c.BINDING, name, {"owner": owner, "environment": "development"})
    c.deploy()
    problem = 'found multiple ReleaseBinding objects for environment "development"'
    assert not_ready() == ("AutoDeployFailed", f"Failed to handle autoDeploy: {problem}")
    store.delete(c.BINDING, "default", "two", TESTER)
    c.settle()
    it.finish_cleanup()
    c.settle()
    assert c.ready(c.component())[:2] == ("True", "ComponentReleaseReady")
    assert c.bindings() == ["one"]


def test_a_release_name_that_another_component_holds_is_not_taken_over() -> None:
    c.deploy()
    (name,) = c.releases()
    spec = dict(it.get("ComponentRelease", name).spec)
    store.delete("ComponentRelease", "default", name, TESTER)
    spec["owner"] = {"projectName": "shop", "componentName": "other"}
    apply("ComponentRelease", name, spec)
    it.look_again(c.COMPONENT, "web")
    c.settle()
    problem = f'ComponentRelease "{name}" belongs to component shop/other'
    assert not_ready() == ("AutoDeployFailed", f"Failed to handle autoDeploy: {problem}")


# The end of a component.


def test_a_component_takes_all_that_belongs_to_it_with_it_and_waits_for_the_planes() -> None:
    c.deploy()
    marks = {"openchoreo.dev/project": "shop", "openchoreo.dev/component": "web"}
    apply("WorkflowRun", "web-run", {"workflow": {"name": "docker"}}, labels=marks)
    apply(
        "WorkflowRun", "other-run", {"workflow": {"name": "docker"}}, labels={**marks, "openchoreo.dev/component": "x"}
    )
    store.delete(c.COMPONENT, "default", "web", TESTER)
    c.settle()
    assert c.releases() == []
    assert Workload.objects.system("test").count() == 0
    assert c.binding().deleted_at is not None
    held = c.component().condition("Finalizing")
    assert (held["status"], held["reason"], held["message"]) == ("True", "Finalizing", "Component is finalizing")

    it.finish_cleanup()
    c.settle()
    assert gone(c.BINDING, "web-development")
    assert not gone(c.COMPONENT, "web"), "the workflow run is still there"

    run = it.get("WorkflowRun", "web-run")
    store.remove_finalizer(run, run.finalizers[0], Actor("system:workflow-run-controller"))
    c.settle()
    assert gone(c.COMPONENT, "web")
    assert it.get("WorkflowRun", "other-run").deleted_at is None


def test_a_component_without_belongings_goes_at_once() -> None:
    c.apply_component()
    store.delete(c.COMPONENT, "default", "web", TESTER)
    c.settle()
    assert gone(c.COMPONENT, "web")
