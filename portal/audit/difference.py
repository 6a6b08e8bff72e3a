"""What a change came to, as a JSON Patch (RFC 6902) without secrets, of bounded size."""

from __future__ import annotations

from collections.abc import Iterator
from hashlib import sha256
from typing import Any

import orjson

from portal.audit.redaction import redact

MAX_BYTES = 32 * 1024
PARTS = ("spec", "labels", "annotations")
Patch = list[dict[str, Any]]


def difference(kind: str, before: dict[str, Any] | None, after: dict[str, Any] | None) -> dict[str, Any]:
    """`{"diff": patch}`; `{"diffDigest", "diffBytes", "diffPaths"}` for a patch that is too large; {} for a removal."""
    if after is None:
        return {}
    held = None if before is None else parts_of(before)
    wanted = parts_of(after)
    if held is None:
        raw: Patch = [{"op": "add", "path": f"/{part}", "value": value} for part, value in wanted.items() if value]
    else:
        raw = list(changes(held, wanted, ""))
    if not raw:
        return {}
    size = len(orjson.dumps(raw))
    if size <= MAX_BYTES:
        # Only what is to be written is worth the walk. A patch needs its paths, secrets are found by them.
        return {"diff": changed_values(kind, held, wanted, raw)}
    text = orjson.dumps(redact(kind, raw), option=orjson.OPT_SORT_KEYS)
    paths = [operation["path"] for operation in raw]
    return {"diffDigest": sha256(text).hexdigest(), "diffBytes": size, "diffPaths": paths[:50]}


def changed_values(kind: str, held: Any, wanted: Any, raw: Patch) -> Patch:
    """The patch between the documents without their secrets."""
    clean = redact(kind, wanted)
    if held is None:
        return [{**operation, "value": clean[operation["path"][1:]]} for operation in raw]
    return list(changes(redact(kind, held), clean, ""))


def parts_of(document: dict[str, Any]) -> dict[str, Any]:
    """What a user can change of an object."""
    metadata = document.get("metadata") or {}
    return {
        "spec": document.get("spec") or {},
        "labels": metadata.get("labels") or {},
        "annotations": metadata.get("annotations") or {},
    }


def changes(before: Any, after: Any, path: str) -> Iterator[dict[str, Any]]:
    """The operations that make `before` `after`. Lists of another length are replaced whole."""
    if before == after and type(before) is type(after):
        return
    if isinstance(before, dict) and isinstance(after, dict):
        for key in before.keys() - after.keys():
            yield {"op": "remove", "path": f"{path}/{pointer(key)}"}
        for key, value in after.items():
            here = f"{path}/{pointer(key)}"
            if key not in before:
                yield {"op": "add", "path": here, "value": value}
            else:
                yield from changes(before[key], value, here)
    elif isinstance(before, list) and isinstance(after, list) and len(before) == len(after):
        for index, (old, new) in enumerate(zip(before, after, strict=True)):
            yield from changes(old, new, f"{path}/{index}")
    else:
        yield {"op": "replace", "path": path, "value": after}


def pointer(key: str) -> str:
    """A key as a JSON Pointer writes it (RFC 6901)."""
    return key.replace("~", "~0").replace("/", "~1")
