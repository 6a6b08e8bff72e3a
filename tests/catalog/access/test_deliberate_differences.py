"""The five places where our decisions differ from OpenChoreo's on purpose."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from django.test import Client

from catalog import store
from portal.access.place import Place
from tests.catalog.access.conftest import access_of, apply, bind, person, role, token_of
from tests.catalog.access.peer import EVALUATES, question
from tests.catalog.api.conftest import ApiClient
from tests.conftest import REPOSITORY

# Where we differ on purpose -------------------------------------------------------------------------------------------


def test_difference_1_a_deny_of_the_subject_itself_beats_every_group(places: None) -> None:
    role("viewer", "component:view")
    bind("1", "groups:one", "viewer")
    bind("2", "groups:two", "viewer")
    bind("3", "sub:ada", "viewer", effect="deny")

    assert not access_of(person("ada", "one", "two")).allows("component:view", Place("acme", "p1", "p1-one"))
    assert access_of(person("bob", "one", "two")).allows("component:view", Place("acme", "p1", "p1-one"))


def test_difference_2_a_missing_attribute_fails_closed(places: None, asker: ApiClient) -> None:
    role("deployer", "releasebinding:*")
    condition = {"actions": ["releasebinding:*"], "expression": 'resource.environment != "acme/prod"'}
    bind("1", "groups:dev", "deployer", namespace="acme", conditions=[condition])
    row = ("groups:dev", "releasebinding:update", "acme/p1/p1-one")

    asked = [question(row, environment="acme/prod"), question(row, environment="acme/dev"), question(row)]
    assert [item["decision"] for item in asker.post(EVALUATES, asked).json()] == [False, True, False]


def test_difference_3_the_stored_owner_decides(places: None) -> None:
    role("owner", "*")
    bind("1", "groups:p1", "owner", namespace="acme", scope={"project": "p1"})
    labels = {"openchoreo.dev/project": "p2", "openchoreo.dev/component": "p2-one"}
    apply("WorkflowRun", "run", {"workflow": {"name": "build"}}, "acme", labels=labels)
    own = {"openchoreo.dev/project": "p1", "openchoreo.dev/component": "p1-one"}
    body = {"metadata": {"name": "run", "labels": own}, "spec": {"workflow": {"name": "build"}}}

    reply = ApiClient(Client(), token_of(person("ada", "p1"))).put("/api/v1/namespaces/acme/workflowruns/run", body)

    assert reply.status_code == 403
    assert store.get("WorkflowRun", "acme", "run").labels == labels


def test_difference_4_nobody_gives_what_they_do_not_hold(places: None) -> None:
    role("admin", "*")
    role("giver", "authzrolebinding:*")
    bind("1", "groups:givers", "giver", namespace="acme")
    mapping = {"roleRef": {"kind": "ClusterAuthzRole", "name": "admin"}}
    body = {
        "metadata": {"name": "mine"},
        "spec": {"entitlement": {"claim": "groups", "value": "givers"}, "roleMappings": [mapping]},
    }

    reply = ApiClient(Client(), token_of(person("eve", "givers"))).post(
        "/api/v1/namespaces/acme/authzrolebindings", body
    )

    assert reply.status_code == 403


def test_difference_5_an_issuer_without_an_audience_does_not_start(tmp_path: Path) -> None:
    environment = {
        **os.environ,
        "DEBUG": "false",
        "SECRET_KEY": "x" * 50,
        "ALLOWED_HOSTS": "a.example",
        "DATA_DIR": str(tmp_path),
        "OIDC_ISSUER": "https://issuer.example",
        "DJANGO_SETTINGS_MODULE": "portal.settings",
    }
    started = subprocess.run(
        [sys.executable, "-c", "import portal.settings"],
        env=environment,
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=False,
    )

    assert started.returncode != 0
    assert "OIDC_ISSUER is set without OIDC_AUDIENCE" in started.stderr
