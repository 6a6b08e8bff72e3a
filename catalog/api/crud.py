"""The five operations that all kinds share: list, create, get, replace, delete.

Order within each, by contract: the object is looked up before permission is asked for (so an absent object is 404 for
everyone), and on create the body is decoded first.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from django.http import HttpResponse

from catalog.access import writing
from catalog.api.collection import ROLE_KINDS, Collection, Draft
from catalog.api.invalid import invalid, refusal_of
from catalog.api.listing import ListQuery, page_of
from catalog.api.typed_body import text_map, typed, wrong_type
from catalog.api.versions import require_match, tag_of
from catalog.api.wire_object import Row, wire_object
from catalog.kinds.base import Document, PlatformObject
from catalog.store import create as store_create
from catalog.store import delete as store_delete
from catalog.store import get_or_none
from catalog.store import replace as store_replace
from catalog.store.admission import admit
from catalog.store.errors import StoreError
from catalog.store.write import Outcome
from portal.access import guard
from portal.access.endpoint import Call
from portal.access.endpoint import refusal_of as refusal_of_forbidden
from portal.access.place import Place
from portal.audit import operation as audit
from portal.wire import responses
from portal.wire.responses import Refusal, Unreadable


def list_objects(call: Call, collection: Collection, namespace: str) -> HttpResponse:
    """200 with one page; what the user may not see is left out."""
    return responses.json_body(page_for(call, collection, namespace, call.query))


def get_object(call: Call, collection: Collection, namespace: str, name: str) -> HttpResponse:
    """200 with the object, or 404."""
    return reply_with(collection, visible(call, collection, namespace, name))


def create_object(call: Call, collection: Collection, namespace: str) -> HttpResponse:
    """201 with the object as stored."""
    return reply_with(collection, make(call, collection, read_draft(call, collection, namespace)), 201)


def replace_object(call: Call, collection: Collection, namespace: str, name: str) -> HttpResponse:
    """200 with the object after its labels, annotations and spec have been replaced whole. Never creates.

    412 if the request's `If-Match` names another version.
    """
    draft = read_draft(call, collection, namespace)
    return reply_with(collection, change(call, collection, namespace, name, lambda held: draft).obj)


def delete_object(call: Call, collection: Collection, namespace: str, name: str) -> HttpResponse:
    """204. An object with finalizers stays until they are removed; asking again is 204 too."""
    remove(call, collection, namespace, name)
    return responses.no_content()


# What other surfaces call too. All raise `Refusal` and `guard.Forbidden`. ---------------------------------------------


def page_for(call: Call, collection: Collection, namespace: str, query: ListQuery) -> Document:
    """One page of what the caller may see. Roles and bindings are shown all or not at all."""
    if collection.kind in ROLE_KINDS:
        guard.require_at(call.access, f"{collection.kind.lower()}:view", Place(namespace), kind=collection.kind)
    return page_of(call.access, collection, namespace, query)


def visible(call: Call, collection: Collection, namespace: str, name: str) -> PlatformObject:
    """The object, if the caller may see it."""
    held = shown(collection, get_or_none(collection.kind, namespace, name, only=Row._fields))
    with in_words_of(collection):
        guard.require(call.access, "view", held)
    return held


def make(call: Call, collection: Collection, draft: Draft) -> PlatformObject:
    """Judge and store a new object."""
    namespace = draft.namespace
    audit.named(draft.name)
    if collection.name_required and not draft.name:
        raise Refusal(400, collection.name_required)
    with writing.judged(call.access, collection.kind, namespace, draft.name):
        writing.require_create(call.access, collection.model, document_of(collection, draft))
        collection.on_create(draft)
        try:
            if not draft.name:
                raise nameless(collection, draft)
            held = store_create(document_of(collection, draft), call.actor)
        except StoreError as error:
            raise refusal_of(error, collection) from error
    return held


def change(
    call: Call, collection: Collection, namespace: str, name: str, edit: Callable[[PlatformObject], Draft]
) -> Outcome:
    """Judge and store an object as `edit` makes it of the stored one, which is locked until then."""
    with writing.judged(call.access, collection.kind, namespace, name) as found:
        held = shown(collection, found)
        draft = edit(held)
        draft.name, draft.held = name, held
        with in_words_of(collection):
            writing.require_update(call.access, held, document_of(collection, draft))
        require_match(call.request, held)
        collection.on_replace(draft)
        try:
            return store_replace(document_of(collection, draft), call.actor)
        except StoreError as error:
            raise refusal_of(error, collection) from error


def remove(call: Call, collection: Collection, namespace: str, name: str) -> None:
    """Judge and delete an object. One with finalizers is only marked."""
    with writing.judged(call.access, collection.kind, namespace, name) as found:
        held = shown(collection, found)
        with in_words_of(collection):
            writing.require_delete(call.access, held)
        require_match(call.request, held)
        try:
            store_delete(collection.kind, namespace, name, call.actor)
        except StoreError as error:
            raise refusal_of(error, collection) from error


def reply_with(collection: Collection, obj: PlatformObject, status: int = 200) -> HttpResponse:
    """The object, and its version as the reply's tag."""
    response = responses.json_body(wire_object(collection, obj), status)
    response["ETag"] = tag_of(obj)
    return response


