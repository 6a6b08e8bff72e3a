"""Looking at everything that a change concerns: what would be rendered, and how that differs from what is.

Bindings that would offer other endpoints or outputs than now concern those who depend on them; these are looked at
again, until there is no more news.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from catalog.compiler.documents import Document
from catalog.compiler.explain import Place
from catalog.kinds.base import PlatformObject
from catalog.kinds.release_binding import ReleaseBinding
from catalog.preview import rendering
from catalog.preview.cases import AFTER, NOW, Case, Wanted, cases_of
from catalog.preview.comparing import FieldChange, ObjectChange, changed_objects, field_changes
from catalog.preview.impact import OWNER_FIELDS, OWNERS, Impact, Named
from catalog.preview.loading import BINDING_OF, Batch, batches, release_names
from catalog.preview.releases import NotReleased
from catalog.preview.rendering import NotRendered, Rendering
from catalog.preview.world import Moment, World
from catalog.store.models import ObjectReference

MOST_ROUNDS = 10
MaySee = Callable[[PlatformObject], bool]
BindingAt = tuple[str, str, Moment]
"""Namespace and name of a binding of a component, and a moment."""


@dataclass(frozen=True, slots=True)
class Failure:
    """Why something would not work, as its controller says it; `is_old`: it does not work now either.

    `place`: the field to blame, where a single one is.
    """

    reason: str
    message: str
    is_old: bool = False
    place: Place | None = None


@dataclass(slots=True)
class Result:
    """What becomes of a binding at a moment; `environment` is "" where not even a release comes about.

    `entries`: all objects by plane, if they are kept.
    """

    kind: str
    namespace: str
    owner: str
    environment: str
    moment: Moment
    binding: str = ""
    is_new_release: bool = False
    changes: tuple[FieldChange, ...] = ()
    failure: Failure | None = None
    depends_on: frozenset[tuple[str, str]] = frozenset()
    entries: dict[str, list[Document]] | None = None
    is_hidden: bool = False


@dataclass(frozen=True)
class News:
    """That an object offers something else in an environment from a moment on."""

    kind: str
    namespace: str
    name: str
    environment: str
    moment: Moment


class Examination:
    """The results of a look at all that is concerned.

    `keep_entries`: also keep what is rendered; `may_see`: results for what the asker may not see are marked as hidden.
    """

    def __init__(self, world: World, *, keep_entries: bool = False, may_see: MaySee = lambda obj: True) -> None:
        self.world = world
        self._may_see = may_see
        self._keep_entries = keep_entries
        self._results: dict[tuple[str, str, str, Moment], Result] = {}
        self._known: dict[FieldChange, FieldChange] = {}
        self._places: dict[str, Place | None] = {}
        self._news: set[News] = set()

    @property
    def results(self) -> list[Result]:
        """All results, by owner and environment."""
        found = self._results.values()
        return sorted(found, key=lambda item: (item.kind, item.namespace, item.owner, item.environment, item.moment))

    def examine(self, impact: Impact) -> None:
        """Look at all that is concerned. Resources come first: components see their outputs."""
        for kind in ("Resource", "Project", "Component"):
            now = frozenset((key.namespace, key.name) for key in impact.rendered if OWNERS[key.kind] == kind)
            released = frozenset(impact.released[kind])
            self.look_at(kind, Wanted(released, now), released | self.owners_of(BINDING_OF[kind], now))
        for _ in range(MOST_ROUNDS):
            again = self.bindings_with_news()
            self._news.clear()
            if not again:
                return
            now, later = (frozenset((a, b) for a, b, at in again if at == moment) for moment in (NOW, AFTER))
            owners = self.owners_of("ReleaseBinding", now | later)
            wanted = Wanted(frozenset(impact.released["Component"]), now, later)
            self.look_at("Component", wanted, owners, again)

    def look_at(self, kind: str, wanted: Wanted, owners: Iterable[Named], only: set[BindingAt] | None = None) -> None:
        """Look at some owners; `only`: these bindings and no others."""
        for batch in batches(kind, sorted(owners), self.world):
            pending: list[tuple[Result, list[ObjectChange]]] = []
            for owner in batch.owners:
                for case in cases_of(batch, owner, wanted, self.world):
                    if isinstance(case, NotReleased):
                        self.add(self.unreleased(batch, owner, case))
                    elif only is None or (owner.namespace_name, case.binding.name, case.moment) in only:
                        pending.append(self.look(batch, owner, case))
            flat = field_changes([change for _, changes in pending for change in changes], self._known)
            fields = iter(flat)
            for result, changes in pending:
                result.changes = tuple(item for _ in changes for item in next(fields))
                self.add(result)

    def look(self, batch: Batch, owner: Any, case: Case) -> tuple[Result, list[ObjectChange]]:
        """Render one case and see which objects differ."""
        binding = case.binding
        result = Result(
            batch.kind, owner.namespace_name, owner.name, binding.spec["environment"], case.moment, binding.name
        )
        result.is_new_release = case.release is not None
        result.is_hidden = not self._may_see(binding)
        try:
            rendered = self.render(batch, owner, case)
        except NotRendered as problem:
            result.failure = self.failure(problem, binding)
            return result, []
        result.depends_on = rendered.depends_on
        if self._keep_entries:
            result.entries = dict(rendering.as_planes(rendered))
        self.tell(batch, owner, case, rendered)
        changes = [
            change
            for plane, name in release_names(binding).items()
            for change in changed_objects(batch.present.release(binding, name), rendered.entries.get(plane, []))
        ]
        return result, changes

    def render(self, batch: Batch, owner: Any, case: Case) -> Rendering:
        binding, release = case.binding, case.release
        if batch.kind == "Component":
            release = release or self.named_release("ComponentRelease", binding, "releaseName")
            return rendering.render_component(self.world, binding, release, owner, case.moment)
        if batch.kind == "Project":
            release = release or self.named_release("ProjectRelease", binding, "projectRelease")
            return rendering.render_project(self.world, binding, release, owner)
        release = release or self.named_release("ResourceRelease", binding, "resourceRelease")
        held = batch.present.release(binding, release_names(binding)["dataplane"])
        return rendering.render_resource(self.world, binding, release, owner, held)

    def named_release(self, kind: str, binding: Any, field_name: str) -> Any:
        name = binding.spec.get(field_name)
        return self.world.read(kind, binding.namespace_name, name) if name else None

    def tell(self, batch: Batch, owner: Any, case: Case, rendered: Rendering) -> None:
        """Let those who depend on the binding see what it would offer."""
        binding = case.binding
        key = (case.moment, binding.namespace_name, binding.name)
        if batch.kind == "Component":
            facts, told, shown = self.world.endpoints, rendered.endpoints, "endpoints"
        elif batch.kind == "Resource" and rendered.outputs is not None:
            facts, told, shown = self.world.outputs, rendered.outputs, "outputs"
        else:
            return
        moments: tuple[Moment, ...] = (NOW,) if case.moment == NOW else (AFTER, NOW)
        known = [facts[at, *key[1:]] for at in moments if (at, *key[1:]) in facts]
        if told != (known[0] if known else binding.status.get(shown) or []):
            facts[key] = told
            environment = binding.spec["environment"]
            self._news.add(News(batch.kind, binding.namespace_name, owner.name, environment, case.moment))

    def bindings_with_news(self) -> set[BindingAt]:
        """The bindings of components that see something else than when they were looked at, or than is rendered."""
        found: set[BindingAt] = set()
        groups: dict[tuple[str, str, str, Moment], set[str]] = defaultdict(set)
        for news in self._news:
            groups[news.kind, news.namespace, news.environment, news.moment].add(news.name)
        for (kind, namespace, environment, moment), names in groups.items():
            for name in stored_dependants(kind, namespace, environment, names):
                found.add((namespace, name, moment))
            for result in self._results.values():
                same = (result.kind, result.namespace, result.environment) == ("Component", namespace, environment)
                if same and any((kind, name) in result.depends_on for name in names):
                    # What is seen now is seen later too.
                    found.add((namespace, result.binding, result.moment if moment == NOW else AFTER))
        return found

    def owners_of(self, binding_kind: str, bindings: Iterable[Named]) -> set[Named]:
        """The owners of bindings, by namespace and name."""
        owner_field = OWNER_FIELDS[OWNERS[binding_kind]]
        found = (self.world.read(binding_kind, *named) for named in bindings)
        return {
            (binding.namespace_name, binding.spec["owner"][owner_field]) for binding in found if binding is not None
        }

    def unreleased(self, batch: Batch, owner: Any, problem: NotReleased) -> Result:
        """The result for an owner that would get no release."""
        ready = owner.condition("Ready") or {}
        is_old = (ready.get("status"), ready.get("reason")) == ("False", problem.reason)
        failure = Failure(problem.reason, str(problem), is_old)
        is_hidden = not self._may_see(owner)
        return Result(batch.kind, owner.namespace_name, owner.name, "", NOW, failure=failure, is_hidden=is_hidden)

    def failure(self, problem: NotRendered, binding: Any) -> Failure:
        message = str(problem)
        if message not in self._places:
            self._places[message] = problem.place()
        conditions = [binding.condition(name) or {} for name in ("ReleaseSynced", "Synced")]
        is_old = any((item.get("status"), item.get("reason")) == ("False", problem.reason) for item in conditions)
        return Failure(problem.reason, message, is_old, self._places[message])

    def add(self, result: Result) -> None:
        self._results[result.kind, result.namespace, result.binding or f" {result.owner}", result.moment] = result


def stored_dependants(kind: str, namespace: str, environment: str, names: Iterable[str]) -> Iterator[str]:
    """The bindings in an environment whose present releases depend on one of these components or resources."""
    role = "connection" if kind == "Component" else "resource_dependency"
    users = ObjectReference.objects.filter(
        source_kind="ComponentRelease",
        role=role,
        target_kind=kind,
        target_namespace=namespace,
        target_name__in=list(names),
    )
    rows = ReleaseBinding.objects.system("preview").filter(
        namespace_id=namespace,
        environment__name=environment,
        component_release_id__in=users.values("source_id"),
        deleted_at=None,
    )
    yield from rows.values_list("name", flat=True)
