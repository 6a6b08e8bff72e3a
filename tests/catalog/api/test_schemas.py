"""The schemas from which forms are made: of types, and of what may be set for a component in an environment."""

from __future__ import annotations

import pytest

from tests.catalog.api.shop import make_component, make_types

pytestmark = pytest.mark.django_db
URL = "/api/v1/namespaces/acme/components/web/schema"


def test_a_types_schema_is_resolved_and_keeps_its_vendor_keys(api, namespace):
    make_types(api, namespace)
    found = api.get("/api/v1/namespaces/acme/componenttypes/service/schema").json()
    assert found["properties"]["replicas"] == {"type": "integer", "minimum": 0, "default": 1}
    assert found["properties"]["tier"]["x-shop"] == "kept in types"
    assert "$defs" not in found


def test_a_components_schema_holds_what_its_type_and_traits_let_one_set(api, namespace):
    make_types(api, namespace)
    make_component(api, namespace, traits=[{"name": "cache", "instanceName": "sessions"}])
    found = api.get(URL).json()
    assert found == {
        "type": "object",
        "properties": {
            "componentTypeEnvironmentConfigs": {
                "type": "object",
                "properties": {
                    "replicas": {"type": "integer", "minimum": 0, "default": 1},
                    "tier": {"type": "string"},
                },
            },
            "traitEnvironmentConfigs": {
                "type": "object",
                "properties": {"sessions": {"type": "object", "properties": {"size": {"type": "integer"}}}},
            },
        },
    }


def test_missing_traits_are_left_out_and_a_missing_type_is_404(api, namespace):
    make_component(api, namespace, traits=[{"name": "absent", "instanceName": "one"}])
    assert api.get(URL).json() == {"code": "NOT_FOUND", "error": "ComponentType not found"}
    make_types(api, namespace)
    assert list(api.get(URL).json()["properties"]) == ["componentTypeEnvironmentConfigs"]


def test_a_component_that_is_not_there_has_no_schema(api, namespace, stranger_api):
    assert api.get(URL).json() == {"code": "NOT_FOUND", "error": "Component not found"}
    assert stranger_api.get(URL).status_code == 401
