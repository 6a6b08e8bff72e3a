"""AuthzRole: a named set of permitted actions. ClusterAuthzRole is its cluster twin.

An entry is an action of the registry (the contract's and ours), `kind:*`, or `*`. One that means nothing is refused:
the reference takes any text, and a slip then gives nothing without a word (docs/compatibility.md).
"""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches

from catalog.kinds.base import Document, FieldError, Namespaced
from catalog.kinds.schema import Schema, array, obj, string
from portal.access.actions import all_actions, is_pattern_known


def authz_role_spec() -> Schema:
    """The spec of both role kinds; an action is `kind:verb`, with `*` for any."""
    return obj({"actions!": array(string(), min_items=1), "description": string()})


def unknown_actions(old: Document | None, new: Document) -> Iterable[FieldError]:
    """The entries that stand for no action. What the role has held before may stay: it gives nothing, and whoever edits
    the role need not know what it once meant."""
    held = set() if old is None else set(old["spec"].get("actions") or ())
    for index, entry in enumerate(new["spec"]["actions"]):
        if entry not in held and not is_pattern_known(entry):
            yield FieldError(f"spec.actions[{index}]", "NotSupported", unknown_text(entry))


def unknown_text(entry: str) -> str:
    """What is wrong with an entry, and what may have been meant."""
    kinds = sorted({action.kind for action in all_actions()})
    kind, colon, _ = entry.partition(":")
    if kind in kinds and colon:
        verbs = ", ".join(action.verb for action in all_actions() if action.kind == kind)
        return f'"{entry}" is not an action: {kind} has {verbs}'
    known = [action.name for action in all_actions()] + [f"{kind}:*" for kind in kinds]
    near = get_close_matches(entry, known, n=1)
    hint = (
        f'did you mean "{near[0]}"?' if near else 'an action is kind:verb, such as "component:view"; `*` stands for all'
    )
    return f'"{entry}" is not an action: {hint}'


class AuthzRole(Namespaced):
    kind = "AuthzRole"
    plural = "authzroles"
    printer_columns = (("Age", "metadata.creationTimestamp"),)
    spec_schema = authz_role_spec()

    @classmethod
    def content_violations(cls, old: Document | None, new: Document) -> Iterable[FieldError]:
        return unknown_actions(old, new)
