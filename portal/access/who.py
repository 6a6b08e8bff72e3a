"""Who may do it: the question of `check` turned round.

    who_can("releasebinding:update", Place("acme", "shop"), {"environment": "acme/prod"})

From the place outwards: the rows that speak of the action there (`portal.access.around`), then the accounts that these
rows can reach, by name, in pages. Nobody else is looked at, and each of those is judged by the engine itself: denies,
conditions, ends, agents' rules and superusers count as they do for `check`. The number of queries is bounded, whatever
the number of users and grants (`CHUNKS`).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from django.conf import settings
from django.db.models import Count, Q, QuerySet
from django.db.models.functions import Length

from portal.access.around import Around, rules_around
from portal.access.engine import Access
from portal.access.place import Place
from portal.access.policy import Policy
from portal.access.reasons import grounds_of
from portal.access.rules import Attributes, Decision, Rule
from portal.access.subject import GROUP_NAME_MAX, Subject, names_one_subject, subject_of
from portal.accounts.models import User

LIMIT = 100
CHUNK = 500
CHUNKS = 6
"""How many accounts are judged for one page at most: a page may end before it is full."""
ENTITLEMENT, PRINCIPAL = "entitlement", "principal"


@dataclass(frozen=True)
class Holder:
    """One that may do it: an account, or a claim that stands for whoever's token bears it."""

    sort: str
    """`principal` or `entitlement`."""
    name: str
    """The user name, or the group's name, such as `groups:dev`."""
    kind: str
    """`human`, `service_account` or `agent`; "" for an entitlement."""
    decision: Decision
    rules: tuple[Rule, ...]
    """Every grant that gives it, each of which would be enough."""
    members: int = 0
    """Of an entitlement: how many accounts are in its group here."""


@dataclass(frozen=True)
class Page:
    """Some of the holders, entitlements first, each sort by name; `cursor` asks for what follows, "" at the end."""

    holders: tuple[Holder, ...]
    cursor: str = ""


def who_can(action: str, place: Place, attributes: Attributes, *, limit: int = LIMIT, cursor: str = "") -> Page:
    """One page of those who may do the action at the place. Raises `ValueError` for a cursor that is none."""
    sort, _, after = cursor.partition(":")
    if cursor and sort not in (ENTITLEMENT, PRINCIPAL):
        raise ValueError(f"{cursor!r} is no cursor of this list")
    around = rules_around(action, place)
    question = Question(action, place, attributes)
    found: list[Holder] = []
    if sort != PRINCIPAL:
        for holder in entitlements(around, question, after):
            if len(found) == limit:
                return Page(with_members(found, around), f"{ENTITLEMENT}:{found[-1].name}")
            found.append(holder)
        after = ""
    accounts, last = principals(around, question, limit - len(found), after)
    return Page(with_members([*found, *accounts], around), cursor="" if last is None else f"{PRINCIPAL}:{last}")


@dataclass(frozen=True)
class Question:
    """What is asked of each."""

    action: str
    place: Place
    attributes: Attributes

    def judge(self, subject: Subject, rules: Iterable[Rule]) -> tuple[Decision, tuple[Rule, ...]]:
        """The engine's decision by these rules alone, and every grant that gives it."""
        access = Access(subject)
        access.policy = Policy(tuple(rules))
        decision = access.check(self.action, self.place, self.attributes)
        usable = access.rules_for(self.action)
        grounds = grounds_of(usable, self.action, self.place, self.attributes, strict_deny=settings.STRICT_DENY)
        return decision, grounds.allowing if decision.because == "grant" else ()


# Entitlements ---------------------------------------------------------------------------------------------------------


def entitlements(around: Around, question: Question, after: str) -> Iterator[Holder]:
    """The groups whose members may do it, and names of single subjects that nobody has signed in with."""
    names = sorted(name for name in around.by_group if name > after)
    known = known_names(name for name in names if names_one_subject(name))
    for name in names:
        if name in known:
            continue
        subject = Subject(None, name, entitlements=frozenset({name}))
        decision, rules = question.judge(subject, around.by_group[name])
        if decision.allowed:
            yield Holder(ENTITLEMENT, name, "", decision, rules)


