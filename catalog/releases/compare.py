"""Comparing: what differs between two releases of a component, and between what two environments run.

Entries of lists are matched by what names them, so that one added variable is one difference, wherever it was put; if
only the order is another one, that is the difference.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from catalog.kinds.base import Document
from catalog.kinds.component import Component
from catalog.kinds.component_release import ComponentRelease
from catalog.kinds.release_binding import ReleaseBinding

ABSENT = None
NAMING_FIELDS = ("instanceName", "id", "key", "ref", "name")
NOT_SETTINGS = frozenset({"owner", "environment", "releaseName"})


@dataclass(frozen=True, slots=True)
class Difference:
    """One difference: where (`workload.container.env[LOG_LEVEL].value`), and both values; None where there is none."""

    path: str
    left: Any
    right: Any


@dataclass(frozen=True, slots=True)
class EnvironmentComparison:
    """How two environments differ: in the release's content, and in what is set for the environment."""

    left_release: str
    right_release: str
    content: list[Difference]
    settings: list[Difference]

    @property
    def is_same(self) -> bool:
        return not self.content and not self.settings


class NotBound(LookupError):
    """An environment runs no release of the component that could be compared."""


def compare_releases(left: ComponentRelease, right: ComponentRelease) -> list[Difference]:
    """What differs in content; the owner is no content."""
    return list(differences(content_of(left), content_of(right)))


def compare_environments(component: Component, left: str, right: str) -> EnvironmentComparison:
    """What differs between the two environments. Raises `NotBound`."""
    left_binding, right_binding = binding_of(component, left), binding_of(component, right)
    return EnvironmentComparison(
        left_binding.spec["releaseName"],
        right_binding.spec["releaseName"],
        compare_releases(release_of(left_binding), release_of(right_binding)),
        list(differences(settings_of(left_binding), settings_of(right_binding))),
    )


def binding_of(component: Component, environment: str) -> ReleaseBinding:
    """The component's binding in the environment. Raises `NotBound`."""
    rows = (
        ReleaseBinding.objects.system("release").filter(component_id=component.pk).select_related("component_release")
    )
    for binding in rows.order_by("name"):
        if binding.spec["environment"] == environment:
            return binding
    raise NotBound(f'component "{component.name}" has no binding in environment "{environment}"')


def release_of(binding: ReleaseBinding) -> ComponentRelease:
    """The release that a binding runs. Raises `NotBound`."""
    release: ComponentRelease | None = binding.component_release
    if release is None:
        name = binding.spec.get("releaseName") or ""
        raise NotBound(f'ComponentRelease "{name}" of environment "{binding.spec["environment"]}" not found')
    return release


def content_of(release: ComponentRelease) -> Document:
    return {key: value for key, value in release.spec.items() if key != "owner"}


def settings_of(binding: ReleaseBinding) -> Document:
    return {key: value for key, value in binding.spec.items() if key not in NOT_SETTINGS}


def differences(left: Any, right: Any, path: str = "") -> Iterator[Difference]:
    """Where two values differ, from the top down, as deep as both have the same form."""
    if left == right:
        return
    if isinstance(left, Mapping) and isinstance(right, Mapping):
        for key in sorted({**left, **right}):
            yield from differences(left.get(key, ABSENT), right.get(key, ABSENT), f"{path}.{key}" if path else key)
        return
    field = naming_field(left, right)
    if field:
        named_left, named_right = ({item[field]: item for item in items} for items in (left, right))
        for name in {**named_left, **named_right}:
            yield from differences(named_left.get(name, ABSENT), named_right.get(name, ABSENT), f"{path}[{name}]")
        if list(named_left) != list(named_right) and set(named_left) == set(named_right):
            yield Difference(f"{path} (order)", list(named_left), list(named_right))
        return
    yield Difference(path, left, right)


def naming_field(left: Any, right: Any) -> str | None:
    """The field that names the entries of both lists, None if they are no lists of objects with one such field."""
    if not is_list_of_objects(left) or not is_list_of_objects(right):
        return None
    for field in NAMING_FIELDS:
        if all(names_each_once(items, field) for items in (left, right)):
            return field
    return None


def is_list_of_objects(value: Any) -> bool:
    return (
        isinstance(value, Sequence) and not isinstance(value, str) and all(isinstance(item, Mapping) for item in value)
    )


def names_each_once(items: Sequence[Mapping[str, Any]], field: str) -> bool:
    names = [item.get(field) for item in items]
    return all(isinstance(name, str) for name in names) and len(set(names)) == len(names)
