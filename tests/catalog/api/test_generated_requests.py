"""Requests made from our own API document, right ones and wrong ones: whatever is sent, nothing fails.

The long run; `/openapi.json` says what to send, hypothesis makes it, and every answer must be one on purpose.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote, urlencode

import orjson
import pytest
import schemathesis
from django.db import transaction
from hypothesis import HealthCheck, Phase, given, settings

from catalog.api.openapi_document import document
from tests.catalog.api.shop import make_component, make_types, make_workload

pytestmark = [pytest.mark.django_db, pytest.mark.soak]
EXAMPLES = 6
THERE = ("acme", "web", "v1", "shop", "service", "cache", "web-workload")
ODD = ("absent", "..", "a%2Fb", "x" * 300, "%00", "%F0%9F%98%80")
MODES = (schemathesis.GenerationMode.POSITIVE, schemathesis.GenerationMode.NEGATIVE)
ON_PURPOSE = (b"Webhook secret not configured",)


@pytest.fixture
def there(api: Any, namespace: str) -> None:
    """Objects for the requests to hit."""
    make_types(api, namespace)
    make_component(api, namespace)
    make_workload(api, namespace)
    api.create("/api/v1/namespaces/acme/components/web/generate-release", {"releaseName": "v1"})


def test_no_request_made_from_the_document_fails(api: Any, there: None) -> None:
    chance = random.Random(7)  # noqa: S311  (which names are tried, not a secret)
    failures = []
    sent = 0
    for found in schemathesis.openapi.from_dict(document()).get_all_operations():
        operation = found.ok()
        for method, path, body in requests_of(operation, chance):
            sent += 1
            try:
                with transaction.atomic():
                    reply = api.send(method, path, body)
                    transaction.set_rollback(True)
            except Exception as error:  # what a server would answer as 500
                failures.append((method, path, body, repr(error)))
                continue
            if reply.status_code == 500 and not any(words in reply.content for words in ON_PURPOSE):
                failures.append((method, path, body, reply.content))
    assert failures == []
    assert sent > 1000


def requests_of(operation: Any, chance: random.Random) -> Iterator[tuple[str, str, bytes]]:
    """Method, path with query, and body of some requests for an operation."""
    made: list[tuple[str, str, bytes]] = []
    for mode in MODES:

        @settings(
            max_examples=EXAMPLES,
            deadline=None,
            database=None,
            derandomize=True,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        @given(case=operation.as_strategy(generation_mode=mode))
        def make(case: Any) -> None:
            path = operation.path
            for name, value in (case.path_parameters or {}).items():
                path = path.replace(f"{{{name}}}", name_for(name, value, chance))
            query = urlencode(dict(case.query or {}), doseq=True)
            made.append((operation.method.upper(), f"{path}?{query}" if query else path, encoded(case.body)))

        try:
            make()
        except Exception:  # noqa: S112  (there is nothing wrong to make of an operation without parameters and body)
            continue
    yield from made


def name_for(parameter: str, value: Any, chance: random.Random) -> str:
    """Mostly a name that is there, sometimes an odd one, sometimes what was generated."""
    if parameter == "namespace" and chance.random() < 0.8:
        return "acme"
    known = THERE if chance.random() < 0.6 else ODD
    return chance.choice(known) if chance.random() < 0.8 else quote(str(value)[:200], safe="")


def encoded(body: Any) -> bytes:
    if isinstance(body, bytes):
        return body
    try:
        return orjson.dumps(body)
    except TypeError:
        return b""
