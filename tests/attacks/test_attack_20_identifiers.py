"""Attack 20: names with slashes, dots, NULs and lookalikes, in every place that a name reaches."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.test import Client
from django.utils import timezone

from catalog import store
from catalog.compiler.names import kubernetes_name
from catalog.delivery.drivers import location_of, plane_at
from catalog.delivery.git.layout import directory_of, file_names
from catalog.delivery.plane import ObjectKey, Place, PlaneError, PlaneNotConfigured
from catalog.kinds.data_plane import DataPlane
from catalog.kinds.registry import KINDS, kind_named
from catalog.secrets.manifests import secret_reference
from catalog.secrets.wanted import PlaneName, WantedSecret
from portal.access.place import Place as Scope
from portal.accounts.models import User, issue_token
from portal.secrets import SecretText
from tests.catalog.access.conftest import access_of, bind, person, role
from tests.factories import TESTER, NamespaceFactory

PROJECTS = "/api/v1/namespaces/default/projects"
ODD = [
    "a/b", "../a", "..", ".", "a/../b", "/a", "a/", "a\\b", "a%2fb", "%2e%2e", "a\0b", "a\nb", "a b", " a", "a ",
    "A", "aB", "é", "ａ", "а", "a\u200b", "a\u202eb", "a\u0301", "-a", "a-", ".a", "a.", "a..b", "a_b", "a:b", "a@b",
    "a*", "a?", "a#b", "a;b", "a|b", "a$b", "${a}", "{{a}}", "a'b", 'a"b', "<a>", "--a", "a" * 254, "\ufeffa",
]  # fmt: skip
"""Cyrillic а, full-width ａ and combining marks among them."""


@pytest.fixture
def token(db: None) -> str:
    return issue_token(User.objects.create_superuser("root", password="correct horse battery"), "test")


def post(client: Client, token: str, body: str | bytes, path: str = PROJECTS) -> Any:
    return client.post(path, body, content_type="application/json", headers={"Authorization": f"Bearer {token}"})


@pytest.mark.django_db
@pytest.mark.parametrize("name", ODD)
def test_attack_20_no_kind_takes_an_odd_name(name: str) -> None:
    accepted = []
    for model in KINDS:
        metadata = {"name": name, **({"namespace": "default"} if model.namespaced else {})}
        document = {"apiVersion": model.api_version, "kind": model.kind, "metadata": metadata, "spec": {}}
        try:
            store.create(document, TESTER)
        except store.StoreError as refused:
            if "metadata.name" not in str(refused):
                accepted.append((model.kind, str(refused)[:100]))
        else:
            accepted.append((model.kind, "created"))
    assert accepted == []


@pytest.mark.django_db
@pytest.mark.parametrize("name", [name for name in ODD if name.strip()])
def test_attack_20_no_namespace_of_an_odd_name_is_written_to(name: str) -> None:
    document = {
        "apiVersion": "openchoreo.dev/v1alpha1",
        "kind": "DeploymentPipeline",
        "metadata": {"name": "x", "namespace": name},
        "spec": {"promotionPaths": []},
    }
    with pytest.raises(store.StoreError):
        store.create(document, TESTER)


@pytest.mark.django_db
@pytest.mark.parametrize("name", ["a/b", "../a", "", "A", "a b", "a%2fb", "a\\b"])
@pytest.mark.parametrize("kind", ["Project", "Namespace", "Component", "ClusterTrait"])
def test_attack_20_neither_does_the_database(kind: str, name: str) -> None:
    """Behind the admission: whatever writes the row, a name that is a path is refused by a CHECK."""
    model: Any = kind_named(kind)
    NamespaceFactory.create(name="held")
    fields = {"namespace_id": "held"} if model.namespaced else {}
    row = model(name=name, created_at=timezone.now(), **fields)
    with pytest.raises(IntegrityError, match="name_of_"), transaction.atomic():
        model.objects.system("past the admission").bulk_create([row])


# Where names go


@pytest.mark.parametrize(
    "step", [name for name in ODD if name not in ("A", "aB", "a_b", "a-", "a.", "a..b", "a" * 254)]
)
def test_attack_20_no_step_of_a_path_in_the_repository_leads_elsewhere(step: str) -> None:
    for place in (Place(step, "dev", "shop", "web"), Place("acme", step, "shop"), Place("acme", "dev", "shop", step)):
        with pytest.raises(PlaneError, match="cannot be the name of a directory"):
            directory_of(place)


@pytest.mark.parametrize("name", ODD)
def test_attack_20_a_file_is_named_without_its_objects_tricks(name: str) -> None:
    """Objects of templates may be called anything; a plane refuses them, and the repository survives them."""
    key = ObjectKey("", "ConfigMap", "x", name)
    (file,) = file_names([key]).values()
    assert file.isascii() and "/" not in file and "\\" not in file and not file.startswith(".")
    assert len(file) <= 255 and file.endswith(".yaml") and "\0" not in file and "\n" not in file


def test_attack_20_names_that_meet_get_files_of_their_own() -> None:
    keys = [ObjectKey("", "ConfigMap", "x", name) for name in ("a/b", "a-b", "A-b", "a:b", "a b")]
    names = [name.lower() for name in file_names(keys).values()]
    assert len(set(names)) == len(keys)


@pytest.mark.parametrize(
    "branch", ["../x", "a..b", "-x", "a b", "a~1", "a^", "a:b", "x.lock", "a//b", "@{", "\0", "refs/../x", "a\nb"]
)
def test_attack_20_no_reference_of_git_is_made_of_an_odd_name(branch: str) -> None:
    plane = DataPlane(namespace_id="acme", name="here", annotations={"stagecraft.dev/git-branch": branch})
    with pytest.raises((PlaneNotConfigured, ValueError)):
        plane_at(location_of(plane))


@pytest.mark.parametrize("name", ["a" * 300, "A_B/c", "..", "${x}", "é" * 80])
def test_attack_20_generated_names_are_names_of_kubernetes(name: str) -> None:
    made = kubernetes_name(63, name, name)
    assert 0 < len(made) <= 63 and made == made.lower() and "/" not in made and ".." not in made


def test_attack_20_the_key_in_a_store_is_made_of_checked_names_only() -> None:
    wanted = WantedSecret("acme", "db", "Opaque", PlaneName("ClusterDataPlane", "default"), {"k": SecretText("v")})
    document = secret_reference(wanted)
    assert document["spec"]["data"][0]["remoteRef"]["key"] == "secret/acme/generic/db"


@pytest.mark.django_db
def test_attack_20_a_place_is_made_of_rows_and_not_of_texts() -> None:
    """In a hierarchy of texts `ns/acme` would hold `ns/acme/x`, whatever `acme/x` is."""
    for namespace in ("acme", "acme-x"):
        NamespaceFactory.create(name=namespace)
    role("viewer", "project:view")
    bind("b", "groups:dev", "viewer", namespace="acme")
    access = access_of(person("ann", "dev"))
    assert access.allows("project:view", Scope("acme"))
    for name in ("acme/x", "acme-x", "acme/", "ACME", "acme ", "a", "acme%", "acme\0", "/acme", "*", ""):
        assert not access.allows("project:view", Scope(name)), name


# Over REST


@pytest.mark.parametrize(
    "metadata",
    [{"annotations": {"a": "x\0y"}}, {"labels": {"a": "x\0y"}}, {"name": "x\0y"}, {"annotations": {"a\0b": "x"}}],
)
def test_attack_20_nul_in_a_body_is_refused(client: Client, token: str, metadata: dict[str, Any]) -> None:
    body = {"metadata": {"name": "nul", **metadata}, "spec": {"deploymentPipelineRef": {"name": "default"}}}
    assert post(client, token, json.dumps(body)).status_code in (400, 422)


@pytest.mark.parametrize(
    "path",
    [
        "/api/v1/namespaces/a%00b/projects",
        "/api/v1/namespaces/default/projects/a%00b",
        "/api/v1/namespaces/default/pro%00jects",
        "/api/v1/namespaces/default/components?project=a%00b",
        "/api/v1/namespaces/default/projects?labelSelector=a%3Db%00",
        "/api/stagecraft/v1/audit?actor=a%00b",
        "/api/v1/namespaces/..%2f..%2fetc/projects",
        f"/api/v1/namespaces/default/projects/{'a' * 254}",
    ],
)
def test_attack_20_odd_paths_are_answered_calmly(client: Client, token: str, path: str) -> None:
    reply = client.get(path, headers={"Authorization": f"Bearer {token}"})
    assert reply.status_code < 500


def test_attack_20_nul_in_a_name_of_a_manifest_is_refused(client: Client, token: str) -> None:
    body = 'apiVersion: v1\nkind: Namespace\nmetadata: {name: "a\\0b"}\n'
    reply = client.post(
        "/api/stagecraft/v1/apply", body, content_type="application/yaml", headers={"Authorization": f"Bearer {token}"}
    )
    assert reply.status_code == 422
