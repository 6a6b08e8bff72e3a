"""The YAML editor: an object as a manifest, and a manifest back into an object, errors with their lines.

Saving is refused if the object has changed since it was loaded: the form carries a hash of what it showed.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.conf import settings

from catalog import store
from catalog.access import writing
from catalog.compiler import yaml
from catalog.kinds.base import Document, PlatformObject
from catalog.manifests.applying import as_manifest
from catalog.manifests.outcomes import REFUSALS, Problem, identity, problems_of
from catalog.manifests.reading import Entry, read_text
from portal.access.engine import Access
from portal.access.guard import Forbidden
from portal.accounts.actor import Actor

CHANGED_MEANWHILE = "The object has changed since this page was loaded. Load it again."


@dataclass(frozen=True)
class Saved:
    """What saving came to: the object, or the reasons why not."""

    obj: PlatformObject | None = None
    changed: bool = False
    problems: tuple[Problem, ...] = ()
    effects: Any = None
    """What saving would do to people, when that is all that was asked."""


def text_of(obj: PlatformObject) -> str:
    """The object as the editor shows it."""
    return yaml.dump(as_manifest(store.to_document(obj, with_status=False)))


def skeleton_of(model: type[PlatformObject], namespace: str) -> str:
    """A new object with its required fields, to be filled in."""
    metadata: Document = {"name": ""}
    if model.namespaced:
        metadata["namespace"] = namespace
    document: Document = {"apiVersion": model.api_version, "kind": model.kind, "metadata": metadata}
    if model.kind != "Namespace":
        document["spec"] = blank(dict(model.spec_schema))
    return yaml.dump(document)


def blank(schema: dict[str, Any]) -> Any:
    """The least value of a schema: required fields only, the first of several choices."""
    if "default" in schema:
        return schema["default"]
    if schema.get("enum"):
        return schema["enum"][0]
    match schema.get("type"):
        case "object":
            properties = schema.get("properties") or {}
            return {name: blank(properties[name]) for name in schema.get("required") or () if name in properties}
        case "array":
            return [blank(schema["items"])] if schema.get("minItems") else []
        case "string":
            return ""
        case "boolean":
            return False
        case "integer" | "number":
            return 0
    return {}


def fingerprint(text: str) -> str:
    """What tells whether the object is still the one that was shown."""
    return hashlib.sha256(text.encode()).hexdigest()


def save(
    text: str,
    model: type[PlatformObject],
    held: PlatformObject | None,
    shown: str,
    actor: Actor,
    access: Access,
    rehearse: Callable[[Document], Any] | None = None,
) -> Saved:
    """Create the object, or replace its labels, annotations and spec, as far as `access` allows.

    `held` is the object of the page, `shown` the form's fingerprint of it. With `rehearse` nothing is stored, and its
    answer comes back.
    """
    entries = list(read_text(text.replace("\r\n", "\n"), "editor", max_bytes=settings.YAML_MAX_BYTES))
    if len(entries) != 1 or entries[0].error:
        reason = entries[0].error if entries else "there is no document"
        return Saved(problems=(Problem(reason if len(entries) < 2 else "there is more than one document"),))
    entry = entries[0]
    if misplaced := identity_problems(entry, model, held):
        return Saved(problems=misplaced)
    _, namespace, name = identity(entry.value, "default")
    namespace = namespace if model.namespaced else ""
    try:
        with writing.judged(access, model.kind, namespace, name) as stored:
            if held is None:
                writing.require_create(access, model, entry.value)
                if rehearse is None:
                    return Saved(store.create(entry.value, actor), changed=True)
            else:
                if stored is None or stored.uid != held.uid or fingerprint(text_of(stored)) != shown:
                    return Saved(problems=(Problem(CHANGED_MEANWHILE),))
                writing.require_update(access, stored, entry.value)
                if rehearse is None:
                    outcome = store.replace(entry.value, actor)
                    return Saved(outcome.obj, changed=outcome.action == "changed")
        return Saved(effects=rehearse(entry.value))
    except Forbidden as error:
        return Saved(problems=(Problem(str(error)),))
    except REFUSALS as error:
        return Saved(problems=problems_of(entry, error))


def identity_problems(entry: Entry, model: type[PlatformObject], held: PlatformObject | None) -> tuple[Problem, ...]:
    """A form is for one kind, and an object keeps its name and namespace."""
    value = entry.value if isinstance(entry.value, dict) else {}
    metadata = value.get("metadata") if isinstance(value.get("metadata"), dict) else {}
    wanted = {"kind": (value.get("kind"), model.kind)}
    if held is not None:
        wanted["metadata.name"] = (metadata.get("name"), held.name)
        if held.namespaced:
            wanted["metadata.namespace"] = (metadata.get("namespace"), held.namespace_name)
    return tuple(
        Problem(f"must stay {right!r}", path, entry.line_of(path))
        for path, (given, right) in wanted.items()
        if given != right
    )
