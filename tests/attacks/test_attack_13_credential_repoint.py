"""Attack 13: turn an address elsewhere while the stored secret stays, so that the secret is shown to another host."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.test import Client

from catalog import store
from catalog.delivery.drivers import location_of, plane_at
from catalog.delivery.git.permitted import NoAddress, is_permitted
from catalog.delivery.plane import PlaneNotConfigured
from catalog.kinds.data_plane import DataPlane
from catalog.secrets.repository_hosts import host_of
from portal.accounts.models import User
from portal.secrets.models import HeldSecret
from portal.settings import remotes
from tests.catalog.access.conftest import apply, bind, person, role, token_of
from tests.catalog.secrets.conftest import CANARY, Vault, opaque, plane, vault
from tests.factories import TESTER, ProjectFactory

__all__ = ["vault"]
pytestmark = pytest.mark.django_db
MARK = "x-openchoreo-component-parameter-repository-"
HOME = "https://git.example.org/acme/web.git"
EVIL = [
    "https://evil.example/acme/web.git",
    "https://git.example.org@evil.example/acme/web.git",
    "https://git.example.org.evil.example/acme/web.git",
    "https://git.example.org:8443/acme/web.git",
    "http://git.example.org/acme/web.git",
    "git://git.example.org/acme/web.git",
    "git@evil.example:acme/web.git",
    "ssh://git@evil.example/acme/web.git",
    "HTTPS://EVIL.example/acme/web.git",
    "https://evil.example#git.example.org/",
    "//git.example.org/acme",
]


@pytest.fixture
def shop(db: None) -> None:
    apply("Namespace", "acme", {})
    ProjectFactory.create(name="shop", namespace="acme")
    schema = {
        "type": "object",
        "properties": {
            "repository": {
                "type": "object",
                "properties": {
                    "url": {"type": "string", f"{MARK}url": True},
                    "secretRef": {"type": "string", "default": "", f"{MARK}secret-ref": True},
                    "path": {"type": "string", "default": ""},
                },
            }
        },
    }
    template = {"apiVersion": "argoproj.io/v1alpha1", "kind": "Workflow",
                "metadata": {"name": "${metadata.workflowRunName}", "namespace": "${metadata.namespace}"}}  # fmt: skip
    apply("ClusterWorkflow", "docker", {"parameters": {"openAPIV3Schema": schema}, "runTemplate": template})
    store.create(component(HOME, "github"), TESTER)
    role("builder", "component:*", "workflowrun:*", "project:view", "workload:*")
    role("keeper", "secretreference:update")
    bind("builders", "groups:builders", "builder", namespace="acme")
    bind("keepers", "groups:keepers", "keeper", namespace="acme")


def workflow(url: str, secret: str, **more: str) -> dict[str, Any]:
    parameters = {"repository": {"url": url, "secretRef": secret, **more}}
    return {"kind": "ClusterWorkflow", "name": "docker", "parameters": parameters}


def component(url: str, secret: str, name: str = "web", **more: str) -> dict[str, Any]:
    return {
        "apiVersion": "openchoreo.dev/v1alpha1",
        "kind": "Component",
        "metadata": {"name": name, "namespace": "acme"},
        "spec": {
            "owner": {"projectName": "shop"},
            "componentType": {"kind": "ClusterComponentType", "name": "deployment/worker"},
            "workflow": workflow(url, secret, **more),
        },
    }


def run(url: str, secret: str) -> dict[str, Any]:
    return {
        "metadata": {
            "name": "web-1",
            "labels": {"openchoreo.dev/project": "shop", "openchoreo.dev/component": "web"},
        },
        "spec": {"workflow": workflow(url, secret)},
    }


def send(user: User, method: str, path: str, body: Any) -> Any:
    headers = {"Authorization": f"Bearer {token_of(user)}"}
    return Client().generic(
        method, f"/api/v1/namespaces/acme/{path}", json.dumps(body), content_type="application/json", headers=headers
    )


@pytest.fixture
def bob(shop: None) -> User:
    return person("bob", "builders")


@pytest.mark.parametrize("url", EVIL)
def test_attack_13_a_component_cannot_be_turned_to_another_host_with_its_credentials(bob: User, url: str) -> None:
    reply = send(bob, "PUT", "components/web", component(url, "github"))
    assert reply.status_code == 403, reply.content
    assert "the credentials 'github' would be shown to" in reply.json()["error"]
    assert store.get("Component", "acme", "web").spec["workflow"]["parameters"]["repository"]["url"] == HOME


@pytest.mark.parametrize("url", EVIL)
def test_attack_13_nor_can_a_run_of_it(bob: User, url: str) -> None:
    assert send(bob, "POST", "workflowruns", run(url, "github")).status_code == 403


def test_attack_13_nor_can_a_new_component_take_them_along(bob: User) -> None:
    assert send(bob, "POST", "components", component(EVIL[0], "github", "mine")).status_code == 403
    body = {**component(EVIL[0], "github"), "kind": "Component"}
    reply = Client().post(
        "/api/stagecraft/v1/apply", json.dumps(body), content_type="application/json",
        headers={"Authorization": f"Bearer {token_of(bob)}"},
    )  # fmt: skip
    assert "would be shown to" in reply.content.decode()


def test_attack_13_what_stays_at_its_host_and_what_has_no_credentials_is_free(bob: User) -> None:
    free = [
        component("https://git.example.org/acme/other.git", "github"),
        component("git@git.example.org:acme/other.git", "github"),
        component(HOME, "github", path="/sub"),
        component(EVIL[0], ""),
    ]
    for body in free:
        reply = send(bob, "PUT", "components/web", body)
        assert reply.status_code == 200, (body, reply.content)
    assert send(bob, "PUT", "components/web", component(EVIL[0], "github")).status_code == 403


def test_attack_13_whoever_may_set_the_secret_anew_may_turn_it(shop: None) -> None:
    keeper = person("kim", "builders", "keepers")
    assert send(keeper, "PUT", "components/web", component(EVIL[0], "github")).status_code == 200
    assert send(keeper, "POST", "workflowruns", run(HOME, "github")).status_code == 201


@pytest.mark.parametrize(
    ("address", "host"),
    [
        ("https://Git.Example.org/x", "git.example.org"),
        ("git@git.example.org:x/y", "git.example.org"),
        ("https://u:p@git.example.org:443/x", "git.example.org:443"),
        ("https://git.example.org:bad/x", ""),
        ("/local/path", ""),
        ("", ""),
    ],
)
def test_attack_13_the_host_is_the_one_that_is_connected_to(address: str, host: str) -> None:
    assert host_of(address) == host


# Planes: Git pushes with the credentials of the account that Stagecraft runs as

PERMITTED = ["https://git.example.org/deliveries", "ssh://git@git.example.org/deliveries"]


@pytest.mark.parametrize(
    "url",
    [
        "https://evil.example/deliveries/x.git",
        "https://git.example.org/deliveries-of-others/x.git",
        "https://git.example.org/deliveries/../secret.git",
        "https://git.example.org/deliveries/%2e%2e/secret.git",
        "https://git.example.org@evil.example/deliveries/x.git",
        "https://git.example.org:8443/deliveries/x.git",
        "https://git.example.org.evil.example/deliveries/x.git",
        "https://git.example.org/",
        "ssh://root@git.example.org/deliveries/x.git",
        "ssh://-oProxyCommand=x/deliveries/x.git",
        "ssh://git@-oProxyCommand=x/deliveries/x.git",
        "root@git.example.org:deliveries/x.git",
        "http://git.example.org/deliveries/x.git",
        "file:///deliveries",
        "ext::sh -c id",
        "/deliveries",
        "--upload-pack=id",
    ],
)
def test_attack_13_a_plane_pushes_only_below_the_operators_addresses(settings: Any, url: str) -> None:
    settings.GIT_PLANE_REMOTES = PERMITTED
    found = DataPlane(namespace_id="acme", name="here", annotations={"stagecraft.dev/git-remote": url})
    with pytest.raises(PlaneNotConfigured, match="git-remote"):
        plane_at(location_of(found))


def test_attack_13_below_them_it_may_and_follows_no_redirect(settings: Any) -> None:
    settings.GIT_PLANE_REMOTES = PERMITTED
    for url in ("https://git.example.org/deliveries/x.git", "git@git.example.org:deliveries/a/x.git"):
        found = DataPlane(namespace_id="acme", name="here", annotations={"stagecraft.dev/git-remote": url})
        assert plane_at(location_of(found)).is_guarded  # type: ignore[attr-defined]


def test_attack_13_without_the_setting_no_plane_names_a_remote(settings: Any) -> None:
    settings.GIT_PLANE_REMOTES = []
    found = DataPlane(
        namespace_id="acme", name="here", annotations={"stagecraft.dev/git-remote": "https://git.example.org/x.git"}
    )
    with pytest.raises(PlaneNotConfigured, match="GIT_PLANE_REMOTES"):
        plane_at(location_of(found))
    with pytest.raises(ValueError, match="password"):
        remotes("https://me:hunter2@git.example.org/x")
    with pytest.raises(NoAddress, match="all who see the plane would read"):
        is_permitted("https://me:hunter2@git.example.org/x", PERMITTED)


# Secrets that are held here


def test_attack_13_a_secret_does_not_follow_its_plane_to_another_cluster(
    client: Client, settings: Any, vault: Vault, db: None
) -> None:
    """Whoever turns a plane, or the reference to a plane, elsewhere gets nothing until the secret is set again."""
    settings.SECRET_MANAGEMENT_ENABLED = True
    apply("Namespace", "acme", {})
    store.create(plane("ClusterDataPlane"), TESTER)
    store.create(plane("ClusterDataPlane", "cluster", **{"stagecraft.dev/driver": "kubernetes"}), TESTER)
    headers = {"Authorization": f"Bearer {token_of(User.objects.create_superuser('root', password='x'))}"}
    made = client.post(
        "/api/v1alpha1/namespaces/acme/secrets", json.dumps(opaque()), "application/json", headers=headers
    )
    assert made.status_code == 201
    store.apply(plane("ClusterDataPlane", **{"stagecraft.dev/driver": "kubernetes"}), TESTER)
    reference = store.to_document(store.get("SecretReference", "acme", "db"), with_status=False)
    reference["spec"]["targetPlane"]["name"] = "cluster"
    store.replace(reference, TESTER)
    assert client.get("/api/v1alpha1/namespaces/acme/secrets/db", headers=headers).status_code == 200
    assert vault.held == {}
    assert CANARY not in HeldSecret.objects.get().sealed


def test_a_plane_of_a_namespace_reaches_no_cluster_that_was_connected_for_others(settings, tmp_path):
    """A kubeconfig is a credential; whoever may write a plane in one namespace must not pick up another's."""
    settings.KUBERNETES_CLUSTERS = tmp_path
    (tmp_path / "other").mkdir()
    for place in (tmp_path, tmp_path / "other"):
        (place / "production.kubeconfig").write_text("the credentials of others")
    for name in ("production", "../other/production", "other/production", "in-cluster"):
        annotations = {"stagecraft.dev/driver": "kubernetes", "stagecraft.dev/kubernetes-cluster": name}
        mine = DataPlane(namespace_id="acme", name="mine", annotations=annotations)
        with pytest.raises(PlaneNotConfigured, match=r"there is no file|cannot be the name"):
            plane_at(location_of(mine))
