"""ResourceType and ClusterResourceType: schemas, expressions, and the manifests that outputs and readiness read.

What a plane reports (``applied.<id>``) exists for outputs and ``readyWhen`` only; an id must be that of a manifest.
"""

from __future__ import annotations

from collections.abc import Iterator

from catalog.compiler.admission.expressions import Expressions, sources_of, whole_source
from catalog.compiler.admission.schemas import schema_errors, schema_variables
from catalog.compiler.admission.variables import APPLIED, RESOURCE
from catalog.compiler.admission.verdicts import verdict
from catalog.compiler.cel.nodes import Call, Ident, Literal, Node, Select, descendants
from catalog.compiler.documents import Document, items, section, text
from catalog.compiler.schema import FieldError
from catalog.compiler.schema.field_errors import invalid

_APPLIED = "applied"


def resource_type_errors(spec: Document, path: str = "spec") -> Iterator[FieldError]:
    """Return what is wrong with the spec of a resource type, of either kind, also where a release has frozen it."""
    return verdict(_errors, spec, path)


def _errors(spec: Document) -> Iterator[FieldError]:
    yield from schema_errors(spec, "")
    variables = {**RESOURCE, **schema_variables(spec, composed=False)}
    rendering = Expressions(variables, component_macros=False)
    observing = rendering.bind(_APPLIED, APPLIED)
    ids = {text(resource, "id") for resource in items(spec, "resources")}
    for index, resource in enumerate(items(spec, "resources")):
        path = f".resources[{index}]"
        yield from rendering.condition(resource, "includeWhen", path)
        yield from _readiness_errors(observing, resource, ids, path)
        yield from rendering.template(resource.get("template"), f"{path}.template")
    for index, output in enumerate(items(spec, "outputs")):
        yield from _output_errors(observing, output, ids, f".outputs[{index}]")


def _readiness_errors(expressions: Expressions, resource: Document, ids: set[str], path: str) -> Iterator[FieldError]:
    errors = list(expressions.condition(resource, "readyWhen", path))
    yield from errors
    source = whole_source(text(resource, "readyWhen"))
    if source and not errors:
        yield from _unknown_ids(expressions.compile(source), ids, f"{path}.readyWhen", text(resource, "readyWhen"))


def _output_errors(expressions: Expressions, output: Document, ids: set[str], path: str) -> Iterator[FieldError]:
    yield from _text_errors(expressions, text(output, "value"), ids, f"{path}.value")
    for source in ("secretKeyRef", "configMapKeyRef"):
        for field in ("name", "key"):
            yield from _text_errors(expressions, text(section(output, source), field), ids, f"{path}.{source}.{field}")


def _text_errors(expressions: Expressions, value: str, ids: set[str], path: str) -> Iterator[FieldError]:
    errors = list(expressions.text(value, path))
    yield from errors
    if errors:
        return
    for source in sources_of(value):
        yield from _unknown_ids(expressions.compile(source), ids, path, source)


def _unknown_ids(node: Node, ids: set[str], path: str, source: str) -> Iterator[FieldError]:
    unknown = sorted({found for found in _applied_ids(node) if found not in ids})
    if unknown:
        detail = f"applied.<id> references unknown ids [{' '.join(unknown)}]; declared ids: [{' '.join(sorted(ids))}]"
        yield invalid(path, source, detail)


def _applied_ids(root: Node) -> Iterator[str]:
    """Yield what an expression reads of ``applied``, where it can be told: ``applied.id`` and ``applied['id']``."""
    for node in descendants(root):
        if isinstance(node, Select) and not node.optional and _is_applied(node.operand):
            yield node.field
        elif isinstance(node, Call) and node.function == "_[_]" and _is_applied(node.args[0]):
            key = node.args[1]
            if isinstance(key, Literal) and isinstance(key.value, str):
                yield key.value


def _is_applied(node: Node) -> bool:
    return isinstance(node, Ident) and node.name == _APPLIED
