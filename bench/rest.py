"""What the REST API costs: requests per CPU-second of the server, and how long clients wait.

`run()` fills a namespace with 100,000 components, on SQLite and on PostgreSQL, starts the product's own server and asks
it over kept connections, as clients do: get one, lists, a list by label, create, replace, and 200 clients at once of
whom one in ten writes. CPU is that of all processes of the server (not of PostgreSQL), so these figures hold on a busy
machine; requests a second do not. Then `wrk`, if it is there, repeats what was measured on OpenChoreo.

    python -m bench rest --scale 0.02      quickly, on a small copy
"""

from __future__ import annotations

import http.client
import json
import os
import random
import re
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from statistics import quantiles
from typing import Any

from bench.installation import child, cpu_seconds, installations, server
from bench.report import Row

SETUPS = ("sqlite", "postgresql")
COMPONENTS = 100_000
SECONDS = 6.0
CLIENTS = 200
ROOT = "/api/v1/namespaces/big/components"
AIMS = {"get one": "3,000", "list 50": "1,000"}
"""Requests per CPU-second that are aimed at."""
WRK_SECONDS = 8
WRK = {
    ("get one", 1): (f"{ROOT}/c-17", "439, p50 1.9, p99 23 ms", "2,000"),
    ("get one", 8): (f"{ROOT}/c-17", "843, p50 8.1, p99 44 ms", ""),
    ("list 20", 1): (ROOT, "184, p50 4.8, p99 19 ms", ""),
    ("list 20", 8): (ROOT, "289, p50 25.3, p99 80 ms", ""),
    ("list 100", 1): (f"{ROOT}?limit=100", "56, p50 15.8, p99 60 ms", "500"),
    ("list 100", 8): (f"{ROOT}?limit=100", "81, p50 89.7, p99 241 ms", ""),
}
"""Request and connections → path, what was recorded of OpenChoreo 1.2 (200 components, two shared cores), and the aim
for requests a second."""
LATENCY = re.compile(r"(50|99)%\s+([0-9.]+)(us|ms|s)")
MILLISECONDS = {"us": 0.001, "ms": 1.0, "s": 1000.0}


def run(scale: float = 1.0) -> list[Row]:
    """All figures, for each database. One that cannot be had here is left out."""
    count = max(1000, int(COMPONENTS * scale))
    rows: list[Row] = []
    for setup, environment in installations(SETUPS):
        token = child(environment, "bench.rest", str(count))["token"]
        with server(environment) as (pid, port):
            rows += measured(setup, pid, port, token, count)
            rows += by_wrk(setup, port, token)
    return rows


def measured(setup: str, pid: int, port: int, token: str, count: int) -> list[Row]:
    """Every sort of request, one after the other over one connection; then many clients at once."""
    chance = random.Random(1)
    connection = connect(port)
    made = iter(range(1_000_000))

    def get(path: str) -> Callable[[], None]:
        return lambda: expect(200, ask(connection, "GET", path, token))

    def create() -> None:
        expect(201, ask(connection, "POST", ROOT, token, component(f"made-{next(made)}")))

    def replace() -> None:
        name = f"c-{chance.randrange(count)}"
        expect(200, ask(connection, "PUT", f"{ROOT}/{name}", token, component(name, note=str(chance.random()))))

    kinds: dict[str, Callable[[], None]] = {
        "get one": lambda: get(f"{ROOT}/c-{chance.randrange(count)}")(),
        "list 50": get(f"{ROOT}?limit=50"),
        "list 100": get(f"{ROOT}?limit=100"),
        f"list 100 of {count:,} by label": get(f"{ROOT}?limit=100&labelSelector=team%3Dblue"),
        "create": create,
        "replace": replace,
    }
    rows: list[Row] = []
    for name, request in kinds.items():
        rows += timed(f"{setup}: {name}", pid, request, AIMS.get(name, ""))
    return rows + crowd(setup, pid, port, token, count)


def timed(name: str, pid: int, request: Callable[[], None], aim: str) -> list[Row]:
    """One sort of request for some seconds: per CPU-second, a second, and how long each took."""
    for _ in range(20):
        request()
    spent: list[float] = []
    began, cpu = time.monotonic(), cpu_seconds(pid)
    while time.monotonic() - began < SECONDS:
        started = time.perf_counter()
        request()
        spent.append((time.perf_counter() - started) * 1000)
    seconds, used = time.monotonic() - began, cpu_seconds(pid) - cpu
    return [
        Row(f"{name}, per CPU-second", len(spent) / max(used, 0.01), "", aim=aim),
        Row(f"{name}, a second over one connection", len(spent) / seconds, ""),
        *waits(name, spent),
    ]


