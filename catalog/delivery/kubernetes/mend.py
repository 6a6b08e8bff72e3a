"""One object that others have changed: what differs is found out, taken away, and what is wanted is applied again.

    look at the live object and compare, three ways
    take away what was added by hand, with its owner         a JSON patch, refused if the object has changed meanwhile
    apply what is wanted, but for what is to be ignored      server-side apply, forced
    where a field cannot be changed: delete, make again      only kinds that hold no data

Called by the plane for objects that have drifted, never for others: it costs three requests instead of one.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

from catalog.compiler.documents import Document
from catalog.delivery.drift import NOT_COMPARED, Change, Difference, compare, drift_of, unlike
from catalog.delivery.field_owners import BEFORE, FIELD_MANAGER, owners_of
from catalog.delivery.field_paths import ABSENT, text_of, value_at
from catalog.delivery.kubernetes.connection import APPLY, ApiError, Connection
from catalog.delivery.kubernetes.discovery import kind_at
from catalog.delivery.mending import is_kept, left_alone, may_recreate, removal_patch
from catalog.delivery.plane import Drifted, PlaneError, WantedObject

FORCED = {"fieldManager": FIELD_MANAGER, "force": "true"}
"""What the platform wants is what counts: fields that others have set are taken over."""
JSON_PATCH = "application/json-patch+json"
MADE_AGAIN = "it was deleted and made again: a field of it cannot be changed"
TRIES = 4
GONE_SECONDS, GONE_POLL = 5.0, 0.05
GONE = (404, 410)
CHANGED_MEANWHILE = (409, 422)


@dataclass(frozen=True, slots=True)
class Mending:
    """`live` is the object as it was left, None if it is not there; `refused` is why it is not as wanted."""

    live: Document | None
    drifted: Drifted
    refused: str = ""


def mend(connection: Connection, item: WantedObject, body: Document, former: Document | None) -> Mending:
    """Find out what differs, and make the object as it is wanted unless it is held. Raises `PlaneError`."""
    kind = kind_at(connection, item.key.group, item.version, item.key.kind)
    path = kind.path(item.key.namespace, item.key.name)
    live = read(connection, path)
    differences = found_on(item, body, former, live)
    told = tuple(
        difference
        for difference in differences
        if (difference.is_drift and not is_kept(difference.path, item.ignored)) or difference.change is Change.RESTARTED
    )
    if item.is_held or (live is None and "" in item.ignored):
        return Mending(live, Drifted(told, is_held=True))
    try:
        applied, did = repair(connection, path, item, body, live, differences)
    except ApiError as error:
        if live is None:
            raise
        return Mending(live, Drifted(told, error=str(error)), refused=str(error))
    if applied["metadata"].get("deletionTimestamp"):
        return Mending(applied, Drifted(told, error=held_back(applied)))
    return Mending(applied, Drifted(told, did))


def found_on(item: WantedObject, body: Document, former: Document | None, live: Document | None) -> list[Difference]:
    """All differences, and if they explain nothing, what differs in our own name."""
    wanted = former or body
    differences = compare(body, wanted if item.applied_at else None, live, applied_at=item.applied_at)
    if live is None or not item.is_drifted or drift_of(differences):
        return differences
    ours = next((owner for owner in owners_of(live) if owner.is_ours), None)
    if ours is None or ours.time <= item.applied_at:
        return differences
    for field, value in wanted.items():
        if field not in NOT_COMPARED:
            shape = ours.fields.get(f"f:{field}")
            for place, _ in unlike(value, live.get(field, ABSENT), (field,), shape):
                values = (value_at(body, place), value_at(wanted, place), value_at(live, place))
                differences.append(Difference(Change.CHANGED, text_of(place), *values, ours.manager, ours.time, place))
    return differences


def repair(
    connection: Connection,
    path: str,
    item: WantedObject,
    body: Document,
    live: Document | None,
    differences: list[Difference],
) -> tuple[Document, str]:
    """Take away, then apply. The object as it is now, and what was done beside sending it again."""
    did = []
    for _ in range(TRIES):
        patch = removal_patch(live, differences, item.ignored) if live is not None else []
        if not patch:
            break
        try:
            change(connection, path, patch)
            did.append("what was added was taken away")
            break
        except ApiError as error:
            if error.status in GONE:
                break
            if error.status not in CHANGED_MEANWHILE:
                raise
            before, live = live, read(connection, path)
            if live is not None and before is not None and version_of(live) == version_of(before):
                # Not a matter of when: the server does not let it go (a ConfigMap made immutable).
                if not may_recreate(item.key.group, item.key.kind):
                    raise
                return recreate(connection, path, body, live), MADE_AGAIN
            differences = compare(body, body, live, applied_at=item.applied_at) if live is not None else []
    if live is not None and live["metadata"].get("deletionTimestamp"):
        live = read(connection, path)
        if live is not None and live["metadata"].get("deletionTimestamp"):
            return live, ""
    if live is None:
        did.append("it was made again")
    wanted = left_alone(body, live, differences, item.ignored)
    try:
        applied = connection.request("PATCH", path, wanted, content_type=APPLY, query=FORCED)
        return without_former_owner(connection, path, applied), "; ".join(did)
    except ApiError as error:
        if error.status != 422 or live is None:
            raise
        if not may_recreate(item.key.group, item.key.kind):
            raise ApiError(
                error.status, error.reason,
                f"{error}. A field that cannot be changed was changed; {item.key} may hold data, so it is not deleted "
                "without you: delete it by hand to have it made again, or accept the change",
            ) from None  # fmt: skip
        return recreate(connection, path, body, live), MADE_AGAIN


def without_former_owner(connection: Connection, path: str, live: Document) -> Document:
    """The object without the owner that the server makes up where the list of owners was lost: it would keep fields
    that a later release drops."""
    made_up = [owner.index for owner in owners_of(live) if owner.manager == BEFORE]
    if not made_up:
        return live
    patch = [
        {"op": "test", "path": "/metadata/resourceVersion", "value": version_of(live)},
        *({"op": "remove", "path": f"/metadata/managedFields/{index}"} for index in reversed(made_up)),
    ]
    try:
        return change(connection, path, patch)
    except ApiError as error:
        if error.status in (*GONE, *CHANGED_MEANWHILE):
            return live  # the next look at it comes with that change
        raise


def recreate(connection: Connection, path: str, body: Document, live: Document) -> Document:
    """Delete that very object, wait until it has gone, and apply what is wanted."""
    options = {"propagationPolicy": "Background", "preconditions": {"uid": uid_of(live)}}
    try:
        connection.request("DELETE", path, options)
    except ApiError as error:
        if error.status not in (*GONE, 409):
            raise
    deadline = time.monotonic() + GONE_SECONDS
    while (left := read(connection, path)) is not None and uid_of(left) == uid_of(live):
        if time.monotonic() > deadline:
            raise PlaneError(held_back(left))
        time.sleep(GONE_POLL)
    return connection.request("PATCH", path, body, content_type=APPLY, query=FORCED)


def held_back(live: Document) -> str:
    """Why an object that is being deleted does not go."""
    finalizers = ", ".join(live["metadata"].get("finalizers") or ()) or "no finalizer"
    return (
        f"{live.get('kind', 'the object')} {live['metadata']['name']} is being deleted and held by {finalizers}; it is "
        "made again when it has gone"
    )


def change(connection: Connection, path: str, patch: list[Document]) -> Document:
    """Send a JSON patch."""
    body: Any = patch
    return connection.request("PATCH", path, body, content_type=JSON_PATCH, query={"fieldManager": FIELD_MANAGER})


def read(connection: Connection, path: str) -> Document | None:
    """What is at a path, None if there is nothing."""
    try:
        return connection.get(path)
    except ApiError as error:
        if error.status in GONE:
            return None
        raise


def version_of(live: Document) -> str:
    return str(live["metadata"].get("resourceVersion"))


def uid_of(live: Document) -> str:
    return str(live["metadata"]["uid"])
