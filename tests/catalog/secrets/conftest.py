"""A namespace whose planes have a secret store, clients with certain rights, and a plane that can hold secrets."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, ClassVar

import pytest
from django.test import Client

from catalog import store
from catalog.compiler.documents import Document
from catalog.delivery import drivers
from catalog.delivery.plane import Capabilities, ObjectKey, PlaneError
from portal.accounts.actor import system
from portal.accounts.models import User, issue_token
from tests.catalog.access.conftest import bind, person, role, token_of
from tests.catalog.api.conftest import ApiClient

TESTER = system("test")
API = {"apiVersion": "openchoreo.dev/v1alpha1"}
CANARY = "canary-91c7e2"
SECRETS = "/api/v1alpha1/namespaces/acme/secrets"
GIT_SECRETS = "/api/v1alpha1/namespaces/acme/gitsecrets"


def plane(kind: str, name: str = "default", *, has_store: bool = True, **annotations: str) -> Document:
    spec: Document = {"planeID": "default", "clusterAgent": {"clientCA": {"value": "x"}}}
    if has_store:
        spec["secretStoreRef"] = {"name": "vault"}
    return {**API, "kind": kind, "metadata": {"name": name, "annotations": annotations}, "spec": spec}


@pytest.fixture(autouse=True)
def enabled(settings: Any) -> None:
    settings.SECRET_MANAGEMENT_ENABLED = True
    settings.SECRETS_SHOW_VALUES = False


@pytest.fixture
def world(db: None) -> None:
    for namespace in ("acme", "other"):
        store.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}}, TESTER)
    store.create(plane("ClusterDataPlane"), TESTER)
    store.create(plane("ClusterWorkflowPlane"), TESTER)
    store.create(plane("ClusterDataPlane", "bare", has_store=False), TESTER)
    store.create(plane("ClusterDataPlane", "cluster", **{"stagecraft.dev/driver": "kubernetes"}), TESTER)
    store.create(plane("ClusterWorkflowPlane", "cluster", **{"stagecraft.dev/driver": "kubernetes"}), TESTER)


@pytest.fixture
def api(world: None, client: Client) -> ApiClient:
    """An administrator."""
    return ApiClient(client, issue_token(User.objects.create_superuser("admin", password="x"), "tests"))


@pytest.fixture
def client_with(world: None) -> Callable[..., ApiClient]:
    """A client of a person who has these actions, in namespace acme unless told."""

    def make(*actions: str, namespace: str = "acme", name: str = "ann") -> ApiClient:
        user = person(name, f"people-{name}")
        if actions:
            role(f"role-of-{name}", *actions)
            bind(f"binding-of-{name}", f"groups:people-{name}", f"role-of-{name}", namespace=namespace)
        return ApiClient(Client(), token_of(user))

    return make


class Vault:
    """A plane that holds secrets: what a cluster does with them, without the cluster."""

    driver: ClassVar[str] = "kubernetes"
    capabilities: ClassVar[Capabilities] = Capabilities(holds_secrets=True)

    def __init__(self) -> None:
        self.held: dict[ObjectKey, Document] = {}
        self.is_down = False
        self.refused: set[str] = set()

    def put(self, documents: Sequence[Document]) -> None:
        if self.is_down:
            raise PlaneError("the cluster does not answer")
        for document in documents:
            if document["kind"] in self.refused:
                raise PlaneError(f"the cluster knows no {document['kind']}")
            metadata = document["metadata"]
            group = document["apiVersion"].rpartition("/")[0]
            key = ObjectKey(group, document["kind"], metadata.get("namespace", ""), metadata["name"])
            self.held[key] = document

    def find(self, version: str, kind: str, namespace: str, name: str) -> Document | None:
        return self.held.get(ObjectKey(version.rpartition("/")[0], kind, namespace, name))

    def take_away(self, keys: Sequence[ObjectKey]) -> None:
        for key in keys:
            self.held.pop(key, None)


@pytest.fixture
def vault(monkeypatch: pytest.MonkeyPatch) -> Vault:
    made = Vault()
    driver: Any = drivers.Driver(Vault.capabilities, lambda location: made)  # type: ignore[arg-type,return-value]
    monkeypatch.setitem(drivers.DRIVERS, "kubernetes", driver)
    return made


def opaque(name: str = "db", plane: str = "default", **data: str) -> Document:
    return {
        "secretName": name,
        "secretType": "Opaque",
        "targetPlane": {"kind": "ClusterDataPlane", "name": plane},
        "data": data or {"password": CANARY, "user": "app"},
    }
