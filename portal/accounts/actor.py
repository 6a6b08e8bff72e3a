"""Who is acting, on which surface, in which request: what every change carries into the log."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field, replace
from typing import Literal

ActorKind = Literal["human", "service_account", "agent", "system"]
Surface = Literal["rest", "cli", "admin", "mcp", "form", "webhook", "worker", "quickstart"]


@dataclass(frozen=True, slots=True)
class Actor:
    """The author of a change. `name` is a user name, or `system:<part>` for the platform itself."""

    name: str
    kind: ActorKind = "human"
    surface: Surface = "cli"
    request_id: str = field(default_factory=lambda: str(uuid.uuid4()))

    def on(self, surface: Surface) -> Actor:
        """The same actor, seen on another surface."""
        return replace(self, surface=surface)


def system(part: str, surface: Surface = "worker") -> Actor:
    """The platform acting by itself, for example `system("release-binding-controller")`."""
    return Actor(name=f"system:{part}", kind="system", surface=surface)
