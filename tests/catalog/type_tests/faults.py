"""Faults as authors of types make them: one small change of a type, seeded, at a place that matters.

Left out is what no render shows: descriptions, which workflows are allowed, the ids of a component type's resources.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Callable, Iterator
from random import Random
from typing import Any

Steps = tuple[str | int, ...]
Fault = tuple[str, dict[str, Any]]
"""What was done, in words, and the spec after it."""

IDENTIFIER = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
STRING = re.compile(r"\"[^\"\\]+\"|'[^'\\]+'")
NUMBER = re.compile(r"(?<![\w.])\d+(?:\.\d+)?")
OPERATORS = {"==": "!=", "!=": "==", "&&": "||", "||": "&&", " > ": " < ", " >= ": " < ", " + ": " - ", ".?": "."}
KEYWORDS = frozenset({"has", "true", "false", "null", "in", "size", "string", "int", "double"})
UNSEEN = frozenset({"description", "allowedWorkflows", "allowedTraits", "retainPolicy", "ttlAfterCompletion"})
SCHEMAS = ("parameters", "environmentConfigs")


def faults(spec: dict[str, Any], random: Random) -> Iterator[Fault]:
    """Yield faulty copies of a spec without end."""
    makers: list[Callable[[dict[str, Any], Random], Fault | None]] = [
        in_expression, in_expression, in_expression, in_literal, without_field, with_other_key, without_entry, in_schema
    ]  # fmt: skip
    while True:
        fault = random.choice(makers)(spec, random)
        if fault is not None and fault[1] != spec:
            yield fault


def in_expression(spec: dict[str, Any], random: Random) -> Fault | None:
    """A slip inside of an expression: a misspelt name, another operator, a changed literal, a missing sign."""
    places = [(steps, value) for steps, value in leaves(spec) if isinstance(value, str) and "${" in value]
    if not places:
        return None
    steps, text = random.choice(places)
    start = text.index("${") + 2
    slips = list(expression_slips(text, start))
    if not slips:
        return None
    word, changed = random.choice(slips)
    return f"{word} at {shown(steps)}", replaced(spec, steps, changed)


def expression_slips(text: str, start: int) -> Iterator[tuple[str, str]]:
    end = text.rindex("}") if "}" in text else len(text)
    for match in IDENTIFIER.finditer(text, start, end):
        name = match[0]
        inside_text = text.count('"', start, match.start()) % 2 or text.count("'", start, match.start()) % 2
        if name not in KEYWORDS and len(name) > 2 and not inside_text:
            yield f"{name} misspelt", text[: match.start()] + name[:-2] + name[-1] + text[match.end() :]
    for match in STRING.finditer(text, start, end):
        yield f"{match[0]} changed", text[: match.end() - 1] + "x" + text[match.end() - 1 :]
    for match in NUMBER.finditer(text, start, end):
        yield f"{match[0]} changed", f"{text[: match.start()]}{match[0]}7{text[match.end() :]}"
    for sign, other in OPERATORS.items():
        at = text.find(sign, start, end)
        if at >= 0:
            yield f"{sign.strip()} became {other.strip()}", text[:at] + other + text[at + len(sign) :]
    for sign in ")]!":
        at = text.rfind(sign, start, end)
        if at >= 0 and text[at : at + 2] != "!=":
            yield f"{sign} lost", text[:at] + text[at + 1 :]
    if text.endswith("}") and text.count("${") == 1 and start == 2:
        yield "negated", "${!(" + text[2:-1] + ")}"


def in_literal(spec: dict[str, Any], random: Random) -> Fault | None:
    """Another value of a field of a template."""
    places = [
        (steps, value)
        for steps, value in leaves(spec)
        if steps[0] not in SCHEMAS and "${" not in str(value) and not ("workloadType" in spec and steps[-1:] == ("id",))
    ]
    steps, value = random.choice(places)
    return f"{value!r} changed at {shown(steps)}", replaced(spec, steps, other(value))


def without_field(spec: dict[str, Any], random: Random) -> Fault | None:
    """A field that was forgotten."""
    places = [steps for steps, _ in nodes(spec) if len(steps) > 2 and steps[0] not in SCHEMAS]
    steps = random.choice(places)
    return f"{shown(steps)} forgotten", removed(spec, steps)


def with_other_key(spec: dict[str, Any], random: Random) -> Fault | None:
    """A field of a template under a misspelt name."""
    places = [
        steps
        for steps, _ in nodes(spec)
        if "template" in steps[:-1] + ("template",) * ("runTemplate" in steps[:1]) and isinstance(steps[-1], str)
    ]
    if not places:
        return None
    steps = random.choice(places)
    name = str(steps[-1])
    changed = copy.deepcopy(spec)
    holder = at(changed, steps[:-1])
    if "${" in name:
        return None
    holder[f"{name}s"] = holder.pop(name)
    return f"{shown(steps)} misspelt", changed


def without_entry(spec: dict[str, Any], random: Random) -> Fault | None:
    """A resource, rule, output or patch that was forgotten, or two that are the wrong way round in nothing else."""
    lists = [field for field, value in spec.items() if isinstance(value, list) and value and field not in UNSEEN]
    if not lists:
        return None
    field = random.choice(lists)
    index = random.randrange(len(spec[field]))
    return f"{field}[{index}] forgotten", removed(spec, (field, index))


def in_schema(spec: dict[str, Any], random: Random) -> Fault | None:
    """Another default, type or bound, a lost choice or requirement, a misspelt property or keyword."""
    changes: list[tuple[str, dict[str, Any]]] = []
    for steps, value in nodes(spec):
        if steps[0] not in SCHEMAS or "default" in steps[2:-1] or "description" in steps:
            continue
        key = steps[-1]
        if key == "default":
            changes.append((f"{shown(steps)} changed", replaced(spec, steps, other(value))))
        elif key == "type" and isinstance(value, str):
            wrong = random.choice([kind for kind in ("string", "integer", "boolean", "array") if kind != value])
            changes.append((f"{shown(steps)} became {wrong}", replaced(spec, steps, wrong)))
        elif key in ("minimum", "maximum"):
            changes.append((f"{shown(steps)} changed", replaced(spec, steps, value + 1)))
        elif key in ("enum", "required"):
            changes.append((f"{shown(steps)} lost one", replaced(spec, steps, value[:-1])))
            changes.append((f"{shown(steps)} lost", removed(spec, steps)))
        elif steps[-2:-1] == ("properties",):
            changed = copy.deepcopy(spec)
            holder = at(changed, steps[:-1])
            holder[f"{key}s"] = holder.pop(str(key))
            changes.append((f"{shown(steps)} misspelt", changed))
    return random.choice(changes) if changes else None


def other(value: Any) -> Any:
    if isinstance(value, bool):
        return not value
    if isinstance(value, int | float):
        return value + 1
    if isinstance(value, str):
        return f"{value[:1]}x{value[1:]}"
    if isinstance(value, list):
        return [*value, "x"]
    return {**value, "x": "x"} if isinstance(value, dict) else "x"


def nodes(value: Any, steps: Steps = ()) -> Iterator[tuple[Steps, Any]]:
    """Every place of a spec that tests can see, but the root."""
    if steps:
        yield steps, value
    children = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, child in children:
        if not steps and key in UNSEEN:
            continue
        yield from nodes(child, (*steps, key))


def leaves(spec: Any) -> Iterator[tuple[Steps, Any]]:
    for steps, value in nodes(spec):
        if not isinstance(value, dict | list) and "description" not in steps:
            yield steps, value


def at(spec: Any, steps: Steps) -> Any:
    for step in steps:
        spec = spec[step]
    return spec


def replaced(spec: dict[str, Any], steps: Steps, value: Any) -> dict[str, Any]:
    changed = copy.deepcopy(spec)
    at(changed, steps[:-1])[steps[-1]] = value
    return changed


def removed(spec: dict[str, Any], steps: Steps) -> dict[str, Any]:
    changed = copy.deepcopy(spec)
    del at(changed, steps[:-1])[steps[-1]]
    return changed


def shown(steps: Steps) -> str:
    return ".".join(map(str, steps))
