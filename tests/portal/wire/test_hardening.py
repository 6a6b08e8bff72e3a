"""What the outer layer refuses before anything else looks at it, and what it tells browsers."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest
import requests
from django.test import Client

from portal.accounts.models import User, issue_token
from portal.wire import outgoing

PROJECTS = "/api/v1/namespaces/default/projects"


@pytest.fixture
def token(db: None) -> str:
    return issue_token(User.objects.create_superuser("root", password="correct horse battery"), "test")


def post(client: Client, token: str, body: str | bytes, path: str = PROJECTS) -> Any:
    return client.post(path, body, content_type="application/json", headers={"Authorization": f"Bearer {token}"})


@pytest.mark.parametrize("opening", ['{"a":', "["])
@pytest.mark.parametrize("depth", [201, 5_000, 200_000])
def test_attack_17_deep_json_is_refused(client: Client, token: str, opening: str, depth: int) -> None:
    closing = "}" if opening.startswith("{") else "]"
    reply = post(client, token, opening * depth + "1" + closing * depth)
    assert reply.status_code == 400
    assert b"exceeded max depth" in reply.content


def test_attack_17_json_within_the_depth_is_judged_by_its_content(client: Client, token: str) -> None:
    body = {"metadata": {"name": "deep"}, "spec": {"parameters": json.loads("[" * 190 + "]" * 190)}}
    assert b"max depth" not in post(client, token, json.dumps(body)).content


def test_attack_17_a_body_that_is_too_large_is_refused_unread(client: Client, token: str, settings: Any) -> None:
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 1000
    assert post(client, token, b"x" * 2000).status_code == 413


def test_attack_17_of_equal_json_keys_the_last_counts_as_in_the_contract(client: Client, token: str) -> None:
    body = '{"metadata": {"name": "first", "name": "Not Valid"}}'
    assert "Not Valid" in post(client, token, body).json()["error"]


@pytest.mark.parametrize(
    "metadata",
    [{"annotations": {"a": "x\0y"}}, {"labels": {"a": "x\0y"}}, {"name": "x\0y"}, {"annotations": {"a\0b": "x"}}],
)
def test_attack_20_nul_in_a_body_is_refused(client: Client, token: str, metadata: dict[str, Any]) -> None:
    body = {"metadata": {"name": "nul", **metadata}, "spec": {"deploymentPipelineRef": {"name": "default"}}}
    assert post(client, token, json.dumps(body)).status_code in (400, 422)


@pytest.mark.parametrize(
    "path",
    [
        "/api/v1/namespaces/a%00b/projects",
        "/api/v1/namespaces/default/projects/a%00b",
        "/api/v1/namespaces/default/pro%00jects",
        "/api/v1/namespaces/default/components?project=a%00b",
        "/api/v1/namespaces/default/projects?labelSelector=a%3Db%00",
        "/api/stagecraft/v1/audit?actor=a%00b",
        "/api/v1/namespaces/..%2f..%2fetc/projects",
        f"/api/v1/namespaces/default/projects/{'a' * 254}",
    ],
)
def test_attack_20_odd_paths_are_answered_calmly(client: Client, token: str, path: str) -> None:
    reply = client.get(path, headers={"Authorization": f"Bearer {token}"})
    assert reply.status_code < 500


def test_pages_load_nothing_from_elsewhere_and_are_framed_nowhere(client: Client, token: str) -> None:
    reply = client.get("/admin/login/")
    policy = reply.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "frame-ancestors 'none'" in policy
    assert reply.headers["X-Frame-Options"] == "DENY"
    assert reply.headers["Cache-Control"] == "max-age=0, no-cache, no-store, must-revalidate, private"
    reply = client.get("/api/v1/namespaces", headers={"Authorization": f"Bearer {token}"})
    assert reply.headers["Content-Security-Policy"] == "default-src 'none'; frame-ancestors 'none'"
    assert reply.headers["Cache-Control"] == "no-store"
    assert reply.headers["X-Content-Type-Options"] == "nosniff"


def test_attack_24_the_admin_takes_no_form_from_another_site(token: str) -> None:
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(User.objects.get())
    assert strict.post("/admin/catalog/project/add/", {"text": "x"}).status_code == 403


def test_attack_24_passwords_cannot_be_guessed_forever(client: Client, token: str) -> None:
    def sign_in(password: str, address: str) -> int:
        form = {"username": "root", "password": password}
        return client.post("/admin/login/?next=/admin/", form, REMOTE_ADDR=address).status_code

    assert [sign_in("wrong", "192.0.2.1") for _ in range(11)] == [200] * 10 + [429]
    assert sign_in("correct horse battery", "192.0.2.1") == 429
    assert sign_in("correct horse battery", "192.0.2.2") == 302


# Requests to addresses that users set


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


def test_attack_20_nul_in_a_name_of_a_manifest_is_refused(client: Client, token: str) -> None:
    body = 'apiVersion: v1\nkind: Namespace\nmetadata: {name: "a\\0b"}\n'
    reply = client.post(
        "/api/stagecraft/v1/apply", body, content_type="application/yaml", headers={"Authorization": f"Bearer {token}"}
    )
    assert reply.status_code == 422
