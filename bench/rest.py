"""What the REST API costs: requests per CPU-second of the server, and how long clients wait.

`run()` fills a namespace with 100,000 components, on SQLite and on PostgreSQL, starts the product's own server and asks
it over kept connections, as clients do: get one, lists, a list by label, create, replace, and 200 clients at once of
whom one in ten writes. CPU is that of all processes of the server (not of the database), so the figures hold on a busy
machine; requests a second over one connection do not.

    python -m bench rest --scale 0.02      quickly, on a small copy
"""

from __future__ import annotations

import http.client
import json
import os
import random
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from statistics import quantiles
from typing import Any

from bench.report import Row
from portal.quickstart.supervise import server_command
from tests.real import services

REPOSITORY = Path(__file__).resolve().parent.parent
SETUPS = ("sqlite", "postgresql")
COMPONENTS = 100_000
SECONDS = 6.0
CLIENTS = 200
ROOT = "/api/v1/namespaces/big/components"
TICKS = os.sysconf("SC_CLK_TCK")
PEER = {"get one": "439 a second over one connection", "list 100": "56 a second over one connection"}


def run(scale: float = 1.0) -> list[Row]:
    """All figures, for each database. One that cannot be had here is left out."""
    rows: list[Row] = []
    for setup in SETUPS:
        with ExitStack() as stack:
            try:
                url = stack.enter_context(services.start_postgresql()).url if setup == "postgresql" else ""
            except services.Unavailable as reason:
                print(f"{setup}: left out, {reason}", flush=True)
                continue
            home = stack.enter_context(tempfile.TemporaryDirectory(prefix="stagecraft-bench-"))
            environment = {
                **os.environ, "STAGECRAFT_HOME": home, "DATABASE_URL": url, "CELERY_BROKER_URL": "memory://",
                "LOG_LEVEL": "WARNING",
            }  # fmt: skip
            count = max(1000, int(COMPONENTS * scale))
            filled = subprocess.run(
                [sys.executable, "-m", "bench.rest", str(count)], cwd=REPOSITORY, env=environment, check=True,
                stdout=subprocess.PIPE, text=True,
            )  # fmt: skip
            token = json.loads(filled.stdout.splitlines()[-1])["token"]
            with server(environment) as (process, port):
                rows += measured(setup, process.pid, port, token, count)
    return rows


@contextmanager
def server(environment: dict[str, str]) -> Iterator[tuple[subprocess.Popen[bytes], int]]:
    """The product's server as the quickstart starts it, answering."""
    port = services.free_port()
    process = subprocess.Popen(
        server_command("127.0.0.1", port), cwd=REPOSITORY, env=environment, start_new_session=True,
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, stdin=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        wait_for(port)
        yield process, port
    finally:
        process.terminate()
        process.wait()


def wait_for(port: int) -> None:
    deadline = time.monotonic() + 60
    while True:
        try:
            if ask(connect(port), "GET", "/health", "")[0] == 200:
                return
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.1)


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
        rows += timed(f"{setup}: {name}", pid, request, PEER.get(name, ""))
    return rows + crowd(setup, pid, port, token, count)


def timed(name: str, pid: int, request: Callable[[], None], peer: str) -> list[Row]:
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
        Row(f"{name}, per CPU-second", len(spent) / max(used, 1 / TICKS), ""),
        Row(f"{name}, a second over one connection", len(spent) / seconds, "", None, peer),
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
        Row(f"{name}, per CPU-second", len(spent) / max(used, 1 / TICKS), ""),
        Row(f"{name}, a second", len(spent) / seconds, ""),
        Row(f"{name}, failures", len(failures), "", 1.0),
        *waits(name, spent),
    ]


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


def cpu_seconds(pid: int) -> float:
    """CPU time of a process and its descendants."""
    children: dict[int, list[int]] = {}
    used: dict[int, float] = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = path.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        number = int(path.parent.name)
        children.setdefault(int(fields[1]), []).append(number)
        used[number] = (int(fields[11]) + int(fields[12])) / TICKS
    total, open_ones = 0.0, [pid]
    while open_ones:
        number = open_ones.pop()
        total += used.get(number, 0.0)
        open_ones += children.get(number, [])
    return total


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
    copies(Component, rows.get(name="labelled"), numbers(count // 100), {"name": "'blue-' || n.i"})
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    return issue_token(User.objects.create_superuser("bench"), "bench")


if __name__ == "__main__":
    os.environ["DJANGO_SETTINGS_MODULE"] = "portal.settings"
    import django

    django.setup()
    print(json.dumps({"token": fill(int(sys.argv[1]))}))
