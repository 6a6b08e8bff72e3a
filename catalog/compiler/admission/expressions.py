"""Static checks of expressions: they must parse, and fit the types of the variables that they see.

An ``Expressions`` is a set of variables with types. Its methods check one field each and yield what is wrong, with the
path of the field, the text of the expression and the words of the expression language, which show the place. Words and
paths are the contract's: keys of a template stand in brackets (``spec.resources[0].template[spec][replicas]``).

These types are stricter than a render, where parameters can be anything, and in numbers they differ from it: see
``variables``. Called by the checks of component types, traits and resource types.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cache
from typing import Final

from catalog.compiler.admission.variables import Variables, loop_variable
from catalog.compiler.cel import macros
from catalog.compiler.cel.checker import check, type_identifiers
from catalog.compiler.cel.errors import CelCompileError
from catalog.compiler.cel.library import EXTENDED
from catalog.compiler.cel.nodes import Node
from catalog.compiler.cel.parser import parse
from catalog.compiler.cel.types import BOOL, DYN, Type, format_type
from catalog.compiler.control_flow import DEFAULT_LOOP_VARIABLE
from catalog.compiler.documents import Document
from catalog.compiler.errors import ScanError
from catalog.compiler.schema.field_errors import FieldError, invalid
from catalog.compiler.template_scan import GO_SPACE, Expression, scan

_BOOLEANS: Final = frozenset({"bool", "dyn"})
_ITERABLES: Final = frozenset({"list", "map", "dyn"})


class Expressions:
    """The variables that some expressions see. ``component_macros`` adds the helpers of component templates."""

    __slots__ = ("_macros", "variables")

    def __init__(self, variables: Variables, *, component_macros: bool) -> None:
        self.variables = variables
        self._macros = macros.COMPONENT if component_macros else macros.EXTENDED

    def bind(self, name: str, declared: Type) -> Expressions:
        """Return these variables and one more, or one with another type."""
        bound = object.__new__(Expressions)
        bound.variables = {**self.variables, name: declared}
        bound._macros = self._macros
        return bound

    def compile(self, source: str) -> Node:
        """Return the checked tree of an expression. Raises ``CelCompileError`` that says which stage failed."""
        try:
            node = parse(source, self._macros)
        except CelCompileError as error:
            raise CelCompileError(f"parse error: {error}") from None
        try:
            check(node, self.variables, EXTENDED, _type_names(), source)
        except CelCompileError as error:
            raise CelCompileError(f"type check error: {error}") from None
        return node

    def condition(self, document: Document, field: str, path: str, name: str = "") -> Iterator[FieldError]:
        """Check the condition in ``document[field]``, if there is one: it must give a boolean.

        ``path`` is the document's, ``name`` how messages call the condition (by default as its field).
        """
        text = document.get(field)
        if not text:
            return
        where, name = f"{path}.{field}", name or field
        source = whole_source(text)
        if source is None:
            yield invalid(where, text, f"{name} must be wrapped in ${{...}}")
            return
        try:
            found = self.compile(source).type
        except CelCompileError as error:
            yield invalid(where, text, f"{name} must return boolean: {error}")
            return
        if found.kind not in _BOOLEANS:
            yield invalid(
                where, text, f"{name} must return boolean: expression must return boolean, got {shown(found)}"
            )

    def loop(self, document: Document, path: str, errors: list[FieldError]) -> Expressions:
        """Check the ``forEach`` of ``document``, if it has one, and return the variables that the loop's body sees.

        What is wrong is added to ``errors``. A loop over something wrong has a variable of type ``dyn``: faults of the
        body that have nothing to do with it must still be told.
        """
        text = document.get("forEach")
        if not text:
            return self
        where = f"{path}.forEach"
        source = whole_source(text)
        items = DYN
        if source is None:
            errors.append(invalid(where, text, "forEach must be wrapped in ${...}"))
        else:
            try:
                items = self.compile(source).type
            except CelCompileError as error:
                errors.append(invalid(where, text, str(error)))
        if items.kind not in _ITERABLES:
            errors.append(invalid(where, text, f"forEach expression must return list or map, got {shown(items)}"))
        return self.bind(document.get("var") or DEFAULT_LOOP_VARIABLE, loop_variable(items))

    def template(self, template: object, path: str) -> Iterator[FieldError]:
        """Check every expression of a template, in its texts and in its keys."""
        if isinstance(template, str):
            yield from self.text(template, path)
        elif isinstance(template, dict):
            for key, value in template.items():
                where = f"{path}[{key}]"
                yield from self.text(key, where, "invalid CEL in map key")
                yield from self.template(value, where)
        elif isinstance(template, list):
            for index, item in enumerate(template):
                yield from self.template(item, f"{path}[{index}]")

    def text(self, text: str, path: str, complaint: str = "invalid CEL expression") -> Iterator[FieldError]:
        """Check every expression inside of a text."""
        if "${" not in text:
            return
        try:
            sources = sources_of(text)
        except ScanError as error:
            yield invalid(path, text, f"failed to parse CEL expressions: {error}")
            return
        for source in sources:
            try:
                self.compile(source)
            except CelCompileError as error:
                yield invalid(path, text, f"{complaint} '{source}': {error}")

    def rules(self, rules: Iterable[Document] | None, path: str) -> Iterator[FieldError]:
        """Check a list of ``{rule, message}``."""
        for index, rule in enumerate(rules or ()):
            yield from self.condition(rule, "rule", f"{path}[{index}]")


def sources_of(text: str) -> list[str]:
    """Return the expressions inside of a text. Raises ``ScanError``."""
    return [piece.text for piece in scan(text) if isinstance(piece, Expression)]


def whole_source(text: str) -> str | None:
    """Return what stands between the ``${`` and ``}`` around a whole field, ``None`` when they do not surround it."""
    trimmed = text.strip(GO_SPACE)
    if not (trimmed.startswith("${") and trimmed.endswith("}")):
        return None
    return trimmed[2:-1].strip(GO_SPACE)


def shown(found: Type) -> str:
    """Return how messages call a type."""
    return "bool" if found == BOOL else format_type(found)


@cache
def _type_names() -> dict[str, Type]:
    return dict(type_identifiers(EXTENDED))
