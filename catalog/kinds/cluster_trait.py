"""ClusterTrait: a Trait for all namespaces."""

from __future__ import annotations

from collections.abc import Iterable

from catalog.compiler.admission import trait_errors
from catalog.kinds.base import ClusterScoped, Document, FieldError
from catalog.kinds.rules import from_compiler
from catalog.kinds.trait import trait_spec, trait_violations


class ClusterTrait(ClusterScoped):
    kind = "ClusterTrait"
    plural = "clustertraits"
    printer_columns = (("Age", "metadata.creationTimestamp"),)
    spec_schema = trait_spec()

    @classmethod
    def violations(cls, old: Document | None, new: Document) -> Iterable[FieldError]:
        return trait_violations(new["spec"], "spec")

    @classmethod
    def content_violations(cls, old: Document | None, new: Document) -> Iterable[FieldError]:
        return from_compiler(trait_errors(new["spec"]))
