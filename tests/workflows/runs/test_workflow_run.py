"""WorkflowRun: what it waits for, why it fails, and how long it is kept."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from catalog import store
from catalog.controllers.models import WorkItem
from catalog.store.documents import timestamp
from tests.catalog.controllers import installation as it
from tests.factories import TESTER

pytestmark = pytest.mark.django_db
KIND = "WorkflowRun"
LABELS = {"openchoreo.dev/project": "shop", "openchoreo.dev/component": "web"}
BUILD = {"kind": "ClusterWorkflow", "name": "build"}


@pytest.fixture(autouse=True)
def installed():
    it.apply("Namespace", "default")


def apply_workflow(name="build", **changes):
    parameters = {
        "type": "object",
        "required": ["repository"],
        "properties": {"repository": {"type": "string"}, "depth": {"type": "integer", "default": 1}},
    }
    run_template = {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "Workflow",
        "metadata": {"name": "${metadata.workflowRunName}", "namespace": "${metadata.namespace}"},
        "spec": {"arguments": {"parameters": [{"name": "repository", "value": "${parameters.repository}"}]}},
    }
    spec = {"parameters": {"openAPIV3Schema": parameters}, "runTemplate": run_template, **changes}
    return it.apply("ClusterWorkflow", name, spec)


def apply_plane():
    it.apply(
        "ClusterWorkflowPlane",
        "default",
        {"planeID": "default", "clusterAgent": {"clientCA": {"value": "a certificate"}}},
    )


def apply_component(workflow=None, allowed=(BUILD,)):
    it.apply(
        "ClusterComponentType",
        "service",
        {
            "workloadType": "deployment",
            "allowedWorkflows": list(allowed),
            "resources": [
                {
                    "id": "deployment",
                    "template": {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web"}},
                }
            ],
        },
    )
    spec = {
        "owner": {"projectName": "shop"},
        "componentType": {"kind": "ClusterComponentType", "name": "deployment/service"},
    }
    it.apply("Component", "web", {**spec, "workflow": workflow} if workflow else spec)


def run(name="run-1", workflow="build", parameters=None, ttl="", **metadata):
    reference = {"kind": "ClusterWorkflow", "name": workflow, "parameters": parameters or {"repository": "https://x"}}
    spec = {"workflow": reference, **({"ttlAfterCompletion": ttl} if ttl else {})}
    it.apply(KIND, name, spec, **metadata)
    return refreshed(name)


def refreshed(name="run-1"):
    it.settle(KIND)
    return it.get(KIND, name)


def waits(workflow_run, reason, message):
    assert it.state(workflow_run, "WorkflowCompleted") == ("False", reason)
    assert it.message(workflow_run, "WorkflowCompleted") == message
    assert it.state(workflow_run, "WorkflowFailed") == ("absent", "absent")
    assert "completedAt" not in workflow_run.status
    return True


def has_failed(workflow_run, reason, message):
    assert it.state(workflow_run, "WorkflowCompleted") == ("True", reason)
    assert it.state(workflow_run, "WorkflowFailed") == ("True", reason)
    assert it.state(workflow_run, "WorkflowRunning") == ("False", "WorkflowRunning")
    for item in ("WorkflowCompleted", "WorkflowFailed", "WorkflowRunning"):
        assert it.message(workflow_run, item) == message
    assert workflow_run.status["completedAt"] >= workflow_run.status["startedAt"]
    return True


NOT_CONNECTED = 'Workflow has not started: no workflow plane is connected as ClusterWorkflowPlane "default"'


def test_a_run_that_is_right_waits_for_a_connected_plane_and_says_so():
    apply_workflow()
    apply_plane()
    workflow_run = run()
    assert waits(workflow_run, "WorkflowPending", NOT_CONNECTED)
    assert workflow_run.status["startedAt"]
    assert set(workflow_run.status) == {"conditions", "startedAt"}


def test_a_waiting_run_is_looked_at_without_a_write():
    apply_workflow()
    apply_plane()
    run()
    newest = store.position()
    it.look_again(KIND, "run-1")
    refreshed()
    assert store.position() == newest


def test_without_its_workflow_a_run_has_failed():
    assert has_failed(run(workflow="nothing"), "WorkflowFailed", "Workflow is not found in the cluster")


def test_without_its_plane_a_run_waits_until_the_plane_comes():
    apply_workflow()
    message = "No workflow plane found for the workflow associated with this workflow run"
    assert waits(run(), "WorkflowPlaneNotFound", message)
    apply_plane()
    assert waits(refreshed(), "WorkflowPending", NOT_CONNECTED)


def test_a_workflow_of_the_namespace_may_run_on_a_plane_of_the_namespace():
    cluster_spec = apply_workflow().spec
    reference = {"kind": "WorkflowPlane", "name": "own"}
    it.apply("Workflow", "build", {**cluster_spec, "workflowPlaneRef": reference})
    it.apply("WorkflowPlane", "own", {"clusterAgent": {"clientCA": {"value": "a certificate"}}})
    it.apply(KIND, "run-1", {"workflow": {"kind": "Workflow", "name": "build", "parameters": {"repository": "x"}}})
    message = 'Workflow has not started: no workflow plane is connected as WorkflowPlane "own"'
    assert waits(refreshed(), "WorkflowPending", message)


def test_what_cannot_be_rendered_is_told_and_a_mended_workflow_wakes_the_run():
    apply_plane()
    metadata = {"name": "${parameters.absent}", "namespace": "${metadata.namespace}"}
    template = {"apiVersion": "argoproj.io/v1alpha1", "kind": "Workflow", "metadata": metadata}
    apply_workflow(runTemplate=template)
    workflow_run = run()
    assert it.state(workflow_run, "WorkflowCompleted") == ("False", "WorkflowPending")
    assert it.message(workflow_run, "WorkflowCompleted").startswith("Workflow cannot be rendered: ")
    apply_workflow()
    assert waits(refreshed(), "WorkflowPending", NOT_CONNECTED)


def test_a_secret_that_a_run_names_by_its_parameters_is_awaited():
    apply_plane()
    reference = {"id": "git-secret", "apiVersion": "openchoreo.dev/v1alpha1", "kind": "SecretReference"}
    apply_workflow(externalRefs=[{**reference, "name": "${parameters.repository}"}])
    message = 'Workflow waits for its external reference "git-secret": SecretReference "deploy-key" not found'
    assert waits(run(parameters={"repository": "deploy-key"}), "WorkflowPending", message)
    data = [{"secretKey": "key", "remoteRef": {"key": "git"}}]
    it.apply("SecretReference", "deploy-key", {"template": {"type": "Opaque"}, "data": data})
    assert waits(refreshed(), "WorkflowPending", NOT_CONNECTED)


def test_the_workflows_time_to_live_is_copied_to_runs_without_their_own():
    apply_plane()
    apply_workflow(ttlAfterCompletion="1d")
    assert run().spec["ttlAfterCompletion"] == "1d"
    assert run("run-2", ttl="2h").spec["ttlAfterCompletion"] == "2h"


def test_a_finished_run_is_kept_for_its_time_and_then_deleted():
    workflow_run = run(workflow="nothing", ttl="1h")
    due = WorkItem.objects.get(kind=KIND, object_id=workflow_run.pk).due_at
    assert timedelta(minutes=59) < due - timezone.now() <= timedelta(hours=1)
    long_ago = timestamp(timezone.now() - timedelta(hours=2))
    store.write_status(workflow_run, {**workflow_run.status, "completedAt": long_ago}, it.DELIVERY)
    it.look_again(KIND, "run-1")
    it.settle(KIND)
    assert it.gone(KIND, "run-1")


def test_a_finished_run_without_a_time_stays():
    workflow_run = run(workflow="nothing")
    assert WorkItem.objects.get(kind=KIND, object_id=workflow_run.pk).due_at is None


def test_a_finished_run_is_not_begun_again_when_its_workflow_comes():
    run(workflow="later")
    apply_workflow("later")
    apply_plane()
    assert it.state(refreshed(), "WorkflowCompleted") == ("True", "WorkflowFailed")


def test_a_deleted_run_goes():
    run(workflow="nothing")
    store.delete(KIND, "default", "run-1", TESTER)
    it.settle(KIND)
    assert it.gone(KIND, "run-1")


def test_a_run_for_a_component_that_may_be_built_this_way_goes_on():
    apply_workflow()
    apply_plane()
    apply_component(workflow=BUILD)
    assert waits(run(labels=LABELS), "WorkflowPending", NOT_CONNECTED)


@pytest.mark.parametrize("label", LABELS)
def test_one_label_of_a_component_alone_is_an_error(label):
    apply_workflow()
    message = "component workflow run must have both openchoreo.dev/project and openchoreo.dev/component labels"
    assert has_failed(run(labels={label: LABELS[label]}), "ComponentValidationFailed", message)


def test_a_component_that_does_not_exist_cannot_be_built():
    apply_workflow()
    assert has_failed(run(labels=LABELS), "ComponentValidationFailed", 'component "web" not found')


def test_a_component_of_another_project_cannot_be_built():
    apply_workflow()
    apply_component()
    labels = {**LABELS, "openchoreo.dev/project": "other"}
    message = 'workflow run project label "other" does not match component "web" owner project "shop"'
    assert has_failed(run(labels=labels), "ComponentValidationFailed", message)


def test_a_component_without_its_type_cannot_be_built():
    apply_workflow()
    reference = {"kind": "ClusterComponentType", "name": "deployment/nothing"}
    it.apply("Component", "web", {"owner": {"projectName": "shop"}, "componentType": reference})
    message = 'component type "deployment/nothing" not found for component "web"'
    assert has_failed(run(labels=LABELS), "ComponentValidationFailed", message)


def test_a_type_that_allows_no_workflow_allows_none():
    apply_workflow()
    apply_component(allowed=())
    message = (
        'no workflows are allowed by component type "service", but workflow run references workflow '
        "ClusterWorkflow/build"
    )
    assert has_failed(run(labels=LABELS), "ComponentValidationFailed", message)


def test_a_workflow_that_the_type_does_not_allow_is_named_with_those_it_does():
    apply_workflow()
    apply_component(allowed=[{"kind": "ClusterWorkflow", "name": "a"}, {"kind": "ClusterWorkflow", "name": "b"}])
    message = (
        'workflow ClusterWorkflow/build is not allowed for component type "service"; '
        "allowed: [ClusterWorkflow/a, ClusterWorkflow/b]"
    )
    assert has_failed(run(labels=LABELS), "ComponentValidationFailed", message)


def test_a_workflow_that_is_not_the_components_own_is_refused():
    apply_workflow()
    other = {"kind": "ClusterWorkflow", "name": "other"}
    apply_component(workflow=other, allowed=[BUILD, other])
    message = (
        'workflow run references workflow ClusterWorkflow/build but component "web" is configured with workflow '
        "ClusterWorkflow/other"
    )
    assert has_failed(run(labels=LABELS), "ComponentValidationFailed", message)
