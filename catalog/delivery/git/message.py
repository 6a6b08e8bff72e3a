"""The message of a delivery's commit: the subject says what went where, the trailers who asked for it.

Deliver cart to development: cart-5d7c9f8b64

Changed: Deployment cart-development-c71e0317
Added: ConfigMap cart-development-env-configs-d164768a

Namespace: default
Project: gcp-microservice-demo
Rendered-Release: default/cart-development, generation 3
Plane: DataPlane default/default
Actor: alice
Through: system:component-controller
Request-Id: 0d9c…
"""

from __future__ import annotations

from collections.abc import Iterable

from catalog.delivery.plane import ObjectKey, Place, Story

LONGEST_LIST = 20


def delivered(
    place: Place, story: Story, added: Iterable[ObjectKey], changed: Iterable[ObjectKey], removed: Iterable[ObjectKey]
) -> str:
    """The message of a commit that puts a release's objects in place."""
    release = f": {story.release}" if story.release else ""
    subject = f"Deliver {place} to {place.environment}{release}"
    changes = [*listed("Added", added), *listed("Changed", changed), *listed("Removed", removed)]
    return assemble(subject, changes, place, story)


def removed(place: Place, story: Story, keys: Iterable[ObjectKey]) -> str:
    """The message of a commit that removes all of a release's objects."""
    return assemble(f"Remove {place} from {place.environment}", listed("Removed", keys), place, story)


def listed(verb: str, keys: Iterable[ObjectKey]) -> list[str]:
    """One line for each object; with many, the rest is only counted."""
    ordered = sorted(keys, key=lambda key: (key.kind, key.name, key.namespace, key.group))
    lines = [f"{verb}: {one_line(str(key))}" for key in ordered[:LONGEST_LIST]]
    rest = len(ordered) - len(lines)
    return [*lines, f"{verb}: {rest} more"] if rest else lines


def assemble(subject: str, changes: list[str], place: Place, story: Story) -> str:
    trailers = {
        "Namespace": place.namespace,
        "Project": place.project,
        "Rendered-Release": f"{place.namespace}/{place.release}, generation {story.generation}",
        "Plane": story.plane,
        "Actor": story.actor,
        "Through": story.through,
        "Request-Id": story.request_id,
    }
    lines = [f"{name}: {one_line(value)}" for name, value in trailers.items() if value]
    return "\n".join([one_line(subject), "", *changes, *([""] if changes else []), *lines]) + "\n"


def one_line(text: str) -> str:
    """Without line breaks and control characters: a name cannot forge a trailer."""
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())
