"""Random policies and a small world to try them on: what the tests against the reference and of explanations share."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
from django.contrib.auth.models import Group
from guardian.shortcuts import assign_perm
from hypothesis import strategies as st

from catalog import store
from catalog.access.compile import scope_object
from catalog.kinds.component import Component
from catalog.kinds.environment import Environment
from catalog.kinds.namespace import Namespace
from catalog.kinds.project import Project
from catalog.kinds.release_binding import ReleaseBinding
from catalog.kinds.workflow_run import WorkflowRun
from portal.access.place import Place
from portal.accounts.models import User
from tests.catalog.access.conftest import Spec, apply, person
from tests.factories import EnvironmentFactory

KINDS = (Namespace, Project, Component, Environment, ReleaseBinding, WorkflowRun)
VERBS = ("view", "update", "delete")
EXPRESSIONS = (
    'resource.environment == "acme/prod"',
    '"acme/prod" != resource.environment',
    '!(resource.environment in ["acme/dev", "globex/dev"])',
    'resource.environment.startsWith("acme/") && resource.environment.endsWith("dev")',
    'resource.environment.contains("pro") || false',
    'resource.environment.matches("^(acme|ACME)/d.v$")',
    'resource.environment.startsWith("ACME")',
)
TYPE_EXPRESSIONS = (
    'resource.componentType == "worker"',
    'resource.componentType.startsWith("acme/")',
    'resource.componentType != "worker"',
)
ENTRIES = (
    *("*", "component:*", "component:view", "project:view", "releasebinding:*", "releasebinding:view"),
    *("workflowrun:view", "environment:view", "namespace:view", "component:update", "authzrole:*"),
)
SCOPES = (
    *({}, {"project": "shop"}, {"project": "bank"}, {"project": "shop", "component": "shop-web"}),
    *({"project": "bank", "component": "bank-api"}, {"project": "shop", "component": "bank-api"}, {"project": "gone"}),
)
PLACES = (
    *(Place(), Place("acme"), Place("globex"), Place("acme", "shop"), Place("acme", "bank"), Place("globex", "shop")),
    *(Place("acme", "shop", component="shop-web"), Place("acme", "bank", component="bank-api")),
    *(Place("acme", component="shop-web"), Place("acme", "shop", component="bank-api"), Place("acme", "gone")),
    Place("nowhere", "shop"),
)
CLAIMS = (("groups", "a"), ("groups", "b"), ("sub", "ada"), ("sub", "bot"), ("sub", "ghost"))
PEOPLE: tuple[tuple[str, str, tuple[str, ...], dict[str, bool]], ...] = (
    ("ada", "human", ("a",), {}),
    ("bob", "human", ("a", "b"), {}),
    ("carl", "human", (), {}),
    ("bot", "agent", ("a", "b"), {}),
    ("builder", "service_account", ("b",), {}),
    ("off", "human", ("a", "b"), {"is_active": False}),
    ("root", "human", (), {"is_superuser": True}),
)
"""Name, kind, groups, and what else the account is."""


@dataclass(frozen=True)
class HandGrant:
    """A single action given by hand to a user ("user:ada") or a group ("groups:a") at a place."""

    holder: str
    action: str
    place: Place


@dataclass(frozen=True)
class RandomPolicy:
    """Roles by namespace ("" for the cluster) and name, bindings as documents, grants by hand."""

    roles: Mapping[tuple[str, str], list[str]]
    bindings: list[Spec]
    by_hand: list[HandGrant] = field(default_factory=list)


roles = st.dictionaries(
    st.sampled_from([("", "one"), ("", "two"), ("acme", "one"), ("globex", "three")]),
    st.lists(st.sampled_from(ENTRIES), min_size=1, max_size=3, unique=True),
    min_size=1,
)
conditions = st.one_of(
    st.just([]),
    st.lists(
        st.one_of(
            st.builds(
                lambda text, action: {"actions": [action], "expression": text},
                st.sampled_from(EXPRESSIONS),
                st.sampled_from(["releasebinding:*", "releasebinding:view", "releasebinding:update"]),
            ),
            st.builds(
                lambda text, action: {"actions": [action], "expression": text},
                st.sampled_from(TYPE_EXPRESSIONS),
                st.sampled_from(["component:update", "component:delete"]),
            ),
        ),
        max_size=2,
    ),
)


@st.composite
def bindings(draw: Any) -> dict[str, Any]:
    """A binding of one of some claims, in a namespace or for the cluster."""
    claim, value = draw(st.sampled_from(CLAIMS))
    namespace = draw(st.sampled_from(["", "acme", "globex"]))
    mappings = []
    for _ in range(draw(st.integers(1, 2))):
        scope = dict(draw(st.sampled_from(SCOPES)))
        if not namespace and (scope or draw(st.booleans())):
            scope["namespace"] = draw(st.sampled_from(["acme", "globex"]))
        kind = draw(st.sampled_from(["AuthzRole", "ClusterAuthzRole"])) if namespace else "ClusterAuthzRole"
        name = draw(st.sampled_from(["one", "two", "three"]))
        mappings.append({"roleRef": {"kind": kind, "name": name}, "scope": scope, "conditions": draw(conditions)})
    effect = draw(st.sampled_from(["allow", "allow", "deny"]))
    return {
        "kind": "AuthzRoleBinding" if namespace else "ClusterAuthzRoleBinding",
        "metadata": {"namespace": namespace} if namespace else {},
        "spec": {"entitlement": {"claim": claim, "value": value}, "effect": effect, "roleMappings": mappings},
    }


hand_grants = st.builds(
    HandGrant,
    st.sampled_from(["user:ada", "user:bot", "groups:a"]),
    st.sampled_from(["component:view", "component:update"]),
    st.sampled_from([Place(), Place("acme"), Place("acme", "shop"), Place("acme", "shop", component="shop-web")]),
)


def policies(
    max_bindings: int = 5, *, min_bindings: int = 1, has_all_roles: bool = False
) -> st.SearchStrategy[RandomPolicy]:
    """Random policies; with all roles fewer of their mappings lead nowhere."""
    entries = st.lists(st.sampled_from(ENTRIES), min_size=1, max_size=3, unique=True)
    names = [("", "one"), ("", "two"), ("", "three"), ("acme", "one"), ("acme", "two"), ("globex", "three")]
    return st.builds(
        RandomPolicy,
        st.fixed_dictionaries(dict.fromkeys(names, entries)) if has_all_roles else roles,
        st.lists(bindings(), min_size=min_bindings, max_size=max_bindings),
        st.lists(hand_grants, max_size=1, unique_by=lambda grant: (grant.holder, grant.action, grant.place)),
    )


@contextmanager
def applied(policy: RandomPolicy) -> Iterator[None]:
    """The policy in force, as long as this lasts."""
    with store.rehearsal():
        for (namespace, name), actions in policy.roles.items():
            apply("AuthzRole" if namespace else "ClusterAuthzRole", name, {"actions": actions}, namespace)
        for number, binding in enumerate(policy.bindings):
            apply(binding["kind"], f"b{number}", binding["spec"], binding["metadata"].get("namespace", ""))
        for grant in policy.by_hand:
            sort, _, name = grant.holder.partition(":")
            held_by = User.objects.get(username=name) if sort == "user" else Group.objects.get(name=grant.holder)
            assign_perm(f"{grant.place.level}|{grant.action}", held_by, scope_object(grant.place))
        yield


@pytest.fixture
def world(tenants: None) -> None:
    """To the tenants: two environments, a binding of each component in each, runs with and without owners, people."""
    for namespace in ("acme", "globex"):
        for environment in ("dev", "prod"):
            EnvironmentFactory.create(name=environment, namespace=namespace)
            for project in ("shop", "bank"):
                owner = {"projectName": project, "componentName": f"{project}-web"}
                spec = {"owner": owner, "environment": environment}
                apply("ReleaseBinding", f"{project}-web-{environment}", spec, namespace)
        for name, labels in (
            ("none", {}),
            ("half", {"project": "shop"}),
            ("own", {"project": "shop", "component": "shop-web"}),
        ):
            marks = {f"openchoreo.dev/{key}": value for key, value in labels.items()}
            apply("WorkflowRun", f"run-{name}", {"workflow": {"name": "build"}}, namespace, labels=marks)
    spec = {
        "owner": {"projectName": "shop"},
        "componentType": {"kind": "ComponentType", "name": "deployment/worker"},
    }
    apply("Component", "shop-own", spec, "acme")
    for group in ("a", "b"):
        Group.objects.get_or_create(name=f"groups:{group}")
    for name, kind, groups, fields in PEOPLE:
        person(name, *groups, kind=kind, **fields)
