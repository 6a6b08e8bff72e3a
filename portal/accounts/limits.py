"""What a credential may be used for at most, whatever its user may do."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID


@dataclass(frozen=True, slots=True)
class Limits:
    """Some actions (patterns as in roles; none means all), within one namespace or project ("" means everywhere).

    `place_uid` tells that namespace or project from a later one of the same name.
    """

    actions: tuple[str, ...] = ()
    namespace: str = ""
    project: str = ""
    place_uid: UUID | None = None

    @property
    def is_all(self) -> bool:
        return not self.actions and not self.namespace