@contextmanager
def in_words_of(collection: Collection) -> Iterator[None]:
    """What may not be seen is answered as what is not there, in this collection's words."""
    try:
        yield
    except guard.Forbidden as forbidden:
        raise refusal_of_forbidden(forbidden, collection.not_found) from None


def existing(collection: Collection, namespace: str, name: str) -> PlatformObject:
    """The object; raises the 404."""
    return shown(collection, get_or_none(collection.kind, namespace, name))


def shown(collection: Collection, held: PlatformObject | None) -> PlatformObject:
    """The object, if it is there for the API; raises the 404."""
    if held is None or not collection.shows(held):
        raise Refusal(404, collection.not_found)
    return held


def read_draft(call: Call, collection: Collection, namespace: str) -> Draft:
    """The body as a draft, its JSON types checked. Unknown fields, status and read-only metadata are ignored."""
    body = call.json()
    if body is None:
        body = {}
    if not isinstance(body, dict):
        raise wrong_type(body, "", collection.kind)
    metadata = body.get("metadata")
    if metadata is None:
        metadata = {}
    if not isinstance(metadata, dict):
        raise wrong_type(metadata, "metadata", "ObjectMeta")
    spec = body.get("spec")
    if spec is None:
        spec = {}
    if not isinstance(spec, dict):
        raise wrong_type(spec, "spec", f"{collection.kind}Spec")
    draft = Draft(
        namespace=namespace,
        name=text_of(metadata, "name"),
        body_namespace=text_of(metadata, "namespace"),
        labels=text_map(metadata, "labels"),
        annotations=text_map(metadata, "annotations"),
        spec=spec,
    )
    return shaped(collection, draft)


def shaped(collection: Collection, draft: Draft) -> Draft:
    """The draft as the reference's typed client would have sent it. Raises `Unreadable` for a wrong JSON type."""
    collection.shape(draft)
    typed(collection.model.spec_schema, draft.spec, "spec")
    return draft


def text_of(metadata: dict[str, Any], field: str) -> str:
    """A text field of the metadata, "" if absent."""
    value = metadata.get(field)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise wrong_type(value, f"metadata.{field}", "string")
    if "\0" in value:
        raise Unreadable(f"can't decode JSON body: metadata.{field} may not contain the NUL character")
    return value


def document_of(collection: Collection, draft: Draft) -> Document:
    """The document for the store."""
    metadata: Document = {"name": draft.name, "labels": draft.labels, "annotations": draft.annotations}
    if collection.model.namespaced:
        metadata["namespace"] = draft.namespace
    return {
        "apiVersion": collection.model.api_version,
        "kind": collection.kind,
        "metadata": metadata,
        "spec": draft.spec,
    }


def nameless(collection: Collection, draft: Draft) -> Refusal:
    """The refusal of a create without a name, together with whatever else is wrong."""
    unnamed = document_of(collection, draft)
    _, errors = admit(collection.model, None, {**unnamed, "metadata": {**unnamed["metadata"], "name": ""}})
    return invalid(collection, errors)