def crowd(setup: str, pid: int, port: int, token: str, count: int) -> list[Row]:
    """Clients with a connection each: nine reads to a write."""
    spent: list[float] = []
    failures: list[str] = []
    began, cpu = time.monotonic(), cpu_seconds(pid)

    def client(number: int) -> None:
        chance, connection = random.Random(number), connect(port)
        while time.monotonic() - began < 2 * SECONDS:
            name = f"c-{chance.randrange(count)}"
            started = time.perf_counter()
            try:
                if chance.random() < 0.1:
                    body = component(name, note=str(chance.random()))
                    expect(200, ask(connection, "PUT", f"{ROOT}/{name}", token, body))
                else:
                    path = f"{ROOT}/{name}" if chance.random() < 0.7 else f"{ROOT}?limit=50"
                    expect(200, ask(connection, "GET", path, token))
                spent.append((time.perf_counter() - started) * 1000)
            except (OSError, AssertionError, http.client.HTTPException) as error:
                failures.append(repr(error))
                connection = connect(port)

    threads = [threading.Thread(target=client, args=(number,)) for number in range(CLIENTS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    seconds, used = time.monotonic() - began, cpu_seconds(pid) - cpu
    name = f"{setup}: {CLIENTS} clients, 90 reads to 10 writes"
    return [
        Row(f"{name}, per CPU-second", len(spent) / max(used, 0.01), ""),
        Row(f"{name}, a second", len(spent) / seconds, ""),
        Row(f"{name}, failures", len(failures), "", 1.0),
        *waits(name, spent),
    ]


def by_wrk(setup: str, port: int, token: str) -> list[Row]:
    """The peer's own measurements, repeated: the administrator's requests by wrk, 8 seconds each."""
    if shutil.which("wrk") is None:
        print(f"{setup}: the peer's measurements are left out, there is no wrk (https://github.com/wg/wrk)", flush=True)
        return []
    rows: list[Row] = []
    for (name, connections), (path, peer, aim) in WRK.items():
        command = [
            "wrk", "-t1", f"-c{connections}", f"-d{WRK_SECONDS}s", "--latency",
            "-H", f"Authorization: Bearer {token}", f"http://127.0.0.1:{port}{path}",
        ]  # fmt: skip
        said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
        assert "Non-2xx" not in said, said
        rate = re.search(r"Requests/sec:\s+([0-9.]+)", said)
        assert rate is not None, said
        title = f"{setup}: wrk, {name}, {connections} connection{'s' if connections > 1 else ''}"
        rows.append(Row(f"{title}, a second", float(rate[1]), "", None, peer, aim))
        rows += [
            Row(f"{title}, p{part}", float(value) * MILLISECONDS[unit], "ms")
            for part, value, unit in LATENCY.findall(said)
        ]
    return rows


def waits(name: str, spent: list[float]) -> list[Row]:
    cut = quantiles(spent, n=100)
    return [Row(f"{name}, p50", cut[49], "ms"), Row(f"{name}, p99", cut[98], "ms")]


def connect(port: int) -> http.client.HTTPConnection:
    return http.client.HTTPConnection("127.0.0.1", port, timeout=60)


def ask(
    connection: http.client.HTTPConnection, method: str, path: str, token: str, body: Any = None
) -> tuple[int, bytes]:
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    connection.request(method, path, None if body is None else json.dumps(body), headers)
    answer = connection.getresponse()
    return answer.status, answer.read()


def expect(status: int, answer: tuple[int, bytes]) -> None:
    assert answer[0] == status, answer


def component(name: str, note: str = "") -> dict[str, Any]:
    return {
        "metadata": {"name": name, "namespace": "big", "annotations": {"openchoreo.dev/description": note}},
        "spec": {
            "owner": {"projectName": "default"},
            "componentType": {"kind": "ClusterComponentType", "name": "deployment/service"},
        },
    }


def fill(count: int) -> str:
    """A namespace with that many components, one in a hundred of a team; returns a token that may do everything."""
    from django.core.management import call_command
    from django.db import connection

    from bench.access_population import copies, numbers
    from catalog import store
    from catalog.kinds.component import Component
    from portal.accounts.actor import system
    from portal.accounts.models import User, issue_token
    from portal.quickstart import content

    call_command("migrate", verbosity=0)
    content.apply_directory(content.DEFAULTS)
    group = "openchoreo.dev/v1alpha1"
    documents: list[dict[str, Any]] = [
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "big"}},
        {"apiVersion": group, "kind": "Component", **component("template")},
        {"apiVersion": group, "kind": "Component", **component("labelled")},
    ]
    documents[2]["metadata"]["labels"] = {"team": "blue"}
    project = {
        "apiVersion": group,
        "kind": "Project",
        "metadata": {"name": "default", "namespace": "big"},
        "spec": {
            "deploymentPipelineRef": {"name": "default"},
            "type": {"kind": "ClusterProjectType", "name": "default"},
        },
    }
    for document in (documents[0], project, *documents[1:]):
        store.apply(document, system("bench"))
    rows = Component.objects.system("bench")
    copies(Component, rows.get(name="template"), numbers(count), {"name": "'c-' || n.i"})
    # Evenly among the others: a selector has to look at all of them.
    copies(Component, rows.get(name="labelled"), numbers(count // 100), {"name": "'c-' || (n.i * 100) || '-blue'"})
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    return issue_token(User.objects.create_superuser("bench"), "bench")


if __name__ == "__main__":
    os.environ["DJANGO_SETTINGS_MODULE"] = "portal.settings"
    import django

    django.setup()
    print(json.dumps({"token": fill(int(sys.argv[1]))}))
