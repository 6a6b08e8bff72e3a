"""A chain of releases, told in sentences: by a person, by an agent for that person, by an agent alone."""

from __future__ import annotations

import json
import re
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command
from django.test import Client

from catalog import store
from catalog.controllers import runtime
from portal.accounts.actor import system
from portal.accounts.models import issue_token
from portal.accounts.principals import make_agent, make_person
from portal.audit.models import AuditEvent
from portal.audit.story import tell
from portal.quickstart import content
from tests.real.installation import greeter

pytestmark = pytest.mark.django_db
ROOT = "/api/v1/namespaces/default"
BOT_BINDING = {
    "apiVersion": "openchoreo.dev/v1alpha1",
    "kind": "ClusterAuthzRoleBinding",
    "metadata": {"name": "bot"},
    "spec": {
        "entitlement": {"claim": "sub", "value": "deployer"},
        "roleMappings": [{"roleRef": {"kind": "ClusterAuthzRole", "name": "sre"}}],
    },
}


@pytest.fixture
def platform(db: None) -> None:
    """The shipped types, roles and bindings, and a greeter that runs in development."""
    content.apply_directory(content.DEFAULTS)
    for document in greeter("checkout"):
        store.apply(document, system("test"))
    store.apply(BOT_BINDING, system("test"))
    runtime.drain()


@pytest.fixture
def ada(platform: None) -> Any:
    from django.contrib.auth.models import Group

    person = make_person("ada")
    person.groups.add(Group.objects.get(name="groups:developers"))
    return person


def call(token: str, method: str, path: str, body: Any = None) -> Any:
    return Client().generic(
        method, f"{ROOT}/{path}", json.dumps(body) if body is not None else "", content_type="application/json",
        headers={"Authorization": f"Bearer {token}"},
    )  # fmt: skip


def binding(environment: str, release: str) -> dict[str, Any]:
    return {
        "apiVersion": "openchoreo.dev/v1alpha1",
        "kind": "ReleaseBinding",
        "metadata": {"name": f"checkout-{environment}"},
        "spec": {
            "owner": {"projectName": "default", "componentName": "checkout"},
            "environment": environment,
            "releaseName": release,
        },
    }


def promote_and_return(token: str, first: str) -> None:
    """Cut a release, bring it to staging, and go back to the one before."""
    cut = call(token, "POST", "components/checkout/generate-release", {"releaseName": "checkout-2"})
    assert cut.status_code == 201, cut.content
    for release in (first, "checkout-2", first):
        held = store.get_or_none("ReleaseBinding", "default", "checkout-staging")
        verb, path = ("POST", "releasebindings") if held is None else ("PUT", "releasebindings/checkout-staging")
        reply = call(token, verb, path, binding("staging", release))
        assert reply.status_code in (200, 201), reply.content


def told(since: set[Any], *, but: str = "") -> list[str]:
    """What the people and agents did, without the times."""
    events = AuditEvent.objects.system("test").exclude(id__in=since).exclude(actor__startswith="system:")
    return [line[21:] for line in tell(events) if not but or but not in line]


@pytest.fixture
def before(ada: Any) -> set[Any]:
    return set(AuditEvent.objects.system("test").values_list("id", flat=True))


@pytest.fixture
def first(platform: None) -> str:
    """The release that runs in development."""
    return str(store.get("ReleaseBinding", "default", "checkout-development").spec["releaseName"])


def expected(who: str, first: str, why: str) -> list[str]:
    return [
        f"{who} created ComponentRelease checkout-2 in default; {why}",
        f"{who} put release {first} of checkout into staging; {why}",
        f"{who} put release checkout-2 of checkout into staging, in place of {first}; {why}",
        f"{who} put release {first} of checkout into staging, in place of checkout-2; {why}",
    ]


def test_a_persons_chain_reads_like_a_story(ada, before, first):
    token = issue_token(ada, "laptop")
    before |= set(AuditEvent.objects.system("test").values_list("id", flat=True))
    promote_and_return(token, first)
    assert told(before) == expected("ada", first, "allowed by developer at * through groups:developers")


def test_an_agents_chain_for_a_person_names_both(ada, before, first):
    agent = make_agent("deployer", owner=ada)
    token = issue_token(agent, "assistant", on_behalf_of=ada)
    before |= set(AuditEvent.objects.system("test").values_list("id", flat=True))
    promote_and_return(token, first)
    assert told(before) == expected("agent deployer, for ada,", first, "allowed by sre at * through sub:deployer")


def test_an_agents_chain_alone_says_so_and_what_it_was_refused(ada, before, first):
    agent = make_agent("deployer", owner=ada)
    token = issue_token(agent, "night shift")
    before |= set(AuditEvent.objects.system("test").values_list("id", flat=True))
    promote_and_return(token, first)
    assert call(token, "DELETE", "components/checkout").status_code == 403
    assert told(before) == [
        *expected("agent deployer", first, "allowed by sre at * through sub:deployer"),
        "agent deployer was not allowed to delete Component checkout in default: nothing gives it",
    ]


def test_the_command_line_tells_an_agents_day(ada, first):
    agent = make_agent("deployer", owner=ada)
    promote_and_return(issue_token(agent, "night shift"), first)
    shown = StringIO()
    call_command("audit", "story", "--actor", "deployer", stdout=shown)
    lines = shown.getvalue().splitlines()
    assert len(lines) == 4
    assert re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d  agent deployer created ComponentRelease .*", lines[0])


def test_what_one_operation_changed_stands_below_it(ada, first):
    call_command("promote", "checkout", "--to", "staging", stdout=StringIO())
    shown = StringIO()
    call_command("audit", "story", "--action", "component:promote", stdout=shown)
    assert "promoted Component checkout in default" in shown.getvalue()
    shown = StringIO()
    call_command("audit", "story", "--limit", "4", stdout=shown)
    lines = [line[21:] for line in shown.getvalue().splitlines()]
    promoted = next(number for number, line in enumerate(lines) if "promoted Component checkout" in line)
    assert lines[promoted + 1] == f"  └ put release {first} of checkout into staging"
