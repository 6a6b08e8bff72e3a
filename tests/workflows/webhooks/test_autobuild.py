"""Pushes start builds: which components, with what, and what the answer says."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from catalog import store
from catalog.kinds.workflow_run import WorkflowRun
from portal.audit.models import AuditEvent
from tests.catalog.controllers import installation as it
from tests.factories import TESTER
from tests.workflows.webhooks.deliveries import (
    COMMIT,
    MARK,
    REPOSITORY,
    apply_component,
    apply_type,
    apply_workflow,
    from_bitbucket,
    from_github,
    from_gitlab,
    github_push,
    install,
)
from workflows.webhooks.models import BuildSource, WebhookDelivery

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def installed(settings):
    install(settings)


def runs():
    return list(WorkflowRun.objects.system("test").order_by("name"))


def built(reply):
    assert reply.status_code == 200, reply.content
    return reply.json()["affectedComponents"]


def test_a_push_starts_a_run_of_the_components_workflow_with_its_commit():
    apply_component()
    reply = from_github(github_push())
    (run,) = runs()
    assert reply.json() == {
        "success": True,
        "message": "Webhook processed successfully",
        "affectedComponents": ["default/web"],
        "triggeredBuilds": 1,
        "startedRuns": [{"component": "default/web", "workflowRun": run.name}],
        "refusedComponents": [],
    }
    assert run.name.startswith("web-run-")
    assert run.labels == {"openchoreo.dev/project": "shop", "openchoreo.dev/component": "web"}
    assert run.spec["workflow"] == {
        "kind": "ClusterWorkflow",
        "name": "build",
        "parameters": {"repository": {"url": "git@github.com:acme/shop.git", "revision": {"commit": COMMIT}}},
    }


def test_the_components_own_document_is_not_changed_by_the_commit():
    apply_component()
    from_github(github_push())
    held = store.get("Component", "default", "web")
    assert held.spec["workflow"]["parameters"] == {"repository": {"url": "git@github.com:acme/shop.git"}}


def test_only_components_that_ask_for_it_are_built():
    apply_component(autoBuild=False)
    apply_component("quiet", autoBuild=None)
    assert built(from_github(github_push())) == []
    assert runs() == []


def test_the_branch_must_be_the_components_or_the_schemas_default():
    apply_component("default-branch")
    apply_component("develop", branch="develop")
    assert built(from_github(github_push(branch="main"))) == ["default/default-branch"]
    assert built(from_github(github_push(branch="develop"))) == ["default/develop"]
    assert built(from_github(github_push(branch="release/1"))) == []


def test_without_a_branch_and_a_default_every_branch_builds():
    plain = {"type": "object", "properties": {"address": {"type": "string", f"{MARK}url": True}}}
    apply_workflow(repository=plain)
    parameters = {"repository": {"address": REPOSITORY}}
    apply_component(workflow={"kind": "ClusterWorkflow", "name": "build", "parameters": parameters})
    assert built(from_github(github_push(branch="whatever"))) == ["default/web"]


def test_a_change_elsewhere_in_the_repository_builds_nothing():
    apply_component("api", app_path="/services/api")
    apply_component("web", app_path="web/")
    push = github_push(REPOSITORY, "main", COMMIT, "services/api/main.go", "README.md")
    assert built(from_github(push)) == ["default/api"]


def test_a_push_that_names_no_paths_builds_every_component_of_the_branch():
    apply_component("api", app_path="/services/api")
    assert built(from_github(github_push())) == ["default/api"]


def test_components_of_other_repositories_and_hosts_are_left_alone():
    apply_component("other", url="https://github.com/acme/other")
    apply_component("elsewhere", url="https://gitlab.com/acme/shop")
    assert built(from_github(github_push())) == []


def test_a_push_by_gitlab_starts_builds_too():
    apply_component(url="https://gitlab.com/acme/shop")
    body = {
        "ref": "refs/heads/main",
        "after": COMMIT,
        "project": {"git_http_url": "https://gitlab.com/acme/shop.git"},
        "commits": [{"added": ["a"], "modified": [], "removed": []}],
    }
    assert built(from_gitlab(body)) == ["default/web"]


def bitbucket(*changes):
    links = {"html": {"href": "https://bitbucket.org/acme/shop"}}
    return {"push": {"changes": list(changes)}, "repository": {"links": links}}


def moved(branch, commit, kind="branch"):
    return {"new": {"type": kind, "name": branch, "target": {"hash": commit}}, "commits": [{"hash": "f" * 40}]}


def test_every_branch_that_a_push_by_bitbucket_has_moved_counts_with_its_newest_commit():
    apply_component("main", url="https://bitbucket.org/acme/shop")
    apply_component("next", url="https://bitbucket.org/acme/shop", branch="next")
    body = bitbucket(moved("main", "a" * 40), moved("next", "b" * 40), moved("v1", "c" * 40, "tag"), {"new": None})
    assert built(from_bitbucket(body)) == ["default/main", "default/next"]
    commits = {run.spec["workflow"]["parameters"]["repository"]["revision"]["commit"] for run in runs()}
    assert commits == {"a" * 40, "b" * 40}


@pytest.mark.parametrize(
    "changes",
    [{"ref": "refs/tags/v1"}, {"after": "0" * 40}, {"after": ""}, {"ref": ""}],
)
def test_tags_and_removed_branches_build_nothing(changes):
    apply_component()
    assert built(from_github({**github_push(), **changes})) == []


def test_an_event_that_is_no_push_is_taken_and_ignored():
    apply_component()
    reply = from_github(github_push(), event="ping")
    assert (built(reply), reply.json()["message"]) == ([], "Event ignored: only pushes start builds")


def test_what_could_not_be_started_is_named_with_the_reason_and_the_rest_is_started():
    apply_component("web")
    it.apply("ClusterWorkflow", "other", store.get("ClusterWorkflow", "", "build").spec)
    parameters = {"repository": {"url": REPOSITORY}}
    apply_component("odd", workflow={"kind": "ClusterWorkflow", "name": "other", "parameters": parameters})
    answer = from_github(github_push()).json()
    assert answer["affectedComponents"] == ["default/web"]
    (refused,) = answer["refusedComponents"]
    assert refused["component"] == "default/odd"
    assert "is not allowed for component type" in refused["reason"]


def test_a_commit_that_is_none_is_refused():
    apply_component()
    answer = from_github(github_push(commit="; rm -rf /")).json()
    assert (answer["triggeredBuilds"], runs()) == (0, [])
    assert "no commit" in answer["refusedComponents"][0]["reason"]


# The index ------------------------------------------------------------------------------------------------------------


def indexed():
    rows = BuildSource.objects.order_by("component__name")
    return list(rows.values_list("component__name", "repository", "branch", "app_path"))


def test_the_index_follows_components():
    apply_component(app_path="/api/")
    assert indexed() == [("web", "https://github.com/acme/shop", "main", "api")]
    apply_component(url="https://github.com/acme/moved", branch="next")
    assert indexed() == [("web", "https://github.com/acme/moved", "next", "")]
    apply_component(autoBuild=False)
    assert indexed() == []


def test_the_index_follows_workflows_also_when_they_come_later():
    store.delete("ClusterWorkflow", "", "build", TESTER)
    apply_component()
    assert indexed() == []
    apply_workflow()
    assert indexed() == [("web", "https://github.com/acme/shop", "main", "")]
    store.delete("ClusterWorkflow", "", "build", TESTER)
    assert indexed() == []


def test_a_deleted_component_leaves_the_index():
    apply_component()
    held = store.get("Component", "default", "web")
    store.delete("Component", "default", "web", TESTER)
    for finalizer in list(held.finalizers):
        store.remove_finalizer(held, finalizer, TESTER)
    assert indexed() == []


def test_a_component_that_is_being_deleted_is_not_built():
    apply_component()
    store.delete("Component", "default", "web", TESTER)
    answer = from_github(github_push()).json()
    assert answer["refusedComponents"] == [{"component": "default/web", "reason": "the component is being deleted"}]


def test_two_marks_of_one_role_leave_the_component_out_of_the_index():
    apply_workflow(mirror={"type": "string", f"{MARK}url": True})
    apply_component()
    assert indexed() == []


def test_a_push_asks_for_the_components_of_its_repository_only():
    """However many components there are, a push that concerns none costs the same."""
    apply_component()
    with CaptureQueriesContext(
        connection,
    ) as few:
        from_github(github_push("https://github.com/acme/unknown"))
    for number in range(20):
        apply_component(f"other-{number}", url=f"https://github.com/acme/other-{number}")
    with CaptureQueriesContext(connection) as many:
        from_github(github_push("https://github.com/acme/unknown-too"))
    assert len(many) == len(few)


# Once, and written down -----------------------------------------------------------------------------------------------


def test_a_delivery_starts_its_builds_once():
    apply_component()
    assert built(from_github(github_push(), delivery="one")) == ["default/web"]
    again = from_github(github_push(), delivery="one")
    assert (built(again), again.json()["message"]) == ([], "Delivery already processed")
    assert len(runs()) == 1


def test_a_delivery_that_started_nothing_can_be_sent_again_once_that_is_mended():
    apply_type()
    apply_component()
    assert built(from_github(github_push(), delivery="one")) == []
    assert WebhookDelivery.objects.count() == 0
    apply_type("build")
    assert built(from_github(github_push(), delivery="one")) == ["default/web"]


def test_what_was_started_is_in_the_audit_as_parts_of_one_delivery():
    apply_component("api")
    apply_component("web")
    before = AuditEvent.objects.system("test").count()
    from_github(github_push())
    events = list(AuditEvent.objects.system("test").order_by("pk"))[before:]
    delivery = next(event for event in events if event.parent is None)
    parts = [event for event in events if event.parent == delivery.pk]
    assert (delivery.actor, delivery.surface, delivery.outcome) == ("system:github-webhook", "webhook", "success")
    assert sorted(event.name.partition("-run-")[0] for event in parts) == ["api", "web"]
    assert {event.action for event in events} == {"workflowrun:create"}


def test_a_delivery_that_starts_nothing_is_one_event():
    before = AuditEvent.objects.system("test").count()
    from_github(github_push())
    assert AuditEvent.objects.system("test").count() == before + 1
