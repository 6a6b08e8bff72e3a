"""A deletion says before and meanwhile what goes in which order, what it waits for by name, and what it leaves."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from catalog import store
from catalog.delivery.delivered import Delivered, place_of, remember
from catalog.delivery.drivers import Location
from catalog.kinds.rendered_object import RenderedObject
from catalog.kinds.rendered_release import RenderedRelease
from catalog.manifests.deleting import NotForced, Plan, force, plan_of
from catalog.store.models import Revision
from portal.accounts.models import User, issue_token
from portal.audit.models import AuditEvent
from tests.catalog.controllers import components as web
from tests.catalog.controllers import installation as it
from tests.catalog.manifests.conftest import run

pytestmark = pytest.mark.django_db
WITHOUT_PLANES = (
    "Project", "Component", "Resource", "ReleaseBinding", "ResourceReleaseBinding", "ProjectReleaseBinding",
    "Environment", "DeploymentPipeline", "ClusterDataPlane", "Namespace",
)  # fmt: skip
"""All controllers but the one that reaches for planes."""


@pytest.fixture(autouse=True)
def shop() -> None:
    web.install()
    web.deploy()
    settle()


def settle() -> None:
    it.settle(*WITHOUT_PLANES)


def delivered(release: RenderedRelease) -> None:
    """The release is on a plane, as far as the platform knows."""
    remember(release, Delivered(Location("kubernetes", "ClusterDataPlane", "", "default", {}), place_of(release)))
    rows = RenderedObject.objects.system("test").filter(rendered_release=release)
    for row in rows:
        row.applied_hash, row.applied_at = row.manifest_id, timezone.now()
        row.save()


def steps(plan: Plan) -> list[str]:
    return [f"{step.kind}/{step.name}" for step in plan.steps]


def test_the_plan_of_a_component_names_everything_in_the_order_in_which_it_then_goes():
    delivered(web.rendered())
    component = web.component()
    plan = plan_of(component)
    assert steps(plan)[-1] == "Component/web"
    assert {step.state for step in plan.steps} == {"to do"}
    (rendered,) = [step for step in plan.steps if step.kind == "RenderedRelease"]
    assert any(text.startswith("Deployment ") for text in rendered.objects)
    assert rendered.plane == "ClusterDataPlane default"
    before = Revision.objects.system("test").order_by("sequence").last().sequence
    store.delete("Component", "default", "web", it.TESTER)
    settle()
    it.finish_cleanup()
    settle()
    gone = Revision.objects.system("test").filter(action="deleted", sequence__gt=before).order_by("sequence")
    went = [f"{row.kind}/{row.name}" for row in gone]
    assert sorted(went) == sorted(steps(plan))
    order = {name: went.index(name) for name in went}
    assert order["RenderedRelease/web-development"] < order["ReleaseBinding/web-development"] < order["Component/web"]


@pytest.mark.parametrize(
    ("kind", "namespace", "name", "words"),
    [
        ("Environment", "default", "development", 'DeploymentPipeline "default" has it in its promotion paths'),
        ("DeploymentPipeline", "default", "default", 'Project "shop" follows it'),
        ("ClusterDataPlane", "", "default", 'Environment "development" is on it'),
    ],
)
def test_who_holds_an_object_is_named(kind, namespace, name, words):
    blockers = plan_of(store.get(kind, namespace, name)).blockers
    assert words in "\n".join(blockers)
    store.delete(kind, namespace, name, it.TESTER)
    settle()
    assert plan_of(store.get(kind, namespace, name)).steps[-1].state == "blocked"
    with pytest.raises(NotForced, match="does not take references away"):
        force(store.get(kind, namespace, name), it.TESTER)


def test_within_the_deletion_of_a_namespace_nobody_holds_the_other():
    plan = plan_of(store.get("Namespace", "", "default"))
    assert plan.blockers == []
    names = steps(plan)
    assert names[-1] == "Namespace/default"
    ordered = ["Component/web", "Project/shop", "DeploymentPipeline/default", "Environment/development"]
    assert [name for name in names if name in ordered] == ordered


@pytest.fixture
def retained() -> Any:
    it.apply_resource_type()
    it.apply_resource()
    settle()
    binding = it.apply_resource_binding(it.get("Resource", "cache").status["latestRelease"]["name"], retain="Retain")
    settle()
    delivered(it.release_of(binding))
    return binding


def test_what_is_retained_is_named_with_what_it_made_and_force_leaves_it_there(retained):
    plan = plan_of(it.get("Resource", "cache"))
    assert "ResourceReleaseBinding default/cache-development: retainPolicy=Retain holds it" in plan.blockers[0]
    assert [text for text in plan.stays if text.startswith("Store ")]
    store.delete("Resource", "default", "cache", it.TESTER)
    settle()
    held = it.get("Resource", "cache")
    assert "blocked" in {step.state for step in plan_of(held).steps}
    left = force(held, it.TESTER)
    assert sorted(text.split()[0] for text in left) == ["ConfigMap", "Store"]
    settle()
    assert it.gone("Resource", "cache")
    assert it.gone("ResourceReleaseBinding", "cache-development")


def test_while_it_goes_each_step_says_how_far_it_is_and_what_its_plane_says():
    web.deploy("second")
    settle()
    delivered(web.rendered())
    store.delete("Component", "default", "web", it.TESTER)
    settle()
    release = web.rendered()
    from catalog.controllers.conditions import true, with_conditions

    failed = true("Finalizing", "CleanupFailed", "cluster test does not answer: no route to host")
    store.write_status(release, with_conditions(release, [failed]), it.DELIVERY)
    plan = plan_of(web.component())
    by_kind = {step.kind: step for step in plan.steps}
    assert by_kind["Workload"].state == "done"
    assert by_kind["RenderedRelease"].state == "blocked"
    assert by_kind["RenderedRelease"].blockers == ["cluster test does not answer: no route to host"]
    assert by_kind["Component"].state == "deleting"
    assert "second" not in str(steps(plan))


def test_force_ends_a_deletion_whose_plane_does_not_answer_and_says_what_is_left_there():
    delivered(web.rendered())
    with pytest.raises(NotForced, match="is not being deleted"):
        force(web.component(), it.TESTER)
    store.delete("Component", "default", "web", it.TESTER)
    settle()
    left = force(web.component(), it.TESTER)
    assert any(text.startswith("Deployment ") and text.endswith("on ClusterDataPlane default") for text in left)
    settle()
    assert it.gone("Component", "web")
    told = store.history("RenderedRelease", "default", "web-development", with_status=True).filter(action="status")
    assert "forced by tester; left there: " in told.last().after["status"]["conditions"][-1]["message"]


def test_when_the_environment_went_first_the_component_still_goes():
    delivered(web.rendered())
    environment = it.get("Environment", "development")
    type(environment).objects.system("test").filter(pk=environment.pk).delete()
    store.delete("Component", "default", "web", it.TESTER)
    settle()
    it.finish_cleanup()
    settle()
    assert it.gone("Component", "web")


# Surfaces -------------------------------------------------------------------------------------------------------------


def test_the_command_shows_the_plan_and_forces():
    delivered(web.rendered())
    shown = run("delete", "--plan", "component", "web")
    assert shown.code == 0
    assert "removes from ClusterDataPlane default: " in shown.out
    assert shown.out.splitlines()[-1].strip().endswith("Component default/web  to do")
    held = run("delete", "--plan", "environment", "development")
    assert (held.code, 'waits: DeploymentPipeline "default"' in held.out) == (1, True)
    assert run("delete", "component", "web").code == 0
    settle()
    forced = run("delete", "component", "web", "--force")
    assert "Component web: forced; left on planes: " in forced.out
    settle()
    assert it.gone("Component", "web")
    assert AuditEvent.objects.system("test").filter(action="deletion:force", name="web").exists()


def ask(client: Client, user: User, method: str, path: str) -> Any:
    headers = {"Authorization": f"Bearer {issue_token(user, 'test')}"}
    return client.generic(method, f"/api/stagecraft/v1/namespaces/default/{path}", headers=headers)


def test_rest_shows_the_plan_and_forces(client: Client):
    root = User.objects.create_superuser("root")
    delivered(web.rendered())
    plan = ask(client, root, "GET", "components/web/deletion").json()
    assert [step["kind"] for step in plan["steps"]][-1] == "Component"
    assert (plan["blockers"], plan["hiddenSteps"], plan["done"]) == ([], 0, 0)
    refused = ask(client, root, "POST", "components/web/deletion/force")
    assert (refused.status_code, "is not being deleted" in refused.json()["error"]) == (409, True)
    store.delete("Component", "default", "web", it.TESTER)
    settle()
    forced = ask(client, root, "POST", "components/web/deletion/force")
    assert (forced.status_code, bool(forced.json()["left"])) == (200, True)
    stranger = User.objects.create_user("stranger")
    assert ask(client, stranger, "GET", "projects/shop/deletion").status_code == 404
    assert ask(client, stranger, "POST", "projects/shop/deletion/force").status_code == 404
