"""RenderedRelease: the final manifests of a component, project or resource for one plane, and how they fare there.

The stored spec names each manifest by its hash; the manifests and their state are rows of their own
(`catalog.kinds.rendered_object`), so that no release is too large and only differences are delivered.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from catalog.kinds import refs
from catalog.kinds.base import Document, DocumentField, FieldError, Namespaced, Ref, reference_to
from catalog.kinds.rendered_object import bring_in_step, pack, unpack
from catalog.kinds.rules import immutable, invalid
from catalog.kinds.schema import Schema, array, obj, raw, string
from catalog.kinds.shapes import name, target_plane

OBSERVABILITY_FINALIZER = "openchoreo.dev/obsplane-cleanup"


def interval() -> Schema:
    """A duration as Go writes it: 5m, 1h30m."""
    return string(pattern=r"^([0-9]+(\.[0-9]+)?(ms|s|m|h))+$")


class RenderedRelease(Namespaced):
    kind = "RenderedRelease"
    plural = "renderedreleases"
    finalizer = "openchoreo.dev/dataplane-cleanup"
    spec_schema = obj(
        {
            # A project's own release has neither component nor resource.
            "owner!": obj({"projectName!": name(), "componentName": string(), "resourceName": string()}),
            "environmentName!": name(),
            "targetPlane": target_plane(),
            "resources": array(obj({"id!": name(), "object!": raw()})),
            "interval": interval(),
            "progressingInterval": interval(),
        }
    )

    project = reference_to("Project")
    component = reference_to("Component")
    resource = reference_to("Resource")
    environment = reference_to("Environment")
    delivered_to = DocumentField(null=True, blank=True, editable=False)
    """Where its objects have been put, kept by `catalog.delivery` for the day when environment and plane are gone."""

    @classmethod
    def references_of(cls, namespace: str, spec: Mapping[str, Any], status: Mapping[str, Any]) -> Iterator[Ref]:
        yield from refs.to_owner(spec.get("owner"), namespace)
        yield from refs.to("Environment", namespace, spec.get("environmentName"))

    @classmethod
    def finalizer_for(cls, spec: Mapping[str, Any]) -> str:
        return OBSERVABILITY_FINALIZER if spec.get("targetPlane") == "observabilityplane" else cls.finalizer

    @classmethod
    def violations(cls, old: Document | None, new: Document) -> Iterator[FieldError]:
        owner = new["spec"]["owner"]
        yield from immutable(cls.spec_schema, old, new, "spec.owner", "spec.owner is immutable")
        if "componentName" in owner and "resourceName" in owner:
            yield invalid("spec.owner", "componentName and resourceName both cannot be set", owner)

    @classmethod
    def pack_spec(cls, spec: dict[str, Any]) -> dict[str, Any]:
        return {**spec, "resources": pack(spec["resources"])} if spec.get("resources") else spec

    @classmethod
    def unpack_spec(cls, spec: dict[str, Any]) -> dict[str, Any]:
        return {**spec, "resources": unpack(spec["resources"])} if spec.get("resources") else spec

    def after_save(self, created: bool) -> None:
        bring_in_step(self.pk, self.spec.get("resources") or [], created=created)
