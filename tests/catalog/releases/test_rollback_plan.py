"""A rollback shows what it would change, and is refused where it would leave something broken behind."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from catalog.releases.promote import promote
from catalog.releases.rollback import RollbackRefused, plan_rollback, roll_back
from portal.accounts.models import User, issue_token
from portal.audit.models import AuditEvent
from tests.catalog.controllers import components as c
from tests.catalog.controllers import installation as it
from tests.catalog.controllers.installation import TESTER
from tests.catalog.manifests.conftest import run

pytestmark = pytest.mark.django_db
HTTP = {"type": "HTTP", "port": 8080, "visibility": ["project"]}


def consumes(component: str, endpoint: str) -> dict[str, Any]:
    binding = {"component": component, "name": endpoint, "visibility": "project", "envBindings": {"address": "API"}}
    return {"dependencies": {"endpoints": [binding]}}


@pytest.fixture(autouse=True)
def installation() -> None:
    """`web` has got an endpoint `admin` with its second release; both have reached staging."""
    c.install()
    c.deploy(image="web:1", endpoints={"http": HTTP})
    promote(c.component(), "staging", TESTER)
    c.deploy(image="web:2", endpoints={"http": HTTP, "admin": {**HTTP, "port": 9090}})
    promote(c.component(), "staging", TESTER)
    c.settle()


def deploy_consumer(endpoint: str) -> None:
    c.deploy("reader", image="reader:1", **consumes("web", endpoint))
    promote(c.component("reader"), "staging", TESTER)
    c.settle()


def test_the_plan_tells_configuration_from_dependencies() -> None:
    first, second = c.releases()
    plan = plan_rollback(c.component(), "staging")
    assert (plan.from_release, plan.to_release, plan.stops_auto_deploy) == (second, first, False)
    assert [(item.path, item.left, item.right) for item in plan.configuration] == [
        ("workload.container.image", "web:2", "web:1")
    ]
    assert [item.path for item in plan.dependencies] == ["workload.endpoints.admin"]
    assert plan.refusals == []


def test_where_auto_deploy_would_undo_it_the_plan_says_so() -> None:
    assert plan_rollback(c.component(), "development").stops_auto_deploy


def test_it_is_refused_while_somebody_consumes_an_endpoint_that_would_be_gone() -> None:
    deploy_consumer("admin")
    first, second = c.releases()[:2]
    with pytest.raises(RollbackRefused, match=f'"reader" consumes endpoint "admin", which release "{first}" does not'):
        roll_back(c.component(), "staging", TESTER)
    assert c.binding("staging").spec["releaseName"] == second
    assert roll_back(c.component(), "staging", TESTER, ignore_dependencies=True).to_release == first


def test_who_consumes_what_stays_is_no_obstacle() -> None:
    deploy_consumer("http")
    assert roll_back(c.component(), "staging", TESTER).to_release == c.releases()[0]


def test_it_is_refused_where_what_it_consumes_is_not_there_any_more() -> None:
    c.deploy("reader", image="reader:1", **consumes("web", "admin"))
    promote(c.component("reader"), "staging", TESTER)
    c.deploy("reader", image="reader:2")
    promote(c.component("reader"), "staging", TESTER)
    roll_back(c.component(), "staging", TESTER)
    with pytest.raises(RollbackRefused, match='consumes endpoint "admin" of component "web", which is not offered'):
        roll_back(c.component("reader"), "staging", TESTER)


def test_it_is_refused_where_a_resource_is_not_bound_any_more() -> None:
    needs = {"dependencies": {"resources": [{"ref": "cache", "envBindings": {"host": "CACHE"}}]}}
    c.deploy("reader", image="reader:1", **needs)
    promote(c.component("reader"), "staging", TESTER)
    c.deploy("reader", image="reader:2")
    promote(c.component("reader"), "staging", TESTER)
    with pytest.raises(RollbackRefused, match='depends on resource "cache", which is not bound'):
        roll_back(c.component("reader"), "staging", TESTER)


def test_the_command_shows_the_plan_and_what_stands_against_it() -> None:
    deploy_consumer("admin")
    shown = run("rollback", "web", "--in", "staging", "--plan")
    assert shown.code == 1
    assert "configuration: workload.container.image: 'web:2' -> 'web:1'" in shown.out
    assert 'refused: component "reader" consumes endpoint "admin"' in shown.out
    assert run("rollback", "web", "--in", "staging").code == 1
    assert run("rollback", "web", "--in", "staging", "--ignore-dependencies").code == 0


# REST -----------------------------------------------------------------------------------------------------------------


def ask(client: Client, user: User, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
    headers = {"Authorization": f"Bearer {issue_token(user, 'test')}"}
    where = f"/api/stagecraft/v1/namespaces/default/{path}"
    if method == "GET":
        return client.get(where, headers=headers)
    return client.post(where, body or {}, content_type="application/json", headers=headers)


def test_rest_plans_rolls_back_and_promotes_again(client: Client) -> None:
    root = User.objects.create_superuser("root")
    first, second = c.releases()
    plan = ask(client, root, "GET", "components/web/rollback?environment=staging").json()
    assert (plan["from"], plan["to"], plan["refusals"]) == (second, first, [])
    assert plan["configuration"] == [{"path": "workload.container.image", "from": "web:2", "to": "web:1"}]
    done = ask(client, root, "POST", "components/web/rollback", {"environment": "staging"})
    assert (done.status_code, done.json()["to"], done.json()["stoppedAutoDeploy"]) == (200, first, False)
    done = ask(client, root, "POST", "components/web/promote", {"to": "staging"})
    assert (done.status_code, done.json()["release"], done.json()["result"]) == (200, second, "changed")
    refused = ask(client, root, "POST", "components/web/promote", {"to": "development"})
    assert (refused.status_code, "no promotion path" in refused.json()["error"]) == (409, True)
    actions = AuditEvent.objects.system("test").filter(actor="root").values_list("action", flat=True)
    assert {"component:rollback", "component:promote"} <= set(actions)


def test_rest_undeploys_and_restarts(client: Client) -> None:
    root = User.objects.create_superuser("root")
    path = "releasebindings/web-staging"
    restarted = ask(client, root, "POST", f"{path}/restart")
    assert restarted.status_code == 200
    c.settle()
    assert c.rendered("staging").annotations["openchoreo.dev/restartedAt"]
    assert ask(client, root, "POST", f"{path}/undeploy").json()["binding"]["spec"]["state"] == "Undeploy"
    refused = ask(client, root, "POST", f"{path}/restart")
    assert (refused.status_code, "is undeployed" in refused.json()["error"]) == (409, True)
    assert ask(client, root, "POST", f"{path}/redeploy").json()["binding"]["spec"]["state"] == "Active"


def test_who_may_see_but_not_change_is_refused(client: Client) -> None:
    bob = User.objects.create_user("bob")
    it.apply("AuthzRole", "viewer", {"actions": ["component:view", "releasebinding:view"]})
    mapping = {"roleRef": {"kind": "AuthzRole", "name": "viewer"}, "scope": {"project": "shop"}}
    it.apply("AuthzRoleBinding", "bob", {"entitlement": {"claim": "sub", "value": "bob"}, "roleMappings": [mapping]})
    held = c.binding("staging").spec
    for path, body in (
        ("components/web/rollback", {"environment": "staging"}),
        ("components/web/promote", {"to": "production"}),
        ("releasebindings/web-staging/undeploy", {}),
        ("releasebindings/web-staging/restart", {}),
    ):
        assert ask(client, bob, "POST", path, body).status_code == 403, path
    assert c.binding("staging").spec == held
    assert c.bindings() == ["web-development", "web-staging"]


def test_the_commands_undeploy_and_restart() -> None:
    assert "pods in staging are being replaced" in run("restart", "web", "--in", "staging").out
    assert run("undeploy", "web", "--in", "staging").code == 0
    assert c.binding("staging").spec["state"] == "Undeploy"
    assert "is undeployed" in run("restart", "web", "--in", "staging").err
    assert run("undeploy", "web", "--in", "staging", "--undo").code == 0
    assert c.binding("staging").spec["state"] == "Active"
