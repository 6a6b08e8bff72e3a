"""A delivery's commit names the person whose change it carries, also when a controller made the release of it."""

from __future__ import annotations

import pygit2
import pytest

from catalog import store
from catalog.controllers import runtime
from portal.accounts.actor import Actor
from portal.quickstart import content
from tests.factories import ComponentFactory, WorkloadFactory

pytestmark = pytest.mark.django_db
ALICE, BOB, CAROL = Actor("alice"), Actor("bob", surface="rest", request_id="request-of-bob"), Actor("carol")


@pytest.fixture
def repository(settings, tmp_path):
    settings.GIT_PLANE_REPOSITORY = str(tmp_path / "plane.git")
    content.apply_directory(content.DEFAULTS)
    return tmp_path / "plane.git"


def newest_message(repository) -> str:
    """The newest delivery of `web` to development; projects are delivered around it in any order."""
    git = pygit2.Repository(str(repository))
    messages = [commit.message for commit in git.walk(git.lookup_branch("main").target)]
    return next(message for message in messages if message.startswith("Deliver web to development: web-"))


def test_auto_deploy_names_the_author_of_the_workload_and_the_controller(repository):
    store.apply(ComponentFactory.build(name="web"), ALICE)
    store.apply(WorkloadFactory.build(name="web", component="web"), BOB)
    runtime.drain()
    expected = "\nActor: bob\nThrough: system:component-controller\nRequest-Id: request-of-bob\n"
    assert expected in newest_message(repository)


def test_a_changed_type_names_the_platform_engineer(repository):
    store.apply(ComponentFactory.build(name="web"), ALICE)
    store.apply(WorkloadFactory.build(name="web", component="web"), ALICE)
    runtime.drain()
    worker = store.to_document(store.get("ClusterComponentType", "", "worker"), with_status=False)
    worker["spec"]["environmentConfigs"]["openAPIV3Schema"]["properties"]["replicas"]["default"] = 2
    store.replace(worker, CAROL)
    runtime.drain()
    assert "\nActor: carol\nThrough: system:component-controller\n" in newest_message(repository)


def test_a_binding_changed_by_a_person_names_that_person_alone(repository):
    store.apply(ComponentFactory.build(name="web"), ALICE)
    store.apply(WorkloadFactory.build(name="web", component="web"), ALICE)
    runtime.drain()
    binding = store.to_document(store.get("ReleaseBinding", "default", "web-development"), with_status=False)
    binding["spec"]["componentTypeEnvironmentConfigs"] = {"replicas": 3}
    store.replace(binding, BOB)
    runtime.drain()
    message = newest_message(repository)
    assert "\nActor: bob\nRequest-Id: request-of-bob\n" in message
