"""Applying documents for the sake of what they become: admitted, defaulted, merged with what is stored, and undone.

Only this part runs in a transaction; it takes milliseconds. What comes out are objects in memory.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from catalog import store
from catalog.kinds.base import PlatformObject
from catalog.manifests.applying import apply_entries
from catalog.manifests.outcomes import DocumentOutcome
from catalog.manifests.reading import Entry
from catalog.store.documents import Key
from portal.accounts.actor import Actor
from portal.audit import operation as audit


@dataclass
class Rehearsed:
    """What became of each document, and the objects as they would be stored, by key."""

    outcomes: list[DocumentOutcome] = field(default_factory=list)
    after: dict[Key, PlatformObject] = field(default_factory=dict)

    @property
    def changed(self) -> list[Key]:
        """The objects that the documents would create or change, each once."""
        keys = (key_of(outcome) for outcome in self.outcomes if outcome.result in ("created", "changed"))
        return list(dict.fromkeys(keys))

    @property
    def named(self) -> list[Key]:
        """All objects that the documents name, also those that they leave as they are."""
        kept = ("created", "changed", "unchanged")
        return list(dict.fromkeys(key_of(outcome) for outcome in self.outcomes if outcome.result in kept))

    @property
    def failures(self) -> list[DocumentOutcome]:
        return [outcome for outcome in self.outcomes if outcome.result == "failed"]

    def entry_of(self, kind: str, name: str) -> Entry | None:
        """The last document of that kind and name."""
        found = [item.entry for item in self.outcomes if (item.kind, item.name) == (kind, name)]
        return found[-1] if found else None


def rehearse(entries: Iterable[Entry], actor: Actor, default_namespace: str = "default") -> Rehearsed:
    """Apply the documents and undo it."""
    found = Rehearsed()
    documents = list(entries)  # read before the transaction begins
    with store.rehearsal(), audit.batch():
        audit.rehearses()
        for outcome in apply_entries(documents, actor, default_namespace=default_namespace):
            found.outcomes.append(outcome)
        for key in found.named:
            found.after[key] = store.get(key.kind, key.namespace, key.name)
    return found


def key_of(outcome: DocumentOutcome) -> Key:
    return Key(outcome.kind, outcome.namespace, outcome.name)
