"""What permission costs in a company: a million components, ten thousand users, sixty thousand bindings.

`run()` fills a database (`bench.access_population`), on PostgreSQL whole, on SQLite a tenth of it, and asks there as
clients and surfaces ask: pages of lists by the endpoint and by the engine, counts, single checks, batches of questions,
and the first request after a revocation on several server processes. Each figure is of requests one by one, with a
database connection and caches as a server has them; "cold" means that the process has not seen the user before.

    python -m bench access --scale 0.02      quickly, on a small copy
"""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from statistics import quantiles
from typing import Any

from bench.access_population import size_at
from bench.installation import REPOSITORY, child, installations
from bench.report import Row

SETUPS = {"postgresql": 1.0, "sqlite": 0.1}
LIST_MS, CHECK_MS = 50.0, 2.0
PEER_CHECK = "218 ms at 60,000 policies, measured on its own engine"
PEER_LIST = "seconds: it checks item by item"
SAMPLES = 100
PAGE = 50
SERVERS = 3
USERS = ("typical", "tiny", "nobody", "busiest", "broad")


def run(scale: float = 1.0, setups: tuple[str, ...] = tuple(SETUPS)) -> list[Row]:
    """All figures, for each database. One that cannot be had here is left out."""
    return [
        row
        for setup, environment in installations(setups)
        for row in measured(setup, environment, SETUPS[setup] * scale)
    ]


def measured(setup: str, environment: dict[str, str], scale: float) -> list[Row]:
    """Fill the database, ask, and revoke."""
    size = size_at(scale)
    started = time.monotonic()
    people = child(environment, "bench.access_population", str(scale))
    title = f"{setup}, {size.components:,} components, {size.users:,} users, {size.bindings:,} bindings"
    rows = [Row(f"{title}: filled in", time.monotonic() - started, "s")]
    found = child(environment, "bench.access", json.dumps(people))
    for name, (value, unit, target, peer) in found.items():
        rows.append(Row(f"{setup}: {name}", value, unit, target, peer))
    with servers(environment) as several:
        rows += revocation(setup, environment, several, people)
    return rows


# Asking ---------------------------------------------------------------------------------------------------------------

Figures = dict[str, tuple[float, str, float | None, str]]


def ask(people: dict[str, dict[str, str]]) -> Figures:
    """Every question of every sort of user, in this process."""
    from django.conf import settings
    from django.test import Client

    from catalog.kinds.project import Project

    settings.ALLOWED_HOSTS = ["testserver"]
    places = list(
        Project.objects.system("bench").filter(name__startswith="project-").values_list("namespace", "name")[:5000]
    )
    client, found = Client(), {}
    for name in USERS:
        found |= lists(name, people[name], client)
        found |= checks(name, people[name], places)
        found |= batches(name, people[name], client, places)
    return found


def lists(name: str, person: dict[str, str], client: Any) -> Figures:
    """Pages of fifty: of a namespace by the endpoint, of everything by the engine; and counting everything."""
    from catalog.kinds.component import Component
    from portal.access.engine import Access
    from portal.accounts.models import User

    user = User.objects.get(username=person["user"])
    headers = {"Authorization": f"Bearer {person['token']}"}
    namespaces = seen_namespaces(Access.of(user)) or ["ns-1"]
    chance = random.Random(1)

    def page() -> None:
        path = f"/api/v1/namespaces/{chance.choice(namespaces)}/components?limit={PAGE}"
        reply = client.get(path, headers=headers)
        assert reply.status_code == 200, reply.content

    def everywhere() -> None:
        rows = Component.objects.for_subject(Access.of(user))
        list(rows.order_by("namespace_id", "name").values_list("pk", "name")[:PAGE])

    def count() -> None:
        Component.objects.for_subject(Access.of(user)).count()

    visible = Component.objects.for_subject(Access.of(user)).count()
    return {
        **timed(f"{name} ({visible:,} visible): page of a namespace, by REST", page, LIST_MS, PEER_LIST),
        **timed(f"{name}: page of all namespaces, by the engine", everywhere, LIST_MS, PEER_LIST),
        **timed(f"{name}: count of all, by the engine", count),
    }


def seen_namespaces(access: Any) -> list[str]:
    """Namespaces in which the user sees anything."""
    from catalog.kinds.component import Component

    rows = Component.objects.for_subject(access).order_by().values_list("namespace", flat=True).distinct()
    return list(rows[:50])


