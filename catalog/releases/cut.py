"""Cutting releases: freezing a component's type, traits, values and workload into a ComponentRelease.

`cut_automatically` is what auto-deploy does: the name carries the hash of the content, so equal content is one
release. `generate_release` is what people and their tools ask for: named by day and number, labelled for lists.
"""

from __future__ import annotations

from dataclasses import dataclass

from django.utils import timezone

from catalog import store
from catalog.compiler import labels
from catalog.compiler.release_hash import component_release_hash
from catalog.compiler.releases import component_release_spec
from catalog.kinds.base import API_VERSION, Document, PlatformObject
from catalog.kinds.component import Component
from catalog.kinds.component_release import ComponentRelease
from catalog.releases.parts import Parts, TraitMissing, component_type_of, traits_of, type_reference, workloads_of
from portal.accounts.actor import Actor

REMEMBERED_HASHES = 10_000
_hashes: dict[tuple[object, ...], str] = {}
"""Hashes by uid and generation of all parts, which identify the content: no spec changes without its generation."""


class PieceMissing(LookupError):
    """A release cannot be cut because something that it is made of does not exist.

    `kind` is Component, Workload, ComponentType, ClusterComponentType, Trait or ClusterTrait; `name` may be "".
    """

    def __init__(self, kind: str, name: str = "") -> None:
        self.kind, self.name = kind, name
        super().__init__(f'{kind} "{name}" not found' if name else f"{kind} not found")


class ReleaseNameTaken(Exception):
    """The release name that follows from the content is held by a release of another component."""


@dataclass(frozen=True, slots=True)
class LatestRelease:
    """What `status.latestRelease` of a component says."""

    name: str
    release_hash: str

    def document(self) -> Document:
        return {"name": self.name, "releaseHash": self.release_hash}


def latest_release(component: Component, parts: Parts) -> LatestRelease:
    """Name and hash of the release that the component has now, whether that exists or not."""
    objects = (component, parts.component_type, *parts.traits, parts.workload)
    versions = tuple((obj.uid, obj.generation) for obj in objects)
    release_hash = _hashes.get(versions)
    if release_hash is None:
        release_hash = component_release_hash(release_spec(component, parts))
        if len(_hashes) >= REMEMBERED_HASHES:
            _hashes.clear()
        _hashes[versions] = release_hash
    return LatestRelease(f"{component.name}-{release_hash}", release_hash)


def cut_automatically(component: Component, parts: Parts, latest: LatestRelease, actor: Actor) -> None:
    """Make sure that the release of the present content exists. Raises `ReleaseNameTaken` or a `StoreError`."""
    namespace = component.namespace_name
    try:
        store.create(document_of(latest.name, namespace, frozen_spec(component, parts), {}), actor)
    except store.AlreadyExists:
        held = ComponentRelease.objects.system("release").get(namespace_id=namespace, name=latest.name)
        owner = held.spec["owner"]
        if owner != {**component.spec["owner"], "componentName": component.name}:
            raise ReleaseNameTaken(
                f'ComponentRelease "{latest.name}" belongs to component {owner["projectName"]}/{owner["componentName"]}'
            ) from None


def generate_release(component: Component, actor: Actor, name: str | None = None) -> ComponentRelease:
    """Cut a release now, named `name` or `{component}-{YYYYMMDD}-{n}`, n counting that day's releases from 1.

    Raises `PieceMissing`, `store.AlreadyExists` for a name that is in use, `store.Invalid`, or another `StoreError`.
    """
    parts = parts_of(component)
    namespace = component.namespace_name
    marks = {labels.PROJECT: component.spec["owner"]["projectName"], labels.COMPONENT: component.name}
    with store.transaction():
        release_name = (name or "").strip() or free_name(component)
        document = document_of(release_name, namespace, frozen_spec(component, parts), marks)
        return store.create(document, actor)  # type: ignore[return-value]


def parts_of(component: Component) -> Parts:
    """What a release of the component would be made of. Raises `PieceMissing`.

    As in the contract, the first of several workloads is taken here; only auto-deploy insists on exactly one.
    """
    workloads = workloads_of(component)
    if not workloads:
        raise PieceMissing("Workload")
    component_type = component_type_of(component)
    if component_type is None:
        kind, _, type_name = type_reference(component)
        raise PieceMissing(kind, type_name)
    try:
        traits = traits_of(component, component_type)
    except TraitMissing as missing:
        raise PieceMissing(missing.kind, missing.name) from None
    return Parts(component_type, traits, workloads[0])


def frozen_spec(component: Component, parts: Parts) -> Document:
    """The release's spec as it is stored: lists without entries are left out, as in the contract.

    The hash in the name knows them still, so it is taken from `release_spec`.
    """
    spec = release_spec(component, parts)
    workload = without_empty_lists(spec["workload"])
    for section in ("container", "dependencies"):
        if section in workload:
            workload[section] = without_empty_lists(workload[section])
    if workload.get("endpoints"):
        workload["endpoints"] = {name: without_empty_lists(value) for name, value in workload["endpoints"].items()}
    frozen = {**spec, "workload": workload, "componentType": with_bare_spec(spec["componentType"])}
    if "traits" in spec:
        frozen["traits"] = [with_bare_spec(trait) for trait in spec["traits"]]
    return frozen


def with_bare_spec(part: Document) -> Document:
    return {**part, "spec": without_empty_lists(part["spec"])}


def without_empty_lists(document: Document) -> Document:
    """The document without those of its fields that are empty lists."""
    return {key: value for key, value in document.items() if value != []}


def release_spec(component: Component, parts: Parts) -> Document:
    """The spec of the release, with everything that its parts say."""
    return component_release_spec(
        _as_document(component),
        _as_document(parts.component_type),
        [_as_document(trait) for trait in parts.traits],
        _as_document(parts.workload),
    )


def free_name(component: Component) -> str:
    """`{component}-{YYYYMMDD}-{n}`: n follows the number of that day's releases, and skips what is in use."""
    prefix = f"{component.name}-{timezone.now():%Y%m%d}-"
    rows = ComponentRelease.objects.system("release").filter(
        namespace_id=component.namespace_name, name__startswith=prefix
    )
    used = set(rows.values_list("name", flat=True))
    number = len(used) + 1
    while f"{prefix}{number}" in used:
        number += 1
    return f"{prefix}{number}"


def document_of(name: str, namespace: str, spec: Document, marks: dict[str, str]) -> Document:
    """The document of a ComponentRelease."""
    return {
        "apiVersion": API_VERSION,
        "kind": "ComponentRelease",
        "metadata": {"name": name, "namespace": namespace, "labels": marks},
        "spec": spec,
    }


def _as_document(obj: PlatformObject) -> Document:
    return store.to_document(obj, with_status=False)
