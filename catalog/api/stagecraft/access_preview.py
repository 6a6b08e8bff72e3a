"""`POST access/preview`: what writing or deleting a role or a binding would do to people. Nothing is kept."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.http import HttpResponse

from catalog import store
from catalog.access import writing
from catalog.access.document_effects import KINDS, effects_of_document
from catalog.access.effects import Effects
from catalog.kinds.registry import kind_named
from catalog.store.errors import StoreError
from portal.access.endpoint import Call
from portal.audit import operation as audit
from portal.wire import responses
from portal.wire.responses import Refusal, Unreadable


def preview_access(call: Call) -> HttpResponse:
    """200 with the effects; 400 for a document that could not be stored, 403 for one that the caller may not store.

    The body is a role or a binding; with `{"delete": true, "document": …}` its deletion, of which only kind and
    metadata count.
    """
    body = call.json()
    if not isinstance(body, Mapping):
        raise Unreadable("the body must be a document, or an object with document and delete")
    document = body.get("document", body)
    is_deletion = bool(body.get("delete")) and "document" in body
    kind = document.get("kind") if isinstance(document, Mapping) else None
    if kind not in KINDS:
        raise Refusal(400, f"kind: must be one of {', '.join(sorted(KINDS))}")
    audit.rehearses()
    model = kind_named(kind)
    namespace, name, _, _ = writing.parts_of(model, document)
    held = store.get_or_none(kind, namespace, name)
    if is_deletion and held is None:
        raise Refusal(404, f"{kind} not found")
    if is_deletion and held is not None:
        writing.require_delete(call.access, held)
    elif held is None:
        writing.require_create(call.access, model, document)
    else:
        writing.require_update(call.access, held, document)
    try:
        found = effects_of_document(model, held, None if is_deletion else dict(document), call.actor)
    except StoreError as error:
        raise Refusal(400, str(error)) from None
    return responses.json_body(wire_effects(found))


def wire_effects(found: Effects) -> dict[str, Any]:
    """The effects as REST and the command line show them."""
    return {
        "sentences": found.sentences,
        "atLeast": found.is_more,
        "effects": [
            {
                "who": effect.who,
                "counts": dict(effect.counts),
                "atLeast": effect.is_more,
                "names": effect.names,
                "groups": effect.groups,
                "changes": [
                    {
                        "effect": "lose" if gain.is_loss else "gain",
                        "actions": list(gain.actions),
                        "scopes": list(gain.places),
                        "level": gain.level,
                        "atLeast": gain.is_more,
                        **({"condition": gain.condition} if gain.condition else {}),
                    }
                    for gain in effect.gains
                ],
            }
            for effect in found.effects
        ],
    }
