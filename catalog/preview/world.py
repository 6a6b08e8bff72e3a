"""The platform as it would be: what is stored, and in its place what a rehearsal has changed.

Objects are found by kind and name, because foreign keys of stored rows know nothing of a rehearsal; `link` points the
foreign keys of an object in memory at what the world holds, so that functions which follow them see that.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from typing import Any, Literal

from catalog import store
from catalog.compiler.documents import Document
from catalog.controllers import connections, resource_dependencies
from catalog.controllers.component_manifests import default_channel
from catalog.controllers.secret_references import specs_of
from catalog.kinds.base import PlatformObject
from catalog.kinds.component import Component
from catalog.kinds.environment import Environment
from catalog.kinds.registry import kind_named
from catalog.releases.parts import TraitMissing, trait_references
from catalog.store.documents import Key
from catalog.store.references import foreign_key_roles, references_of

Moment = Literal["now", "after promotion"]
"""When a change arrives: by itself, or once people have promoted (or pinned) the release that it leads to."""

Facts = dict[tuple[Moment, str, str], list[Document]]
"""What the status of a binding would say, by moment, namespace and name of the binding."""

CHANNEL = "ObservabilityAlertsNotificationChannel"


class World:
    """Reads objects, each once. `endpoints` and `outputs` are what bindings would offer to those who depend on them."""

    def __init__(self, after: Mapping[Key, PlatformObject]) -> None:
        self._after = dict(after)
        self._held: dict[Key, PlatformObject | None] = {}
        self._channels: dict[int, str] = {}
        self.endpoints: Facts = {}
        self.outputs: Facts = {}
        for obj in self._after.values():
            self.link(obj)

    def get(self, kind: str, namespace: str, name: str) -> Any:
        """The object with its foreign keys linked, or None. Kept: for kinds of which there are few."""
        key = Key(kind, namespace if kind_named(kind).namespaced else "", name)
        if key in self._after:
            return self._after[key]
        if key not in self._held:
            found = store.get_or_none(kind, namespace, name)
            self._held[key] = found
            if found is not None:
                self.link(found)
        return self._held[key]

    def read(self, kind: str, namespace: str, name: str) -> Any:
        """The object, or None; not kept: for kinds of which there are many."""
        return self._after.get(Key(kind, namespace, name)) or store.get_or_none(kind, namespace, name)

    def put(self, obj: PlatformObject) -> None:
        """Add an object that a controller would make."""
        self._after[Key(obj.kind, obj.namespace_name, obj.name)] = obj
        self.link(obj)

    def changed(self, kind: str) -> list[Any]:
        """The objects of a kind that are not as stored."""
        return [obj for key, obj in self._after.items() if key.kind == kind]

    def stand_in(self, obj: PlatformObject) -> Any:
        """The object as it would be: another one if it was changed, else itself, linked."""
        changed = self._after.get(Key(obj.kind, obj.namespace_name, obj.name))
        if changed is None:
            self.link(obj)
        return changed or obj

    def link(self, obj: PlatformObject) -> None:
        """Point the foreign keys of an object at what the world holds, but for those to kinds of many."""
        roles = foreign_key_roles(type(obj)) - MANY
        if not roles:
            return
        wanted = {reference.role: reference for reference in references_of(obj)}
        for role in roles:
            reference = wanted.get(role)
            target = None if reference is None else self.get(reference.kind, reference.namespace, reference.name)
            setattr(obj, role, target)

    def data_plane_of(self, environment: Environment) -> PlatformObject | None:
        """As `planes.resolve_data_plane`."""
        reference = environment.spec.get("dataPlaneRef") or {}
        namespace = environment.namespace_name
        found: PlatformObject | None
        if reference.get("name"):
            found = self.get(reference.get("kind") or "DataPlane", namespace, reference["name"])
        else:
            found = self.get("DataPlane", namespace, "default") or self.get("ClusterDataPlane", "", "default")
        return found

    def channel_of(self, environment: Environment) -> str:
        """As `component_manifests.default_channel`."""
        if environment.pk not in self._channels:
            here = [
                channel
                for channel in self.changed(CHANNEL)
                if (channel.namespace_name, channel.spec.get("environment"))
                == (environment.namespace_name, environment.name)
            ]
            chosen = sorted(channel.name for channel in here if channel.spec.get("isEnvDefault"))
            stored = default_channel(environment)
            if any(channel.name == stored for channel in here):
                stored = ""
            self._channels[environment.pk] = min([*chosen, *([stored] if stored else [])], default="")
        return self._channels[environment.pk]

    def traits_of(self, component: Component, component_type: PlatformObject) -> tuple[PlatformObject, ...]:
        """As `parts.traits_of`."""
        found = []
        for kind, name in dict.fromkeys(trait_references(component_type.spec, component.spec)):
            trait = self.get(kind, component.namespace_name, name)
            if trait is None:
                raise TraitMissing(kind, name)
            found.append(trait)
        return tuple(found)

    def secret_specs(self, namespace: str, names: set[str]) -> dict[str, Document]:
        """As `secret_references.specs_of`."""
        changed = {obj.name: obj.spec for obj in self.changed("SecretReference") if obj.namespace_name == namespace}
        return {**specs_of(namespace, names), **{name: changed[name] for name in names & changed.keys()}}

    def connections_at(self, moment: Moment) -> connections.FindProviders:
        """As `connections.providers_of`, with the endpoints that the providers would have."""

        def find(targets: list[Document], environment: Environment) -> connections.Providers:
            names = {target["component"] for target in targets}
            stored = (
                kind_named("ReleaseBinding")
                .objects.system("preview")
                .filter(environment_id=environment.pk, component__name__in=names)
            )
            found: connections.Providers = defaultdict(list)
            for binding in self._in_place("ReleaseBinding", stored, environment, "componentName", names):
                owner = binding.spec["owner"]
                status = self._told(binding, "endpoints", self.endpoints, moment)
                found[owner["projectName"], owner["componentName"]].append({"spec": binding.spec, "status": status})
            return found

        return find

    def resources_at(self, moment: Moment) -> resource_dependencies.FindProviders:
        """As `resource_dependencies.providers_of`, with the outputs that the providers would have.

        Whether a resource is ready is known of the present only: what is ready now is taken to be ready then.
        """

        def find(targets: list[Document], project: str, environment: Environment) -> resource_dependencies.Providers:
            names = {target["resourceName"] for target in targets}
            stored = (
                kind_named("ResourceReleaseBinding")
                .objects.system("preview")
                .filter(environment_id=environment.pk, resource__name__in=names)
            )
            generations = {row.name: row.generation for row in stored}
            found: resource_dependencies.Providers = defaultdict(list)
            for binding in self._in_place("ResourceReleaseBinding", stored, environment, "resourceName", names):
                if binding.spec["owner"]["projectName"] == project:
                    generation = generations.get(binding.name, binding.generation)
                    document = {
                        "metadata": {"name": binding.name, "generation": generation},
                        "spec": binding.spec,
                        "status": self._told(binding, "outputs", self.outputs, moment),
                    }
                    found[binding.spec["owner"]["resourceName"]].append(document)
            return found

        return find

    def _in_place(self, kind: str, stored: Any, environment: Environment, field: str, names: set[str]) -> list[Any]:
        """The bindings of an environment whose owner's `field` is one of `names`, as they would be."""
        rows = {row.name: row for row in stored}
        for binding in self.changed(kind):
            where = (binding.namespace_name, binding.spec["environment"])
            if where == (environment.namespace_name, environment.name) and binding.spec["owner"][field] in names:
                rows[binding.name] = binding
        return [rows[name] for name in sorted(rows)]

    def _told(self, binding: PlatformObject, field: str, facts: Facts, moment: Moment) -> Document:
        """A binding's status with what it would say at a moment."""
        moments: tuple[Moment, ...] = ("now",) if moment == "now" else ("after promotion", "now")
        for key in ((item, binding.namespace_name, binding.name) for item in moments):
            if key in facts:
                return {**binding.status, field: facts[key]}
        status: Document = binding.status
        return status


MANY = frozenset({"component", "component_release", "resource_release", "project_release"})
"""Roles of kinds of which there are too many to keep; those who need one set it themselves."""
