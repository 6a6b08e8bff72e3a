"""What a release binding has brought to its planes, for those who may see the binding.

Found here for the tree of objects, their events, logs and the trigger: the binding, its rendered releases with the
rows of their objects, and the planes. The plane is asked through `catalog.delivery.plane`; one that cannot do what is
asked for is answered as 501 with its own words.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from catalog.api import release_binding
from catalog.api.crud import existing, in_words_of
from catalog.compiler.documents import Document
from catalog.controllers.binding_releases import release_names
from catalog.delivery import rows as object_rows
from catalog.delivery.delivered import delivered_of
from catalog.delivery.drivers import plane_at
from catalog.delivery.plane import NotThere, ObjectKey, Place, Plane, PlaneError, Unsupported
from catalog.kinds.release_binding import ReleaseBinding
from catalog.kinds.rendered_object import RenderedObject
from catalog.kinds.rendered_release import RenderedRelease
from catalog.releases.rendered import is_owned_by
from portal.access import guard
from portal.access.endpoint import Call
from portal.wire.responses import Refusal

CHILDREN = {"Pod": ("Deployment", "Job", "CronJob"), "ReplicaSet": ("Deployment",), "Job": ("CronJob",)}
"""Kinds that no release holds, and of what they come."""
NO_SUCH_OBJECT = "Resource not found"


@dataclass(frozen=True, slots=True)
class BoundRelease:
    """A rendered release of a binding, the rows of its objects in the order of application, and where they are.

    `place` and the plane exist from the first delivery on.
    """

    release: RenderedRelease
    rows: list[RenderedObject]

    @property
    def target(self) -> str:
        return str(self.release.spec.get("targetPlane") or "dataplane")

    def may_hold(self, kind: str) -> bool:
        """Whether objects of a kind that no release holds itself may come of this one's."""
        return any(row.kind in CHILDREN.get(kind, ()) for row in self.rows)

    def plane(self) -> tuple[Plane, Place]:
        """Where its objects are. Raises `NotThere` before the first delivery, or a `PlaneError`."""
        delivered = delivered_of(self.release)
        if delivered is None:
            raise NotThere(f"{self.release} has not been delivered yet")
        return plane_at(delivered.location), delivered.place


def visible_binding(call: Call, namespace: str, name: str, verb: str = "view") -> ReleaseBinding:
    """The binding, if the caller may do that to it; its own environment counts for conditions. Raises refusals."""
    binding = existing(release_binding.COLLECTION, namespace, name)
    with in_words_of(release_binding.COLLECTION):
        guard.require(call.access, verb, binding)
    return binding  # type: ignore[return-value]


def bound_releases(binding: ReleaseBinding) -> list[BoundRelease]:
    """The binding's own rendered releases: for the data plane, then for the observability plane."""
    names = release_names(binding)
    found = RenderedRelease.objects.system("a binding that the caller may see").filter(
        namespace_id=binding.namespace_name, name__in=names
    )
    owned = sorted((row for row in found if is_owned_by(row, binding)), key=lambda row: names.index(row.name))
    return [BoundRelease(row, object_rows.rows_of(row)) for row in owned]


def live_documents(bound: BoundRelease) -> list[Document]:
    """All that the plane holds of a release now, what has come of its objects included. Raises `PlaneError`."""
    plane, place = bound.plane()
    return list(plane.live(place))


def find_live(bound: BoundRelease, key: ObjectKey) -> Document:
    """The live object of that key, within the release only. Raises `NotThere` or another `PlaneError`."""
    for document in live_documents(bound):
        if key_of(document) == key:
            return document
    raise NotThere(f"{key} is not on the plane")


def key_of(document: Document) -> ObjectKey:
    metadata = document.get("metadata") or {}
    group = str(document.get("apiVersion") or "").rpartition("/")[0]
    return ObjectKey(
        group, str(document.get("kind") or ""), str(metadata.get("namespace") or ""), str(metadata.get("name") or "")
    )


@contextmanager
def answered() -> Iterator[None]:
    """Answer what the plane says in the contract's way: 404 for what is not there, 501 for what it cannot do."""
    try:
        yield
    except NotThere:
        raise Refusal(404, NO_SUCH_OBJECT) from None
    except Unsupported as error:
        raise Refusal(501, str(error)) from None
    except PlaneError as error:
        raise Refusal(500, str(error)) from None
