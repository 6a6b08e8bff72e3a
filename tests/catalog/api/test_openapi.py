"""The OpenAPI document: it is valid, it is what is served, and replies are what it says."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.test import Client
from django.urls import resolve
from jsonschema import Draft4Validator

from catalog.api.openapi_document import document, routes
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
