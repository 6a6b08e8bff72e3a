"""Attack 12: make the platform talk to what only it can reach: loopback, metadata, other schemes, redirects."""

from __future__ import annotations

import ast
import gzip
import ipaddress
import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest
import requests

from portal.wire import outgoing
from tests.conftest import REPOSITORY


class Server(BaseHTTPRequestHandler):
    asked: list[str] = []

    def do_GET(self) -> None:
        Server.asked.append(f"{self.headers['Host']} {self.path}")
        if self.path.startswith("/to/"):
            self.send_response(302)
            self.send_header("Location", self.path.removeprefix("/to/"))
            self.end_headers()
            return
        self.send_response(200)
        self.send_header("Content-Length", "5000000")
        self.end_headers()
        self.wfile.write(b"x" * 100_000)

    def log_message(self, *arguments: Any) -> None:
        pass


@pytest.fixture
def server() -> Iterator[int]:
    Server.asked = []
    made = HTTPServer(("127.0.0.1", 0), Server)
    thread = threading.Thread(target=made.serve_forever, daemon=True)
    thread.start()
    yield made.server_port
    made.shutdown()
    made.server_close()


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:{port}/",
        "http://localhost:{port}/",
        "http://127.1:{port}/",
        "http://2130706433:{port}/",
        "http://0x7f000001:{port}/",
        "http://0177.0.0.1:{port}/",
        "http://0.0.0.0:{port}/",
        "http://[::1]:{port}/",
        "http://[::ffff:127.0.0.1]:{port}/",
        "http://[64:ff9b::7f00:1]:{port}/",
        "http://[fe80::1]:{port}/",
        "http://169.254.169.254/latest/meta-data/",
        "http://10.0.0.1/",
        "http://192.168.1.1/",
        "http://100.64.0.1/",
        "http://224.0.0.1/",
        "http://user:password@127.0.0.1:{port}/",
    ],
)
def test_attack_12_private_addresses_are_not_asked(server: int, url: str) -> None:
    with pytest.raises(requests.exceptions.RequestException):
        outgoing.fetch("GET", url.format(port=server))
    assert Server.asked == []


@pytest.mark.parametrize("url", ["file:///etc/passwd", "ftp://example.org/", "gopher://example.org/", "//example.org"])
def test_attack_12_other_schemes_are_refused(url: str) -> None:
    with pytest.raises(requests.exceptions.RequestException):
        outgoing.fetch("GET", url)


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch, settings: Any) -> dict[str, list[str]]:
    """A name server of the test's own: each look-up takes the next answer."""
    answers: dict[str, list[str]] = {}
    real = socket.getaddrinfo

    def look_up(host: Any, port: Any, *arguments: Any, **named: Any) -> Any:
        known = answers.get(host)
        return real(known.pop(0) if known else host, port, *arguments, **named)

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    return answers


def test_attack_12_a_setting_opens_a_network(server: int, settings: Any) -> None:
    settings.OUTGOING_PRIVATE_NETWORKS = ["127.0.0.1/32"]
    reply = outgoing.fetch("GET", f"http://127.0.0.1:{server}/", max_bytes=1000)
    assert (reply.status, len(reply.body)) == (200, 1000)


def test_attack_12_the_name_is_looked_up_once(server: int, names: dict[str, list[str]], settings: Any) -> None:
    settings.OUTGOING_PRIVATE_NETWORKS = ["127.0.0.1/32"]
    names["hooks.example"] = ["127.0.0.1", "169.254.169.254"]
    reply = outgoing.fetch("GET", f"http://hooks.example:{server}/a", max_bytes=10)
    assert reply.status == 200
    assert Server.asked == [f"hooks.example:{server} /a"]
    assert names["hooks.example"] == ["169.254.169.254"]


def test_attack_12_a_name_that_leads_inside_is_refused(server: int, names: dict[str, list[str]]) -> None:
    names["hooks.example"] = ["127.0.0.1"]
    with pytest.raises(outgoing.Refused, match=r"hooks\.example is not a public address"):
        outgoing.fetch("GET", f"http://hooks.example:{server}/")
    assert Server.asked == []


def test_attack_12_a_redirect_passes_the_same_gate(server: int, settings: Any) -> None:
    settings.OUTGOING_PRIVATE_NETWORKS = ["127.0.0.1/32"]
    with pytest.raises(outgoing.Refused, match=r"127\.0\.0\.2 is not a public address"):
        outgoing.fetch("GET", f"http://127.0.0.1:{server}/to/http://127.0.0.2:{server}/inside")
    with pytest.raises(requests.exceptions.RequestException):
        outgoing.fetch("GET", f"http://127.0.0.1:{server}/to/file:///etc/passwd")
    assert len(Server.asked) == 2


