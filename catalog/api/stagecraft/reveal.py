"""`POST …/secrets/{name}/reveal`: the values of a secret or of Git credentials, for those who have `secret:reveal`.

A POST, so that no cache, no log of addresses and no prefetch of a browser has a part in it. Each call is an event.
"""

from __future__ import annotations

from django.http import HttpResponse

from catalog.api.secret_replies import answered, encoded, require, revealed
from catalog.api.secrets import FAILURES, NOT_FOUND
from catalog.secrets import keeping
from portal.access.endpoint import Call
from portal.wire import responses
from portal.wire.responses import Refusal


def reveal_secret(call: Call, namespace: str, name: str) -> HttpResponse:
    """200 with `{name, namespace, version, data}`, `data` in base64 as in a Secret. 404 if the values are gone."""
    require(call, "secret:reveal", namespace, NOT_FOUND)
    kept = keeping.find(namespace, name) or keeping.find(namespace, name, git=True)
    with answered(*FAILURES):
        values = None if kept is None else revealed(call, kept)
    if kept is None or values is None:
        raise Refusal(404, NOT_FOUND)
    document = {"name": name, "namespace": namespace, "version": kept.row.version, "data": encoded(values)}
    return responses.json_body(document)
