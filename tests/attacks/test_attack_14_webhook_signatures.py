"""Attack 14: deliveries that are not the host's, or not new, or too much."""

from __future__ import annotations

import hashlib
import hmac
import io
import threading
import time
from statistics import median
from types import SimpleNamespace

import orjson
import pytest
from django.db import connection, connections
from django.test import Client, RequestFactory

from catalog.kinds.workflow_run import WorkflowRun
from portal.audit import flood
from portal.audit.models import AuditEvent
from tests.workflows.webhooks.deliveries import (
    SECRETS,
    URL,
    apply_component,
    from_bitbucket,
    from_github,
    from_gitlab,
    github_push,
    install,
    send,
    signature,
)
from workflows.webhooks import providers, views

pytestmark = pytest.mark.django_db
PUSH = orjson.dumps(github_push())
GOOD = signature(PUSH, SECRETS["github"])


@pytest.fixture(autouse=True)
def installed(settings):
    install(settings)
    apply_component()


def runs():
    return WorkflowRun.objects.system("test").count()


def refused(reply, status=401):
    assert (reply.status_code, runs()) == (status, 0), reply.content
    return reply


@pytest.mark.parametrize(
    "given",
    [
        "sha256=",
        "sha256=00",
        "sha256",
        "nonsense",
        GOOD.removeprefix("sha256="),
        GOOD.upper(),
        GOOD + "0",
        GOOD[:-1],
        f" {GOOD} x",
        f"sha256={GOOD}",
        f"sha256=,{GOOD}",
        GOOD.replace("sha256=", "sha1="),
        "sha1=" + hmac.new(b"github-key", PUSH, hashlib.sha1).hexdigest(),
        "sha256=" + hashlib.sha256(PUSH).hexdigest(),
        "sha256=" + hashlib.sha256(b"github-key" + PUSH).hexdigest(),
        signature(PUSH, ""),
        signature(b"", "github-key"),
        "sha256=ÿ\udcff",
    ],
)
def test_a_signature_that_is_not_the_hmac_of_the_body_is_refused(given):
    body = refused(send(PUSH, X_Hub_Signature_256=given.encode("utf-8", "surrogateescape").decode("latin-1"))).json()
    assert body == {"code": "UNAUTHORIZED", "error": "Invalid webhook signature"}


def test_only_the_bytes_that_were_signed_count():
    """The same JSON, written otherwise, is another body."""
    for other in (PUSH + b" ", PUSH.replace(b'"ref":', b'"ref": '), orjson.dumps(github_push(branch="develop"))):
        refused(send(other, X_Hub_Signature_256=GOOD))


@pytest.mark.parametrize("provider", ["github", "gitlab", "bitbucket"])
@pytest.mark.parametrize("secret", ["", None])
def test_without_an_agreed_secret_nothing_is_right(settings, provider, secret):
    settings.WEBHOOK_SECRETS = {name: value for name, value in SECRETS.items() if name != provider}
    if secret is not None:
        settings.WEBHOOK_SECRETS[provider] = secret
    reply = {
        "github": lambda: from_github(PUSH, secret=""),
        "gitlab": lambda: from_gitlab(PUSH, token=" "),
        "bitbucket": lambda: from_bitbucket(github_push(), secret=""),
    }[provider]()
    assert refused(reply, 500).json()["error"] == "Webhook secret not configured"


def test_an_empty_secret_is_never_right_whoever_asks():
    assert not providers.has_signature(PUSH, signature(PUSH, ""), "")
    assert not providers.has_token(PUSH, "", "")


def test_a_token_of_gitlab_must_be_the_agreed_one():
    for token in ("gitlab-ke", "gitlab-keyy", "GITLAB-KEY", "github-key", "*", "gitlab-key,gitlab-key"):
        refused(from_gitlab(PUSH, token=token))


def test_one_hosts_secret_does_not_open_another_hosts_door():
    refused(send(PUSH, X_Hub_Signature_256=signature(PUSH, SECRETS["gitlab"])))
    refused(send(PUSH, X_Event_Key="repo:push", X_Hub_Signature=signature(PUSH, SECRETS["github"])))


