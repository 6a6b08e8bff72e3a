"""Our part of a live object, as a hash: what it says at the places that our manifest names, and that these are ours.

The API server fills in defaults, controllers scale and annotate, webhooks add containers: none of that is ours, so none
of it is drift. The hash is taken from the server's answer to our own apply and compared with that of the object later:
if it differs, somebody has changed, removed or taken over what we asked for, or added something by hand. The last two
show only in the list of field owners that the server keeps.
"""

from __future__ import annotations

import hashlib
from typing import Any

import orjson

from catalog.compiler.documents import Document
from catalog.delivery.field_owners import FIELD_MANAGER as FIELD_MANAGER
from catalog.delivery.field_owners import Owner, hands, owners_of

IDENTITY = ("apiVersion", "kind")


def digest_of(manifest: Document, live: Document) -> str:
    """32 hexadecimal digits over our part of the live object."""
    wanted = {key: value for key, value in manifest.items() if key not in IDENTITY}
    owners = owners_of(live)
    found = [narrowed(wanted, live), owned_fields(owners)]
    # With the time: whoever owns a place may change it again and own no more than before.
    if by_hand := [[owner.manager, owner.subresource, owner.time, owner.fields] for owner in hands(owners)]:
        found.append(by_hand)
    text = orjson.dumps(found, option=orjson.OPT_SORT_KEYS)
    return hashlib.blake2b(text, digest_size=16).hexdigest()


def narrowed(wanted: Any, live: Any) -> Any:
    """The live value with only the fields that the wanted one has.

    Lists of equal length are compared place by place, since servers keep the order; others are taken whole.
    """
    if isinstance(wanted, dict) and isinstance(live, dict):
        return {key: narrowed(value, live[key]) for key, value in wanted.items() if key in live}
    if isinstance(wanted, list) and isinstance(live, list) and len(wanted) == len(live):
        return [narrowed(one, other) for one, other in zip(wanted, live, strict=True)]
    return live


def owned_fields(owners: list[Owner]) -> Any:
    """The fields that the server holds to be ours, None where it keeps no owners."""
    return next((owner.fields or None for owner in owners if owner.is_ours), None)
