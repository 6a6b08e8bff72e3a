"""YAML documents as the contract reads them, and as Stagecraft writes them.

``load_documents`` reads a stream of documents by the rules of ``sigs.k8s.io/yaml`` (catalog.compiler.yaml_scalars) and
keeps the way back to the text, so that an error about a field can name its file and line. Input is not trusted: size,
nesting and alias expansion are limited, and duplicate keys are errors although the reference lets the last one win.
Documents are split at their markers and parsed one by one, so that a broken one does not hide the others.

Values are plain: dict with str keys, list, str, bool, int, float, None. Never a date, a tag object or a shared child.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import yaml as pyyaml
from yaml._yaml import CParser
from yaml.events import (
    AliasEvent,
    DocumentEndEvent,
    DocumentStartEvent,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
)

from catalog.compiler.errors import YamlError
from catalog.compiler.yaml_dump import dump as dump
from catalog.compiler.yaml_lines import FieldPath, field_lines, parse_field_path
from catalog.compiler.yaml_scalars import ScalarError, as_json, key_text, resolve_plain, resolve_tagged

_MARKER = re.compile(r"^(?:---|\.\.\.)(?=[ \t\r\n]|\Z)", re.MULTILINE)
_CONTENT = re.compile(r"^[ \t]*[^\s#]", re.MULTILINE)
_ONLY_DIRECTIVES = re.compile(r"(?:(?:%[^\n]*|[ \t]*(?:#[^\n]*)?)(?:\r?\n|\Z))*")
_NOT_PRINTABLE = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_MERGE = "<<"
_MERGE_TAG = "tag:yaml.org,2002:merge"


@dataclass(frozen=True)
class Limits:
    """What a reader of untrusted YAML puts up with."""

    bytes: int = 10 * 1024 * 1024
    depth: int = 200
    aliased_nodes: int = 100_000  # nodes copied because an alias stands for them, in one document


DEFAULT_LIMITS = Limits()


@dataclass(frozen=True)
class Document:
    """One document of a stream: where it begins, its text, and its value or the error that it has instead."""

    name: str
    index: int
    line: int
    text: str
    content: object = None
    error: YamlError | None = None

    @property
    def value(self) -> object:
        """The value of the document. Raises its ``YamlError`` when it could not be read."""
        if self.error is not None:
            raise self.error
        return self.content

    def line_of(self, path: str | FieldPath) -> int:
        """Return the line, from 1, of a field such as ``spec.ports[0].name``; of its nearest ancestor if absent."""
        steps = tuple(map(str, parse_field_path(path) if isinstance(path, str) else path))
        while steps and steps not in self._lines:
            steps = steps[:-1]
        return self.line + self._lines.get(steps, 0)

    def location(self, path: str | FieldPath = ()) -> str:
        """Return ``file:line`` of a field, for messages."""
        return f"{self.name}:{self.line_of(path)}"

    @cached_property
    def _lines(self) -> Mapping[tuple[str, ...], int]:
        return field_lines(self.text) if self.error is None else {}


def load_documents(text: str | bytes, name: str = "<yaml>", limits: Limits = DEFAULT_LIMITS) -> Iterator[Document]:
    """Read the documents of ``text`` one by one; documents without content are left out.

    A document that cannot be read is yielded with its ``error``. Raises ``YamlError`` at once when the whole input is
    larger than ``limits.bytes``.
    """
    size = len(text) if isinstance(text, bytes) else len(text.encode("utf-8", "surrogatepass"))
    if size > limits.bytes:
        raise YamlError(name, 1, 1, f"input of {size} bytes is larger than the limit of {limits.bytes} bytes")
    # Bytes that are no UTF-8 survive as lone surrogates, so that only the document that holds them fails.
    decoded = text.decode("utf-8", "surrogateescape") if isinstance(text, bytes) else text
    return _documents(decoded.removeprefix("\ufeff"), name, limits)


def load(text: str | bytes, name: str = "<yaml>", limits: Limits = DEFAULT_LIMITS) -> object:
    """Return the value of the first document, None if there is none. Raises ``YamlError``."""
    document = next(load_documents(text, name, limits), None)
    return None if document is None else document.value


def _documents(text: str, name: str, limits: Limits) -> Iterator[Document]:
    for index, (line, part) in enumerate(_split(text)):
        try:
            content = _DocumentReader(part, line, limits).read()
        except _Unreadable as problem:
            error = YamlError(name, line + problem.line, problem.column + 1, problem.reason)
            yield Document(name, index, line, part, error=error)
        else:
            yield Document(name, index, line, part, content=content)


def _split(text: str) -> Iterator[tuple[int, str]]:
    """Cut at the lines that start or end a document; yield (first line from 1, text) of those with content.

    A marker ends a document wherever it stands at the start of a line, also in the middle of a block scalar, so the
    cut needs no parser. Directives belong to the document after them.
    """
    start, line = 0, 1
    starts = [match.start() for match in _MARKER.finditer(text)]
    for end in [*starts, len(text)]:
        part = text[start:end]
        if part.startswith("..."):
            part = "   " + part[3:]
        if "%" in part and end < len(text) and _ONLY_DIRECTIVES.fullmatch(part):
            continue
        if _CONTENT.search(part.removeprefix("---")):
            yield line, part
        line += part.count("\n")
        start = end


class _Unreadable(Exception):
    """Why a document cannot be read; line and column from 0, relative to its text."""

    def __init__(self, line: int, column: int, reason: str) -> None:
        super().__init__(reason)
        self.line, self.column, self.reason = line, column, reason


class _Collection:
    """A list or map that is still being read."""

    __slots__ = ("anchor", "items", "key", "key_lines", "merging", "waits_for_key")

    def __init__(self, items: list[object] | dict[str, object], anchor: str | None) -> None:
        self.items = items
        self.anchor = anchor
        self.waits_for_key = isinstance(items, dict)
        self.key = ""
        self.merging = False
        self.key_lines: dict[str, int] = {}


class _DocumentReader:
    """Builds the value of one document from the parser's events, with a stack of its own: depth costs no recursion."""

    def __init__(self, text: str, first_line: int, limits: Limits) -> None:
        self.text = text
        self.first_line = first_line
        self.limits = limits
        self.stack: list[_Collection] = []
        self.anchors: dict[str, object] = {}
        self.open_anchors: set[str] = set()
        self.aliased_nodes = 0
        self.root: object = None

    def read(self) -> object:
        if unprintable := _NOT_PRINTABLE.search(self.text):
            raise self._unprintable(unprintable)
        parser = CParser(self.text)
        documents = 0
        try:
            while parser.check_event():
                event = parser.get_event()
                if isinstance(event, DocumentStartEvent):
                    documents += 1
                    if documents > 1:
                        raise _Unreadable(*_start(event), "text after the end of the document")
                elif event is not None and not isinstance(event, DocumentEndEvent):
                    self._accept(event)
        except pyyaml.MarkedYAMLError as error:
            mark = error.problem_mark or error.context_mark
            reason = " ".join(part for part in (error.context, error.problem) if part)
            raise _Unreadable(mark.line if mark else 0, mark.column if mark else 0, reason) from None
        except pyyaml.YAMLError as error:
            raise _Unreadable(0, 0, str(error)) from None
        return self.root

    def _accept(self, event: pyyaml.Event) -> None:
        try:
            if isinstance(event, ScalarEvent):
                self._scalar(event)
            elif isinstance(event, MappingStartEvent):
                self._open({}, event)
            elif isinstance(event, SequenceStartEvent):
                self._open([], event)
            elif isinstance(event, (MappingEndEvent, SequenceEndEvent)):
                self._close(event)
            elif isinstance(event, AliasEvent):
                self._place(self._expand(event.anchor or ""), event)
        except ScalarError as error:
            raise _Unreadable(*_start(event), str(error)) from None

    def _scalar(self, event: ScalarEvent) -> None:
        top = self.stack[-1] if self.stack else None
        plain = bool(event.implicit[0])
        if top is not None and top.waits_for_key and event.value == _MERGE and (plain or event.tag == _MERGE_TAG):
            top.waits_for_key, top.merging = False, True
            return
        if event.tag:
            value = resolve_tagged(event.value, event.tag)
        else:
            value = resolve_plain(event.value) if plain else event.value
        if event.anchor:
            self.anchors[event.anchor] = value
        self._place(value, event)

    def _open(self, items: list[object] | dict[str, object], event: MappingStartEvent | SequenceStartEvent) -> None:
        if len(self.stack) >= self.limits.depth:
            raise ScalarError(f"nested deeper than the limit of {self.limits.depth} levels")
        if self.stack and self.stack[-1].waits_for_key:
            raise ScalarError("a map key must be a scalar")
        if event.anchor:
            self.open_anchors.add(event.anchor)
        self.stack.append(_Collection(items, event.anchor))

    def _close(self, event: pyyaml.Event) -> None:
        collection = self.stack.pop()
        if collection.anchor:
            self.open_anchors.discard(collection.anchor)
            self.anchors[collection.anchor] = collection.items
        self._place(collection.items, event)

    def _place(self, value: object, event: pyyaml.Event) -> None:
        """Put a finished value where it belongs: into the collection being read, as its next key, or as the root."""
        if not self.stack:
            self.root = as_json(value)
            return
        top = self.stack[-1]
        if isinstance(top.items, list):
            top.items.append(as_json(value))
        elif top.waits_for_key:
            top.key = key_text(value) if not isinstance(value, (dict, list)) else _refuse_key()
            line = _start(event)[0]
            if top.key in top.key_lines:
                first = self.first_line + top.key_lines[top.key]
                raise ScalarError(f'duplicate key "{top.key}" (first at line {first})')
            top.key_lines[top.key] = line
            top.waits_for_key = False
        else:
            if top.merging:
                _merge(value, top.items)
            else:
                top.items[top.key] = as_json(value)
            top.waits_for_key, top.merging = True, False

    def _expand(self, anchor: str) -> object:
        if anchor in self.open_anchors:
            raise ScalarError(f"anchor '{anchor}' value contains itself")
        if anchor not in self.anchors:
            raise ScalarError(f"unknown anchor '{anchor}' referenced")
        return self._copy(self.anchors[anchor], len(self.stack))

    def _copy(self, value: object, depth: int) -> object:
        """Copy what an alias stands for, counting: a few lines of aliases of aliases could fill the memory."""
        self.aliased_nodes += 1
        if self.aliased_nodes > self.limits.aliased_nodes:
            raise ScalarError(f"aliases expand to more than the limit of {self.limits.aliased_nodes} nodes")
        if not isinstance(value, (dict, list)):
            return value
        if depth >= self.limits.depth:
            raise ScalarError(f"nested deeper than the limit of {self.limits.depth} levels")
        if isinstance(value, dict):
            return {key: self._copy(item, depth + 1) for key, item in value.items()}
        return [self._copy(item, depth + 1) for item in value]

    @staticmethod
    def _unprintable(match: re.Match[str]) -> _Unreadable:
        character, before = match.group(), match.string[: match.start()]
        line, column = before.count("\n"), len(before) - (before.rfind("\n") + 1)
        if "\udc80" <= character <= "\udcff":
            return _Unreadable(line, column, f"invalid UTF-8: byte 0x{ord(character) - 0xDC00:02x}")
        return _Unreadable(line, column, f"control characters are not allowed: U+{ord(character):04X} (binary data?)")


def _start(event: pyyaml.Event) -> tuple[int, int]:
    mark = event.start_mark
    return (mark.line, mark.column) if mark else (0, 0)


def _merge(value: object, target: dict[str, object]) -> None:
    """Merge ``<<``. As in the reference, keys written before the merge are overwritten by it, those after it win."""
    maps: Sequence[object] = list(reversed(value)) if isinstance(value, list) else [value]
    if not all(isinstance(item, dict) for item in maps):
        raise ScalarError("map merge requires map or sequence of maps as the value")
    for item in maps:
        target.update(item)  # type: ignore[call-overload]


def _refuse_key() -> str:
    raise ScalarError("a map key must be a scalar")
