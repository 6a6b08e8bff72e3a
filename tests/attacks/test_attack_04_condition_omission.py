"""Attack 4: conditions passed by leaving out what they ask about. What is not given fails closed, everywhere."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
from django.test import Client

from catalog.kinds.component import Component
from catalog.kinds.release_binding import ReleaseBinding
from portal.access.actions import all_actions
from portal.access.engine import Access
from portal.access.place import Place
from portal.access.subject import entitled
from portal.accounts.models import User
from tests.catalog.access.conftest import access_of, apply, bind, person, role, token_of
from tests.catalog.api.conftest import ApiClient
from tests.factories import EnvironmentFactory

pytestmark = pytest.mark.django_db
WEB = Place("acme", "shop", component="shop-web")
ACME = "/api/v1/namespaces/acme"
CONDITIONAL = [action for action in all_actions() if action.conditions]
ALLOWED = {
    "environment": "acme/dev",
    "componentType": "worker",
    "resourceType": "acme/postgres",
    "workflow": "acme/build",
}
"""A value that the conditions below let through, by attribute."""
OMISSIONS: list[Any] = [
    {},
    {"{name}": ""},
    {"{name}": " "},
    {"{Name}": "{value}"},
    {"resource.{name}": "{value}"},
    {"other": "{value}"},
]


def told(template: dict[str, str], name: str, value: str) -> dict[str, str]:
    swapped = name.swapcase()
    return {
        key.replace("{name}", name).replace("{Name}", swapped): text.replace("{value}", value)
        for key, text in template.items()
    }


@pytest.mark.parametrize("action", CONDITIONAL, ids=lambda action: str(action.name))
def test_attack_04_every_conditional_action_fails_closed_without_its_attribute(tenants: None, action: Any) -> None:
    (name,) = action.conditions
    value = ALLOWED[name]
    forbidden = f"{value}-other"
    role("r", action.name)
    expressions = {
        "equal": f'resource.{name} == "{value}"',
        "unequal": f'resource.{name} != "{forbidden}"',
        "negated": f'!(resource.{name} in ["{forbidden}"])',
        "prefix": f'!resource.{name}.startsWith("{forbidden}")',
        "either": f'resource.{name} != "{forbidden}" || true',
    }
    for effect, (group, text) in itertools.product(("allow", "deny"), expressions.items()):
        condition = {"actions": [action.name], "expression": text}
        bind(f"{effect}-{group}", f"groups:{effect}-{group}", "r", effect=effect, conditions=[condition])
    bind("base", "groups:base", "r")

    for group in expressions:
        allowing = Access(entitled("groups", [f"allow-{group}"]))
        assert allowing.allows(action.name, WEB, {name: value})
        for template in OMISSIONS:
            given = told(template, name, value)
            if given.get(name) == " ":
                continue  # a value, though none that anything has
            assert not allowing.allows(action.name, WEB, given), (group, given)


def test_attack_04_a_deny_with_a_condition_holds_when_its_attribute_is_missing(tenants: None) -> None:
    role("r", "releasebinding:*")
    bind("base", "groups:dev", "r", namespace="acme")
    condition = {"actions": ["releasebinding:*"], "expression": 'resource.environment == "acme/prod"'}
    bind("not-prod", "groups:dev", "r", namespace="acme", effect="deny", conditions=[condition])
    access = access_of(person("ada", "dev"))

    assert access.allows("releasebinding:update", WEB, {"environment": "acme/dev"})
    assert not access.allows("releasebinding:update", WEB, {"environment": "acme/prod"})
    for given in ({}, {"environment": ""}, {"Environment": "acme/dev"}, {"componentType": "acme/dev"}):
        assert not access.allows("releasebinding:update", WEB, given), given


@pytest.mark.parametrize(
    "value", ["prod", "ACME/PROD", "acme/Prod", "acme//prod", "acme/prod ", "/prod", "globex/prod"]
)
def test_attack_04_another_spelling_of_an_environment_is_another_environment(tenants: None, value: str) -> None:
    """An allow of one environment holds for exactly its text: not for another case, prefix or kind."""
    role("r", "logs:view")
    condition = {"actions": ["logs:view"], "expression": 'resource.environment == "acme/prod"'}
    bind("a", "groups:ops", "r", namespace="acme", conditions=[condition])
    access = access_of(person("ada", "ops"))

    assert access.allows("logs:view", WEB, {"environment": "acme/prod"})
    assert not access.allows("logs:view", WEB, {"environment": value})


@pytest.fixture
def dev_only(tenants: None) -> User:
    """Two environments with a binding each, and somebody who may do everything with bindings in dev."""
    for name in ("dev", "prod"):
        EnvironmentFactory.create(name=name, namespace="acme")
        owner = {"projectName": "shop", "componentName": "shop-web"}
        apply("ReleaseBinding", f"in-{name}", {"owner": owner, "environment": name}, "acme")
    role("deployer", "releasebinding:*")
    condition = {"actions": ["releasebinding:*"], "expression": 'resource.environment != "acme/prod"'}
    bind("d", "groups:dev", "deployer", namespace="acme", conditions=[condition])
    return person("ada", "dev")


def test_attack_04_a_list_without_an_environment_shows_the_permitted_ones_only(dev_only: User) -> None:
    api = ApiClient(Client(), token_of(dev_only))

    for asked in ("", "?environment=prod", "?environment=", "?environment=acme/prod", "?component=shop-web"):
        reply = api.get(f"{ACME}/releasebindings{asked}")
        names = {item["metadata"]["name"] for item in reply.json()["items"]}
        assert names <= {"in-dev"}, asked
    assert api.get(f"{ACME}/releasebindings").json()["items"][0]["metadata"]["name"] == "in-dev"


def test_attack_04_what_lies_below_a_binding_is_judged_by_its_environment(dev_only: User) -> None:
    """Upstream sends no environment for these: the condition then passed."""
    api = ApiClient(Client(), token_of(dev_only))

    for part in ("k8sresources/tree", "k8sresources/events?kind=Pod&name=x&version=v1", "k8sresources/logs?podName=x"):
        assert api.get(f"{ACME}/releasebindings/in-prod/{part}").status_code == 404, part
        assert api.get(f"{ACME}/releasebindings/in-dev/{part}").status_code != 404 or "tree" not in part
    body = {"cronJob": "x"}
    trigger = "/api/v1alpha1/namespaces/acme/releasebindings/in-prod/trigger"
    assert api.post(trigger, body).status_code in (400, 404)
    assert api.get(f"{ACME}/releasebindings/in-prod").status_code == 404
    assert api.delete(f"{ACME}/releasebindings/in-prod").status_code == 404


def test_attack_04_a_binding_without_an_environment_is_in_none(dev_only: User) -> None:
    """A row whose attribute is missing, as an older one may be, is not shown, in lists as in single checks."""
    row = ReleaseBinding.objects.system("as if an older version had written it").get(name="in-dev")
    ReleaseBinding.objects.system("as if an older version had written it").filter(pk=row.pk).update(
        spec={"owner": row.spec["owner"]}
    )
    access = access_of(dev_only)

    assert not access.visible(ReleaseBinding.objects.all()).exists()
    api = ApiClient(Client(), token_of(dev_only))
    assert api.get(f"{ACME}/releasebindings/in-dev").status_code == 404


def test_attack_04_types_are_compared_with_their_namespace(tenants: None) -> None:
    role("maker", "component:*")
    condition = {"actions": ["component:create", "component:update", "component:delete"]}
    condition["expression"] = 'resource.componentType != "worker"'  # type: ignore[assignment]
    bind("m", "groups:makers", "maker", namespace="acme", conditions=[condition])
    api = ApiClient(Client(), token_of(person("ada", "makers")))

    def create(name: str, kind: str, of_type: str) -> int:
        spec = {"owner": {"projectName": "shop"}, "componentType": {"kind": kind, "name": of_type}}
        return int(api.post(f"{ACME}/components", {"metadata": {"name": name}, "spec": spec}).status_code)

    assert create("a", "ClusterComponentType", "deployment/worker") == 403
    assert create("b", "ClusterComponentType", "worker") in (400, 403, 422)
    assert create("c", "ComponentType", "deployment/worker") == 201
    assert {"a", "b"}.isdisjoint(Component.objects.system("what was made").values_list("name", flat=True))


def test_attack_04_a_condition_cannot_be_written_around_the_attributes(tenants: None) -> None:
    """Index access, presence tests and macros are not admitted, so no condition decides without its attribute."""
    role("root", "*")
    bind("root", "groups:root", "root")
    api = ApiClient(Client(), token_of(person("root", "root")))
    for number, text in enumerate(
        (
            'resource["environment"] != "acme/prod"',
            'has(resource.environment) && resource.environment != "acme/prod"',
            '!has(resource.environment) || resource.environment == "acme/dev"',
            "true",
            'resource.?environment.orValue("acme/dev") == "acme/dev"',
        )
    ):
        mapping = {
            "roleRef": {"kind": "ClusterAuthzRole", "name": "root"},
            "conditions": [{"actions": ["releasebinding:*"], "expression": text}],
        }
        body = {
            "metadata": {"name": f"b{number}"},
            "spec": {"entitlement": {"claim": "groups", "value": "x"}, "roleMappings": [mapping]},
        }
        assert api.post(f"{ACME}/authzrolebindings", body).status_code in (400, 422), text
