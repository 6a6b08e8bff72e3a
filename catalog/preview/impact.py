"""Whom changed objects concern: components, projects and resources with a new release, and bindings as they are.

Types, traits, workloads, projects and pipelines reach their components through a new release. Bindings, environments,
planes, secret references and notification channels reach what already runs, at once. Found by references, as the
controllers' watches find it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from django.db.models import QuerySet

from catalog.kinds.component import Component
from catalog.kinds.registry import kind_named
from catalog.preview.world import World
from catalog.store.documents import Key
from catalog.store.references import referrers

Named = tuple[str, str]
"""Namespace and name."""

COMPONENT_TYPES = ("ComponentType", "ClusterComponentType")
BINDINGS = ("ReleaseBinding", "ProjectReleaseBinding", "ResourceReleaseBinding")
OWNERS = {"ReleaseBinding": "Component", "ProjectReleaseBinding": "Project", "ResourceReleaseBinding": "Resource"}
OWNER_FIELDS = {"Component": "componentName", "Project": "projectName", "Resource": "resourceName"}


@dataclass
class Impact:
    """What has to be looked at. `released`: by kind of owner, those that would get a new release; `rendered`: bindings
    whose present release would be rendered anew."""

    released: dict[str, set[Named]] = field(default_factory=lambda: {kind: set() for kind in OWNER_FIELDS})
    rendered: set[Key] = field(default_factory=set)

    def owners(self, kind: str) -> list[Named]:
        """All components, projects or resources to look at, by namespace and name."""
        return sorted(self.released[kind])


def find_impact(changed: Iterable[Key], world: World) -> Impact:
    """Whom the changed objects concern."""
    impact = Impact()
    for key in changed:
        for kind, named in owners_concerned(key, world):
            impact.released[kind].add(named)
        impact.rendered.update(bindings_concerned(key, world))
    return impact


def owners_concerned(key: Key, world: World) -> Iterator[tuple[str, Named]]:
    """The components, projects and resources whose releases an object is part of, by their kinds."""
    named = (key.namespace, key.name)
    match key.kind:
        case "Component":
            yield "Component", named
        case "Workload":
            owner = world.get("Workload", *named).spec["owner"]["componentName"]
            yield "Component", (key.namespace, owner)
        case "ComponentType" | "ClusterComponentType":
            yield from (("Component", user) for user in users(key, "Component"))
        case "Trait" | "ClusterTrait":
            yield from (("Component", user) for user in users(key, "Component"))
            yield from (("Component", user) for user in components_with_embedded(key))
        case "Project":
            yield "Project", named
            yield from (("Component", user) for user in users(key, "Component"))
        case "DeploymentPipeline":
            for project in users(key, "Project"):
                yield from owners_concerned(Key("Project", *project), world)
        case "ProjectType" | "ClusterProjectType":
            yield from (("Project", user) for user in users(key, "Project"))
        case "Resource":
            yield "Resource", named
        case "ResourceType" | "ClusterResourceType":
            yield from (("Resource", user) for user in users(key, "Resource"))


def components_with_embedded(trait: Key) -> Iterator[Named]:
    """The components whose type embeds the trait."""
    for kind, role in zip(COMPONENT_TYPES, ("component_type", "cluster_component_type"), strict=True):
        embedding = references(trait).filter(source_kind=kind, role__in=("trait", "cluster_trait"))
        rows: Any = Component.objects.system("preview").filter(**{f"{role}__in": embedding.values("source_id")})
        yield from rows.values_list("namespace_id", "name")


def bindings_concerned(key: Key, world: World) -> Iterator[Key]:
    """The bindings whose present release is rendered anew because of an object."""
    match key.kind:
        case kind if kind in BINDINGS:
            yield key
        case "Environment":
            for kind in BINDINGS:
                yield from (Key(kind, *user) for user in users(key, kind))
        case "DataPlane" | "ClusterDataPlane":
            for environment in environments_on(key):
                yield from bindings_concerned(environment, world)
        case "SecretReference":
            yield from (Key("ReleaseBinding", *user) for user in users(key, "ReleaseBinding"))
            releases = references(key).filter(source_kind="ComponentRelease").values("source_id")
            bindings: Any = kind_named("ReleaseBinding").objects.system("preview")
            rows = bindings.filter(component_release_id__in=releases)
            yield from (Key("ReleaseBinding", *user) for user in rows.values_list("namespace_id", "name"))
        case "ObservabilityAlertsNotificationChannel":
            environment = world.get(*parts(key)).spec.get("environment", "")
            held = Key("Environment", key.namespace, environment)
            yield from (Key("ReleaseBinding", *user) for user in users(held, "ReleaseBinding"))


def environments_on(plane: Key) -> Iterator[Key]:
    """The environments on a plane; those that name none are on the plane `default`."""
    yield from (Key("Environment", *user) for user in users(plane, "Environment"))
    if plane.name == "default":
        environments: Any = kind_named("Environment").objects.system("preview")
        rows = environments.filter(namespace_id=plane.namespace) if plane.namespace else environments.all()
        for environment in rows.defer("status"):
            if not (environment.spec.get("dataPlaneRef") or {}).get("name"):
                yield Key("Environment", environment.namespace_name, environment.name)


def users(key: Key, kind: str) -> list[Named]:
    """The objects of a kind that refer to an object."""
    manager: Any = kind_named(kind).objects.system("preview")
    sources = references(key).filter(source_kind=kind).values("source_id")
    return list(manager.filter(pk__in=sources).values_list("namespace_id", "name"))


def references(key: Key) -> QuerySet[Any]:
    return referrers(*parts(key))


def parts(key: Key) -> tuple[str, str, str]:
    return key.kind, key.namespace, key.name
