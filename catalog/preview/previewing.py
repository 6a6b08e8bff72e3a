"""The story of a preview: rehearse the documents, find whom they concern, look at all of these, group what differs."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from catalog.manifests.reading import Entry
from catalog.preview.examining import Examination, MaySee, Result
from catalog.preview.grouping import EnvironmentImpact, group
from catalog.preview.impact import find_impact
from catalog.preview.rehearsing import Rehearsed, rehearse
from catalog.preview.world import World
from portal.accounts.actor import Actor


@dataclass
class Preview:
    """What the documents would become, and what that would do."""

    rehearsed: Rehearsed
    results: list[Result]
    impacts: list[EnvironmentImpact]
    hidden: int = 0
    """How many results the asker may not see; they are not among the others."""

    @property
    def breaks(self) -> bool:
        """Whether something would fail that works now."""
        return any(not failure.is_old for impact in self.impacts for failure in impact.failures)


def preview(
    entries: Iterable[Entry],
    actor: Actor,
    default_namespace: str = "default",
    *,
    keep_entries: bool = False,
    may_see: MaySee = lambda obj: True,
) -> Preview:
    """Find out what applying the documents would change on the planes. Stores nothing.

    Documents that would be refused count for nothing else; they are among the outcomes. `keep_entries`: results hold
    all objects that would be rendered; `may_see` says of owners and bindings whether the asker may see them.
    """
    rehearsed = rehearse(entries, actor, default_namespace)
    world = World(rehearsed.after)
    examination = Examination(world, keep_entries=keep_entries, may_see=may_see)
    examination.examine(find_impact(rehearsed.changed, world))
    results = [result for result in examination.results if not result.is_hidden]
    return Preview(rehearsed, results, group(results), len(examination.results) - len(results))
