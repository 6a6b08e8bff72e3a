"""What a change of roles, bindings or grants would do to people: who gains what where, who loses it.

The change is made for real inside a rehearsal, which is undone: so the compile, every deny, every condition and every
other grant of the people concerned count as they would. Then each of them is judged before and after, by action and
place. Nothing is guessed; where there are too many people or places to look at all of them, the answer says "at least".
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from typing import Any

from django.contrib.auth.models import Group

from catalog import store
from catalog.access.human_verbs import in_words
from catalog.access.judging import ALWAYS, NO, Judge, alike
from catalog.access.permissions import SCOPES
from portal.access.actions import WITHIN, Action
from portal.access.engine import Access
from portal.access.place import Place
from portal.access.rules import Rule
from portal.access.subject import Subject, entitlement, names_one_subject, subject_of
from portal.accounts.models import User

PEOPLE_MAX = 300
"""Principals that are looked at; those in the same groups are looked at once."""
LOADS_MAX = 60
UNITS_MAX = 300
"""Projects, or namespaces, that are looked at within one place."""
WHY = "what a change of rights would do, for who may see them"


@dataclass(frozen=True)
class Holder:
    """Who is concerned by a change: a group, or one user."""

    group: str = ""
    user_id: int | None = None


@dataclass(frozen=True, order=True)
class Gain:
    """Some actions at some places, gained or lost together. `condition` is "" for always."""

    is_loss: bool
    actions: tuple[str, ...]
    places: tuple[str, ...]
    level: str
    """What the places are: `project`, `namespace`, …"""
    condition: str = ""
    is_more: bool = False
    """Whether there are more places than were looked at."""

    def words(self, verb: str, *, in_all: bool = False) -> str:
        """`gain deploy and read logs on 4 projects`; `in_all` if not everybody does on each of them."""
        count = len(self.places)
        if self.level == "cluster":
            where = "everywhere"
        elif count == 1 and not self.is_more:
            where = f"on {self.level} {self.places[0].split('/', 1)[1]}" if "/" in self.places[0] else self.places[0]
        else:
            number = f"{'at least ' if self.is_more else ''}{count}"
            where = f"on {number} {self.level}{'' if count == 1 else 's'}{' in all' if in_all else ''}"
        under = f", if {self.condition}" if self.condition else ""
        return f"{verb} {in_words(self.actions)} {where}{under}"


@dataclass
class Effect:
    """What the same change means for everybody for whom it means the same."""

    gains: tuple[Gain, ...]
    names: list[str] = field(default_factory=list)
    counts: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    groups: list[str] = field(default_factory=list)
    """Groups whose members this is true of, known here or not."""
    is_more: bool = False

    @property
    def who(self) -> str:
        """`at least 17 people and 1 agent`."""
        nouns = {"human": ("person", "people"), "service_account": ("service account", "service accounts")}
        nouns["agent"] = ("agent", "agents")
        parts = [f"{count} {nouns[kind][count != 1]}" for kind, count in sorted(self.counts.items(), reverse=True)]
        known = " and ".join(parts)
        whom = ", ".join(self.groups)
        if not known:
            return f"whoever is in {whom}"
        return f"{'at least ' if self.is_more else ''}{known}"

    def sentence(self, gain: Gain, *, in_all: bool = False) -> str:
        """`17 people gain deploy on 4 projects`."""
        verb = "lose" if gain.is_loss else "gain"
        is_single = sum(self.counts.values()) <= 1
        return f"{self.who} {gain.words(f'{verb}s' if is_single else verb, in_all=in_all)}"


@dataclass(frozen=True)
class Effects:
    """The answer: effects, biggest first, and whether somebody was left out."""

    effects: tuple[Effect, ...] = ()
    is_more: bool = False

    @property
    def sentences(self) -> list[str]:
        """A line for each change: what the same actions are for several people is told of all of them together."""
        together: dict[Any, list[tuple[Effect, Gain]]] = defaultdict(list)
        for effect in self.effects:
            for gain in effect.gains:
                one = (
                    gain.is_loss,
                    gain.actions,
                    gain.level,
                    gain.condition,
                    not effect.counts and tuple(effect.groups),
                )
                together[one].append((effect, gain))
        found = [sentence_of(told) for told in together.values()]
        return found or ["Nobody gains or loses anything."]


def sentence_of(told: list[tuple[Effect, Gain]]) -> str:
    """One change of one set of actions, for everybody for whom it happens."""
    effects, gains = [effect for effect, _ in told], [gain for _, gain in told]
    if len(told) == 1:
        return effects[0].sentence(gains[0])
    everybody = Effect((), groups=effects[0].groups, is_more=any(effect.is_more for effect in effects))
    for effect in effects:
        for kind, count in effect.counts.items():
            everybody.counts[kind] += count
    places = sorted({place for gain in gains for place in gain.places})
    whole = replace(gains[0], places=tuple(places), is_more=any(gain.is_more for gain in gains))
    return everybody.sentence(whole, in_all=any(len(gain.places) < len(places) for gain in gains))


@dataclass
class Person:
    """Somebody, or the idea of a group's member that is not known here."""

    subject: Subject
    shown: str
    is_known: bool = True


