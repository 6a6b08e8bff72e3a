"""Attack 21: learning that something is there without being allowed to see it.

By status and text, by headers, by uniqueness on create, by filters that check their owner, by what is queried (the
cost), by tags of versions, by explanations. A hidden object and none at all must look the same.
"""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from catalog.kinds.registry import KINDS
from portal.accounts.models import issue_token
from tests.attacks.two_tenants import SPECS
from tests.catalog.access.conftest import apply, bind, person, role
from tests.catalog.api.conftest import ApiClient

pytestmark = pytest.mark.django_db
ACME = "/api/v1/namespaces/acme"
SHOP = {"namespace": "globex", "project": "shop"}


@pytest.fixture
def eve(tenants: None) -> ApiClient:
    """Somebody who may do everything in one project of another namespace, and nothing in acme."""
    role("developer", "component:*", "project:*", "workload:*", "componentrelease:*")
    bind("eve", "groups:eve", "developer", scope=SHOP)
    return ApiClient(Client(), issue_token(person("eve", "eve"), "tests"))


def seen(reply: Any, *names: str) -> tuple[int, str, dict[str, str]]:
    """What a client gets to see, without what differs between any two requests."""
    text = reply.content.decode()
    for name in names:
        text = text.replace(name, "NAME")
    headers = {key: value for key, value in reply.headers.items() if key.lower() not in ("x-request-id", "date")}
    return reply.status_code, text, headers


@pytest.mark.parametrize("verb", ["GET", "PUT", "DELETE", "HEAD"])
def test_a_hidden_object_and_none_at_all_are_answered_alike(eve: ApiClient, verb: str) -> None:
    body = {"spec": {**SPECS["Component"]}} if verb == "PUT" else None
    hidden = eve.send(verb, f"{ACME}/components/shop-web", body)
    absent = eve.send(verb, f"{ACME}/components/shop-off", body)
    assert seen(hidden, "shop-web") == seen(absent, "shop-off")
    assert hidden.status_code == 404


@pytest.mark.parametrize("model", [model for model in KINDS if model.kind in SPECS and model.namespaced])
def test_it_is_so_for_every_kind(tenants: None, model: Any) -> None:
    apply(model.kind, "hidden", SPECS[model.kind], "acme")
    role("nothing", "secret:view")
    bind("eve", "groups:eve", "nothing", scope={"namespace": "globex"})
    eve = ApiClient(Client(), issue_token(person("eve", "eve"), "tests"))
    paths = [f"{ACME}/{model.plural}/{name}" for name in ("hidden", "absent")]
    hidden, absent = (seen(eve.get(path), "hidden", "absent") for path in paths)
    assert hidden == absent and hidden[0] in (404, 405)


@pytest.mark.parametrize("part", ["generate-release", "schema"])
def test_what_lies_below_an_object_tells_no_more(eve: ApiClient, part: str) -> None:
    verb, body = ("POST", {}) if part == "generate-release" else ("GET", None)
    hidden = eve.send(verb, f"{ACME}/components/shop-web/{part}", body)
    absent = eve.send(verb, f"{ACME}/components/shop-off/{part}", body)
    assert seen(hidden, "shop-web") == seen(absent, "shop-off") and hidden.status_code == 404


def test_both_cost_the_same_queries(eve: ApiClient) -> None:
    """Time is measured by nobody where the work is the same."""

    def asked(name: str) -> list[str]:
        with CaptureQueriesContext(connection) as captured:
            eve.get(f"{ACME}/components/{name}")
        return [re.sub(r"'[^']*'|\d+", "?", query["sql"]) for query in captured if "audit" not in query["sql"]]

    eve.get(f"{ACME}/components/shop-web")
    hidden, absent = asked("shop-web"), asked("shop-off")
    # An object that is there is judged, by the rights of which one query is the reading.
    assert len(hidden) - len(absent) <= 1, (hidden, absent)


def test_a_name_that_is_taken_by_something_hidden_is_refused_before_it_is_looked_at(eve: ApiClient) -> None:
    """Whoever may not create there is told that, whether the name is free or not; whoever may, sees what is there."""
    bodies = [{"metadata": {"name": name}, "spec": SPECS["Component"]} for name in ("shop-web", "free")]
    taken, free = (eve.post(f"{ACME}/components", body) for body in bodies)
    assert seen(taken, "shop-web") == seen(free, "free") and taken.status_code == 403


