"""The OpenAPI document: it is valid, it is what is served, and replies are what it says."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.http import QueryDict
from django.test import Client
from django.urls import resolve
from jsonschema import Draft4Validator

from catalog.api.examples import OPERATIONS, described
from catalog.api.openapi_document import document, our_handlers, routes
from tests.catalog.api.shop import make_component, make_types, make_workload

pytestmark = pytest.mark.django_db


def walk(value: Any, path: str = "") -> Any:
    yield path, value
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in items:
        yield from walk(item, f"{path}/{key}")


def test_it_is_served_without_a_token_and_kept_by_its_tag():
    reply = Client().get("/openapi.json")
    assert (reply.status_code, reply["Content-Type"]) == (200, "application/json")
    assert reply.json()["openapi"] == "3.0.3"
    again = Client().get("/openapi.json", headers={"If-None-Match": reply["ETag"]})
    assert (again.status_code, again.content) == (304, b"")


def test_every_reference_leads_to_a_component_and_every_component_is_a_schema():
    whole = document()
    for path, value in walk(whole):
        if isinstance(value, dict) and isinstance(value.get("$ref"), str):
            found: Any = whole
            for step in value["$ref"].removeprefix("#/").split("/"):
                assert step in found, (path, value)
                found = found[step]
    for schema in whole["components"]["schemas"].values():
        Draft4Validator.check_schema(schema)  # OpenAPI 3.0 is a dialect of that draft


def test_every_operation_has_a_name_of_its_own_its_paths_parameters_and_replies():
    names = []
    for path, item in document()["paths"].items():
        for method, operation in item.items():
            names.append(operation["operationId"])
            given = {each["name"] for each in operation["parameters"] if each["in"] == "path"}
            assert given == set(re.findall(r"\{(\w+)\}", path)), (method, path)
            assert any(status.startswith("2") for status in operation["responses"]), (method, path)
    assert len(set(names)) == len(names)


def test_every_path_of_it_is_a_route_with_that_method():
    for path, item in document()["paths"].items():
        found = resolve(re.sub(r"\{\w+\}", "1", path))
        handlers = getattr(found.func, "handlers", None)
        for method in item:
            assert handlers is None or method.upper() in handlers, (method, path)


def test_every_route_below_api_is_in_it():
    """Whatever is added to the API is described, or this fails."""
    described = {re.sub(r"\{\w+\}", "{}", path) for path in document()["paths"]}
    for route, view in routes():
        path = "/" + re.sub(r"<[^>]*>", "{}", route)
        is_general = "<str:plural>" in route and not route.startswith("api/stagecraft/")
        if path.startswith("/api/") and not is_general and hasattr(view, "handlers"):
            assert path in described, route


KINDS = {
    "Project": "projects/shop",
    "Component": "components/web",
    "Workload": "workloads/web-workload",
    "ComponentType": "componenttypes/service",
    "Trait": "traits/cache",
    "ComponentRelease": "componentreleases/v1",
}


@pytest.mark.parametrize(("kind", "path"), KINDS.items())
def test_replies_are_what_it_says(api, namespace, kind, path):
    make_types(api, namespace)
    make_component(api, namespace)
    make_workload(api, namespace)
    api.create("/api/v1/namespaces/acme/components/web/generate-release", {"releaseName": "v1"})
    whole = document()
    reply = api.get(f"/api/v1/namespaces/acme/{path}")
    validate(whole, whole["paths"][f"/api/v1/namespaces/{{namespace}}/{path.split('/')[0]}/{{name}}"], reply)
    listed = api.get(f"/api/v1/namespaces/acme/{path.split('/')[0]}")
    validate(whole, whole["paths"][f"/api/v1/namespaces/{{namespace}}/{path.split('/')[0]}"], listed)
    missing = api.get(f"/api/v1/namespaces/acme/{path.split('/')[0]}/absent")
    Draft4Validator(whole["components"]["schemas"]["ErrorResponse"]).validate(missing.json())


def validate(whole, item, reply):
    schema = item["get"]["responses"]["200"]["content"]["application/json"]["schema"]
    Draft4Validator({**schema, "components": whole["components"]}).validate(reply.json())


# Ours -----------------------------------------------------------------------------------------------------------------


def ours():
    return [(path, method, handler) for path, method, handler in our_handlers()]


def test_every_operation_of_ours_is_described_with_an_example():
    """Whatever is added is described, or this fails."""
    whole = document()
    for path, method, handler in ours():
        known, shown = described(handler.run), whole["paths"][path][method.lower()]
        assert known is not None, (
            f"{handler.run.__module__}.{handler.run.__name__} is missing in catalog/api/examples.py"
        )
        assert shown["summary"]
        assert len(shown["description"]) > 20, path
        success = next(reply for status, reply in shown["responses"].items() if status.startswith("2"))
        assert (known.reply is None) == ("content" not in success)
        for content in [*success.get("content", {}).values()]:
            assert content["example"], path


class Recording(QueryDict):
    """A query that remembers what it was asked for."""

    def __init__(self, given):
        self.asked = set()
        super().__init__(mutable=True)
        self.update(given)
        self.asked.clear()

    def getlist(self, key, default=None):
        self.asked.add(key)
        return super().getlist(key, default)

    def __contains__(self, key):
        self.asked.add(key)
        return super().__contains__(key)


NEEDED = {
    "show_why": {"action": "component:view"},
    "show_who_can": {"action": "component:view"},
    "show_as_of": {"sequence": "1"},
    "show_rollback": {"environment": "staging"},
}
PASSED_OVER = {
    "show_who_can": {"user", "at"},
    "preview_documents": {"dryRun", "atomic"},
    "diff_documents": {"dryRun", "atomic"},
}
"""Read, since the question is read whole, and without meaning there."""


def test_every_parameter_of_ours_that_is_read_is_described_and_no_other():
    for _, _, handler in ours():
        known, query = described(handler.run), Recording(NEEDED.get(handler.run.__name__, {}))
        handler.bind(query)
        passed_over = PASSED_OVER.get(handler.run.__name__, set())
        assert set(known.query) == query.asked - passed_over, handler.run.__name__


def same_fields(example, reply, where):
    """Every field of an example is in the reply, and has the same type."""
    if isinstance(example, dict):
        for key, value in example.items():
            assert key in reply, (where, key)
            same_fields(value, reply[key], f"{where}.{key}")
    elif isinstance(example, list) and example and reply:
        same_fields(example[0], reply[0], f"{where}[]")
    else:
        assert type(example) is type(reply) or not example or not reply, (where, example, reply)


def test_replies_have_the_fields_of_their_examples(api, namespace):
    base = "/api/stagecraft/v1"

    def check(function, reply):
        same_fields(OPERATIONS[function].reply, reply.json(), function)

    trait = OPERATIONS["documents.apply_documents"].body.encode()
    check("documents.diff_documents", api.post(f"{base}/diff", trait))
    check("documents.apply_documents", api.post(f"{base}/apply", trait))
    check("changes.show_changes", api.get(f"{base}/changes?since=0&kinds=Trait"))
    check("preview.preview_documents", api.post(f"{base}/preview", trait))
    check("render.render_documents", api.post(f"{base}/render", trait))
    check("history.show_history", api.get(f"{base}/namespaces/acme/traits/cache/history"))
    check("history.show_as_of", api.get(f"{base}/namespaces/acme/traits/cache/as-of?sequence=999999"))
    check("deletion.show_plan", api.get(f"{base}/namespaces/acme/traits/cache/deletion"))
    api.delete("/api/v1/namespaces/acme/traits/cache")
    check("deletion.list_deleted", api.get(f"{base}/deleted?kind=Trait"))
    check("views.list_events", api.get(f"{base}/audit"))
    check("views.show_described_actions", api.get(f"{base}/access/actions"))
    check("asking.show_why", api.get(f"{base}/access/why?action=component:view"))
    check("asking.show_who_can", api.get(f"{base}/access/who-can?action=component:view"))
    check("token_views.create_token", api.post(f"{base}/access/tokens", OPERATIONS["token_views.create_token"].body))
    check("token_views.list_tokens", api.get(f"{base}/access/tokens"))
    check("grants.list_grants", api.get(f"{base}/access/grants"))
    check(
        "access_preview.preview_access",
        api.post(f"{base}/access/preview", OPERATIONS["access_preview.preview_access"].body),
    )
