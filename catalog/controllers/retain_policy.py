"""Whether a resource outlives its binding: `Retain` keeps what is on the plane until a person lets it go.

The person does that by the annotation `stagecraft.dev/delete-retained: "true"` on the binding that is being deleted.
"""

from __future__ import annotations

from catalog.kinds.resource_release_binding import ResourceReleaseBinding

RETAIN = "Retain"
LET_GO_ANNOTATION = "stagecraft.dev/delete-retained"
RETAIN_HOLD = "retainPolicy=Retain; finalizer held until cleared manually"


def is_retained(binding: ResourceReleaseBinding) -> bool:
    """The binding's own policy; where it has none, that of the type as its pinned release froze it; else Delete."""
    if binding.annotations.get(LET_GO_ANNOTATION, "").lower() == "true":
        return False
    own = binding.spec.get("retainPolicy")
    if own or binding.resource_release is None:
        return bool(own == RETAIN)
    return bool(binding.resource_release.spec["resourceType"]["spec"].get("retainPolicy") == RETAIN)