def test_a_create_in_a_namespace_that_is_hidden_or_missing_says_no_more(eve: ApiClient) -> None:
    body = {"metadata": {"name": "x"}, "spec": SPECS["Component"]}
    hidden = eve.post(f"{ACME}/components", body)
    absent = eve.post("/api/v1/namespaces/nowhere/components", body)
    assert seen(hidden, "acme") == seen(absent, "nowhere") and hidden.status_code == 403


def test_documents_of_many_kinds_are_refused_alike(eve: ApiClient) -> None:
    def sent(name: str, namespace: str) -> Any:
        metadata = {"name": name, "namespace": namespace}
        document = {"apiVersion": "openchoreo.dev/v1alpha1", "kind": "Component", "metadata": metadata}
        return eve.post("/api/stagecraft/v1/apply", {**document, "spec": SPECS["Component"]})

    answers = {
        re.sub(r"component:(create|update)", "component:write", seen(sent(*key), *key)[1])
        for key in (("shop-web", "acme"), ("absent", "acme"), ("absent", "nowhere"))
    }
    assert len(answers) == 1, answers


@pytest.mark.parametrize("owner", ["shop", "nothing-of-the-name"])
def test_a_filter_by_an_owner_that_is_hidden_or_missing_is_404(eve: ApiClient, owner: str) -> None:
    reply = eve.get(f"{ACME}/components?project={owner}")
    assert (reply.status_code, reply.json()["error"]) == (404, "Project not found")


def test_a_list_of_a_namespace_that_is_hidden_or_missing_is_empty(eve: ApiClient) -> None:
    hidden, absent = eve.get(f"{ACME}/components"), eve.get("/api/v1/namespaces/nowhere/components")
    assert seen(hidden) == seen(absent) and hidden.json() == {"items": [], "pagination": {}}


def test_a_tag_of_a_version_is_no_way_to_guess_what_is_hidden(eve: ApiClient) -> None:
    for tag in ("*", '"anything"', '"1"'):
        for header in ("If-None-Match", "If-Match"):
            hidden = eve.send("GET", f"{ACME}/components/shop-web", None, **{header: tag})
            absent = eve.send("GET", f"{ACME}/components/shop-off", None, **{header: tag})
            assert seen(hidden, "shop-web") == seen(absent, "shop-off") and hidden.status_code == 404


def test_history_and_explanations_of_what_is_hidden_are_those_of_what_is_not_there(eve: ApiClient) -> None:
    shown = {}
    for part in ("history", "manifests", "as-of?sequence=1"):
        path = f"/api/stagecraft/v1/namespaces/{{}}/components/{{}}/{part}"
        shown[part] = eve.get(path.format("globex", "shop-web")).status_code
        hidden, absent = (eve.get(path.format("acme", name)) for name in ("shop-web", "shop-off"))
        assert hidden.status_code == absent.status_code == 403 or seen(hidden, "shop-web") == seen(absent, "shop-off")
        assert hidden.status_code in (403, 404) and "shop-web" not in hidden.content.decode(), part
    assert shown["history"] == 200, "of what may be seen there is something to see"


def test_a_refusal_of_what_may_be_seen_says_so(eve: ApiClient) -> None:
    """The other half: whoever may see an object and not do something to it is told 403, not 404."""
    role("viewer", "component:view")
    bind("look", "groups:look", "viewer", scope={"namespace": "acme"})
    ann = ApiClient(Client(), issue_token(person("ann", "look"), "tests"))
    assert ann.delete(f"{ACME}/components/shop-web").status_code == 403
    assert ann.delete(f"{ACME}/components/shop-off").status_code == 404


def test_our_own_paths_name_the_action_that_is_wanting_and_the_contracts_keep_their_form(eve: ApiClient) -> None:
    ours = eve.get("/api/stagecraft/v1/access/who-can?action=component:view&namespace=acme", **{"X-Request-Id": "r-1"})
    assert ours.status_code == 403 and set(ours.json()) == {"code", "error", "action", "requestId"}, ours.json()
    assert ours.json()["action"] == "authz:view" and ours.json()["requestId"]
    theirs = eve.post(f"{ACME}/components", {"metadata": {"name": "x"}, "spec": SPECS["Component"]})
    assert (theirs.status_code, set(theirs.json())) == (403, {"code", "error"})
