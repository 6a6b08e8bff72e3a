"""Small, seeded changes of valid documents, aimed at what a schema says: each on one side of some limit."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping
from random import Random
from typing import Any

from tests.catalog.kinds.crd_oracle import PRESERVE, child_schema

Schema = Mapping[str, Any]
Steps = tuple[str | int, ...]

RULES = "x-kubernetes-validations"

OTHER_TYPES: tuple[Any, ...] = ("text", "", 7, -1, 1.5, True, None, [], ["x"], {}, {"x": "y"})
STRINGS = (
    "",
    "x",
    " x",
    "x ",
    "x\n",
    "X",
    "-x",
    "x-",
    "a.b",
    "${x}",
    "${x} ",
    " ${x}",
    "${}",
    "${x}y",
    "1h",
    "1h5m",
    "5m1h",
    "1.5h",
    "5",
    "deployment/x",
    "deployment/",
    "other/x",
    "a@b.c",
    "a@",
    "https://host/x",
    "/x",
    "not a uri",
    "ü" * 63,
    "a" * 63,
    "a" * 64,
)


def seeded(purpose: str) -> Random:
    """Choices that are the same in every run."""
    return Random(purpose)  # noqa: S311 - nothing secret is chosen


def nodes(schema: Schema, value: Any, steps: Steps = ()) -> Iterator[tuple[Steps, Schema, Any]]:
    """Every place of a document that its schema describes, with the schema and value there."""
    yield steps, schema, value
    if isinstance(value, dict):
        for name, item in value.items():
            child = child_schema(schema, name)
            if child is not None:
                yield from nodes(child, item, (*steps, name))
    elif isinstance(value, list) and "items" in schema:
        for index, item in enumerate(value):
            yield from nodes(schema["items"], item, (*steps, index))


def mutate(schema: Schema, document: dict[str, Any], random: Random) -> dict[str, Any]:
    """A copy with one change at a random place, in a third of the cases one that a rule speaks of."""
    changed = copy.deepcopy(document)
    everywhere = list(nodes(schema, changed))
    rules = sorted({rule["rule"] for _, here, _ in everywhere for rule in here.get(RULES, [])})
    if rules and random.random() < 0.35:
        rule = random.choice(rules)
        places = [place for place in everywhere if any(rule == own["rule"] for own in place[1].get(RULES, []))]
        _, here, value = random.choice(places)
        if isinstance(value, dict):
            disturb(here, value, random)
            return changed
    places = [place for place in everywhere if place[0]]
    described = [place for place in places if place[1].get("properties") or place[1].get("additionalProperties")]
    if not places or random.random() < 0.35:
        steps, here, value = random.choice([((), schema, changed), *described])
        if isinstance(value, dict):
            change_object(here, value, random)
        return changed
    steps, here, value = random.choice(places)
    holder = changed
    for step in steps[:-1]:
        holder = holder[step]
    if random.random() < 0.25:
        if isinstance(holder, dict):
            del holder[steps[-1]]
        else:
            holder.pop(steps[-1])
    else:
        holder[steps[-1]] = other_value(here, value, random)
    return changed


def disturb(schema: Schema, value: dict[str, Any], random: Random) -> None:
    """Add or remove fields of an object whose fields depend on each other."""
    if value and random.random() < 0.5:
        del value[random.choice(sorted(value))]
    elif "properties" in schema:
        for name in random.sample(sorted(schema["properties"]), k=min(2, len(schema["properties"]))):
            value[name] = sample(schema["properties"][name], random)
    else:
        value[random.choice(("", "entry"))] = random.choice(("", "value"))


def change_object(schema: Schema, value: dict[str, Any], random: Random) -> None:
    """Add a field that the schema knows, one that it does not know, or entries of a map."""
    known = [name for name in schema.get("properties", {}) if name not in value]
    if known and random.random() < 0.8:
        name = random.choice(known)
        value[name] = sample(schema["properties"][name], random)
    elif isinstance(schema.get("additionalProperties"), Mapping):
        for name in random.choice(((" ",), ("",), ("entry",), tuple(f"entry-{n}" for n in range(51)))):
            value[name] = sample(schema["additionalProperties"], random)
    else:
        value["unknownField"] = random.choice(OTHER_TYPES)


def other_value(schema: Schema, value: Any, random: Random) -> Any:
    """A value for a place: of another type, at or beyond a limit, or another valid one."""
    if random.random() < 0.2:
        return copy.deepcopy(random.choice(OTHER_TYPES))
    if "enum" in schema:
        word = random.choice(schema["enum"])
        return random.choice((word, word.lower(), word + "x", ""))
    kind = schema.get("type")
    if kind == "string":
        own = (value + "x", value + "\n", value.upper()) if isinstance(value, str) else ()
        return random.choice((*STRINGS, *own))
    if kind == "integer":
        low, high = schema.get("minimum", 0), schema.get("maximum", 2**31 - 1)
        return random.choice((low - 1, low, high, high + 1, float(low), low + 0.5, 2**63 - 1, 2**63, str(low)))
    if kind == "boolean":
        return not value
    if kind == "array" and isinstance(value, list):
        return other_list(schema, value, random)
    return sample(schema, random)


def other_list(schema: Schema, value: list[Any], random: Random) -> list[Any]:
    """The list emptied, turned round, with an entry twice, longer by one, or filled beyond its limit."""
    limit = schema.get("maxItems", 3)
    fill = [sample(schema["items"], random, suffix=f"-{n}") for n in range(limit + 1)]
    choices: list[list[Any]] = [[], value[::-1], [*value, *value[:1]], [*value, fill[0]], fill, fill[:limit]]
    return copy.deepcopy(random.choice(choices))


def sample(schema: Schema, random: Random, suffix: str = "") -> Any:
    """A valid value, with about half of the optional fields; `suffix` makes the names of list entries differ."""
    if "enum" in schema:
        return random.choice(schema["enum"])
    kind = schema.get("type")
    if kind == "object" and schema.get("properties"):
        required = schema.get("required", [])
        chosen = [name for name in schema["properties"] if name in required or random.random() < 0.5]
        value = {name: sample(schema["properties"][name], random, suffix) for name in chosen}
        return value if random.random() < 0.1 else settle(value)
    if kind == "object" and isinstance(schema.get("additionalProperties"), Mapping):
        return {f"key{suffix}": sample(schema["additionalProperties"], random)}
    if kind == "object":
        return {"any": {"thing": [1, None, "x"]}} if schema.get(PRESERVE) else {}
    if kind == "array":
        count = random.choice((max(schema.get("minItems", 0), 1), 2))
        return [sample(schema["items"], random, suffix=f"{suffix}-{n}") for n in range(count)]
    if kind == "string":
        return sample_string(schema, suffix)
    if kind == "integer":
        return max(schema.get("minimum", 5), 5)
    if kind == "boolean":
        return random.random() < 0.5
    return random.choice(({"any": "thing"}, "text", 7, [1]))


def settle(value: dict[str, Any]) -> dict[str, Any]:
    """Most samples keep the contract's rules about fields that need or exclude each other."""
    if "forEach" in value:
        value["var"] = "item"
    if "valueFrom" in value:
        value.pop("value", None)
    if "preRenderValidations" in value:
        value.pop("validations", None)
    if "workloadType" in value:
        value["resources"][0]["id"] = value["workloadType"]
    return value


def sample_string(schema: Schema, suffix: str) -> str:
    """A string that fits the patterns of the contract."""
    pattern = schema.get("pattern", "")
    if pattern.startswith(r"^\$"):
        return "${true}"
    if "@" in pattern:
        return "someone@example.com"
    if "deployment|" in pattern:
        return "deployment/service"
    if r"\d+d" in pattern or "ms|s" in pattern:
        return "1h"
    if "_" in pattern:
        return "item"
    if schema.get("format") == "uri":
        return "https://example.com/hook"
    return f"name{suffix}"
