"""What MCP costs: calls per CPU-second of the server, and how long fifty clients wait.

`run()` fills a namespace with 1,000 components, on SQLite and on PostgreSQL, starts the product's own server and asks
it as agents do: introduce, list the tools, list components, get one, change one, in contract mode, and the reads in
compact mode; then fifty clients at once list components. CPU is that of all processes of the server, not of the
database.
"""

from __future__ import annotations

import http.client
import itertools
import json
import os
import random
import threading
import time
from collections.abc import Callable
from typing import Any

from bench.installation import child, cpu_seconds, installations, server
from bench.report import Row
from bench.rest import SECONDS, SETUPS, ask, connect, timed, waits

COMPONENTS = 1000
CLIENTS = 50
PROJECT = {"namespace_name": "big", "project_name": "default"}
COMPACT, IN_COMPACT = "/mcp/compact", {"namespace": "big", "project": "default"}
INTRODUCTION = {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "bench", "version": "1"}}


def run() -> list[Row]:
    """All figures, for each database. One that cannot be had here is left out."""
    rows: list[Row] = []
    for setup, environment in installations(SETUPS):
        token = child(environment, "bench.mcp", "fill")["token"]
        with server(environment) as (pid, port):
            rows += measured(setup, pid, port, token)
    return rows


def measured(setup: str, pid: int, port: int, token: str) -> list[Row]:
    """Every sort of call over one connection, then many clients at once."""
    connection, chance = connect(port), random.Random(1)

    def change() -> None:
        name = f"c-{chance.randrange(COMPONENTS)}"
        given = {"namespace_name": "big", "component_name": name, "description": str(chance.random())}
        call(connection, token, "patch_component", given)

    def compact(tool: str, given: dict[str, Any]) -> None:
        call(connection, token, tool, given, COMPACT)

    rows: list[Row] = []
    requests: dict[str, Callable[[], Any]] = {
        "initialize": lambda: send(connection, token, "initialize", INTRODUCTION),
        "tools/list": lambda: send(connection, token, "tools/list", {}),
        "list_components (a page of 100 of 1,000)": lambda: call(connection, token, "list_components", PROJECT),
        "list_components (a page of 20)": lambda: call(connection, token, "list_components", {**PROJECT, "limit": 20}),
        "get_component": lambda: call(
            connection, token, "get_component", {"namespace_name": "big", "component_name": "c-7"}
        ),
        "patch_component": change,
        "compact tools/list": lambda: send(connection, token, "tools/list", {}, COMPACT),
        "compact list (700 tokens of a page of 100)": lambda: compact("list", {"kind": "component", **IN_COMPACT}),
        "compact list (a page of 20)": lambda: compact("list", {"kind": "component", **IN_COMPACT, "limit": 20}),
        "compact get": lambda: compact("get", {"kind": "component", "namespace": "big", "name": "c-7"}),
    }
    for name, request in requests.items():
        rows += timed(f"{setup}: {name}", pid, request, "")
    return rows + crowd(setup, pid, port, token)


def crowd(setup: str, pid: int, port: int, token: str) -> list[Row]:
    """Fifty clients with a connection each list components."""
    spent: list[float] = []
    failures: list[str] = []
    began, cpu = time.monotonic(), cpu_seconds(pid)

    def client() -> None:
        connection = connect(port)
        while time.monotonic() - began < 2 * SECONDS:
            started = time.perf_counter()
            try:
                call(connection, token, "list_components", {**PROJECT, "limit": 20})
                spent.append((time.perf_counter() - started) * 1000)
            except (OSError, AssertionError, http.client.HTTPException) as error:
                failures.append(repr(error))
                connection = connect(port)

    threads = [threading.Thread(target=client) for _ in range(CLIENTS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    used = cpu_seconds(pid) - cpu
    name = f"{setup}: {CLIENTS} clients, list_components (a page of 20)"
    return [
        Row(f"{name}, per CPU-second", len(spent) / max(used, 0.01), ""),
        Row(f"{name}, failures", len(failures), "", 1.0),
        *waits(name, spent),
    ]


_ids = itertools.count(1)


def send(
    connection: http.client.HTTPConnection, token: str, method: str, params: dict[str, Any], path: str = "/mcp"
) -> dict[str, Any]:
    message = {"jsonrpc": "2.0", "id": next(_ids), "method": method, "params": params}
    status, body = ask(connection, "POST", path, token, message)
    assert status == 200, body[:300]
    answer: dict[str, Any] = json.loads(body)
    assert "error" not in answer, answer
    return answer


def call(
    connection: http.client.HTTPConnection, token: str, tool: str, arguments: dict[str, Any], path: str = "/mcp"
) -> None:
    answer = send(connection, token, "tools/call", {"name": tool, "arguments": arguments}, path)
    assert not answer["result"].get("isError"), answer


def fill() -> str:
    """A namespace with 1,000 components of one project; returns a token that may do everything."""
    from bench.rest import fill as fill_components
    from catalog.kinds.component import Component
    from catalog.store.models import ObjectReference

    token = fill_components(COMPONENTS)
    rows = Component.objects.system("bench").filter(namespace_id="big")
    template = rows.get(name="template")
    held = list(ObjectReference.objects.filter(source_kind="Component", source_id=template.pk).values())
    copies = []
    for key in rows.filter(name__startswith="c-").values_list("pk", flat=True):
        copies += [ObjectReference(**{**item, "id": None, "source_id": key}) for item in held]
    ObjectReference.objects.bulk_create(copies)
    return token


if __name__ == "__main__":
    os.environ["DJANGO_SETTINGS_MODULE"] = "portal.settings"
    import django

    django.setup()
    print(json.dumps({"token": fill()}))
