"""Where the fields of a YAML document stand in its text.

Loading keeps no positions: most documents are fine and nobody asks. When an error is about a field, the document is
composed once more and every field path gets its line. Called by ``Document.line_of`` in catalog.compiler.yaml, only
for documents that have been read without error, hence within the limits.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

import yaml as pyyaml

from catalog.compiler.yaml_scalars import TAG_PREFIX, ScalarError, key_text, resolve_plain, resolve_tagged

FieldPath = tuple[str | int, ...]

_STEP = re.compile(r"\[([^\]]*)\]|([^.\[]+)")


def parse_field_path(path: str) -> FieldPath:
    """Split a path as Kubernetes writes it: ``spec.ports[0].name``, ``metadata.labels[app.kubernetes.io/name]``."""
    steps: list[str | int] = []
    for match in _STEP.finditer(path):
        bracketed, name = match.groups()
        steps.append(name if bracketed is None else int(bracketed) if bracketed.isdecimal() else bracketed)
    return tuple(steps)


def field_lines(text: str) -> Mapping[tuple[str, ...], int]:
    """Map each field path of the document (indexes as text) to its line in ``text``, from 0; the root is ``()``.

    Empty for a text that can be read but not composed (an anchor that is set twice, for one).
    """
    try:
        root = pyyaml.compose(text, Loader=_Untyped)
    except pyyaml.YAMLError:
        return {}
    if root is None:
        return {}
    lines: dict[tuple[str, ...], int] = {(): root.start_mark.line}
    lines.update(_walk(root, ()))
    return lines


class _Untyped(pyyaml.CSafeLoader):
    """Composes nodes without giving plain scalars a type: an explicit tag stays visible."""

    yaml_implicit_resolvers: dict[str, list[tuple[str, re.Pattern[str]]]] = {}


def _walk(node: pyyaml.Node, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], int]]:
    if isinstance(node, pyyaml.SequenceNode):
        for index, item in enumerate(node.value):
            yield (*path, str(index)), item.start_mark.line
            yield from _walk(item, (*path, str(index)))
    elif isinstance(node, pyyaml.MappingNode):
        for key, item in node.value:
            if key.value == "<<" and not key.style:
                for merged in reversed(item.value) if isinstance(item, pyyaml.SequenceNode) else [item]:
                    yield from _walk(merged, path)
                continue
            step = (*path, _key(key))
            yield step, key.start_mark.line
            yield from _walk(item, step)


def _key(node: pyyaml.ScalarNode) -> str:
    try:
        if node.tag != TAG_PREFIX + "str":
            return key_text(resolve_tagged(node.value, node.tag))
        return key_text(node.value if node.style else resolve_plain(node.value))
    except ScalarError:
        return str(node.value)  # a plain text made a string by the tag "!", which composing forgets
