"""Recording what renders reach, and telling what they have not.

The renders are given a copy of the type in which every expression has a comment of its own, so that each template that
the engine renders is known by its content. That copy gives the same objects; tests compare those of the original.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

from catalog.compiler.coverage.branches import branches_of, decisions_in
from catalog.compiler.coverage.sites import FieldPath, Site, sites_of
from catalog.compiler.documents import Document, content_of
from catalog.compiler.errors import ScanError
from catalog.compiler.scope import Scope
from catalog.compiler.template import TemplateSource, observed
from catalog.compiler.template_scan import Expression, scan

_COMPONENT_KINDS = ("ComponentType", "Trait")
_OUTCOMES = {"condition": ("true", "false"), "loop": ("some", "none")}


class Item(NamedTuple):
    """One thing to reach: a leaf that is rendered (``way`` is empty), or one way of a decision.

    ``offset`` is that of the decision in its expression ``source``; conditions and loops as wholes have no source.
    """

    path: FieldPath
    way: str = ""
    source: str = ""
    offset: int = 0

    @property
    def is_branch(self) -> bool:
        return bool(self.way)


class Coverage:
    """What renders have reached of one type. ``spec`` is the copy that they must be given."""

    def __init__(self, kind: str, spec: Document) -> None:
        self.kind = kind
        self._component_macros = kind.removeprefix("Cluster") in _COMPONENT_KINDS
        self._sites: dict[bytes, list[Site]] = defaultdict(list)
        self._items: dict[Item, bool] = {}
        self.spec: Document = dict(spec)
        marks = 0
        for site in sites_of(kind, spec):
            marked, marks = _marked(site.document, marks)
            self.spec = _with(self.spec, site.path[1:], marked)
            self._sites[content_of(marked)].append(site)
            self._items |= dict.fromkeys(self._declared(site), False)

    def unrendered(self) -> list[FieldPath]:
        """Return the templates of which no render has reached anything."""
        reached: dict[FieldPath, bool] = {}
        for sites in self._sites.values():
            for site in sites:
                if site.role == "template":
                    leaves = _leaves(site.document, site.path)
                    reached[site.path] = any(self._items[Item(path)] for path, _ in leaves)
        return [path for path, any_reached in reached.items() if not any_reached]

    @contextmanager
    def recording(self) -> Iterator[None]:
        """Record every render meanwhile."""
        with observed(self._observe):
            yield

    @property
    def items(self) -> dict[Item, bool]:
        """Everything to reach, in the order of the document, and whether it has been."""
        return self._items

    def missed(self) -> list[Item]:
        """Return what no render has reached."""
        return [item for item, reached in self._items.items() if not reached]

    def counts(self) -> tuple[int, int, int, int]:
        """Return the leaves reached, the leaves, the branches reached, and the branches."""
        leaves = [reached for item, reached in self._items.items() if not item.is_branch]
        branches = [reached for item, reached in self._items.items() if item.is_branch]
        return sum(leaves), len(leaves), sum(branches), len(branches)

    def _declared(self, site: Site) -> Iterator[Item]:
        if site.role == "template":
            for path, _ in _leaves(site.document, site.path):
                yield Item(path)
        else:
            for outcome in _OUTCOMES[site.role]:
                yield Item(site.path, outcome)
        for path, source in _expressions(site.document, site.path):
            for offset, ways in decisions_in(source, self._component_macros):
                for way in ways:
                    yield Item(path, way, source, offset)

    def _observe(self, rendered: TemplateSource, scope: Scope, result: object) -> None:
        for site in self._sites.get(content_of(rendered.document), ()):
            if site.role == "template":
                self._reach(Item(path) for path, _ in _leaves(site.document, site.path))
            elif site.role == "condition":
                self._reach([Item(site.path, "true" if result is True else "false")])
            else:
                self._reach([Item(site.path, "some" if result else "none")])
            for path, source in _expressions(site.document, site.path):
                branches = branches_of(source, scope.variables, self._component_macros)
                if branches is not None:
                    taken = branches.taken(scope.bindings)
                    self._reach(Item(path, way, source, offset) for offset, way in taken)

    def _reach(self, items: Any) -> None:
        for item in items:
            if item in self._items:
                self._items[item] = True


def _leaves(document: Any, path: FieldPath) -> Iterator[tuple[FieldPath, Any]]:
    """Yield every scalar, and every empty list or object, with its path."""
    children: Any = ()
    if isinstance(document, dict):
        children = document.items()
    elif isinstance(document, list):
        children = enumerate(document)
    if not children:
        yield path, document
    for key, value in children:
        yield from _leaves(value, (*path, key))


def _expressions(document: Any, path: FieldPath) -> Iterator[tuple[FieldPath, str]]:
    """Yield the text of every expression, with the path of the text or of the entry whose key it stands in."""
    if isinstance(document, dict):
        for key, value in document.items():
            yield from _expressions(key, (*path, key))
            yield from _expressions(value, (*path, key))
    elif isinstance(document, list):
        for index, item in enumerate(document):
            yield from _expressions(item, (*path, index))
    elif isinstance(document, str) and "${" in document:
        for piece in _pieces(document):
            if isinstance(piece, Expression):
                yield path, piece.text


def _marked(document: Any, marks: int) -> tuple[Any, int]:
    """Return a document with a comment in each of its texts that have an expression, and the number of comments."""
    if isinstance(document, dict):
        marked = {}
        for key, value in document.items():
            marked[key], marks = _marked(value, marks)
        return marked, marks
    if isinstance(document, list):
        row = []
        for item in document:
            value, marks = _marked(item, marks)
            row.append(value)
        return row, marks
    if not (isinstance(document, str) and "${" in document):
        return document, marks
    texts = []
    for piece in _pieces(document):
        if isinstance(piece, Expression):
            marks += 1
            texts.append(f"${{{piece.text} //@{marks}\n}}")
        else:
            texts.append(piece)
    return "".join(texts), marks


def _pieces(text: str) -> list[str | Expression]:
    try:
        return scan(text)
    except ScanError:
        return [text]


def _with(document: Any, path: FieldPath, value: Any) -> Any:
    """Return a copy of a document with another value at a path that exists."""
    if not path:
        return value
    first, *rest = path
    if isinstance(document, list):
        return [_with(item, tuple(rest), value) if index == first else item for index, item in enumerate(document)]
    return {key: _with(item, tuple(rest), value) if key == first else item for key, item in document.items()}
