"""Selections of rendered manifests, and the rules that those must meet. Shared by component types and traits."""

from __future__ import annotations

from collections.abc import Iterator

from catalog.compiler.admission.expressions import Expressions
from catalog.compiler.cel.types import DYN
from catalog.compiler.documents import Document, items, section, text
from catalog.compiler.schema import FieldError
from catalog.compiler.schema.field_errors import required


def target_errors(expressions: Expressions, entry: Document, path: str) -> Iterator[FieldError]:
    """Check the ``target`` of a patch, removal or rule; its ``where`` sees each manifest as ``resource``."""
    target = section(entry, "target")
    for field in ("version", "kind"):
        if not text(target, field):
            yield required(f"{path}.target.{field}", f"{field} is required")
    yield from expressions.bind("resource", DYN).condition(target, "where", f"{path}.target", "where filter")


def post_render_errors(expressions: Expressions, spec: Document, path: str) -> Iterator[FieldError]:
    """Check ``postRenderValidations``. ``when`` is asked before the loop; the rule sees the manifest and the item."""
    for index, rule in enumerate(items(spec, "postRenderValidations")):
        where = f"{path}.postRenderValidations[{index}]"
        yield from expressions.condition(rule, "when", where)
        errors: list[FieldError] = []
        body = expressions.loop(rule, where, errors)
        yield from errors
        yield from target_errors(body, rule, where)
        yield from body.bind("resource", DYN).condition(rule, "rule", where)
