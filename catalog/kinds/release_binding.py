"""ReleaseBinding: a component's release in one environment, with that environment's settings."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from catalog.kinds import refs
from catalog.kinds.base import Document, FieldError, Namespaced, Ref, reference_to
from catalog.kinds.container import container_violations, environment_and_files, secrets_of
from catalog.kinds.rules import immutable
from catalog.kinds.schema import enum, map_of, obj, raw_object, string
from catalog.kinds.shapes import owner


class ReleaseBinding(Namespaced):
    kind = "ReleaseBinding"
    plural = "releasebindings"
    finalizer = "openchoreo.dev/releasebinding-cleanup"
    printer_columns = (
        ("Project", "spec.owner.projectName"),
        ("Component", "spec.owner.componentName"),
        ("Environment", "spec.environment"),
        ("Age", "metadata.creationTimestamp"),
    )
    spec_schema = obj(
        {
            "owner!": owner("componentName"),
            "environment!": string(),
            "releaseName": string(),
            "state": enum("Active", "Undeploy", default="Active"),
            "componentTypeEnvironmentConfigs": raw_object(),
            "traitEnvironmentConfigs": map_of(raw_object()),
            "workloadOverrides": obj({"container": obj(environment_and_files())}, keep_unknown=True),
        }
    )

    project = reference_to("Project")
    component = reference_to("Component")
    environment = reference_to("Environment")
    component_release = reference_to("ComponentRelease")

    @classmethod
    def references_of(cls, namespace: str, spec: Mapping[str, Any], status: Mapping[str, Any]) -> Iterator[Ref]:
        yield from refs.to_owner(spec.get("owner"), namespace)
        yield from refs.to("Environment", namespace, spec.get("environment"))
        yield from refs.to("ComponentRelease", namespace, spec.get("releaseName"))
        yield from secrets_of((spec.get("workloadOverrides") or {}).get("container"), namespace)
        # The rest is found out by rendering: it depends on the release and on what it is connected to.
        for secret in status.get("secretReferenceNames") or ():
            yield from refs.to("SecretReference", namespace, secret)
        for target in status.get("connectionTargets") or ():
            where = target.get("namespace") or namespace
            yield from refs.to("Component", where, target.get("component"), "connection")
        for target in status.get("resourceDependencyTargets") or ():
            where = target.get("namespace") or namespace
            yield from refs.to("Resource", where, target.get("resourceName"), "resource_dependency")

    @classmethod
    def prepare(cls, old: Document | None, new: Document) -> None:
        """A change that leaves out the release keeps it: whoever edits settings need not know what is deployed."""
        held = old["spec"].get("releaseName") if old else None
        if held and new["spec"].get("releaseName") in (None, ""):
            new["spec"]["releaseName"] = held

    @classmethod
    def violations(cls, old: Document | None, new: Document) -> Iterator[FieldError]:
        for field in ("owner", "environment"):
            yield from immutable(cls.spec_schema, old, new, f"spec.{field}", f"spec.{field} is immutable")
        overrides = new["spec"].get("workloadOverrides") or {}
        yield from container_violations(overrides.get("container") or {}, "spec.workloadOverrides.container")
