"""ClusterProjectType: a ProjectType for all namespaces."""

from __future__ import annotations

from collections.abc import Iterable

from catalog.kinds.base import ClusterScoped, Document, FieldError
from catalog.kinds.project_type import project_type_spec, project_type_violations


class ClusterProjectType(ClusterScoped):
    kind = "ClusterProjectType"
    plural = "clusterprojecttypes"
    printer_columns = (("Age", "metadata.creationTimestamp"),)
    spec_schema = project_type_spec()

    @classmethod
    def violations(cls, old: Document | None, new: Document) -> Iterable[FieldError]:
        return project_type_violations(new["spec"], "spec")