def test_of_several_hosts_headers_the_first_decides_and_must_be_right():
    """A good token of GitLab's does not help whoever also claims to be GitHub."""
    refused(send(PUSH, X_Hub_Signature_256="sha256=00", X_Gitlab_Token=SECRETS["gitlab"]))
    refused(send(PUSH, X_Gitlab_Token="wrong", X_Event_Key="repo:push", X_Hub_Signature=GOOD))


def test_a_host_is_believed_about_its_own_repositories_only():
    """Whoever has GitLab's secret cannot build what lies at GitHub."""
    body = {
        "ref": "refs/heads/main",
        "after": "a" * 40,
        "project": {"git_http_url": "https://github.com/acme/shop"},
        "commits": [],
    }
    assert from_gitlab(body).json()["affectedComponents"] == []
    assert runs() == 0


def test_the_old_header_with_sha1_counts_for_nothing():
    old = "sha1=" + hmac.new(b"github-key", PUSH, hashlib.sha1).hexdigest()
    reply = refused(send(PUSH, X_Hub_Signature=old, X_GitHub_Event="push"), 400)
    assert reply.json()["code"] == "UNKNOWN_GIT_PROVIDER"


def test_the_body_is_not_read_before_its_signature(monkeypatch):
    def fail(*_):
        raise AssertionError("decoded before it was verified")

    monkeypatch.setattr(views.gojson, "decode", fail)
    refused(send(b"{", X_Hub_Signature_256="sha256=00"))
    refused(send(b"{"), 400)


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b"null",
        b"[]",
        b'"text"',
        b"5",
        b'{"ref": 5}',
        b'{"ref": "refs/heads/main", "after": "aaaaaaa", "repository": []}',
        b'{"ref": "refs/heads/main", "after": "aaaaaaa", "commits": {}}',
        b'{"ref": "refs/heads/a\\u0000b", "after": "aaaaaaa"}',
        b"[" * 100_000,
        b'{"a":' * 5_000 + b"1" + b"}" * 5_000,
    ],
)
def test_a_genuine_body_of_the_wrong_form_is_a_bad_request(body):
    reply = refused(from_github(body), 400)
    assert reply.content.startswith(b"can't decode JSON body: ")


@pytest.mark.parametrize(
    "body",
    [
        {"push": None, "repository": {"links": {}}},
        {"push": {"changes": [None, 5, "x", {"new": 5}, {"new": {"type": "branch"}}]}},
        {"push": {"changes": []}},
    ],
)
def test_odd_changes_of_bitbucket_start_nothing(body):
    reply = from_bitbucket(body)
    assert (reply.status_code, runs()) == (200, 0)


def test_paths_that_are_no_texts_and_millions_of_them_do_no_harm():
    push = {**github_push(), "commits": [None, 5, {"added": [None, 5, "a" * 100_000], "modified": None}]}
    assert from_github(push).status_code == 200
    many = {**github_push(commit="b" * 40), "commits": [{"added": [str(n) for n in range(30_000)]}]}
    assert from_github(many).json()["triggeredBuilds"] == 1  # more than anybody looks through: all may be touched


def test_a_body_over_one_mebibyte_is_refused_before_anything_else():
    body = b"x" * (views.MOST_BYTES + 1)
    reply = refused(send(body, X_Hub_Signature_256=signature(body, SECRETS["github"])), 413)
    assert (reply["Content-Type"], reply.content) == ("text/plain; charset=utf-8", b"request body too large\n")


def test_a_length_is_believed_without_reading_and_a_lie_about_it_gains_nothing():
    class Endless(io.BytesIO):
        taken = 0

        def read(self, size=-1):
            assert size >= 0, "read without a limit"
            Endless.taken += size
            return b"x" * size

    request = RequestFactory().post(URL, b"x", content_type="application/json")
    request.META["CONTENT_LENGTH"] = str(2 << 30)
    request._stream = Endless()
    assert views.bounded_body(request) is None
    assert Endless.taken == 0
    request.META["CONTENT_LENGTH"] = "10"
    assert views.bounded_body(request) is None
    assert Endless.taken == views.MOST_BYTES + 1
    for length in ("-1", "1e9", "0x10", "ten"):
        request.META["CONTENT_LENGTH"] = length
        assert views.bounded_body(request) is None