def test_attack_12_a_compressed_bomb_is_not_unpacked(
    server: int, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.OUTGOING_PRIVATE_NETWORKS = ["127.0.0.1/32"]
    bomb = gzip.compress(b"\0" * 50_000_000)

    def answer(self: Server) -> None:
        self.send_response(200)
        self.send_header("Content-Encoding", "gzip")
        self.send_header("Content-Length", str(len(bomb)))
        self.end_headers()
        self.wfile.write(bomb)

    monkeypatch.setattr(Server, "do_GET", answer)
    reply = outgoing.fetch("GET", f"http://127.0.0.1:{server}/", max_bytes=100_000)
    assert len(reply.body) <= 100_000


def test_attack_12_the_environment_names_no_proxy(server: int, settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """A proxy would look the name up itself, past the gate."""
    settings.OUTGOING_PRIVATE_NETWORKS = ["127.0.0.1/32"]
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    assert outgoing.fetch("GET", f"http://127.0.0.1:{server}/", max_bytes=10).status == 200


def test_attack_12_a_refusal_tells_nothing_of_what_is_inside(server: int) -> None:
    said = set()
    for port in (server, 9):
        with pytest.raises(outgoing.Refused) as refused:
            outgoing.fetch("GET", f"http://127.0.0.1:{port}/")
        said.add(str(refused.value))
    assert said == {"127.0.0.1 is not a public address"}  # open or closed, that is all that is said


@pytest.mark.parametrize(
    "address",
    [
        "0.0.0.0",  # noqa: S104
        "10.1.2.3", "100.64.1.1", "127.8.8.8", "169.254.169.254", "172.16.0.1", "172.31.255.255",
        "192.0.0.8", "192.0.2.1", "192.168.0.1", "198.18.0.1", "198.51.100.1", "203.0.113.1", "224.0.0.1",
        "240.0.0.1", "255.255.255.255", "::", "::1", "::127.0.0.1", "::ffff:10.0.0.1", "64:ff9b::a00:1",
        "64:ff9b:1::a00:1", "100::1", "2001::1", "2001:db8::1", "2002:7f00:1::", "2002:a00:1::", "fc00::1",
        "fd00:ec2::254", "fe80::1", "fec0::1", "ff02::1", "ff0e::1",
    ],
)  # fmt: skip
def test_attack_12_no_special_network_is_public(address: str, settings: Any) -> None:
    settings.OUTGOING_PRIVATE_NETWORKS = []
    assert not outgoing.may_be_reached(ipaddress.ip_address(address))


@pytest.mark.parametrize("address", ["1.1.1.1", "93.184.215.14", "2606:4700:4700::1111", "::ffff:1.1.1.1"])
def test_attack_12_public_addresses_are_reached(address: str, settings: Any) -> None:
    settings.OUTGOING_PRIVATE_NETWORKS = []
    assert outgoing.may_be_reached(ipaddress.ip_address(address))


# Nobody else talks to the outside ------------------------------------------------------------------------------------

TALKS = {
    *("requests", "urllib.request", "urllib3", "http.client", "httpx", "aiohttp", "socket", "ssl", "smtplib", "ftplib"),
    *("telnetlib", "xmlrpc", "websockets", "websocket", "paramiko", "asyncio", "subprocess", "kubernetes", "redis"),
    *("poplib", "imaplib", "nntplib", "pycurl", "grpc", "multiprocessing.connection"),
}
CALLS = {"clone_repository", "remotes", "create_anonymous", "urlopen", "system", "popen", "create_connection"}
"""Of libgit2 and the standard library: what reaches out without an import of its own; `system` and `popen` of `os`."""
MAY_TALK = {
    "portal/wire/outgoing.py": "is the gate",
    "portal/accounts/jwks.py": "catches the gate's errors; asks through the gate",
    "portal/accounts/issuer/": "runs under django-oauth-toolkit; asks nobody",
    "portal/quickstart/supervise.py": "asks its own server whether it is up, and starts its own processes",
    "portal/quickstart/management/commands/quickstart.py": "looks for a free port",
    "catalog/controllers/work.py": "the name of this host",
    "catalog/delivery/git/remote.py": "the git program, to remotes that the operator has listed (attack 13)",
    "workflows/observer/asking.py": "adapters: what planes name through the gate, what settings name as it is",
    "catalog/delivery/kubernetes/": "API servers of kubeconfigs that the operator has put there",
    "catalog/delivery/agent/connection.py": "our own gateways, at the addresses that they have written down",
    "catalog/delivery/agent/gateway/": "agents that have dialled in, and the other replicas of the gateway",
    "catalog/delivery/agent/program/": "the agent: its gateway and its own cluster, as its operator has told it",
    "catalog/management/commands/gateway.py": "runs the gateway's loop",
    "catalog/api/exec_stream.py": "runs on the server's loop; the plane's connection talks",
    "catalog/api/stagecraft/watch.py": "runs on the server's loop; talks to nobody",
    "portal/serving/connections.py": "connections to the database",
}


def imports_of(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{name.name}" for name in node.names)


def reaches_out(tree: ast.Module) -> set[str]:
    found = {name for name in imports_of(tree) if any(name == talk or name.startswith(f"{talk}.") for talk in TALKS)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and node.attr in CALLS:
            owner = node.value.id if isinstance(node.value, ast.Name) else ""
            if node.attr not in ("system", "popen") or owner == "os":
                found.add(node.attr)
    return found


def test_attack_12_nothing_but_the_gate_talks_to_addresses_of_users() -> None:
    talkers: dict[str, set[str]] = {}
    for layer in ("portal", "catalog", "workflows"):
        for path in sorted((REPOSITORY / layer).rglob("*.py")):
            if found := reaches_out(ast.parse(path.read_text())):
                talkers[str(path.relative_to(REPOSITORY))] = found
    unknown = {path: names for path, names in talkers.items() if not path.startswith(tuple(MAY_TALK))}
    assert unknown == {}, "ask through portal.wire.outgoing, or say here why the address is no user's"
    assert "portal/wire/outgoing.py" in talkers


def test_attack_12_the_sweep_sees_what_it_looks_for() -> None:
    for text in (
        "import requests", "from urllib.request import urlopen", "import http.client", "from urllib import request",
        "import pygit2\npygit2.clone_repository(a, b)", "repository.remotes[0].push()", "import os\nos.system(x)",
        "import asyncio", "from kubernetes import client",
    ):  # fmt: skip
        assert reaches_out(ast.parse(text)), text
    assert not reaches_out(ast.parse("from urllib.parse import urlsplit\nx.system('reason')"))