def checks(name: str, person: dict[str, str], places: list[tuple[str, str]]) -> Figures:
    """One decision at a random project, with rights read for it: by a process that knows the user, and one that does
    not."""
    from portal.access import policy_cache
    from portal.access.engine import Access
    from portal.access.place import Place
    from portal.accounts.models import User

    user = User.objects.get(username=person["user"])
    chance = random.Random(2)

    def check() -> None:
        namespace, project = chance.choice(places)
        Access.of(user).allows("component:view", Place(namespace, project, component="any"))

    def cold() -> None:
        policy_cache.clear()
        check()

    return {
        **timed(f"{name}: single check", check, CHECK_MS, PEER_CHECK),
        **timed(f"{name}: single check, cold", cold, None if name == "busiest" else CHECK_MS),
    }


def batches(name: str, person: dict[str, str], client: Any, places: list[tuple[str, str]]) -> Figures:
    """Fifty questions in one request."""
    chance = random.Random(3)
    headers = {"Authorization": f"Bearer {person['token']}"}

    def batch() -> None:
        asked = [
            {
                "subject_context": {"type": "user", "entitlement_claim": "sub", "entitlement_values": [person["user"]]},
                "resource": {
                    "type": "component", "id": "any",
                    "hierarchy": {"namespace": namespace, "project": project, "component": "any"},
                },
                "action": "component:view",
                "context": {},
            }
            for namespace, project in (chance.choice(places) for _ in range(PAGE))
        ]  # fmt: skip
        reply = client.post(
            "/api/v1/authz/evaluates", json.dumps(asked), content_type="application/json", headers=headers
        )
        assert reply.status_code == 200 and len(reply.json()) == PAGE, reply.content

    return timed(f"{name}: {PAGE} questions in one request, by REST", batch)


def timed(name: str, question: Callable[[], None], target: float | None = None, peer: str = "") -> Figures:
    """Milliseconds of a question: the median, and what nineteen in twenty stay below."""
    for _ in range(3):
        question()
    spent = []
    for _ in range(SAMPLES):
        started = time.perf_counter()
        question()
        spent.append((time.perf_counter() - started) * 1000)
    cut = quantiles(spent, n=20)
    return {f"{name}, p50": (cut[9], "ms", None, ""), f"{name}, p95": (cut[18], "ms", target, peer)}


# Revoking -------------------------------------------------------------------------------------------------------------


@contextmanager
def servers(environment: dict[str, str]) -> Iterator[list[subprocess.Popen[str]]]:
    """Processes of the product, each answering one request after the other."""
    started = [
        subprocess.Popen(
            [sys.executable, "-m", "tests.real.reader"], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL, text=True, cwd=REPOSITORY, env=environment,
        )
        for _ in range(SERVERS)
    ]  # fmt: skip
    try:
        for server in started:
            assert server.stdout is not None and server.stdout.readline()
        yield started
    finally:
        for server in started:
            server.kill()
            server.wait()


def revocation(
    setup: str, environment: dict[str, str], several: list[subprocess.Popen[str]], people: dict[str, dict[str, str]]
) -> list[Row]:
    """A grant goes; how long the next request of each process takes, and how many of these still show anything."""
    token = people["tiny"]["token"]
    path = f"/api/v1/namespaces/ns-{17 // 40}/components?limit={PAGE}"
    for _ in range(3):
        before = [answer_of(server, path, token)[0] for server in several]
    assert all(answer["items"] == PAGE for answer in before), before
    child(environment, "bench.access", "revoke")
    after = [answer_of(server, path, token) for server in several]
    late = sum(answer["items"] != 0 for answer, _ in after)
    return [
        Row(f"{setup}: processes (of {SERVERS}) whose next request after a revocation still shows", late, "", 1.0),
        Row(
            f"{setup}: that request, the slowest of {SERVERS} processes",
            max(spent for _, spent in after),
            "ms",
            LIST_MS,
        ),
    ]


def answer_of(server: subprocess.Popen[str], path: str, token: str) -> tuple[dict[str, Any], float]:
    """What a process answers, and after how many milliseconds."""
    assert server.stdin is not None and server.stdout is not None
    started = time.perf_counter()
    server.stdin.write(json.dumps({"path": path, "token": token}) + "\n")
    server.stdin.flush()
    answer = json.loads(server.stdout.readline())
    return answer, (time.perf_counter() - started) * 1000


def revoke() -> dict[str, Any]:
    """Take the grant of the user who has one."""
    from guardian.shortcuts import remove_perm

    from catalog.kinds.project import Project
    from portal.accounts.models import User

    user, project = User.objects.get(username="tiny"), Project.objects.system("bench").get(name="project-17")
    remove_perm("project|component:view", user, project)
    return {}


if __name__ == "__main__":
    os.environ["DJANGO_SETTINGS_MODULE"] = "portal.settings"
    import django

    answers, sys.stdout = sys.stdout, sys.stderr  # the log of requests goes to standard output
    django.setup()
    print(json.dumps(revoke() if sys.argv[1] == "revoke" else ask(json.loads(sys.argv[1]))), file=answers)
