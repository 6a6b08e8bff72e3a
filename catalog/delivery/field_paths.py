"""Places in a Kubernetes object, as the server's own list of field owners names them.

A step is a field's name, an item of a list that is told by some of its fields (a container by its name), or a member of
a list that is a set. Such a place means the same in the manifest, in what was applied and in the live object, whatever
the order of their lists. Pure.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from catalog.compiler.documents import Document


@dataclass(frozen=True, slots=True)
class Item:
    """An item of a list, by the fields that tell it from others: `(("name", "main"),)`."""

    keys: tuple[tuple[str, Any], ...]

    def __str__(self) -> str:
        if len(self.keys) == 1:
            return f"[{self.keys[0][1]}]"
        return f"[{','.join(f'{name}={value}' for name, value in self.keys)}]"

    def means(self, item: Any) -> bool:
        """Whether that is the item. What a manifest leaves out has the default that the server fills in."""
        return isinstance(item, Mapping) and all(
            item.get(name, DEFAULTS_OF_KEYS.get(name)) == value for name, value in self.keys
        )


@dataclass(frozen=True, slots=True)
class Member:
    """A member of a list that is a set: a finalizer."""

    value: Any

    def __str__(self) -> str:
        return f"[{self.value}]"

    def means(self, item: Any) -> bool:
        return bool(item == self.value)


Step = str | Item | Member
FieldPath = tuple[Step, ...]
DEFAULTS_OF_KEYS = {"protocol": "TCP"}
"""Fields by which lists tell their items and that manifests may leave out."""


class Absent:
    """There is nothing at a place; None is a value."""

    def __repr__(self) -> str:
        return "ABSENT"


ABSENT = Absent()


def text_of(path: FieldPath) -> str:
    """The place as people read it: `spec.template.spec.containers[main].env[LOG_LEVEL].value`.

    A name with dots stands in brackets: `metadata.annotations[example.com/owner]`. The whole object is "".
    """
    found = ""
    for step in path:
        if not isinstance(step, str):
            found += str(step)
        elif "." in step or "/" in step:
            found += f"[{step}]"
        else:
            found += f".{step}" if found else step
    return found


def is_below(text: str, above: str) -> bool:
    """Whether a place, as text, is that of `above` or within it; everything is within the object itself ("")."""
    return not above or text == above or text.startswith((f"{above}.", f"{above}["))


def step_of(written: str) -> Step | None:
    """A step as `fieldsV1` writes it: `f:spec`, `k:{"name":"main"}`, `v:"text"`; None for "." and for an index."""
    sort, _, rest = written.partition(":")
    if sort == "f":
        return rest
    if sort == "k":
        return Item(tuple(sorted(orjson.loads(rest).items())))
    return Member(orjson.loads(rest)) if sort == "v" else None


def child_of(value: Any, step: Step) -> Any:
    """What a value holds at a step, `ABSENT` if nothing."""
    if isinstance(step, str):
        return value.get(step, ABSENT) if isinstance(value, Mapping) else ABSENT
    if isinstance(value, list):
        return next((item for item in value if step.means(item)), ABSENT)
    return ABSENT


def value_at(document: Any, path: FieldPath) -> Any:
    """What a document holds at a place, `ABSENT` if nothing."""
    for step in path:
        document = child_of(document, step)
    return document


def pointer_to(document: Document, path: FieldPath) -> str | None:
    """The place as a JSON pointer (RFC 6901) into this very document, None if there is nothing."""
    found, value = "", document
    for step in path:
        if isinstance(step, str):
            found += "/" + step.replace("~", "~0").replace("/", "~1")
        elif isinstance(value, list):
            found += f"/{next((index for index, item in enumerate(value) if step.means(item)), -1)}"
        value = child_of(value, step)
        if value is ABSENT:
            return None
    return found


def without(document: Any, path: FieldPath) -> Any:
    """The document without what is at a place; it is not changed itself. What becomes empty by that goes too."""
    if not path or child_of(document, path[0]) is ABSENT:
        return document
    step, rest = path[0], path[1:]
    below = without(child_of(document, step), rest) if rest else ABSENT
    gone = below is ABSENT or below in ({}, [])
    if isinstance(step, str):
        kept = {key: value for key, value in document.items() if key != step}
        return kept if gone else {**document, step: below}
    return [below if step.means(item) else item for item in document if not (gone and step.means(item))]


def children_of(fields: Mapping[str, Any]) -> Iterator[tuple[Step, Mapping[str, Any]]]:
    """The steps below a node of `fieldsV1`, each with its own node."""
    for written, below in fields.items():
        step = step_of(written)
        if step is not None:
            yield step, below
