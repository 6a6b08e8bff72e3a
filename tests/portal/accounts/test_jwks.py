"""Keys of an outside issuer: fetched once, kept, renewed behind requests, and never by a stampede."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

import pytest
from django.core.cache import cache

from portal.accounts import jwks
from portal.accounts.jwks import RemoteKeys
from tests.portal.accounts.outside_issuer import OTHER_RSA_KEY, OutsideIssuer, jwk

LOOPBACK = ("127.0.0.0/8",)


@pytest.fixture
def keys(issuer: OutsideIssuer) -> RemoteKeys:
    return RemoteKeys(issuer.url, "", LOOPBACK)


def fetches(issuer: OutsideIssuer) -> int:
    return issuer.asked.count("/keys")


def age(keys: RemoteKeys, seconds: float) -> None:
    """Let time pass: the kept keys are older, and the pause between two fetches is over."""
    held = cache.get(keys.name)
    cache.set(keys.name, {**held, "at": held["at"] - seconds}, jwks.FORGET)
    cache.delete(f"{keys.name}:pause")


def soon(question: Callable[[], Any]) -> Any:
    """The answer, once it is true; up to five seconds."""
    ends = time.monotonic() + 5
    while not (found := question()) and time.monotonic() < ends:
        time.sleep(0.02)
    return found


def test_keys_are_found_by_discovery_and_fetched_once(keys: RemoteKeys, issuer: OutsideIssuer) -> None:
    for _ in range(5):
        assert keys.key("rsa") is not None and keys.key("ec") is not None

    assert issuer.asked == ["/.well-known/openid-configuration", "/keys"]


def test_another_process_with_the_same_cache_does_not_fetch(keys: RemoteKeys, issuer: OutsideIssuer) -> None:
    keys.key("rsa")

    assert RemoteKeys(issuer.url, "", LOOPBACK).key("rsa") is not None
    assert fetches(issuer) == 1


def test_the_settings_may_name_the_address(issuer: OutsideIssuer) -> None:
    assert RemoteKeys(issuer.url, f"{issuer.url}/other", LOOPBACK).key("rsa") is not None
    assert issuer.asked == ["/other"]


def test_a_rotated_key_is_found_by_one_fetch(keys: RemoteKeys, issuer: OutsideIssuer) -> None:
    keys.key("rsa")
    cache.delete(f"{keys.name}:pause")
    issuer.keys = [jwk(OTHER_RSA_KEY, "new")]

    assert keys.key("new") is not None
    assert keys.key("rsa") is None, "and what was taken out is gone"


def test_unknown_kids_cause_one_fetch_in_the_pause(keys: RemoteKeys, issuer: OutsideIssuer) -> None:
    keys.key("rsa")
    cache.delete(f"{keys.name}:pause")

    for number in range(200):
        assert keys.key(f"unknown-{number}") is None

    assert fetches(issuer) == 2


def test_stale_keys_serve_while_new_ones_are_fetched_behind(keys: RemoteKeys, issuer: OutsideIssuer) -> None:
    keys.key("rsa")
    age(keys, jwks.FRESH + 1)
    issuer.delay = 0.5
    issuer.keys = [jwk(OTHER_RSA_KEY, "new")]
    began = time.monotonic()

    assert keys.key("rsa") is not None
    assert time.monotonic() - began < 0.4, "nobody waits for it"
    assert soon(lambda: "new" in cache.get(keys.name)["keys"])
    assert keys.key("rsa") is None


def test_an_outage_leaves_the_kept_keys_in_use_and_costs_one_fetch_in_the_pause(
    keys: RemoteKeys, issuer: OutsideIssuer
) -> None:
    keys.key("rsa")
    age(keys, jwks.FRESH + 1)
    issuer.is_down = True
    before = len(issuer.asked)

    assert all(keys.key("rsa") is not None for _ in range(50))
    assert soon(lambda: len(issuer.asked) > before)
    time.sleep(0.1)
    assert len(issuer.asked) == before + 1


def test_a_stampede_on_cold_keys_is_one_fetch(keys: RemoteKeys, issuer: OutsideIssuer) -> None:
    issuer.delay = 0.2
    found: list[Any] = []
    threads = [threading.Thread(target=lambda: found.append(keys.key("rsa"))) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(found) == 20 and None not in found, "all are served by it"
    assert fetches(issuer) == 1


def test_a_flood_of_unknown_kids_does_not_hold_the_server_while_the_issuer_is_slow(
    keys: RemoteKeys, issuer: OutsideIssuer
) -> None:
    keys.key("rsa")
    cache.delete(f"{keys.name}:pause")
    issuer.delay = 1.0
    quick: list[float] = []

    def ask(number: int) -> None:
        began = time.monotonic()
        keys.key(f"unknown-{number}")
        quick.append(time.monotonic() - began)

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(40)]
    for thread in threads:
        thread.start()
    began = time.monotonic()
    assert keys.key("rsa") is not None and time.monotonic() - began < 0.5, "known keys wait for nothing"
    for thread in threads:
        thread.join()

    assert sum(seconds > 0.8 for seconds in quick) <= jwks.WAITING_MAX
    assert fetches(issuer) == 2


def test_a_stampede_on_a_dead_issuer_is_one_attempt(keys: RemoteKeys, issuer: OutsideIssuer) -> None:
    issuer.is_down, issuer.delay = True, 0.2
    began = time.monotonic()
    threads = [threading.Thread(target=lambda: keys.key("rsa")) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(issuer.asked) == 1
    assert time.monotonic() - began < 3
    assert all(keys.key("rsa") is None for _ in range(50)) and len(issuer.asked) == 1


def test_after_the_pause_a_dead_issuer_that_is_back_is_asked_again(keys: RemoteKeys, issuer: OutsideIssuer) -> None:
    issuer.is_down = True
    assert keys.key("rsa") is None
    issuer.is_down = False
    cache.delete(f"{keys.name}:pause")

    assert keys.key("rsa") is not None


def test_a_discovery_document_of_another_issuer_is_not_believed(keys: RemoteKeys, issuer: OutsideIssuer) -> None:
    issuer.discovery = {"issuer": "https://elsewhere.example"}

    assert keys.key("rsa") is None
    assert fetches(issuer) == 0


@pytest.mark.parametrize(
    "url", ["file:///etc/passwd", "http://169.254.169.254/latest", "ftp://127.0.0.1/x", "", 7, None]
)
def test_a_discovery_document_cannot_send_us_anywhere(keys: RemoteKeys, issuer: OutsideIssuer, url: Any) -> None:
    issuer.discovery = {"jwks_uri": url}

    assert keys.key("rsa") is None


def test_a_private_issuer_is_reached_only_if_the_settings_say_so(issuer: OutsideIssuer) -> None:
    assert RemoteKeys(issuer.url).key("rsa") is None
    assert issuer.asked == []


@pytest.mark.parametrize("answer", [{"keys": "none"}, {}, [], "text", {"keys": [jwk(OTHER_RSA_KEY, "a" * 300_000)]}])
def test_an_answer_that_is_no_jwks_gives_no_keys(issuer: OutsideIssuer, monkeypatch: Any, answer: Any) -> None:
    monkeypatch.setattr(issuer, "page", lambda path: answer)

    assert RemoteKeys(issuer.url, f"{issuer.url}/keys", LOOPBACK).key("rsa") is None


def test_private_parts_that_an_issuer_publishes_are_not_kept(keys: RemoteKeys, issuer: OutsideIssuer) -> None:
    issuer.keys = [{**jwk(OTHER_RSA_KEY, "rsa"), "d": "c2VjcmV0", "p": "cA", "q": "cQ"}]

    assert keys.key("rsa") is not None
    assert "c2VjcmV0" not in str(cache.get(keys.name))
