"""What a rollback would change, before it does: content, dependencies in both directions, and what stands against it.

An endpoint that a consumer needs may be missing in the release to return to; and that release may need an endpoint or a
resource that is there no more. Both would leave something broken behind, so they are reasons to refuse.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from catalog.compiler.component.connections import connection_targets
from catalog.compiler.documents import Document, section
from catalog.kinds.component import Component
from catalog.kinds.component_release import ComponentRelease
from catalog.kinds.release_binding import ReleaseBinding
from catalog.kinds.resource_release_binding import ResourceReleaseBinding
from catalog.releases.compare import Difference, compare_releases


@dataclass(frozen=True, slots=True)
class RollbackPlan:
    """`dependencies` are the differences in what the releases need and offer; `refusals` say what would be broken."""

    environment: str
    from_release: str
    to_release: str
    stops_auto_deploy: bool
    configuration: list[Difference] = field(default_factory=list)
    dependencies: list[Difference] = field(default_factory=list)
    refusals: list[str] = field(default_factory=list)


def plan_change(
    component: Component, environment: str, from_name: str, to_name: str, *, stops_auto_deploy: bool = False
) -> RollbackPlan:
    """The plan of running `to_name` instead of `from_name` there."""
    before, after = release_named(component, from_name), release_named(component, to_name)
    differences = compare_releases(before, after) if before is not None and after is not None else []
    content = [item for item in differences if not is_dependency(item)]
    dependencies = [item for item in differences if is_dependency(item)]
    refusals = [] if after is None else [
        *missing_endpoints(component, environment, after),
        *missing_resources(component, environment, after),
        *lost_consumers(component, environment, after),
    ]  # fmt: skip
    return RollbackPlan(environment, from_name, to_name, stops_auto_deploy, content, dependencies, refusals)


def is_dependency(difference: Difference) -> bool:
    """Whether it is about what a release needs of others, or offers to them."""
    return difference.path.startswith(("workload.dependencies", "workload.endpoints"))


def release_named(component: Component, name: str) -> ComponentRelease | None:
    rows = ComponentRelease.objects.system("release").filter(namespace_id=component.namespace_name, name=name)
    found: ComponentRelease | None = rows.first()
    return found


def targets_of(component: Component, environment: str, release: ComponentRelease) -> list[Document]:
    """The endpoints that a release depends on."""
    project = component.spec["owner"]["projectName"]
    return connection_targets(section(release.spec, "workload"), component.namespace_name, project, environment)


def bindings_in(component: Component, environment: str) -> Any:
    return ReleaseBinding.objects.system("release").filter(
        namespace_id=component.namespace_name, environment__name=environment, deleted_at=None
    )


def missing_endpoints(component: Component, environment: str, after: ComponentRelease) -> Iterator[str]:
    """The endpoints that the release needs and that nobody offers in the environment."""
    for target in targets_of(component, environment, after):
        offered = bindings_in(component, environment).filter(component__name=target["component"])
        running = [
            row for row in offered.select_related("component_release")
            if row.spec["owner"]["projectName"] == target["project"] and row.spec.get("state") != "Undeploy"
        ]  # fmt: skip
        if not any(target["endpoint"] in endpoints_of(row.component_release) for row in running):
            yield (
                f'it consumes endpoint "{target["endpoint"]}" of component "{target["component"]}", which is not '
                f'offered in environment "{environment}"'
            )


def missing_resources(component: Component, environment: str, after: ComponentRelease) -> Iterator[str]:
    """The resources that the release needs and that are not bound in the environment."""
    declared = section(section(after.spec, "workload"), "dependencies").get("resources") or ()
    for name in dict.fromkeys(item.get("ref") for item in declared if item.get("ref")):
        bound = ResourceReleaseBinding.objects.system("release").filter(
            namespace_id=component.namespace_name, environment__name=environment, resource__name=name, deleted_at=None
        )
        if not bound.exists():
            yield f'it depends on resource "{name}", which is not bound in environment "{environment}"'


def lost_consumers(component: Component, environment: str, after: ComponentRelease) -> Iterator[str]:
    """The components in the environment that consume an endpoint which the release does not have."""
    offered = endpoints_of(after)
    project = component.spec["owner"]["projectName"]
    others = bindings_in(component, environment).exclude(component_id=component.pk)
    for row in others.select_related("component_release", "component").order_by("name"):
        if row.component_release is None or row.component is None or row.spec.get("state") == "Undeploy":
            continue
        for target in targets_of(row.component, environment, row.component_release):
            is_ours = (target["project"], target["component"]) == (project, component.name)
            if is_ours and target["endpoint"] not in offered:
                yield (
                    f'component "{row.component.name}" consumes endpoint "{target["endpoint"]}", which release '
                    f'"{after.name}" does not have'
                )


def endpoints_of(release: ComponentRelease | None) -> set[str]:
    return set() if release is None else set(section(section(release.spec, "workload"), "endpoints"))
