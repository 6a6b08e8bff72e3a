"""An adapter of the contract as a real HTTP server: it keeps entries, answers by uid, and can be told to misbehave."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any
from urllib.parse import parse_qs, urlsplit

Entry = dict[str, Any]
UIDS = ("projectUid", "componentUid", "environmentUid")
TRACING_UIDS = {"project": "projectUid", "component": "componentUid", "environment": "environmentUid"}


class AdapterServer(ThreadingHTTPServer):
    """All four adapters in one. `asked` holds (method, path, body or query, headers) of every request."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.logs: list[Entry] = []
        self.run_logs: dict[str, list[Entry]] = {}
        self.events: list[Entry] = []
        self.series: Entry = {}
        self.topology: Entry = {}
        self.traces: list[Entry] = []
        self.spans: dict[str, list[Entry]] = {}
        self.costs: list[Entry] = []
        self.recommendations: list[Entry] = []
        self.asked: list[tuple[str, str, Any, dict[str, str]]] = []
        self.misbehave: Callable[[Handler], bool] | None = None
        """Answers a request itself and returns True, or lets it be answered well."""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class Handler(BaseHTTPRequestHandler):
    server: AdapterServer
    protocol_version = "HTTP/1.1"

    def log_message(self, *_: Any) -> None:
        pass

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers.get("Content-Length") or 0)) or b"null")
        self.take(body)

    def do_GET(self) -> None:
        self.take({name: values[0] for name, values in parse_qs(urlsplit(self.path).query).items()})

    def take(self, given: Any) -> None:
        path = urlsplit(self.path).path
        self.server.asked.append((self.command, path, given, dict(self.headers)))
        if self.server.misbehave is not None and self.server.misbehave(self):
            return
        for pattern, answer in ROUTES:
            if found := re.fullmatch(pattern, f"{self.command} {path}"):
                self.reply(*answer(self.server, given, *found.groups()))
                return
        self.reply(404, {"message": "no such route"})

    def reply(self, status: int, value: Any) -> None:
        self.send(status, json.dumps(value).encode())

    def send(self, status: int, content: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def drip(self, seconds: float) -> None:
        """Promise a long answer and send a byte of it now and then."""
        self.send_response(200)
        self.send_header("Content-Length", "1000000")
        self.end_headers()
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            try:
                self.wfile.write(b" ")
                self.wfile.flush()
            except OSError:
                return
            time.sleep(0.05)


def page(entries: list[Entry], given: Entry) -> list[Entry]:
    """The entries of the asked time, in order, not more than the limit."""
    start, end = (datetime.fromisoformat(given[field]) for field in ("startTime", "endTime"))
    within = [entry for entry in entries if start <= moment(entry) <= end]
    within.sort(key=moment, reverse=given.get("sortOrder", "desc") == "desc")
    return within


def moment(entry: Entry) -> datetime:
    return datetime.fromisoformat(entry.get("timestamp") or entry["startTime"])


def of_scope(entries: list[Entry], scope: Entry) -> list[Entry]:
    metadata = [(entry, entry.get("metadata", {})) for entry in entries]
    return [
        entry
        for entry, held in metadata
        if held.get("namespaceName") == scope["namespace"]
        and all(held.get(uid) == scope[uid] for uid in UIDS if uid in scope)
    ]


def query_logs(server: AdapterServer, given: Entry) -> tuple[int, Entry]:
    scope = given["searchScope"]
    if "workflowRunName" in scope:
        found = page(server.run_logs.get(scope["workflowRunName"], []), given)
    else:
        found = page(of_scope(server.logs, scope), given)
    if levels := given.get("logLevels"):
        found = [entry for entry in found if entry.get("level") in levels]
    if phrase := given.get("searchPhrase"):
        found = [entry for entry in found if phrase in entry["log"]]
    return 200, {"logs": found[: given["limit"]], "total": len(found), "tookMs": 3}


def query_events(server: AdapterServer, given: Entry) -> tuple[int, Entry]:
    found = page(of_scope(server.events, given["searchScope"]), given)
    return 200, {"events": found[: given["limit"]], "total": len(found), "tookMs": 3}


def query_metrics(server: AdapterServer, given: Entry) -> tuple[int, Entry]:
    return 200, server.series


def query_topology(server: AdapterServer, given: Entry) -> tuple[int, Entry]:
    return (200, server.topology) if server.topology else (501, {"title": "notImplemented", "detail": "no mesh"})


def query_traces(server: AdapterServer, given: Entry) -> tuple[int, Entry]:
    scope = given["searchScope"]
    uids = {TRACING_UIDS[name]: uid for name, uid in scope.items() if name in TRACING_UIDS}
    found = page(
        [trace for trace in server.traces if all(trace["uids"].get(name) == uid for name, uid in uids.items())], given
    )
    shown = [{key: value for key, value in trace.items() if key != "uids"} for trace in found]
    return 200, {"traces": shown[: given["limit"]], "total": len(shown), "tookMs": 3}


def query_spans(server: AdapterServer, given: Entry, trace: str) -> tuple[int, Entry]:
    found = server.spans.get(trace, [])
    return 200, {"spans": found, "total": len(found), "tookMs": 3}


def get_span(server: AdapterServer, given: Entry, trace: str, span: str) -> tuple[int, Entry]:
    for found in server.spans.get(trace, []):
        if found["spanId"] == span:
            return 200, found
    return 404, {"title": "notFound", "detail": "no such span"}


def get_costs(server: AdapterServer, given: Entry, namespace: str, environment: str) -> tuple[int, Entry]:
    return 200, {"items": of_costs(server.costs, given, namespace, environment)}


def get_recommendations(server: AdapterServer, given: Entry, namespace: str, environment: str) -> tuple[int, Entry]:
    if "environment" not in given:
        return 400, {"message": "environment is required"}
    return 200, {"items": of_costs(server.recommendations, given, namespace, environment)}


def of_costs(items: list[Entry], given: Entry, namespace: str, environment: str) -> list[Entry]:
    wanted = {
        "namespace": namespace,
        "environmentUid": environment,
        **{uid: given[uid] for uid in UIDS if uid in given},
    }
    return [item for item in items if all(item.get(name) == value for name, value in wanted.items())]


ROUTES: list[tuple[str, Callable[..., tuple[int, Entry]]]] = [
    (r"POST /api/v1/logs/query", query_logs),
    (r"POST /api/v1/events/query", query_events),
    (r"POST /api/v1/metrics/query", query_metrics),
    (r"POST /api/v1alpha1/metrics/runtime-topology", query_topology),
    (r"POST /api/v1alpha1/traces/query", query_traces),
    (r"POST /api/v1alpha1/traces/([^/]+)/spans/query", query_spans),
    (r"GET /api/v1alpha1/traces/([^/]+)/spans/([^/]+)", get_span),
    (r"GET /api/v1alpha1/costs/namespaces/([^/]+)/environments/([^/]+)", get_costs),
    (r"GET /api/v1alpha1/costs/namespaces/([^/]+)/environments/([^/]+)/recommendations", get_recommendations),
]


@contextmanager
def running() -> Iterator[AdapterServer]:
    """A server that answers until the end of the block."""
    server = AdapterServer()
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
