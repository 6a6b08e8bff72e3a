"""ResourceType: how one sort of managed infrastructure is made, and what it gives to those who depend on it.

ClusterResourceType is its cluster twin.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from catalog.compiler.admission import resource_type_errors
from catalog.kinds.base import Document, FieldError, Namespaced
from catalog.kinds.rules import from_compiler, invalid
from catalog.kinds.schema import Schema, array, enum, obj, string
from catalog.kinds.shapes import name, schema_section, secret_key_ref
from catalog.kinds.templating import expression, single_template

OUTPUT_SOURCES = ("value", "secretKeyRef", "configMapKeyRef")
RETAIN_POLICIES = ("Delete", "Retain")


def resource_type_spec() -> Schema:
    """The spec of both resource type kinds."""
    output = obj(
        {
            "name!": name(),
            "value": string(),
            "secretKeyRef": secret_key_ref(),
            "configMapKeyRef": secret_key_ref(),
        }
    )
    return obj(
        {
            "parameters": schema_section(),
            "environmentConfigs": schema_section(),
            "retainPolicy": enum(*RETAIN_POLICIES, default="Delete"),
            "outputs": array(output, keyed_by="name"),
            "resources!": array(single_template(readyWhen=expression()), min_items=1, keyed_by="id"),
        }
    )


def resource_type_violations(spec: Mapping[str, Any], path: str) -> Iterator[FieldError]:
    """The rules of a resource type's spec, also where a release has frozen it."""
    for index, output in enumerate(spec.get("outputs") or ()):
        if sum(source in output for source in OUTPUT_SOURCES) != 1:
            yield invalid(
                f"{path}.outputs[{index}]",
                "exactly one of value, secretKeyRef, or configMapKeyRef must be set",
                output,
            )


class ResourceType(Namespaced):
    kind = "ResourceType"
    plural = "resourcetypes"
    printer_columns = (("Age", "metadata.creationTimestamp"),)
    spec_schema = resource_type_spec()

    @classmethod
    def violations(cls, old: Document | None, new: Document) -> Iterable[FieldError]:
        return resource_type_violations(new["spec"], "spec")

    @classmethod
    def content_violations(cls, old: Document | None, new: Document) -> Iterable[FieldError]:
        return from_compiler(resource_type_errors(new["spec"]))
