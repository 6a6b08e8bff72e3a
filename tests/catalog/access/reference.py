"""A second opinion on permissions: slow, over documents and texts, and with nothing of the engine in it.

It reads bindings as the contract describes them: paths as texts with prefixes, every binding looked at for every
question, conditions by the whole expression language. Then the deliberate differences, each where it says so.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from catalog.compiler.cel import Environment, from_json

LANGUAGE = Environment(frozenset({"resource"}), bare=True)


@dataclass(frozen=True)
class Asker:
    """Who asks: claims as `claim:value`, and `user:name` for what was given to the account by hand."""

    claims: frozenset[str]
    is_agent: bool = False
    is_superuser: bool = False
    is_active: bool = True
    behind: Asker | None = None
    """The person on whose behalf an agent asks."""


@dataclass(frozen=True)
class Line:
    """One mapping of one binding, or one grant by hand, flattened."""

    claim: str
    path: str
    actions: tuple[str, ...]
    effect: str = "allow"
    conditions: tuple[Mapping[str, Any], ...] = ()


def lines_of(roles: Mapping[tuple[str, str], list[str]], bindings: Iterable[Mapping[str, Any]]) -> list[Line]:
    """Flatten bindings. `roles` is keyed by namespace ("" for cluster roles) and name."""
    found = []
    for binding in bindings:
        namespace = binding["metadata"].get("namespace", "")
        spec = binding["spec"]
        for mapping in spec["roleMappings"]:
            scope = {"namespace": namespace, **(mapping.get("scope") or {})}
            reference = mapping["roleRef"]
            actions = roles.get((namespace if reference["kind"] == "AuthzRole" else "", reference["name"]))
            if actions is not None:
                claim = f"{spec['entitlement']['claim']}:{spec['entitlement']['value']}"
                conditions = tuple(mapping.get("conditions") or ())
                found.append(Line(claim, path_of(**scope), tuple(actions), spec.get("effect", "allow"), conditions))
    return found


def path_of(namespace: str = "", project: str = "", component: str = "", resource: str = "") -> str:
    parts = [("ns", namespace), ("project", project), ("component", component), ("resource", resource)]
    return "/".join(f"{word}/{name}" for word, name in parts if name) or "*"


def within(asked: str, policy: str) -> bool:
    return policy == "*" or asked == policy or asked.startswith(policy + "/")


def matches(entry: str, action: str) -> bool:
    return entry == "*" or entry == action or (entry.endswith(":*") and action.split(":")[0] == entry[:-2])


def holds(line: Line, action: str, attributes: Mapping[str, str]) -> bool:
    """Whether a line counts. Difference: a missing attribute fails closed instead of being the empty text."""
    entries = [entry for entry in line.conditions if any(matches(item, action) for item in entry["actions"])]
    if not entries:
        return True
    for entry in entries:
        for name in ("environment", "componentType", "resourceType", "workflow"):
            if f"resource.{name}" in entry["expression"] and not attributes.get(name):
                return line.effect == "deny"
    values = {"resource": from_json(dict(attributes))}
    return any(LANGUAGE.compile(entry["expression"]).evaluate_native(values) for entry in entries)


def names_one(claim: str) -> bool:
    return claim.startswith(("sub:", "user:"))


def usable(line: Line, action: str, asker: Asker) -> bool:
    """Difference: agents read through groups, write only by their own name, and never write rights."""
    if not asker.is_agent or line.effect == "deny":
        return True
    kind, _, verb = action.partition(":")
    if verb == "view":
        return True
    return names_one(line.claim) and "authzrole" not in kind


def is_allowed(
    lines: list[Line], asker: Asker, action: str, path: str, attributes: Mapping[str, str], *, is_strict: bool = False
) -> bool:
    """The contract: for each claim some allow and no deny; over claims, any.

    Differences: a deny on a subject's own claim counts for all, `is_strict` lets every deny count for all, whoever asks
    for somebody may do what both may, and superusers need no grant.
    """
    if not asker.is_active:
        return False
    if asker.behind is not None and not is_allowed(lines, asker.behind, action, path, attributes, is_strict=is_strict):
        return False
    if asker.is_superuser and not asker.is_agent:
        return True
    counting = [
        line
        for line in lines
        if line.claim in asker.claims
        and within(path, line.path)
        and any(matches(entry, action) for entry in line.actions)
        and usable(line, action, asker)
        and holds(line, action, attributes)
    ]
    if any(line.effect == "deny" and (is_strict or names_one(line.claim)) for line in counting):
        return False
    for claim in asker.claims:
        mine = [line.effect for line in counting if line.claim == claim]
        if "allow" in mine and "deny" not in mine:
            return True
    return False


def profile(
    lines: list[Line], asker: Asker, asked: str, all_actions: Iterable[str]
) -> dict[str, dict[str, dict[str, set[str] | None]]]:
    """action → effect → path → expressions, None for no condition. Of an asker with nobody behind it."""
    found: dict[str, dict[str, dict[str, set[str] | None]]] = {}
    names = list(all_actions)
    for line in lines:
        around = asked == "*" or within(asked, line.path) or within(line.path, asked)
        if line.claim not in asker.claims or not around:
            continue
        for action in {name for name in names if any(matches(entry, name) for entry in line.actions)}:
            if not usable(line, action, asker):
                continue
            paths = found.setdefault(action, {"allow": {}, "deny": {}})[line.effect]
            entries = {
                entry["expression"]
                for entry in line.conditions
                if any(matches(item, action) for item in entry["actions"])
            }
            if not entries or paths.get(line.path, set()) is None:
                paths[line.path] = None
            else:
                paths[line.path] = (paths.get(line.path) or set()) | entries
    return found
