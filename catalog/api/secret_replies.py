"""How secrets are answered: what was found, what may be done with it, and which of the refusals fits.

Values leave by two doors only: `revealed`, which always writes an event, and the echo of what a caller has just sent
where `SECRETS_SHOW_VALUES` wants it. Otherwise a reply names the keys, each with an empty value, and says in
annotations how often the secret was set and where its values are.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.conf import settings

from catalog.compiler.documents import Document
from catalog.delivery.plane import PlaneError, Unsupported
from catalog.secrets import keeping, manifests
from catalog.secrets.keeping import KeptSecret
from catalog.secrets.wanted import Unusable, Values
from catalog.store.documents import timestamp
from catalog.store.errors import AlreadyExists, Invalid, NotFound, StoreError
from portal.access import guard
from portal.access.endpoint import Call
from portal.access.holding import hold_policy
from portal.access.place import Place
from portal.access.rules import NO_ATTRIBUTES
from portal.audit import operation as audit
from portal.wire.responses import FORBIDDEN, Refusal

VERSION = "stagecraft.dev/secret-version"
HELD = "stagecraft.dev/secret-held"


def require(call: Call, action: str, namespace: str, not_found: str) -> None:
    """Refuse what the caller may not do to the secrets of a namespace. Raises `Refusal`."""
    place = Place(namespace)
    if guard.ask(call.access, action, place, NO_ATTRIBUTES, "Secret", None).allowed:
        return
    kind, _, verb = action.partition(":")
    is_visible = verb == "create" or (verb != "view" and call.access.allows(f"{kind}:view", place))
    if settings.HIDE_FORBIDDEN and not is_visible:
        raise Refusal(404, not_found)
    raise Refusal(403, FORBIDDEN)


def permit(call: Call, action: str, namespace: str, not_found: str) -> keeping.Permit:
    """The same question where it counts: in the transaction that writes, in which nobody's rights change."""

    def ask() -> None:
        hold_policy(call.access)
        require(call, action, namespace, not_found)

    return ask


@contextmanager
def answered(noun: str, plane_missing: Refusal, no_store: str) -> Iterator[None]:
    """Answer what goes wrong below in the contract's words. `noun` is `secret` or `git secret`."""
    try:
        yield
    except Unusable as error:
        raise Refusal(400, str(error)) from None
    except AlreadyExists:
        raise Refusal(409, f"{noun} already exists") from None
    except Invalid as error:
        raise Refusal(422, "; ".join(str(item) for item in error.errors)) from None
    except NotFound as error:
        raise Refusal(404, f"{error.kind} not found") from None
    except StoreError as error:
        raise Refusal(409, str(error)) from None
    except keeping.PlaneNotFound:
        raise plane_missing from None
    except keeping.NoSecretStore:
        raise Refusal(400, no_store) from None
    except Unsupported as error:
        raise Refusal(501, str(error)) from None
    except PlaneError as error:
        raise Refusal(500, str(error)) from None


def wire_secret(kept: KeptSecret, values: Values | None) -> Document:
    """A core/v1 Secret. Without values, its keys with empty ones."""
    reference = kept.reference
    metadata: Document = {
        "name": reference.name,
        "namespace": reference.namespace_name,
        "uid": str(reference.uid),
        "creationTimestamp": timestamp(reference.created_at),
        "labels": reference.labels,
    }
    annotations = dict(reference.annotations)
    if values is None:
        annotations |= {VERSION: str(kept.row.version), HELD: keeping.note_of(kept)}
    if annotations:
        metadata["annotations"] = annotations
    shown = dict.fromkeys(kept.keys, "") if values is None else encoded(values)
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": metadata,
        "type": reference.spec["template"]["type"],
        "data": shown,
    }


def encoded(values: Values) -> dict[str, str]:
    """Values as a Secret's `data` has them."""
    return {key: manifests.encoded(value.reveal()) for key, value in values.items()}


def revealed(call: Call, kept: KeptSecret) -> Values | None:
    """The values for a caller who may have them, with an event that says who had which. None if the plane lost them.

    The event is written first: values that nobody could account for are not given.
    """
    values = keeping.values_of(kept)
    if values is None:
        return None
    reference = kept.reference
    target = audit.Target("Secret", reference.namespace_name, reference.name)
    with audit.operation(call.actor, "secret:reveal", target) as opened:
        audit.conclude(opened, "success", 200, {"version": kept.row.version, "keys": sorted(values)})
    return values
