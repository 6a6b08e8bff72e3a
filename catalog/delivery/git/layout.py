"""Where things lie in the repository: one directory per place, one file per object.

    <namespace>/<environment>/<project>/<component>/deployment-cart-development-c71e0317.yaml
    <namespace>/<environment>/<project>/_project/namespace-dp-default-shop-development-4b8b4fdc.yaml
    <namespace>/<environment>/<project>/_resources/<resource>/statefulset-redis-….yaml
    _observability/<namespace>/…   the same again, for what goes to observability planes

Names of the platform's objects never begin with an underscore, so the fixed directories collide with none. An Argo CD
application or a Flux Kustomization can watch a whole namespace, an environment, a project or a component.
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Iterable

from catalog.delivery.plane import OBSERVABILITY_PLANE, ObjectKey, Place, PlaneError

SAFE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
UNSAFE = re.compile(r"[^A-Za-z0-9._-]+")
LONGEST_STEM = 200  # file systems end at 255 bytes


def directory_of(place: Place) -> tuple[str, ...]:
    """The steps from the root of the tree to the directory of a place."""
    last = [place.component] if place.component else ["_resources", place.resource] if place.resource else ["_project"]
    steps = (place.namespace, place.environment, place.project, *last)
    for step in steps:
        if not (SAFE_NAME.fullmatch(step) or step in ("_project", "_resources")):
            raise PlaneError(f"{step!r} cannot be the name of a directory in a Git repository")
    return ("_observability", *steps) if place.target == OBSERVABILITY_PLANE else steps


def file_names(keys: Iterable[ObjectKey]) -> dict[ObjectKey, str]:
    """The file of each object: `kind-name.yaml`; objects whose names would meet get a hash of the whole key each."""
    unique = list(dict.fromkeys(keys))
    stems = {key: UNSAFE.sub("-", f"{key.kind.lower()}-{key.name}") for key in unique}
    # Compared without case: people check repositories out on file systems that do not tell it.
    uses = Counter(stem.lower() for stem in stems.values())
    names = {}
    for key, stem in stems.items():
        exact = stem == f"{key.kind.lower()}-{key.name}" and len(stem) <= LONGEST_STEM and uses[stem.lower()] == 1
        names[key] = f"{stem}.yaml" if exact else f"{stem[:LONGEST_STEM]}-{hash_of(key)}.yaml"
    return names


def hash_of(key: ObjectKey) -> str:
    return hashlib.sha256("\0".join(key).encode()).hexdigest()[:8]
