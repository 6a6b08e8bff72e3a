"""Who depends on a component or a resource: known from the releases, which freeze what a workload depends on.

So a provider's news reaches also those consumers that have not looked yet. Shared by `connections` and
`resource_dependencies`.
"""

from __future__ import annotations

from collections.abc import Iterable

from catalog.kinds.base import PlatformObject
from catalog.kinds.release_binding import ReleaseBinding
from catalog.store.references import referrers as references_to


def dependants_of(provider: PlatformObject, kind: str, name: str, role: str) -> Iterable[int]:
    """The bindings in the environment of `provider` whose releases name the object, as `role`.

    `provider` is the ReleaseBinding or ResourceReleaseBinding of the object of that kind and name.
    """
    users = references_to(kind, provider.namespace_name, name).filter(source_kind="ComponentRelease", role=role)
    if not users.exists():
        return ()
    rows = ReleaseBinding.objects.system("reconcile").filter(
        environment_id=provider.environment_id,  # type: ignore[attr-defined]
        component_release_id__in=users.values("source_id"),
    )
    return rows.values_list("id", flat=True)
