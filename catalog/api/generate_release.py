"""`POST …/components/{name}/generate-release`: cuts a ComponentRelease of what the component is now."""

from __future__ import annotations

from django.http import HttpResponse

from catalog import store
from catalog.access import writing
from catalog.api import component, release
from catalog.api.crud import in_words_of, shown
from catalog.api.invalid import refusal_of
from catalog.api.permitted import require_at_object
from catalog.api.typed_body import json_type
from catalog.api.wire_object import wire_object
from catalog.kinds.component_release import ComponentRelease
from catalog.releases.cut import PieceMissing, generate_release
from portal.access.endpoint import Call
from portal.wire import responses
from portal.wire.responses import Refusal, Unreadable

RELEASES = next(collection for collection in release.COLLECTIONS if collection.model is ComponentRelease)


def generate(call: Call, namespace: str, name: str) -> HttpResponse:
    """201 with the release, named as asked or `{component}-{YYYYMMDD}-{n}`.

    404 names the missing piece: Component, Workload, ComponentType or Trait. 409 for a name that is in use (the
    reference fails with 500), 422 for values that break the type's or a trait's rules.
    """
    return responses.json_body(wire_object(RELEASES, cut_release(call, namespace, name, release_name_of(call))), 201)


def cut_release(call: Call, namespace: str, name: str, release_name: str = "") -> ComponentRelease:
    """Judge and make the release. Raises `Refusal` and `guard.Forbidden`."""
    with writing.judged(call.access, "Component", namespace, name) as found:
        held = shown(component.COLLECTION, found)
        with in_words_of(component.COLLECTION):
            require_at_object(call.access, "componentrelease:create", held)
        try:
            return generate_release(held, call.actor, release_name)  # type: ignore[arg-type]  # a row of Component
        except PieceMissing as missing:
            raise Refusal(404, f"{missing.kind.removeprefix('Cluster')} not found") from None
        except store.StoreError as error:
            raise refusal_of(error, RELEASES) from error


def release_name_of(call: Call) -> str:
    """The wanted name, "" if the body leaves it to us. A body is required; `{}` will do."""
    body = call.json()
    if body is None:
        return ""
    if not isinstance(body, dict):
        raise unreadable(body, "", "GenerateReleaseRequest")
    wanted = body.get("releaseName")
    if wanted is None:
        return ""
    if not isinstance(wanted, str):
        raise unreadable(wanted, " field GenerateReleaseRequest.releaseName of type", "string")
    if "\0" in wanted:
        raise Unreadable("can't decode JSON body: releaseName may not contain the NUL character")
    return wanted


def unreadable(value: object, where: str, wanted: str) -> Unreadable:
    """The refusal of a wrong JSON type, in the words of the reference's decoder."""
    found = {"boolean": "bool"}.get(json_type(value, ""), json_type(value, ""))
    place = f" struct{where}" if where else " value of type"
    return Unreadable(f"can't decode JSON body: json: cannot unmarshal {found} into Go{place} {wanted}")