def effects_of(change: Callable[[], Any], holders: Iterable[Holder]) -> Effects:
    """What `change` would do for these holders. It is made and undone; what it raises comes through.

    Queries: two for each different set of groups among the people concerned (at most `LOADS_MAX`), and a few.
    """
    people, is_more = people_of(list(dict.fromkeys(holders)))
    shapes: dict[Any, list[Person]] = defaultdict(list)
    for person, shape in with_shapes(people):
        shapes[shape].append(person)
    if len(shapes) > LOADS_MAX:
        shapes, is_more = dict(list(shapes.items())[:LOADS_MAX]), True
    first = {shape: group[0].subject for shape, group in shapes.items()}
    before = {shape: Access(subject).policy.rules for shape, subject in first.items()}
    with store.rehearsal():
        change()
        after = {shape: Access(subject).policy.rules for shape, subject in first.items()}
    found: dict[tuple[Gain, ...], Effect] = {}
    units: dict[Place, Units] = {}
    for shape, group in shapes.items():
        gains = difference(before[shape], after[shape], group[0].subject, units)
        if not gains:
            continue
        effect = found.setdefault(gains, Effect(gains, is_more=is_more))
        for person in group:
            if person.is_known:
                effect.counts[person.subject.kind] += 1
                effect.names.append(person.shown)
            else:
                effect.groups.append(person.shown)
    known = {gain for effect in found.values() if effect.counts for gain in effect.gains}
    # A group is only worth a line of its own where no member of it is known for whom the same is true.
    told = [effect for effect in found.values() if effect.counts or not set(effect.gains) <= known]
    told.sort(key=lambda effect: (-sum(effect.counts.values()), effect.gains))
    return Effects(tuple(told), is_more)


# Who ------------------------------------------------------------------------------------------------------------------


def people_of(holders: list[Holder]) -> tuple[list[Person], bool]:
    """The people behind holders, and whether there are more. Users who may do everything anyway are left out."""
    names = [holder.group for holder in holders if holder.group]
    own = [name.partition(":")[2] for name in names if name.startswith("sub:")]
    ids = [holder.user_id for holder in holders if holder.user_id is not None]
    active = User.objects.filter(is_active=True).exclude(is_superuser=True, principal_kind=User.PrincipalKind.HUMAN)
    members = active.filter(groups__name__in=names) | active.filter(pk__in=ids) | active.filter(username__in=own)
    found = list(members.distinct().order_by("username")[: PEOPLE_MAX + 1])
    people = [Person(subject_of(user), user.get_username()) for user in found[:PEOPLE_MAX]]
    for name in names:
        if not names_one_subject(name):
            idea = Subject(user_id=None, name=name, entitlements=frozenset({name}))
            people.append(Person(idea, name, is_known=False))
        elif name.partition(":")[2] not in {user.get_username() for user in found}:
            idea = Subject(user_id=None, name=name.partition(":")[2], entitlements=frozenset({name}))
            people.append(Person(idea, name, is_known=False))
    return people, len(found) > PEOPLE_MAX


def with_shapes(people: list[Person]) -> list[tuple[Person, Any]]:
    """People with what their rights follow from, so that those for whom it is the same are looked at once."""
    ids = [person.subject.user_id for person in people if person.subject.user_id is not None]
    memberships: dict[int, set[int]] = defaultdict(set)
    through = User.groups.through.objects.filter(user_id__in=ids)
    for member, group in through.values_list("user_id", "group_id"):
        memberships[member].add(group)
    named = {name for person in people for name in person.subject.entitlements}
    existing = set(Group.objects.filter(name__in=named).values_list("name", flat=True))
    granted = holders_of_own_grants(ids)
    found = []
    for person in people:
        subject = person.subject
        user: int | None = subject.user_id
        own = user if user in granted else None
        entitled = frozenset(subject.entitlements & existing) if user is not None else subject.entitlements
        found.append((person, (subject.kind, own, frozenset(memberships.get(user or -1, ())), entitled)))
    return found


