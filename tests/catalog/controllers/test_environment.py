"""Environment and DeploymentPipeline: ready as they are, and gone only when nobody needs them."""

from __future__ import annotations

import pytest

from catalog import store
from catalog.kinds.project_release_binding import ProjectReleaseBinding
from tests.catalog.controllers import installation as it
from tests.factories import TESTER

pytestmark = pytest.mark.django_db
PIPELINE, ENVIRONMENT = "DeploymentPipeline", "Environment"
CELLS = "ProjectReleaseBinding"


@pytest.fixture(autouse=True)
def installed():
    it.install()


def delete(kind, name):
    store.delete(kind, "default", name, TESTER)


def test_an_environment_is_ready():
    it.settle(ENVIRONMENT)
    environment = it.get(ENVIRONMENT, "staging")
    assert it.state(environment, "Ready") == ("True", "EnvironmentReady")
    assert it.message(environment, "Ready") == "Environment is ready"
    assert set(environment.status) == {"conditions"}


def test_a_pipeline_is_available():
    it.settle(PIPELINE)
    pipeline = it.get(PIPELINE, "default")
    assert it.state(pipeline, "Available") == ("True", "DeploymentPipelineAvailable")
    assert it.message(pipeline, "Available") == "DeploymentPipeline is available"
    assert pipeline.status["observedGeneration"] == 1


def test_an_environment_in_a_pipeline_stays_and_says_in_which():
    delete(ENVIRONMENT, "staging")
    it.settle(ENVIRONMENT)
    environment = it.get(ENVIRONMENT, "staging")
    assert it.state(environment, "Ready") == ("False", "DeletionBlocked")
    words = 'Deletion blocked: environment is referenced by DeploymentPipeline "default"'
    assert it.message(environment, "Ready") == words


@pytest.mark.parametrize("how", ["changed", "deleted"])
def test_an_environment_goes_as_soon_as_no_pipeline_names_it(how):
    delete(ENVIRONMENT, "staging")
    it.settle(ENVIRONMENT, PIPELINE)
    if how == "changed":
        it.apply_pipeline("development", "production")
    else:
        delete(PIPELINE, "default")
    it.settle(ENVIRONMENT, PIPELINE)
    assert it.gone(ENVIRONMENT, "staging")


def test_an_environment_takes_its_bindings_and_cells_last():
    it.apply_project()
    it.settle("Project", CELLS)
    owner = {"projectName": "shop", "componentName": "web"}
    it.apply("ReleaseBinding", "web-staging", {"owner": owner, "environment": "staging"})
    it.apply_pipeline("development", "production")
    delete(ENVIRONMENT, "staging")
    it.settle(ENVIRONMENT, CELLS)
    environment = it.get(ENVIRONMENT, "staging")
    assert it.state(environment, "Ready") == ("False", "ReleaseBindingsPending")
    assert it.message(environment, "Ready") == "Deleting 2 release binding(s)"
    assert it.get(CELLS, "shop-staging").deleted_at is None

    binding = it.get("ReleaseBinding", "web-staging")
    store.remove_finalizer(binding, "openchoreo.dev/releasebinding-cleanup", it.DELIVERY)
    it.settle(ENVIRONMENT, CELLS)
    assert it.get(CELLS, "shop-staging").deleted_at is not None
    it.finish_cleanup()
    it.settle(ENVIRONMENT, CELLS, "Project")
    assert it.gone(ENVIRONMENT, "staging")
    assert not ProjectReleaseBinding.objects.system("test").filter(name="shop-staging").exists()
    assert ProjectReleaseBinding.objects.system("test").filter(name="shop-development").exists()


def test_a_retained_resource_holds_its_environment_and_is_named():
    it.apply_project()
    it.apply_pipeline("development", "production")
    it.apply_resource_binding(environment="staging", retain="Retain")
    delete(ENVIRONMENT, "staging")
    it.settle(ENVIRONMENT)
    environment = it.get(ENVIRONMENT, "staging")
    assert it.state(environment, "Ready") == ("False", "ReleaseBindingsPending")
    assert it.message(environment, "Ready").endswith('retainPolicy=Retain holds "cache-staging"')
    assert it.get("ResourceReleaseBinding", "cache-staging").deleted_at is None


def test_a_pipeline_that_projects_follow_stays_and_says_how_many():
    it.apply_project("a")
    it.apply_project("b")
    delete(PIPELINE, "default")
    it.settle(PIPELINE)
    pipeline = it.get(PIPELINE, "default")
    assert it.state(pipeline, "Available") == ("False", "DeletionBlocked")
    words = "Deletion blocked: deployment pipeline is still referenced by 2 project(s)"
    assert it.message(pipeline, "Available") == words


def test_a_pipeline_goes_with_its_last_project():
    it.apply_project()
    delete(PIPELINE, "default")
    it.settle(PIPELINE)
    delete("Project", "shop")
    it.settle(PIPELINE, "Project")
    assert it.gone(PIPELINE, "default")


def test_a_pipeline_goes_when_its_project_follows_another():
    it.apply_project()
    delete(PIPELINE, "default")
    it.apply_pipeline(name="other")
    document = store.to_document(it.get("Project", "shop"))
    document["spec"]["deploymentPipelineRef"] = {"name": "other"}
    store.replace(document, TESTER)
    it.settle(PIPELINE)
    assert it.gone(PIPELINE, "default")
