"""ProjectType: what a project's cell in an environment consists of. ClusterProjectType is its cluster twin."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from catalog.kinds.base import Document, FieldError, Namespaced
from catalog.kinds.schema import Schema, array, obj
from catalog.kinds.shapes import schema_section
from catalog.kinds.templating import loops_without_variable, template, validation_rules


def project_type_spec() -> Schema:
    """The spec of both project type kinds."""
    return obj(
        {
            "parameters": schema_section(),
            "environmentConfigs": schema_section(),
            "validations": validation_rules(),
            "resources!": array(template(), min_items=1, keyed_by="id"),
        }
    )


def project_type_violations(spec: Mapping[str, Any], path: str) -> Iterator[FieldError]:
    """The rules of a project type's spec, also where a release has frozen it."""
    yield from loops_without_variable(spec["resources"], f"{path}.resources")


class ProjectType(Namespaced):
    kind = "ProjectType"
    plural = "projecttypes"
    printer_columns = (("Age", "metadata.creationTimestamp"),)
    spec_schema = project_type_spec()

    @classmethod
    def violations(cls, old: Document | None, new: Document) -> Iterable[FieldError]:
        return project_type_violations(new["spec"], "spec")
