"""An explanation as people read it: one line for each field, or the whole trail of one field.

Input are the documents of `catalog.manifests.explaining`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from catalog.kinds.base import Document

LONGEST_VALUE = 100
WORDS = {
    "parameter": "parameter given by the developer",
    "environment-config": "set for the environment",
    "schema-default": "default of the schema",
    "binding-override": "overridden for the environment",
    "workload": "workload",
    "dependency": "from a dependency",
    "trait-binding": "set by the component type",
    "loop": "item of a loop",
    "environment": "environment",
    "data-plane": "data plane",
    "platform": "set by the platform",
    "absent": "absent",
}
PLATFORM_WORDS = {
    "platform-label": "label that the platform sets on every object",
    "pod-hash": "hash of the other objects on the data plane, so that a change of them restarts the pods",
    "network-policy": "network policy of the platform, from the visibility of the endpoints",
}


def explanation_text(document: Document) -> Iterator[str]:
    """The lines for an explanation: a trail if it is about one field, else a list of fields."""
    found = document["object"]
    yield (
        f"{found['kind']}/{found['name']} of {document['component']} in {document['environment']} "
        f"(release {document['release']})"
    )
    fields = document["fields"]
    if len(fields) == 1:
        yield from trail(fields[0])
        return
    width = max((len(item["field"]) for item in fields), default=0)
    for item in fields:
        yield f"  {item['field'].ljust(width)}  {shown(item['value'])}  <- {summary(item['origins'][-1])}"


def trail(item: Document) -> Iterator[str]:
    """How one value came about, from the template to the last patch."""
    yield f"  {item['field']}: {shown(item['value'])}"
    for number, origin in enumerate(item["origins"]):
        yield f"  {'then ' if number else 'from '}{actor(origin)}"
        if "path" in origin:
            yield f"    {place(origin)}: {written(origin['template'])}"
        for given in origin.get("inputs", ()):
            yield from input_lines(given, "      ")


def input_lines(given: Document, indent: str) -> Iterator[str]:
    source = WORDS[given["source"]]
    yield f"{indent}{given['name']} = {shown(given['value'])}  ({source})"
    if "path" in given:
        behind = f": {written(given['template'])}" if given.get("template") else ""
        yield f"{indent}  {place(given)}{behind}"
    for inner in given.get("inputs", ()):
        yield from input_lines(inner, indent + "  ")


def actor(origin: Document) -> str:
    """Who gave a value."""
    if origin["by"] in PLATFORM_WORDS:
        return PLATFORM_WORDS[origin["by"]]
    if origin["by"] == "template":
        return f"{document_name(origin)}, resource {origin['resource']}"
    trait = origin["trait"]
    embedded = ", embedded in the type" if trait["embedded"] else ""
    what = f"{origin['resource']}: {origin['operation']}" if origin.get("operation") else origin["resource"]
    return f"{trait['kind']} {trait['name']} ({trait['instance']}{embedded}), {what}"


def summary(origin: Document) -> str:
    """An origin in one line."""
    if "path" not in origin:
        return str(origin["by"])
    who = origin["by"] if origin["by"] == "template" else f"{origin['by']} {origin['trait']['instance']}"
    sources = list(dict.fromkeys(item["source"] for item in origin.get("inputs", ())))
    return f"{who} {written(origin['template'])}" + (f" ({', '.join(sources)})" if sources else "")


def place(document: Document) -> str:
    return f"{document_name(document)} {document['path']}"


def document_name(document: Document) -> str:
    named = document["document"]
    return f"{named['kind']} {named['name']}".strip()


def written(template: Any) -> str:
    """A template in one line."""
    return " ".join(template.split()) if isinstance(template, str) else json.dumps(template)


def shown(value: Any) -> str:
    """A value as JSON in one line, cut where it is long."""
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= LONGEST_VALUE else text[: LONGEST_VALUE - 1] + "…"
