"""Attack 5: a way past a deny. Every combination of who, effect and depth, against the independent reference.

Random policies do the same at length: `tests/catalog/access/test_against_reference.py`, and 10,000 of them in
`tests/soak/test_access_policies.py`.
"""

from __future__ import annotations

import itertools
from typing import Any

import pytest

from catalog import store
from catalog.access.hierarchy import place_of
from catalog.kinds.component import Component
from portal.access.engine import Access
from portal.access.place import Place
from portal.access.subject import subject_of
from portal.accounts.models import User
from tests.catalog.access import reference
from tests.catalog.access.conftest import access_of, apply, bind, person, role
from tests.catalog.access.reference import Asker

pytestmark = pytest.mark.django_db
WEB = Place("acme", "shop", component="shop-web")
SCOPES: list[tuple[str, dict[str, str]]] = [
    ("", {}),
    ("", {"namespace": "acme"}),
    ("acme", {}),
    ("acme", {"project": "shop"}),
    ("acme", {"project": "shop", "component": "shop-web"}),
]
"""Where a binding may stand and point, from the outermost to the innermost."""
CLAIMS = ("groups:one", "groups:two", "sub:ada")


@pytest.mark.parametrize("is_strict", [False, True])
@pytest.mark.parametrize(("allow", "deny"), list(itertools.product(range(len(SCOPES)), repeat=2)))
def test_attack_05_every_pair_of_allow_and_deny_at_every_depth(
    tenants: None, settings: Any, allow: int, deny: int, is_strict: bool
) -> None:
    settings.STRICT_DENY = is_strict
    role("viewer", "component:view")
    person("ada", "one", "two")
    asker = Asker(frozenset(CLAIMS))
    rows = list(Component.objects.system("both opinions on each"))
    for allowed_to, denied_to in itertools.product(CLAIMS, repeat=2):
        with store.rehearsal():
            documents = [
                binding_of(number, claim, effect, *SCOPES[depth])
                for number, (claim, effect, depth) in enumerate(
                    ((allowed_to, "allow", allow), (denied_to, "deny", deny))
                )
            ]
            lines = reference.lines_of({("", "viewer"): ["component:view"]}, documents)
            access = Access(subject_of(User.objects.get(username="ada")))
            listed = set(access.visible(Component.objects.all()).values_list("pk", flat=True))
            for row in rows:
                place = place_of(row.kind, row.namespace_name, row.name, row.spec, row.labels)
                said = reference.is_allowed(lines, asker, "component:view", place.path, {}, is_strict=is_strict)
                assert access.allows("component:view", place) is said, (allowed_to, denied_to, place)
                assert (row.pk in listed) is said, (allowed_to, denied_to, place, "in the list")


def binding_of(number: int, claim: str, effect: str, namespace: str, scope: dict[str, str]) -> dict[str, Any]:
    """A stored binding, as its document."""
    name, _, value = claim.partition(":")
    mapping = {"roleRef": {"kind": "ClusterAuthzRole", "name": "viewer"}, "scope": scope}
    spec = {"entitlement": {"claim": name, "value": value}, "effect": effect, "roleMappings": [mapping]}
    apply("AuthzRoleBinding" if namespace else "ClusterAuthzRoleBinding", f"b{number}", spec, namespace)
    return {"metadata": {"namespace": namespace} if namespace else {}, "spec": spec}


def test_attack_05_a_deny_of_ones_own_name_beats_every_group(tenants: None) -> None:
    role("viewer", "component:view")
    bind("a", "groups:one", "viewer", namespace="acme")
    bind("b", "groups:two", "viewer", namespace="acme", effect="deny")
    ada = person("ada", "one", "two")
    assert access_of(ada).allows("component:view", WEB), "another group's deny takes nothing away"

    bind("c", "sub:ada", "viewer", namespace="acme", effect="deny")

    assert not access_of(ada).allows("component:view", WEB)
    assert not access_of(ada).visible(Component.objects.all()).exists()


def test_attack_05_strict_deny_lets_every_deny_refuse(tenants: None, settings: Any) -> None:
    settings.STRICT_DENY = True
    role("viewer", "component:view")
    bind("a", "groups:one", "viewer", namespace="acme")
    bind("b", "groups:two", "viewer", namespace="acme", effect="deny")
    access = access_of(person("ada", "one", "two"))

    assert not access.allows("component:view", WEB)
    assert not access.visible(Component.objects.all()).exists()


def test_attack_05_a_deny_by_a_wider_role_or_a_wildcard_counts_for_each_of_its_actions(tenants: None) -> None:
    role("viewer", "component:view")
    role("all-of-kind", "component:*")
    role("everything", "*")
    for number, wide in enumerate(("all-of-kind", "everything")):
        bind(f"allow-{number}", f"groups:g{number}", "viewer", namespace="acme")
        bind(f"deny-{number}", f"groups:g{number}", wide, namespace="acme", effect="deny", scope={"project": "shop"})
        access = access_of(person(f"u{number}", f"g{number}"))
        assert not access.allows("component:view", WEB)
        assert access.allows("component:view", Place("acme", "bank", component="bank-web"))


def test_attack_05_a_grant_further_in_does_not_outweigh_a_deny_further_out(tenants: None) -> None:
    role("viewer", "component:view")
    bind("deny", "groups:dev", "viewer", namespace="acme", effect="deny")
    bind("allow", "groups:dev", "viewer", namespace="acme", scope={"project": "shop", "component": "shop-web"})

    assert not access_of(person("ada", "dev")).allows("component:view", WEB)