def holders_of_own_grants(ids: list[int]) -> set[int]:
    """Which of some users have grants of their own, or would get one by the change that is looked at."""
    from catalog.access.models import GRANTS

    found: set[int] = set()
    for user_grants, _ in GRANTS.values():
        found |= set(user_grants._default_manager.filter(user__in=ids).values_list("user_id", flat=True).distinct())
    return found


# What -----------------------------------------------------------------------------------------------------------------


@dataclass
class Units:
    """What a place is counted in: its projects and its namespaces, as far as they were looked at."""

    projects: list[Place]
    namespaces: list[Place]
    is_more: bool = False


def units_of(place: Place) -> Units:
    """The projects and namespaces within a place, itself included. Two queries at most."""
    if place.level not in ("cluster", "namespace"):
        return Units([place], [])
    projects = SCOPES["project"].objects.system(WHY)  # type: ignore[attr-defined]
    namespaces: list[Place] = [place]
    is_more = False
    if place.namespace:
        projects = projects.filter(namespace_id=place.namespace)
    else:
        names = SCOPES["namespace"].objects.system(WHY).order_by("name")  # type: ignore[attr-defined]
        all_names = list(names.values_list("name", flat=True)[: UNITS_MAX + 1])
        namespaces, is_more = [Place(name) for name in all_names[:UNITS_MAX]], len(all_names) > UNITS_MAX
    rows = list(projects.order_by("namespace_id", "name").values_list("namespace_id", "name")[: UNITS_MAX + 1])
    return Units([Place(*row) for row in rows[:UNITS_MAX]], namespaces, is_more or len(rows) > UNITS_MAX)


Changes = dict[tuple[bool, str, str, bool], dict[tuple[str, ...], set[Place]]]
"""Loss or not, condition, level, more or not → actions → places."""


def difference(
    before: tuple[Rule, ...], after: tuple[Rule, ...], subject: Subject, seen: dict[Place, Units]
) -> tuple[Gain, ...]:
    """What changes for a subject whose rules were these and become those."""
    old, new = {meaning(rule) for rule in before}, {meaning(rule) for rule in after}
    changed = [rule for rule in before if meaning(rule) not in new]
    changed += [rule for rule in after if meaning(rule) not in old]
    found: Changes = defaultdict(lambda: defaultdict(set))
    judges = (Judge(before, subject), Judge(after, subject))
    for actions in alike((*before, *after), subject):
        action, names = actions[0], tuple(one.name for one in actions)
        places: dict[Place, bool] = {}
        for rule in changed:
            if rule.covers(action.name) and action.lowest_scope in WITHIN[rule.level]:
                for unit, is_more in counted_in(action, rule.place, seen):
                    places[unit] = places.get(unit, False) or is_more
        for place, is_more in places.items():
            had, has = (judge(action.name, place) for judge in judges)
            if had == has:
                continue
            is_loss = had == ALWAYS or has == NO
            condition = (had if is_loss else has) if (had if is_loss else has) != ALWAYS else ""
            if is_loss and has != NO:
                condition = f"not ({has})"
            found[is_loss, condition, place.level, is_more][names].add(place)
    return gathered(found)


def gathered(found: Changes) -> tuple[Gain, ...]:
    """Actions that change at the same places, together."""
    gains = []
    for (is_loss, condition, level, is_more), by_actions in found.items():
        together: dict[tuple[str, ...], list[str]] = defaultdict(list)
        for actions, places in by_actions.items():
            together[tuple(sorted(place.path for place in places))] += actions
        for where, names in together.items():
            gains.append(Gain(is_loss, tuple(sorted(names)), where, level, condition, is_more))
    return tuple(sorted(gains))


def counted_in(action: Action, place: Place, seen: dict[Place, Units]) -> Iterable[tuple[Place, bool]]:
    """The places that an action is counted in when it is given at a place: projects for what happens inside of
    projects, namespaces for what belongs to those, else the place itself."""
    if place not in seen:
        seen[place] = units_of(place)
    units = seen[place]
    if action.lowest_scope in ("project", "component", "resource") and place.level in ("cluster", "namespace"):
        found = units.projects or [place]
    elif action.lowest_scope == "namespace" and place.level == "cluster":
        found = units.namespaces or [place]
    else:
        return [(place, False)]
    return [(unit, units.is_more) for unit in found]


def meaning(rule: Rule) -> Any:
    """What a rule says, whichever row it is kept in."""
    return (rule.effect, rule.place, rule.role.patterns, rule.via, rule.is_own, rule.conditions)


def entitlement_of(spec: Any) -> str:
    """The group that a binding's spec is for, "" if it names none."""
    found = spec.get("entitlement") if isinstance(spec, dict) else None
    if not isinstance(found, dict) or not found.get("claim"):
        return ""
    return entitlement(str(found["claim"]), str(found.get("value") or ""))
