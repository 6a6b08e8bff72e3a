"""Two tenants with a component each, adapters that run, and people with rights to look."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client

from catalog.kinds.base import PlatformObject
from portal.accounts.models import issue_token
from tests.catalog.access.conftest import bind, person, role
from tests.catalog.api.conftest import ApiClient
from tests.factories import ComponentFactory, EnvironmentFactory, NamespaceFactory, ProjectFactory
from tests.workflows.observer.adapter_server import AdapterServer, Entry, running

START, END = "2026-05-01T00:00:00Z", "2026-05-02T00:00:00Z"
VIEWS = tuple(f"{kind}:view" for kind in ("logs", "events", "metrics", "traces", "alerts", "incidents", "finops"))
ROLES = ("LOGS", "METRICS", "TRACING", "FINOPS")


@pytest.fixture
def adapter(settings: Any) -> Iterator[AdapterServer]:
    """All four adapters, configured for planes that name none of their own."""
    with running() as server:
        for name in ROLES:
            setattr(settings, f"{name}_ADAPTER_URL", server.url)
        settings.OUTGOING_PRIVATE_NETWORKS = ["127.0.0.0/8"]
        yield server


@pytest.fixture
def objects(db: None) -> dict[str, PlatformObject]:
    """`acme/shop/cart` and `globex/bank/vault`, each with `development` and `production`."""
    found: dict[str, PlatformObject] = {}
    for namespace, project, component in (("acme", "shop", "cart"), ("globex", "bank", "vault")):
        NamespaceFactory(name=namespace)
        found[project] = ProjectFactory(name=project, namespace=namespace)
        found[component] = ComponentFactory(name=component, namespace=namespace, project=project)
        for name in ("development", "production"):
            found[f"{namespace}/{name}"] = EnvironmentFactory(name=name, namespace=namespace)
    return found


@pytest.fixture
def viewer(objects: dict[str, PlatformObject], client: Client) -> ApiClient:
    """Somebody who may look at everything in `acme`, and at nothing else."""
    role("looker", *VIEWS)
    bind("acme-lookers", "groups:acme", "looker", scope={"namespace": "acme"})
    return ApiClient(client, issue_token(person("vera", "acme"), "tests"))


def metadata(objects: dict[str, PlatformObject], component: str = "cart", environment: str = "development") -> Entry:
    """What a log entry says of itself."""
    held = objects[component]
    project = str(held.spec["owner"]["projectName"])
    return {
        "namespaceName": held.namespace_name,
        "projectName": project,
        "componentName": component,
        "environmentName": environment,
        "projectUid": str(objects[project].uid),
        "componentUid": str(held.uid),
        "environmentUid": str(objects[f"{held.namespace_name}/{environment}"].uid),
        "podName": f"{component}-1",
        "containerName": "main",
    }


def question(namespace: str = "acme", project: str = "shop", component: str = "cart", **more: Any) -> Entry:
    """A query of a component; empty names are left out."""
    named = {"namespace": namespace, "project": project, "component": component}
    scope = {**{key: value for key, value in named.items() if value}, **more.pop("scope", {})}
    return {"startTime": START, "endTime": END, "searchScope": scope, **more}


def line(objects: dict[str, PlatformObject], text: str, minute: int, level: str = "INFO", **where: str) -> Entry:
    return {
        "timestamp": f"2026-05-01T10:{minute:02}:00.250Z",
        "log": text,
        "level": level,
        "metadata": metadata(objects, **where),
    }
