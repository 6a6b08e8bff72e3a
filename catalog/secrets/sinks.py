"""Where the values of secrets go: to a plane that can hold secrets, else sealed into our own table.

A Git plane can hold none: what is committed there is read by everybody who reads the repository, for ever. Its secrets
stay with us, sealed, and whoever asks for them is told so (`Sink.note`).
"""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import dataclass
from typing import Protocol

from django.utils import timezone

from catalog.delivery.drivers import holds_secrets, location_of, plane_at
from catalog.delivery.plane import Plane, PlaneError
from catalog.kinds.base import PlatformObject
from catalog.secrets import manifests
from catalog.secrets.wanted import Values, WantedSecret
from catalog.store.documents import timestamp
from portal.secrets import SecretText, open_sealed, seal
from portal.secrets.models import HeldSecret

HELD_HERE = "held by Stagecraft, sealed: {plane} is delivered through Git, which takes no secrets"
ON_PLANE = "on {plane}"


class Sink(Protocol):
    """A place for values. The methods run inside the transaction that changes the secret."""

    @property
    def note(self) -> str:
        """Where that is, for people."""

    def write(self, wanted: WantedSecret, row: HeldSecret) -> str:
        """Put the values there. Returns what the row shall keep in `sealed`. Raises `PlaneError`."""

    def read(self, wanted: WantedSecret, row: HeldSecret) -> Values | None:
        """The values; None if they are not there any more. Raises `PlaneError` or `CannotOpen`."""

    def remove(self, wanted: WantedSecret) -> None:
        """Take them away; nothing happens if they are gone. Raises `PlaneError`."""


@dataclass(frozen=True)
class OurTable:
    """The row itself, sealed."""

    note: str

    def write(self, wanted: WantedSecret, row: HeldSecret) -> str:
        return seal(json.dumps({key: value.reveal() for key, value in wanted.values.items()}), row.context)

    def read(self, wanted: WantedSecret, row: HeldSecret) -> Values | None:
        if not row.sealed:
            return None
        held = json.loads(open_sealed(row.sealed, row.context).reveal())
        return {key: SecretText(value) for key, value in held.items()}

    def remove(self, wanted: WantedSecret) -> None:
        pass  # the row goes with its SecretReference


@dataclass(frozen=True)
class OnPlane:
    """A Secret on the plane, and a PushSecret that carries it into the plane's secret store. We keep nothing."""

    note: str
    plane: Plane
    store: str

    def write(self, wanted: WantedSecret, row: HeldSecret) -> str:
        try:
            self.plane.put(manifests.plane_objects(wanted, self.store, timestamp(timezone.now())))
        except PlaneError:
            if row.pk is None:
                # A plane that took the Secret and refused the rest must not keep values that nobody knows of.
                with suppress(PlaneError):
                    self.remove(wanted)
            raise
        return ""

    def read(self, wanted: WantedSecret, row: HeldSecret) -> Values | None:
        found = self.plane.find("v1", "Secret", wanted.plane_namespace, wanted.name)
        if found is None:
            return None
        return {key: SecretText(value) for key, value in manifests.decoded((found.get("data") or {}).items()).items()}

    def remove(self, wanted: WantedSecret) -> None:
        self.plane.take_away(manifests.plane_keys(wanted))


def sink_for(plane: PlatformObject, store: str) -> Sink:
    """Where the secrets of a plane go. Raises `PlaneNotConfigured`."""
    location = location_of(plane)
    if holds_secrets(plane):
        return OnPlane(ON_PLANE.format(plane=location), plane_at(location), store)
    return OurTable(HELD_HERE.format(plane=location))
