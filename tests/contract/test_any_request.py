"""Whatever is sent, nothing fails, and every answer is a documented one: a short run, the same every time.

The long run is `tests/soak/test_any_request.py`.
"""

from __future__ import annotations

import pytest
from django.core import signals
from django.db import close_old_connections, transaction
from django.test import Client

from catalog.api.openapi_document import document as our_document
from portal.accounts.models import User, issue_token
from tests.catalog.api.conftest import ApiClient
from tests.contract import deviations
from tests.contract.any_request import Maker, Request, rights
from tests.contract.conftest import ON_A_CLUSTER, Send
from tests.contract.document import Document
from tests.contract.plan import Plan, Reply, walk

pytestmark = pytest.mark.django_db
SEED, EXAMPLES = 7, 2


@pytest.fixture
def api(contract: Document, as_admin: Send) -> ApiClient:
    """An administrator, and objects of every kind to hit."""
    for step, reply in walk(Plan(contract, ON_A_CLUSTER).standing(), as_admin):
        assert 200 <= reply.status < 300, (str(step), reply)
    return ApiClient(Client(raise_request_exception=False), issue_token(User.objects.get(username="admin"), "tests"))


def sent(api: ApiClient, request: Request) -> Reply:
    """The reply; what the request has changed is undone, so that every request finds the same."""
    with transaction.atomic():
        reply = api.send(request.operation.method, request.path, request.content, **request.headers)
        transaction.set_rollback(True)
    content = b"" if reply.streaming else reply.content
    if reply.streaming:  # a watch ends with its reader only; the test's connection is not to end with it
        signals.request_finished.disconnect(close_old_connections)
        reply.close()
        signals.request_finished.connect(close_old_connections)
    return Reply(reply.status_code, reply.headers.get("Content-Type", ""), content)


def test_requests_made_up_from_the_contracts_document(contract: Document, api: ApiClient) -> None:
    maker = Maker(contract, SEED, rights(Plan(contract, ON_A_CLUSTER)))
    wrong, statuses, number = [], set(), 0
    for request in maker.requests(EXAMPLES):
        reply = sent(api, request)
        number += 1
        statuses.add(reply.status)
        wrong += [f"{request}\n  {fault}" for fault in deviations.failures(request.operation, reply)]

    assert not wrong, "\n".join(wrong)
    assert number > 214 * EXAMPLES  # there is nothing wrong to make of some operations
    assert {200, 201, 204, 400, 404, 409, 422} <= statuses


def test_requests_made_up_from_our_own_document_for_what_is_ours(contract: Document, api: ApiClient) -> None:
    ours = Document(our_document())
    wrong = []
    for request in Maker(ours, SEED, {}).requests(EXAMPLES * 2, only="/api/stagecraft/"):
        reply = sent(api, request)
        wrong += [f"{request}\n  {fault}" for fault in deviations.failures(request.operation, reply)]
    assert not wrong, "\n".join(wrong)