def test_an_empty_body_is_refused_as_recorded():
    reply = refused(send(b"", X_Hub_Signature_256="nonsense"), 400)
    assert reply.content == b"can't decode JSON body: EOF\n"


def test_a_replay_starts_nothing_even_under_another_delivery_id():
    """The id is a header, and no header is signed; the body is."""
    assert from_github(PUSH, delivery="one").json()["triggeredBuilds"] == 1
    for delivery in ("one", "two", ""):
        again = from_github(PUSH, delivery=delivery).json()
        assert (again["triggeredBuilds"], again["message"]) == (0, "Delivery already processed")
    assert runs() == 1


def test_a_delivery_id_counts_for_its_own_host_only():
    apply_component(url="https://gitlab.com/acme/shop")
    body = {"ref": "refs/heads/main", "after": "a" * 40, "project": {"web_url": "https://gitlab.com/acme/shop"}}
    apply_component("hub")
    from_github(PUSH, delivery="one")
    assert from_gitlab(body, Idempotency_Key="one").json()["triggeredBuilds"] == 1


def test_a_delivery_that_fails_half_way_has_started_nothing_and_may_come_again(monkeypatch):
    apply_component("another")
    real = views.start_builds

    def fail_after(*arguments):
        real(*arguments)
        raise RuntimeError("the process died")

    monkeypatch.setattr(views, "start_builds", fail_after)
    client = Client(raise_request_exception=False)
    headers = {"X-Hub-Signature-256": GOOD, "X-GitHub-Delivery": "one"}
    assert client.generic("POST", URL, PUSH, headers=headers).status_code == 500
    assert runs() == 0
    monkeypatch.setattr(views, "start_builds", real)
    assert from_github(PUSH, delivery="one").json()["triggeredBuilds"] == 2


@pytest.mark.django_db(transaction=True)
def test_of_two_equal_deliveries_at_once_one_starts_the_builds(settings):
    answers = []

    def deliver():
        try:
            answers.append(from_github(PUSH, delivery="one").json()["triggeredBuilds"])
        finally:
            connections.close_all()

    threads = [threading.Thread(target=deliver) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (sorted(answers), runs()) == ([0, 0, 0, 1], 1)
    connection.close()


def test_a_wrong_signature_takes_as_long_wherever_it_is_wrong():
    """`compare_digest` on texts of one length: what differs first must not show."""
    first, last = "sha256=" + "0" * 64, GOOD[:-1] + ("0" if GOOD[-1] != "0" else "1")

    def seconds(given):
        began = time.perf_counter()
        for _ in range(200):
            providers.has_signature(PUSH, given, SECRETS["github"])
        return time.perf_counter() - began

    samples = [(seconds(first), seconds(last)) for _ in range(15)]
    early, late = (median(column) for column in zip(*samples, strict=True))
    assert 0.5 < early / late < 2


def test_a_refusal_shows_neither_the_secret_nor_the_right_signature(caplog):
    for reply in (
        send(PUSH, X_Hub_Signature_256="sha256=00"),
        from_gitlab(PUSH, token="wrong"),
        send(PUSH),
    ):
        shown = reply.content.decode() + caplog.text
        assert not any(secret in shown for secret in SECRETS.values())
        assert GOOD not in shown


def test_strangers_cannot_fill_the_audit_with_deliveries(monkeypatch):
    monkeypatch.setattr(flood, "_seen", {})
    monkeypatch.setattr(flood, "time", SimpleNamespace(monotonic=lambda: 90.0))  # no minute ends meanwhile
    events = AuditEvent.objects.system("test")
    before = events.count()
    for _ in range(flood.PER_MINUTE + 20):
        send(PUSH)
    assert events.count() - before == flood.PER_MINUTE
    assert from_github(PUSH).json()["triggeredBuilds"] == 1  # who proves who they are is always written down
    assert events.count() - before > flood.PER_MINUTE


def test_other_verbs_and_a_browser_get_nothing():
    for verb in ("GET", "PUT", "DELETE", "OPTIONS", "HEAD"):
        assert Client().generic(verb, URL).status_code == 405
