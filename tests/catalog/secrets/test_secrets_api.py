"""Secrets over REST: what goes in does not come out, what can be kept is checked, and each rule has its words."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from catalog import store
from portal.audit.models import AuditEvent
from portal.secrets.models import HeldSecret
from tests.catalog.api.conftest import ApiClient
from tests.catalog.secrets.conftest import CANARY, SECRETS, TESTER, Vault, opaque

pytestmark = pytest.mark.django_db


def events(**wanted: Any) -> list[AuditEvent]:
    return list(AuditEvent.objects.system("test").filter(**wanted).order_by("id"))


def details_of(event: AuditEvent) -> Any:
    return json.loads(event.details)


def test_off_it_is_501_for_every_operation(api: ApiClient, settings: Any) -> None:
    settings.SECRET_MANAGEMENT_ENABLED = False
    replies = [
        api.get(SECRETS),
        api.post(SECRETS, opaque()),
        api.get(f"{SECRETS}/db"),
        api.put(f"{SECRETS}/db", {}),
        api.delete(f"{SECRETS}/db"),
    ]
    assert {reply.status_code for reply in replies} == {501}
    assert replies[0].json() == {"code": "NOT_IMPLEMENTED", "error": "Secret API is disabled on this server"}


def test_no_reply_shows_a_value_and_all_name_the_keys(api: ApiClient) -> None:
    made = api.post(SECRETS, {**opaque(), "labels": {"team": "x"}})
    assert made.status_code == 201
    changed = api.put(f"{SECRETS}/db", {"data": {"token": f"{CANARY}-2"}})
    replies = [made, changed, api.get(SECRETS), api.get(f"{SECRETS}/db")]
    assert [reply.status_code for reply in replies] == [201, 200, 200, 200]
    encoded = base64.b64encode(CANARY.encode()).decode()[:12]
    assert not any(CANARY in reply.content.decode() or encoded in reply.content.decode() for reply in replies)
    assert made.json()["data"] == {"password": "", "user": ""}
    assert made.json()["metadata"]["labels"] == {"team": "x", "openchoreo.dev/managed-by": "openchoreo-api"}
    shown = replies[3].json()
    assert shown["data"] == {"token": ""}
    assert (shown["type"], shown["metadata"]["labels"]) == ("Opaque", {"openchoreo.dev/managed-by": "openchoreo-api"})
    assert shown["metadata"]["annotations"] == {
        "stagecraft.dev/secret-version": "2",
        "stagecraft.dev/secret-held": (
            "held by Stagecraft, sealed: ClusterDataPlane default is delivered through Git, which takes no secrets"
        ),
    }


def test_what_lies_in_the_database_is_sealed_and_belongs_to_its_reference(api: ApiClient) -> None:
    api.create(SECRETS, opaque())
    row = HeldSecret.objects.get()
    assert row.sealed.startswith("v1.") and CANARY not in row.sealed
    reference = store.get("SecretReference", "acme", "db")
    assert row.owner == reference.uid
    path = "secret/acme/generic/db"
    assert reference.spec == {
        "template": {"type": "Opaque"},
        "targetPlane": {"kind": "ClusterDataPlane", "name": "default"},
        "refreshInterval": "1h",
        "data": [
            {"secretKey": key, "remoteRef": {"key": path, "property": key}} for key in ("password", "user")
        ],
    }  # fmt: skip


def test_as_upstream_values_are_shown_if_a_setting_says_so_and_each_reading_is_an_event(
    api: ApiClient, settings: Any
) -> None:
    settings.SECRETS_SHOW_VALUES = True
    made = api.create(SECRETS, opaque())
    assert made["data"]["password"] == base64.b64encode(CANARY.encode()).decode()
    assert "annotations" not in made["metadata"]
    assert events(action="secret:reveal") == []
    assert api.get(f"{SECRETS}/db").json() == made
    assert api.get(SECRETS).json() == {"items": [made], "pagination": {}}
    assert [(event.name, event.actor, event.outcome) for event in events(action="secret:reveal")] == [
        ("db", "admin", "success")
    ] * 2


@pytest.mark.parametrize(
    ("change", "status", "words"),
    [
        ({"secretName": ""}, 400, "secretName is required"),
        ({"secretName": "Not_a name"}, 422, "metadata.name: Invalid value"),
        ({"secretType": "odd"}, 400, "unsupported secretType: odd"),
        ({"secretType": "kubernetes.io/tls"}, 400, 'data["tls.crt"] is required for secretType kubernetes.io/tls'),
        ({"secretType": "kubernetes.io/ssh-auth"}, 400, 'data["ssh-privatekey"] is required'),
        ({"secretType": "kubernetes.io/basic-auth", "data": {"user": "x"}}, 400, 'data["password"] is required'),
        (
            {"secretType": "kubernetes.io/dockerconfigjson", "data": {".dockerconfigjson": f"{CANARY}{{"}},
            400,
            'data[".dockerconfigjson"] must be a JSON object',
        ),
        ({"data": {}}, 400, "data must contain at least one entry"),
        ({"data": None}, 400, "data must contain at least one entry"),
        ({"data": {"a": ""}}, 400, 'data["a"] must not be empty'),
        ({"data": {"a": None}}, 400, 'data["a"] must not be empty'),
        ({"data": {"": CANARY}}, 400, "data keys must not be empty"),
        ({"data": {"../a": CANARY}}, 400, 'data["../a"]: a key must consist of'),
        ({"data": {"..": CANARY}}, 400, 'data[".."]: a key must consist of'),
        ({"data": {"a": CANARY * 90_000}}, 400, "data must not be larger than 1048576 bytes"),
        ({"targetPlane": {"name": "default"}}, 400, "targetPlane.kind is required"),
        ({"targetPlane": {"kind": "Pod", "name": "x"}}, 400, "unsupported targetPlane.kind: Pod"),
        ({"targetPlane": {"kind": "DataPlane"}}, 400, "targetPlane.name is required"),
        ({"targetPlane": {"kind": "DataPlane", "name": "default"}}, 422, "target plane not found"),
        (
            {"targetPlane": {"kind": "ClusterDataPlane", "name": "bare"}},
            400,
            "secret store is not configured on the target plane",
        ),
        ({"labels": {"a b": "c"}}, 400, 'invalid label key "a b": name part must consist of'),
        ({"labels": {"a": "c d"}}, 400, 'invalid label value for key "a": a valid label must be'),
    ],
)
def test_what_cannot_be_kept_is_refused_in_the_contracts_words(
    api: ApiClient, change: Any, status: int, words: str
) -> None:
    reply = api.post(SECRETS, {**opaque(), **change})
    assert reply.status_code == status
    assert words in reply.json()["error"]
    assert CANARY not in reply.content.decode()
    assert not HeldSecret.objects.exists()
    assert store.get_or_none("SecretReference", "acme", "db") is None


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ([CANARY], "CreateSecretRequest"),
        ({"data": {"a": 5}}, "CreateSecretRequest.data.a of type string"),
        ({"data": CANARY}, "CreateSecretRequest.data of type map"),
        ({"secretName": "a\0b"}, "secretName may not contain the NUL character"),
        ({"targetPlane": {"kind": "DataPlane", "name": "a\0b"}}, "may not contain the NUL character"),
        (b'{"data": {"a": "canary-91c7e2"', "can't decode JSON body"),
    ],
)
def test_a_body_of_the_wrong_form_is_refused_without_quoting_it(api: ApiClient, body: Any, words: str) -> None:
    reply = api.post(SECRETS, body)
    assert (reply.status_code, reply.headers["Content-Type"]) == (400, "text/plain; charset=utf-8")
    assert words in reply.content.decode()
    assert CANARY not in reply.content.decode()


def test_names_that_are_taken_missing_or_written_by_hand(api: ApiClient) -> None:
    api.create(SECRETS, opaque())
    taken = api.post(SECRETS, opaque())
    assert (taken.status_code, taken.json()["error"]) == (409, "secret already exists")
    by_hand = {
        "apiVersion": "openchoreo.dev/v1alpha1",
        "kind": "SecretReference",
        "metadata": {
            "name": "by-hand", "namespace": "acme", "labels": {"openchoreo.dev/managed-by": "openchoreo-api"},
        },
        "spec": {
            "targetPlane": {"kind": "ClusterDataPlane", "name": "default"},
            "template": {"type": "Opaque"},
            "data": [{"secretKey": "a", "remoteRef": {"key": "secret/acme/generic/db", "property": "password"}}],
        },
    }  # fmt: skip
    store.create(by_hand, TESTER)
    for name in ("absent", "by-hand"):
        for reply in (
            api.get(f"{SECRETS}/{name}"),
            api.put(f"{SECRETS}/{name}", {"data": {"a": "b"}}),
            api.delete(f"{SECRETS}/{name}"),
        ):
            assert (reply.status_code, reply.json()["error"]) == (404, "secret not found")
    assert [item["metadata"]["name"] for item in api.get(SECRETS).json()["items"]] == ["db"]
    assert api.put(f"{SECRETS}/db", {}).json()["error"] == "data must contain at least one entry"


def test_lists_come_in_pages_by_name(api: ApiClient) -> None:
    for name in ("b", "a-b", "ab", "c"):
        api.create(SECRETS, opaque(name))
    seen, cursor = [], ""
    for _ in range(10):
        page = api.get(f"{SECRETS}?limit=2&cursor={cursor}").json()
        seen += [item["metadata"]["name"] for item in page["items"]]
        cursor = page["pagination"].get("nextCursor", "")
        if not cursor:
            break
    assert seen == ["a-b", "ab", "b", "c"]
    assert api.get(f"{SECRETS}?cursor=%21").status_code == 400


def test_whoever_may_not_is_told_nothing(api: ApiClient, client_with: Any) -> None:
    api.create(SECRETS, opaque())
    stranger, viewer = client_with(name="eve"), client_with("secret:view", name="vic")
    assert stranger.get(SECRETS).json() == {"items": [], "pagination": {}}
    for path in ("db", "absent"):
        assert [
            stranger.get(f"{SECRETS}/{path}").status_code,
            stranger.put(f"{SECRETS}/{path}", {"data": {"a": "b"}}).status_code,
            stranger.delete(f"{SECRETS}/{path}").status_code,
        ] == [404, 404, 404]
    assert stranger.post(SECRETS, opaque("new")).status_code == 403
    assert viewer.get(f"{SECRETS}/db").status_code == 200
    assert viewer.put(f"{SECRETS}/db", {"data": {"a": "b"}}).status_code == 403
    assert viewer.delete(f"{SECRETS}/db").status_code == 403
    assert viewer.get("/api/v1alpha1/namespaces/other/secrets").json()["items"] == []


@pytest.mark.parametrize(
    "actions",
    [
        (),
        ("secret:view",),
        ("secret:view", "secret:create", "secret:update", "secret:delete"),
        ("secretreference:*", "secret:view"),
    ],
)
def test_values_are_revealed_to_those_only_who_have_that_very_right(
    api: ApiClient, client_with: Any, actions: tuple[str, ...]
) -> None:
    api.create(SECRETS, opaque())
    reply = client_with(*actions).post("/api/stagecraft/v1/namespaces/acme/secrets/db/reveal")
    assert reply.status_code in (403, 404)
    assert CANARY not in reply.content.decode()
    (event,) = events(action="secret:reveal")
    assert (event.outcome, event.actor, event.name) == ("denied", "ann", "db")


def test_each_reveal_is_an_event_that_names_the_keys_and_no_value(api: ApiClient, client_with: Any) -> None:
    api.create(SECRETS, opaque())
    reply = client_with("secret:view", "secret:reveal").post("/api/stagecraft/v1/namespaces/acme/secrets/db/reveal")
    assert reply.status_code == 200, reply.content
    assert base64.b64decode(reply.json()["data"]["password"]).decode() == CANARY
    (event,) = events(action="secret:reveal")
    assert (event.outcome, event.actor, event.namespace, event.name) == ("success", "ann", "acme", "db")
    assert details_of(event)["keys"] == ["password", "user"] and details_of(event)["version"] == 1
    assert CANARY not in event.details
    assert api.get("/api/stagecraft/v1/namespaces/acme/secrets/db/reveal").status_code == 405


def test_without_an_event_no_value_is_given(api: ApiClient, monkeypatch: pytest.MonkeyPatch) -> None:
    api.create(SECRETS, opaque())

    def fails(*arguments: Any) -> None:
        raise RuntimeError("the audit is down")

    monkeypatch.setattr("portal.audit.operation.ledger.write", fails)
    api.client.raise_request_exception = False
    reply = api.post("/api/stagecraft/v1/namespaces/acme/secrets/db/reveal")
    assert reply.status_code == 500
    assert "data" not in reply.content.decode()


def test_every_change_is_an_event_also_of_values_alone(api: ApiClient) -> None:
    api.create(SECRETS, opaque())
    api.put(f"{SECRETS}/db", {"data": {"password": "other", "user": "app"}})
    api.delete(f"{SECRETS}/db")
    own = [(event.action, event.outcome) for event in events(kind="Secret", name="db")]
    assert own == [("secret:create", "success"), ("secret:update", "success"), ("secret:delete", "success")]
    (update,) = events(kind="Secret", action="secret:update")
    assert (details_of(update)["keys"], details_of(update)["version"]) == (["password", "user"], 2)
    assert CANARY not in "".join(event.details for event in events())


@pytest.mark.parametrize("way", ["secret", "reference", "namespace"])
def test_values_go_with_their_reference_whichever_way_it_goes(api: ApiClient, way: str) -> None:
    api.create(SECRETS, opaque())
    if way == "secret":
        assert api.delete(f"{SECRETS}/db").status_code == 204
    elif way == "reference":
        assert api.delete("/api/v1/namespaces/acme/secretreferences/db").status_code == 204
    else:
        from catalog.controllers import runtime

        store.delete("Namespace", "", "acme", TESTER)
        runtime.drain(limit=100)
        assert store.get_or_none("Namespace", "", "acme") is None
    assert not HeldSecret.objects.exists()


def test_a_new_secret_of_an_old_name_does_not_open_the_old_values(api: ApiClient) -> None:
    api.create(SECRETS, opaque())
    old = HeldSecret.objects.get().sealed
    api.delete(f"{SECRETS}/db")
    api.create(SECRETS, opaque(data="other"))
    HeldSecret.objects.update(sealed=old)  # somebody with the database in hand
    reply = api.post("/api/stagecraft/v1/namespaces/acme/secrets/db/reveal")
    assert reply.status_code == 500
    assert CANARY not in reply.content.decode()


# On a plane that can hold secrets


def test_a_plane_that_can_hold_secrets_gets_them_and_we_keep_nothing(api: ApiClient, vault: Vault) -> None:
    api.create(SECRETS, opaque(plane="cluster"))
    assert HeldSecret.objects.get().sealed == ""
    assert [(key.kind, key.namespace, key.name) for key in vault.held] == [
        ("Namespace", "", "openchoreo-kv-acme"),
        ("Secret", "openchoreo-kv-acme", "db"),
        ("PushSecret", "openchoreo-kv-acme", "db"),
    ]
    assert api.get(f"{SECRETS}/db").json()["metadata"]["annotations"]["stagecraft.dev/secret-held"] == (
        "on ClusterDataPlane cluster"
    )
    reply = api.post("/api/stagecraft/v1/namespaces/acme/secrets/db/reveal").json()
    assert base64.b64decode(reply["data"]["password"]).decode() == CANARY
    api.put(f"{SECRETS}/db", {"data": {"only": "this"}})
    (secret,) = (document for key, document in vault.held.items() if key.kind == "Secret")
    assert secret["data"] == {"only": "dGhpcw=="}
    api.delete(f"{SECRETS}/db")
    assert {key.kind for key in vault.held} == {"Namespace"}


def test_a_plane_that_does_not_answer_leaves_nothing_behind(api: ApiClient, vault: Vault) -> None:
    vault.is_down = True
    reply = api.post(SECRETS, opaque(plane="cluster"))
    assert (reply.status_code, reply.json()["error"]) == (500, "the cluster does not answer")
    assert store.get_or_none("SecretReference", "acme", "db") is None
    assert not HeldSecret.objects.exists()


def test_a_plane_that_takes_half_of_it_keeps_no_values(api: ApiClient, vault: Vault) -> None:
    vault.refused = {"PushSecret"}
    assert api.post(SECRETS, opaque(plane="cluster")).status_code == 500
    assert CANARY not in str(vault.held) and not any(key.kind == "Secret" for key in vault.held)
    assert not HeldSecret.objects.exists()


def test_a_secret_whose_plane_is_gone_can_be_deleted(api: ApiClient) -> None:
    api.create(SECRETS, opaque())
    store.delete("ClusterDataPlane", "", "default", TESTER)
    from catalog.controllers import runtime

    runtime.drain(limit=100)
    assert "its plane is not there any more" in api.get(f"{SECRETS}/db").content.decode()
    assert api.delete(f"{SECRETS}/db").status_code == 204
