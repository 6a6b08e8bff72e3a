"""Attack 2: claims of ownership in the request. The stored object decides, and the new one must be permitted too."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.test import Client

from catalog import store
from portal.accounts.models import User
from tests.catalog.access.conftest import apply, bind, person, role, token_of
from tests.catalog.api.conftest import ApiClient
from tests.factories import EnvironmentFactory

pytestmark = pytest.mark.django_db
ACME = "/api/v1/namespaces/acme"
RUN = {"workflow": {"name": "build"}}
TYPE = {"kind": "ClusterComponentType", "name": "deployment/worker"}


def labels(project: str, component: str) -> dict[str, str]:
    return {"openchoreo.dev/project": project, "openchoreo.dev/component": component}


SHOP, BANK = labels("shop", "shop-web"), labels("bank", "bank-web")


@pytest.fixture
def ada(tenants: None) -> User:
    """Somebody with everything in project shop of acme."""
    role("owner", "*")
    bind("ada", "groups:shop", "owner", namespace="acme", scope={"project": "shop"})
    return person("ada", "shop")


@pytest.fixture
def api(ada: User) -> ApiClient:
    return ApiClient(Client(), token_of(ada))


def held(kind: str, name: str, namespace: str = "acme") -> tuple[Any, Any, int]:
    found = store.get(kind, namespace, name)
    return found.spec, found.labels, found.generation


def test_attack_02_a_run_of_another_project_is_not_taken_by_ones_own_labels(api: ApiClient) -> None:
    apply("WorkflowRun", "r", RUN, "acme", labels=BANK)
    before = held("WorkflowRun", "r")

    stolen = {"metadata": {"name": "r", "labels": SHOP}, "spec": RUN}
    assert api.put(f"{ACME}/workflowruns/r", stolen).status_code == 404
    assert api.delete(f"{ACME}/workflowruns/r").status_code == 404
    assert held("WorkflowRun", "r") == before


def test_attack_02_a_run_is_not_pushed_onto_another_project(api: ApiClient) -> None:
    apply("WorkflowRun", "mine", RUN, "acme", labels=SHOP)
    before = held("WorkflowRun", "mine")

    for wanted in (
        BANK,
        labels("bank", "shop-web"),
        labels("shop", "bank-web"),
        {},
        {"openchoreo.dev/project": "shop"},
    ):
        moved = {"metadata": {"name": "mine", "labels": wanted}, "spec": RUN}
        assert api.put(f"{ACME}/workflowruns/mine", moved).status_code == 403, wanted
    assert held("WorkflowRun", "mine") == before


@pytest.mark.parametrize("wanted", [BANK, labels("bank", "shop-web"), labels("shop", "bank-web"), {}])
def test_attack_02_a_new_run_is_judged_by_its_components_real_project(api: ApiClient, wanted: Any) -> None:
    body = {"metadata": {"name": "new", "labels": wanted}, "spec": RUN}

    assert api.post(f"{ACME}/workflowruns", body).status_code == 403
    assert store.get_or_none("WorkflowRun", "acme", "new") is None


@pytest.mark.parametrize(
    ("plural", "spec"),
    [
        ("workloads", {"container": {"image": "x"}}),
        ("releasebindings", {"environment": "dev"}),
        ("componentreleases", {}),
    ],
)
def test_attack_02_an_owner_that_names_ones_project_and_anothers_component_is_refused(
    api: ApiClient, plural: str, spec: Any
) -> None:
    EnvironmentFactory.create(name="dev", namespace="acme")
    for owner in (
        {"projectName": "shop", "componentName": "bank-web"},
        {"projectName": "bank", "componentName": "shop-web"},
        {"projectName": "bank", "componentName": "bank-web"},
    ):
        body = {"metadata": {"name": "planted"}, "spec": {**spec, "owner": owner}}
        assert api.post(f"{ACME}/{plural}", body).status_code in (400, 403, 404, 422), owner
        assert api.get(f"{ACME}/{plural}/planted").status_code == 404


def test_attack_02_a_stored_owner_does_not_change_by_a_replacement(api: ApiClient) -> None:
    EnvironmentFactory.create(name="dev", namespace="acme")
    owner = {"projectName": "shop", "componentName": "shop-web"}
    other = {"projectName": "bank", "componentName": "bank-web"}
    apply("ReleaseBinding", "b", {"owner": owner, "environment": "dev"}, "acme")
    apply("Workload", "w", {"owner": owner, "container": {"image": "x"}}, "acme")
    apply("ReleaseBinding", "theirs", {"owner": other, "environment": "dev"}, "acme")

    for path, spec in (
        ("releasebindings/b", {"owner": other, "environment": "dev"}),
        ("workloads/w", {"owner": other, "container": {"image": "x"}}),
        ("components/shop-web", {"owner": {"projectName": "bank"}, "componentType": TYPE}),
    ):
        reply = api.put(f"{ACME}/{path}", {"metadata": {"name": path.split("/")[1]}, "spec": spec})
        assert reply.status_code in (400, 403, 409, 422), (path, reply.content)
    stolen = {"metadata": {"name": "theirs"}, "spec": {"owner": owner, "environment": "dev"}}
    assert api.put(f"{ACME}/releasebindings/theirs", stolen).status_code == 404
    assert held("ReleaseBinding", "b")[0]["owner"] == held("Workload", "w")[0]["owner"] == owner
    assert held("Component", "shop-web")[0]["owner"] == {"projectName": "shop"}
    assert held("ReleaseBinding", "theirs")[0]["owner"] == other


def test_attack_02_a_component_is_not_taken_by_naming_ones_own_project(api: ApiClient) -> None:
    before = held("Component", "bank-web")
    body = {"metadata": {"name": "bank-web"}, "spec": {"owner": {"projectName": "shop"}, "componentType": TYPE}}

    assert api.put(f"{ACME}/components/bank-web", body).status_code == 404
    assert api.post(f"{ACME}/components", body).status_code in (403, 404, 409)
    assert held("Component", "bank-web") == before


def test_attack_02_a_body_that_names_another_namespace_or_name_changes_nothing_there(api: ApiClient) -> None:
    before = held("Component", "shop-web", "globex"), held("Component", "bank-web")
    spec = {"owner": {"projectName": "shop"}, "componentType": TYPE}

    for metadata in (
        {"name": "shop-web", "namespace": "globex"},
        {"name": "bank-web", "namespace": "acme"},
        {"name": "bank-web", "namespace": "globex", "uid": "0"},
    ):
        api.put(f"{ACME}/components/shop-web", {"metadata": metadata, "spec": spec})
        api.post(f"{ACME}/components", {"metadata": metadata, "spec": spec})
    assert (held("Component", "shop-web", "globex"), held("Component", "bank-web")) == before


def test_attack_02_a_place_in_the_query_does_not_widen_what_is_shown(api: ApiClient) -> None:
    for path in ("components", "projects", "workloads"):
        for asked in ("project=bank", "namespace=globex", "project=bank&project=shop"):
            reply = api.get(f"{ACME}/{path}?{asked}")
            assert "bank" not in reply.content.decode().replace("'project'", ""), (path, asked)


def test_attack_02_documents_applied_together_are_judged_by_what_is_stored(api: ApiClient) -> None:
    """The first document must not make the second one permitted, as a moved owner would."""
    before = held("Component", "bank-web")
    owner = {"projectName": "shop"}
    documents = [
        {
            "apiVersion": "openchoreo.dev/v1alpha1",
            "kind": "Component",
            "metadata": {"name": "bank-web", "namespace": "acme"},
            "spec": {"owner": owner, "componentType": TYPE},
        },
        {
            "apiVersion": "openchoreo.dev/v1alpha1",
            "kind": "Workload",
            "metadata": {"name": "w", "namespace": "acme"},
            "spec": {"owner": {**owner, "componentName": "bank-web"}, "container": {"image": "evil"}},
        },
    ]
    body = b"\n---\n".join(json.dumps(document).encode() for document in documents)

    assert api.send("POST", "/api/stagecraft/v1/apply", body).status_code in (403, 404)
    assert held("Component", "bank-web") == before
    assert store.get_or_none("Workload", "acme", "w") is None


def test_attack_02_the_environment_of_a_binding_is_the_stored_one(tenants: None) -> None:
    """Who may deploy to dev only neither changes what is in prod nor moves it by saying that it is in dev."""
    for name in ("dev", "prod"):
        EnvironmentFactory.create(name=name, namespace="acme")
    condition = {"actions": ["releasebinding:*"], "expression": 'resource.environment == "acme/dev"'}
    role("deployer", "releasebinding:*", "component:view")
    bind("d", "groups:dev", "deployer", namespace="acme", conditions=[condition])
    owner = {"projectName": "shop", "componentName": "shop-web"}
    apply("ReleaseBinding", "in-prod", {"owner": owner, "environment": "prod"}, "acme")
    apply("ReleaseBinding", "in-dev", {"owner": owner, "environment": "dev"}, "acme")
    api = ApiClient(Client(), token_of(person("d", "dev")))

    def put(name: str, environment: str) -> int:
        body = {"metadata": {"name": name}, "spec": {"owner": owner, "environment": environment}}
        return int(api.put(f"{ACME}/releasebindings/{name}", body).status_code)

    assert put("in-prod", "dev") == 404
    assert put("in-dev", "prod") == 403
    assert put("in-dev", "dev") == 200
    assert held("ReleaseBinding", "in-prod")[0]["environment"] == "prod"
