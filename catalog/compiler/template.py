"""The template engine: documents whose texts and keys hold ``${…}`` expressions.

A template is any JSON value. Rendering it gives the same value with every expression replaced: a text that is nothing
but one expression becomes the expression's value, of whatever type; in any other text the expressions are printed; an
entry or item that gives the omit sentinel is left out. Text that an expression gives is never looked at again.

A template is turned once into a tree of closures, for each set of variables that it is rendered with, because the set
decides whether its expressions compile. Parts without expressions are constants of that tree. Rendering allocates
only what depends on the inputs: a result may share containers with the inputs and with the template, and must not be
changed in place.

Called by the pipelines, mostly through ``TemplateSource``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import lru_cache
from typing import ClassVar

import orjson

from catalog.compiler.cel import CelCompileError, CelEvaluationError, Environment, Program
from catalog.compiler.cel.budget import MAX_SIZE, charge
from catalog.compiler.cel.values import OMIT
from catalog.compiler.documents import content_of
from catalog.compiler.errors import CompilerError, KeyTemplateError
from catalog.compiler.gotext import value_text
from catalog.compiler.messages import type_name
from catalog.compiler.scope import Scope
from catalog.compiler.template_scan import Expression, scan, whole_expression
from catalog.compiler.template_text import result_text

_Bindings = Mapping[str, object]
_Renderer = Callable[[_Bindings], object]

_CACHED_TEMPLATES = 4096
_CACHED_TEXTS = 8192
_LONG = 500


class ExpressionCompileError(CompilerError):
    """An expression of a template does not parse or type-check."""

    error_class: ClassVar[str] = "compile"


class ExpressionEvaluationError(CompilerError):
    """An expression of a template fails while being evaluated."""

    error_class: ClassVar[str] = "evaluate"


class Template:
    """A compiled template. Immutable; may be used by many threads at once."""

    __slots__ = ("_constant", "_renderer")

    def __init__(self, renderer: _Renderer | None, constant: object) -> None:
        self._renderer = renderer
        self._constant = constant

    def render(self, inputs: Mapping[str, object]) -> object:
        """Return the rendered value, or ``OMIT`` when all of it is omitted.

        ``inputs`` holds a value for each variable that the template was compiled for.
        Raises ``ExpressionEvaluationError`` or ``KeyTemplateError``.
        """
        return self._constant if self._renderer is None else self._renderer(inputs)


class TemplateSource:
    """A template as its author wrote it, compiled at its first use with a set of variables.

    Compiling late matters beyond speed: what a condition excludes is never compiled, so its faults never surface.
    """

    __slots__ = ("_compiled", "_component_macros", "document")

    def __init__(self, document: object, component_macros: bool = False) -> None:
        self.document = document
        self._component_macros = component_macros
        self._compiled: dict[frozenset[str], Template] = {}

    def render(self, scope: Scope) -> object:
        """Render with the scope's values; errors as ``compile_template`` and ``Template.render``."""
        template = self._compiled.get(scope.variables)
        if template is None:
            template = compile_template(self.document, scope.variables, self._component_macros)
            self._compiled[scope.variables] = template
        return template.render(scope.bindings)


Observer = Callable[[TemplateSource, Scope, object], None]


@contextmanager
def observed(observer: Observer) -> Iterator[None]:
    """Tell ``observer`` of everything that is rendered meanwhile: the source, the scope, the result.

    For tools that run alone, such as coverage: it holds for the whole process, and renders that nobody observes pay
    nothing for it. What fails to render is not told.
    """
    plain = TemplateSource.render

    def render(self: TemplateSource, scope: Scope) -> object:
        result = plain(self, scope)
        observer(self, scope, result)
        return result

    TemplateSource.render = render  # type: ignore[method-assign]
    try:
        yield
    finally:
        TemplateSource.render = plain  # type: ignore[method-assign]


def compile_template(document: object, variables: frozenset[str], component_macros: bool) -> Template:
    """Compile a template (any JSON value) for a set of variable names.

    ``component_macros`` allows the helper macros of component templates, which read the variable ``derived``.
    Results are cached by content. Raises ``ScanError`` or ``ExpressionCompileError``.
    """
    if isinstance(document, str):
        return _compile_text(document, variables, component_macros)
    # By content, not by identity: the caller may change its document later.
    return _compile_document(content_of(document), variables, component_macros)


@lru_cache(maxsize=_CACHED_TEXTS)
def _compile_text(text: str, variables: frozenset[str], component_macros: bool) -> Template:
    return _text_node(text, Environment(variables, component_macros))