def known_names(own: Iterable[str]) -> set[str]:
    """Of claims that name one subject, those whose subject has an account."""
    own = set(own)
    if not own:
        return set()
    return {name for user in bearers(own).select_related("owner") for name in subject_of(user).entitlements & own}


def bearers(own: Iterable[str]) -> QuerySet[User]:
    """The accounts that may bear some claims of single subjects, and perhaps a few others."""
    values = [name.partition(":")[2] for name in own]
    found = Q(username__in=values) | Q(subject__in=values)
    if any(len(name) == GROUP_NAME_MAX for name in own):
        # Such a name may end in a hash; which user's it is, is seen from the user.
        found |= Q(pk__in=User.objects.alias(size=Length("username")).filter(size__gt=GROUP_NAME_MAX - 5).values("pk"))
    return User.objects.filter(found)


def with_members(holders: Sequence[Holder], around: Around) -> tuple[Holder, ...]:
    """The holders, the groups among them with how many accounts they have."""
    identities = [around.group_ids[holder.name] for holder in holders if holder.sort == ENTITLEMENT]
    if not identities:
        return tuple(holders)
    rows = memberships().filter(group_id__in=identities).values_list("group_id").annotate(number=Count("user_id"))
    counts = dict(rows.order_by())
    return tuple(
        replace(holder, members=counts.get(around.group_ids[holder.name], 0)) if holder.sort == ENTITLEMENT else holder
        for holder in holders
    )


# Principals -----------------------------------------------------------------------------------------------------------


def principals(around: Around, question: Question, limit: int, after: str) -> tuple[list[Holder], str | None]:
    """The next accounts that may do it, and the name after which to go on, None at the end."""
    found: list[Holder] = []
    last: str | None = after
    for _ in range(CHUNKS):
        chunk = list(candidates(around).filter(username__gt=last or "").order_by("username")[:CHUNK])
        groups = groups_of(chunk, around)
        for user in chunk:
            if len(found) == limit:
                return found, last
            last = user.get_username()
            holder = judged(user, groups[user.pk], around, question)
            if holder is not None:
                found.append(holder)
        if len(chunk) < CHUNK:
            return found, None
    return found, last


def candidates(around: Around) -> QuerySet[User]:
    """The accounts that a grant can reach: members of its groups, its own users, bearers of its names, superusers."""
    giving = [name for name, rules in around.by_group.items() if any(rule.effect == "allow" for rule in rules)]
    own = [name for name in giving if names_one_subject(name)]
    in_groups = memberships().filter(group_id__in=[around.group_ids[name] for name in giving]).values("user_id")
    found = Q(is_superuser=True) | Q(pk__in=in_groups) | Q(pk__in=list(around.by_user))
    if own:
        found |= Q(pk__in=bearers(own).values("pk"))
    return User.objects.filter(found).select_related("owner")


def groups_of(users: Iterable[User], around: Around) -> dict[int, set[str]]:
    """Which of the groups that matter each of some users is in."""
    names = {identity: name for name, identity in around.group_ids.items()}
    found: dict[int, set[str]] = defaultdict(set)
    rows = memberships().filter(user_id__in=[user.pk for user in users], group_id__in=list(names))
    for user, group in rows.values_list("user_id", "group_id"):
        found[user].add(names[group])
    return found


def memberships() -> QuerySet[Any]:
    return User.groups.through._default_manager.all()


def judged(user: User, groups: set[str], around: Around, question: Question) -> Holder | None:
    """The account as a holder; None if it may not do it."""
    subject = subject_of(user)
    names = groups | (subject.entitlements & around.by_group.keys())
    rules = [rule for name in sorted(names) for rule in around.by_group[name]] + around.by_user.get(user.pk, [])
    decision, allowing = question.judge(subject, rules)
    if not decision.allowed:
        return None
    return Holder(PRINCIPAL, user.get_username(), user.principal_kind, decision, allowing)
