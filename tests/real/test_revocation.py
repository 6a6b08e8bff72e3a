"""What is taken away is taken away everywhere: the very next request of every server process is refused.

Three processes of the product on one real PostgreSQL, each with its caches warm. Nothing tells them of a change but the
database.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest

from tests.conftest import REPOSITORY, missing
from tests.real import services

pytestmark = [pytest.mark.real("postgresql"), pytest.mark.timeout(400)]
PROCESSES = 3
LIST = "/api/v1/namespaces/acme/components"
ONE = f"{LIST}/web"
CHANGES = {
    "a binding is deleted": "unbind('b')",
    "a role loses the action": "role('viewer', 'project:view')",
    "a role is deleted": "store.delete('ClusterAuthzRole', '', 'viewer', TESTER)",
    "a member leaves the group": "User.objects.get(username='ann').groups.clear()",
    "the user is switched off": "User.objects.filter(username='ann').update(is_active=False)",
    "a deny is bound": "role('no', 'component:view'); bind('never', 'groups:dev', 'no', effect='deny')",
    "a grant by hand is taken": "remove_perm('namespace|component:view', User.objects.get(username='bob'), acme)",
    "a grant by hand is deleted in SQL": "NamespaceUserGrant.objects.all()._raw_delete('default')",
}
PRELUDE = """
import os; os.environ["DJANGO_SETTINGS_MODULE"] = "portal.settings"
import django; django.setup()
from django.contrib.auth.models import Group
from guardian.shortcuts import assign_perm, remove_perm
from catalog import store
from catalog.access.models import NamespaceUserGrant
from catalog.kinds.namespace import Namespace
from portal.accounts.models import User, issue_token
from tests.catalog.access.conftest import bind, person, role, unbind
from tests.factories import TESTER, ComponentFactory, NamespaceFactory, ProjectFactory
"""
PREPARE = """
from django.core.management import call_command
call_command("migrate", verbosity=0)
NamespaceFactory(name="acme"); ProjectFactory(name="shop", namespace="acme")
ComponentFactory(name="web", namespace="acme", project="shop")
"""
GIVE = """
acme = Namespace.objects.system("test").get(name="acme")
role("viewer", "component:view")
bind("b", "groups:dev", "viewer", scope={"namespace": "acme"})
User.objects.filter(username="ann").update(is_active=True)
if store.get_or_none("ClusterAuthzRoleBinding", "", "never"): unbind("never")
ann, bob = person("ann", "dev"), person("bob")
assign_perm("namespace|component:view", bob, acme)
print(issue_token(ann, "t"), issue_token(bob, "t"))
"""


@dataclass
class Platform:
    """A database, and the processes that serve from it."""

    environment: dict[str, str]
    servers: list[subprocess.Popen[str]] = field(default_factory=list)

    def run(self, code: str) -> str:
        """Change something, in a process that ends then."""
        done = subprocess.run(
            [sys.executable, "-c", PRELUDE + code], cwd=REPOSITORY, env=self.environment, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stderr[-3000:]
        return done.stdout

    def serve(self) -> None:
        for _ in range(PROCESSES):
            server = subprocess.Popen(
                [sys.executable, "-m", "tests.real.reader"], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL, text=True, cwd=REPOSITORY, env=self.environment,
            )  # fmt: skip
            self.servers.append(server)
        for server in self.servers:
            assert server.stdout is not None and server.stdout.readline()

    def ask_all(self, path: str, token: str) -> list[dict[str, Any]]:
        """The answers of all processes to the same request."""
        answers = []
        for server in self.servers:
            assert server.stdin is not None and server.stdout is not None
            server.stdin.write(json.dumps({"path": path, "token": token}) + "\n")
            server.stdin.flush()
            answers.append(json.loads(server.stdout.readline()))
        return answers

    def stop(self) -> None:
        for server in self.servers:
            server.kill()
            server.wait()


@pytest.fixture(scope="module")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    try:
        service = services.start_postgresql()
    except services.Unavailable as reason:
        missing("PostgreSQL", str(reason))
        raise AssertionError("unreachable") from reason
    with service:
        home = tmp_path_factory.mktemp("home")
        inherited = {name: value for name, value in os.environ.items() if name != "DJANGO_SETTINGS_MODULE"}
        found = Platform(
            {**inherited, "STAGECRAFT_HOME": str(home), "DATABASE_URL": service.url, "CELERY_BROKER_URL": "memory://"}
        )
        found.run(PREPARE)
        try:
            found.serve()
            yield found
        finally:
            found.stop()


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES.keys())
def test_a_revocation_counts_for_the_next_request_of_every_process(platform: Platform, change: str) -> None:
    ann, bob = platform.run(GIVE).split()
    token = bob if "by hand" in next(name for name, code in CHANGES.items() if code == change) else ann
    for _ in range(2):
        assert [answer["status"] for answer in platform.ask_all(ONE, token)] == [200] * PROCESSES
        assert platform.ask_all(LIST, token) == [{"status": 200, "items": 1}] * PROCESSES
    platform.run(f'acme = Namespace.objects.system("test").get(name="acme")\n{change}\n')
    refused = 401 if "is_active" in change else 404
    assert [answer["status"] for answer in platform.ask_all(ONE, token)] == [refused] * PROCESSES
    if refused == 404:
        assert platform.ask_all(LIST, token) == [{"status": 200, "items": 0}] * PROCESSES
