"""Our part of a live object: what it says at the places that our manifest names, and a hash of it.

The API server fills in defaults, controllers scale and annotate, webhooks add containers: none of that is ours, so none
of it is drift. The hash is taken from the server's answer to our own apply and compared with that of the object later:
if it differs, somebody has changed or removed what we asked for.
"""

from __future__ import annotations

import hashlib
from typing import Any

import orjson

from catalog.compiler.documents import Document

IDENTITY = ("apiVersion", "kind")


def digest_of(manifest: Document, live: Document) -> str:
    """32 hexadecimal digits over our part of the live object."""
    part = ours({key: value for key, value in manifest.items() if key not in IDENTITY}, live)
    return hashlib.blake2b(orjson.dumps(part, option=orjson.OPT_SORT_KEYS), digest_size=16).hexdigest()


def ours(wanted: Any, live: Any) -> Any:
    """The live value, narrowed to the fields that the wanted one has.

    Lists of equal length are compared place by place, since servers keep the order; others are taken whole.
    """
    if isinstance(wanted, dict) and isinstance(live, dict):
        return {key: ours(value, live[key]) for key, value in wanted.items() if key in live}
    if isinstance(wanted, list) and isinstance(live, list) and len(wanted) == len(live):
        return [ours(one, other) for one, other in zip(wanted, live, strict=True)]
    return live