@lru_cache(maxsize=_CACHED_TEMPLATES)
def _compile_document(document: bytes, variables: frozenset[str], component_macros: bool) -> Template:
    return _node(orjson.loads(document), Environment(variables, component_macros))


def _node(document: object, environment: Environment) -> Template:
    if isinstance(document, str):
        return _text_node(document, environment)
    if isinstance(document, dict):
        return _map_node(document, environment)
    if isinstance(document, list):
        return _list_node(document, environment)
    if isinstance(document, int) and not isinstance(document, bool):
        return Template(None, float(document))  # every number of a document is a double
    return Template(None, document)


def _text_node(text: str, environment: Environment) -> Template:
    pieces = scan(text)
    whole = whole_expression(pieces)
    if whole is not None:
        return Template(_value_of(whole, environment), None)
    if not any(isinstance(piece, Expression) for piece in pieces):
        return Template(None, text)

    parts = [_text_of(piece, environment) if isinstance(piece, Expression) else piece for piece in pieces]

    def render_text(bindings: _Bindings) -> object:
        rendered = "".join([part if isinstance(part, str) else part(bindings) for part in parts])
        if len(rendered) > MAX_SIZE:
            raise ExpressionEvaluationError(f"a text with expressions gets longer than {MAX_SIZE} characters")
        return rendered

    return Template(render_text, None)


def _map_node(document: dict[str, object], environment: Environment) -> Template:
    entries = [(_key_node(key, environment), _node(value, environment)) for key, value in document.items()]
    if all(key._renderer is None and value._renderer is None for key, value in entries):
        return Template(None, {key._constant: value._constant for key, value in entries})
    if any(key._renderer is not None for key, _ in entries):
        return Template(_map_with_dynamic_keys(entries), None)

    steps = [(key._constant, value._renderer, value._constant) for key, value in entries]

    def render_map(bindings: _Bindings) -> object:
        result = {}
        for key, renderer, constant in steps:
            if renderer is None:
                result[key] = constant
            else:
                value = renderer(bindings)
                if value is not OMIT:
                    result[key] = value
        return result

    return Template(render_map, None)


def _map_with_dynamic_keys(entries: list[tuple[Template, Template]]) -> _Renderer:
    def render_map(bindings: _Bindings) -> object:
        result = {}
        for key_template, value_template in entries:
            key = key_template.render(bindings)
            value = value_template.render(bindings)
            if value is not OMIT:
                result[key] = value
        return result

    return render_map


def _key_node(key: str, environment: Environment) -> Template:
    template = _text_node(key, environment)
    renderer = template._renderer
    if renderer is None:
        return template

    def render_key(bindings: _Bindings) -> object:
        rendered = renderer(bindings)
        if not isinstance(rendered, str):
            raise KeyTemplateError(
                f"dynamic map key '{key}' must evaluate to a string, got {type_name(rendered)}: {value_text(rendered)}"
            )
        return rendered

    return Template(render_key, None)


def _list_node(document: list[object], environment: Environment) -> Template:
    items = [_node(item, environment) for item in document]
    if all(item._renderer is None for item in items):
        return Template(None, [item._constant for item in items])
    steps = [(item._renderer, item._constant) for item in items]

    def render_list(bindings: _Bindings) -> object:
        rendered = [constant if renderer is None else renderer(bindings) for renderer, constant in steps]
        return [value for value in rendered if value is not OMIT]

    return Template(render_list, None)


def _value_of(expression: Expression, environment: Environment) -> _Renderer:
    evaluate = _compile_expression(expression, environment).evaluate_native
    text = expression.text

    def render_value(bindings: _Bindings) -> object:
        try:
            return evaluate(bindings)
        except CelEvaluationError as error:
            raise ExpressionEvaluationError(f"CEL evaluation error in expression '{text}': {error}") from error

    return render_value


def _text_of(expression: Expression, environment: Environment) -> Callable[[_Bindings], str]:
    evaluate = _compile_expression(expression, environment).evaluate
    text = expression.text

    def render_piece(bindings: _Bindings) -> str:
        try:
            piece = result_text(evaluate(bindings))
            if len(piece) > _LONG:
                charge(len(piece))
            return piece
        except CelEvaluationError as error:
            raise ExpressionEvaluationError(f"CEL evaluation error in expression '{text}': {error}") from error

    return render_piece


def _compile_expression(expression: Expression, environment: Environment) -> Program:
    try:
        return environment.compile(expression.text)
    except CelCompileError as error:
        raise ExpressionCompileError(f"CEL compilation error in expression '{expression.text}': {error}") from error
