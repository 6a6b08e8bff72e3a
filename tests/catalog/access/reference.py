"""A second opinion on permissions: slow, over documents and texts, and with nothing of the engine in it.

It reads bindings as the contract describes them: paths as texts with prefixes, every binding looked at for every
question, conditions by the whole expression language. Then the deliberate differences, each where it says so.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from catalog.compiler.cel import Environment, from_json
from portal.access.actions import contract_actions

ALL_ACTIONS = [action.name for action in contract_actions()]
LANGUAGE = Environment(frozenset({"resource"}), bare=True)


@dataclass(frozen=True)
class Asker:
    """Who asks: claims as `claim:value`."""

    claims: frozenset[str]
    is_agent: bool = False


@dataclass(frozen=True)
class Line:
    """One mapping of one binding, flattened."""

    claim: str
    path: str
    actions: tuple[str, ...]
    effect: str
    conditions: tuple[Mapping[str, Any], ...]


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


def usable(line: Line, action: str, asker: Asker) -> bool:
    """Difference: agents read through groups, write only by their own name, and never write rights."""
    if not asker.is_agent or line.effect == "deny":
        return True
    kind, _, verb = action.partition(":")
    if verb == "view":
        return True
    return line.claim.startswith("sub:") and "authzrole" not in kind


def is_allowed(lines: list[Line], asker: Asker, action: str, path: str, attributes: Mapping[str, str]) -> bool:
    """The contract: for each claim some allow and no deny; over claims, any.

    Difference: a deny on a subject's own claim counts for all.
    """
    counting = [
        line
        for line in lines
        if line.claim in asker.claims
        and within(path, line.path)
        and any(matches(entry, action) for entry in line.actions)
        and usable(line, action, asker)
        and holds(line, action, attributes)
    ]
    if any(line.effect == "deny" and line.claim.startswith("sub:") for line in counting):
        return False
    for claim in asker.claims:
        mine = [line.effect for line in counting if line.claim == claim]
        if "allow" in mine and "deny" not in mine:
            return True
    return False


def profile(lines: list[Line], asker: Asker, asked: str) -> dict[str, dict[str, dict[str, set[str] | None]]]:
    """action → effect → path → expressions, None for no condition."""
    found: dict[str, dict[str, dict[str, set[str] | None]]] = {}
    for line in lines:
        around = asked == "*" or within(asked, line.path) or within(line.path, asked)
        if line.claim not in asker.claims or not around:
            continue
        for action in {name for name in ALL_ACTIONS if any(matches(entry, name) for entry in line.actions)}:
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
