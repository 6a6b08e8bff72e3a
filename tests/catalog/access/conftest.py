"""Fixtures and makers for permissions: two tenants, roles, bindings, people."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.test import Client

from catalog import store
from catalog.kinds.base import PlatformObject
from portal.access.engine import Access
from portal.access.subject import entitlement
from portal.accounts.models import User, issue_token
from tests.factories import TESTER, ComponentFactory, NamespaceFactory, ProjectFactory

Spec = dict[str, Any]


def apply(kind: str, name: str, spec: Spec, namespace: str = "", **metadata: Any) -> PlatformObject:
    identity = {"name": name, **({"namespace": namespace} if namespace else {}), **metadata}
    api_version = "v1" if kind == "Namespace" else "openchoreo.dev/v1alpha1"
    return store.apply({"apiVersion": api_version, "kind": kind, "metadata": identity, "spec": spec}, TESTER).obj


def role(name: str, *actions: str, namespace: str = "") -> PlatformObject:
    return apply("AuthzRole" if namespace else "ClusterAuthzRole", name, {"actions": list(actions)}, namespace)


def bind(
    name: str,
    who: str,
    to: str,
    *,
    namespace: str = "",
    scope: Spec | None = None,
    effect: str = "allow",
    conditions: Sequence[Spec] = (),
    role_kind: str = "ClusterAuthzRole",
    **metadata: Any,
) -> PlatformObject:
    """A binding of `who` ("groups:dev", "sub:bot") to a role."""
    claim, _, value = who.partition(":")
    mapping: Spec = {"roleRef": {"kind": role_kind, "name": to}}
    if scope:
        mapping["scope"] = scope
    if conditions:
        mapping["conditions"] = list(conditions)
    spec = {"entitlement": {"claim": claim, "value": value}, "effect": effect, "roleMappings": [mapping]}
    kind = "AuthzRoleBinding" if namespace else "ClusterAuthzRoleBinding"
    return apply(kind, name, spec, namespace, **metadata)


def unbind(name: str, namespace: str = "") -> None:
    store.delete("AuthzRoleBinding" if namespace else "ClusterAuthzRoleBinding", namespace, name, TESTER)


def person(name: str, *groups: str, kind: str = "human", **fields: Any) -> User:
    """A user in groups of the identity provider; an agent has an owner unless told."""
    if kind == "agent":
        fields.setdefault("owner", User.objects.get_or_create(username="owner-of-agents")[0])
    user, _ = User.objects.get_or_create(username=name, defaults={"principal_kind": kind, **fields})
    user.groups.set([Group.objects.get_or_create(name=entitlement("groups", group))[0] for group in groups])
    return user


def token_of(user: User) -> str:
    """A bearer token of a user."""
    return issue_token(user, "tests")


def access_of(user: User) -> Access:
    """The rights of a user at this moment."""
    return Access.of(User.objects.get(pk=user.pk))


@pytest.fixture
def tenants(db: None) -> None:
    """Namespaces acme and globex, each with projects shop and bank, each with components web and api."""
    for namespace in ("acme", "globex"):
        NamespaceFactory.create(name=namespace)
        for project in ("shop", "bank"):
            ProjectFactory.create(name=project, namespace=namespace)
            for component in ("web", "api"):
                ComponentFactory.create(name=f"{project}-{component}", namespace=namespace, project=project)


@pytest.fixture
def peer_mode(settings: Any) -> None:
    """What OpenChoreo does wherever there is a choice."""
    settings.STRICT_DENY = False
    settings.HIDE_FORBIDDEN = False


@pytest.fixture
def places(db: None, peer_mode: None) -> None:
    """Namespaces acme, acme2 and other; in acme projects p1, p2, public, secret, each with components."""
    for namespace in ("acme", "acme2", "other"):
        NamespaceFactory.create(name=namespace)
    for project in ("p1", "p2", "public", "secret"):
        ProjectFactory.create(name=project, namespace="acme")
        for component in ("one", "two"):
            ComponentFactory.create(name=f"{project}-{component}", namespace="acme", project=project)
    ProjectFactory.create(name="p1", namespace="other")
    ComponentFactory.create(name="p1-one", namespace="other", project="p1")


@pytest.fixture
def asker(db: None) -> Any:
    """The API as somebody who may ask about others."""
    from tests.catalog.api.conftest import ApiClient  # which imports from here

    return ApiClient(Client(), token_of(User.objects.create_superuser("asker")))
