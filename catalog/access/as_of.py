"""Who might do what at a past moment: the policy as it was, put together again from what was recorded.

    past = rights_at(user, moment)
    past.access.check("component:update", place, attributes)     and filter, profile, explain as ever

Roles, bindings and scope objects come from the log of revisions, grants by hand, memberships and accounts from the
journal (`catalog.access.journal`). What follows from them is decided by `portal.access.rules`, as for the present; the
answer names what is not known. A mapping is bound as `catalog.access.compile` has bound it: to the object that bore the
name when the binding's spec was written, or to the first to come after that; an object of the same name that came
later inherits nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, cast

from django.utils.dateparse import parse_datetime

from catalog.access.compile import BINDINGS, compiled_conditions
from catalog.access.past_documents import REASON, Life, Log, Name, Written, log_begins, sequence_at
from catalog.access.past_people import HandGrant, account_at, grants_at, groups_at, record_began, was_usable
from catalog.access.permissions import ROLES, SCOPES
from catalog.kinds.authz_role_binding import EXPIRES
from portal.access.actions import Level
from portal.access.condition import Condition, frozen
from portal.access.engine import Access
from portal.access.explanations import Records
from portal.access.past import Past
from portal.access.place import Place
from portal.access.policy import Policy
from portal.access.rules import Role, Rule
from portal.access.subject import Subject, entitlement, names_one_subject, subject_of
from portal.access.tables import MappingOrigin, Origins
from portal.accounts.models import User

RoleName = tuple[str, str, str]
NO_ROW = -1
"""The key of a scope object that is gone: it holds no row of today."""
JUDGED_NOW = "judged by the list of actions and the settings of today"
TOKEN_GROUPS = "groups that an identity provider named in a token are not recorded; only memberships kept here count"  # noqa: S105


def rights_at(user: User, at: datetime) -> Past:
    """What a user might do at a moment, and what is not known of that."""
    log = Log(sequence_at(at))
    account = account_at(user, at)
    subject = replace(subject_of(account), is_active=was_usable(account, at))
    groups = groups_at(user, at)
    by_hand, is_incomplete = grants_at(user, groups | subject.entitlements, at)
    policy, origins = policy_at(log, subject, groups, by_hand, at)
    access = Access(subject)
    access.policy = policy
    records = Records(
        lambda rules: {rule.key: origins[rule.row] for rule in rules},
        lambda place: real_place(log, place),
        are_stored=False,
    )
    return Past(at, access, records, tuple(notes_on(log, at, is_incomplete=is_incomplete)))


def notes_on(log: Log, at: datetime, *, is_incomplete: bool) -> Iterator[str]:
    """What the record does not tell."""
    yield JUDGED_NOW
    yield TOKEN_GROUPS
    began = record_began()
    if began is None or at < began:
        since = "are not recorded" if began is None else f"are recorded since {began.isoformat(timespec='seconds')}"
        yield f"memberships, accounts and grants by hand {since}; what was before that is taken from what came after it"
    if is_incomplete:
        yield "a grant by hand whose beginning was not recorded is taken to have been there"
    if log.until < (first := log_begins()) - 1:
        yield f"the log of changes begins at {first}: roles, bindings and objects of before are not known"


@dataclass
class Builder:
    """The rules that are being put together. Equal grants become one rule with several origins, as in the tables."""

    rules: list[Rule] = field(default_factory=list)
    origins: dict[int, Origins] = field(default_factory=dict)
    rows: dict[Any, int] = field(default_factory=dict)
    uids: list[Any] = field(default_factory=list)
    """The scope object of each rule, None for the cluster."""

    def add(
        self,
        via: str,
        place: Place,
        role: Role,
        uid: Any,
        *,
        origin: MappingOrigin | None,
        effect: str = "allow",
        conditions: tuple[Condition, ...] = (),
        is_own: bool = False,
    ) -> None:
        """Count a grant or a deny in. Without an origin it was given by hand."""
        table = "user" if is_own and not via else "group"
        if conditions or effect == "deny":
            table = "exception"
        same = (table, via, place, role, origin if table == "exception" else None)
        if same not in self.rows:
            row = self.rows[same] = len(self.rules)
            self.origins[row] = Origins()
            self.uids.append(uid)
            self.rules.append(
                Rule(
                    effect=cast(Any, effect),
                    level=place.level,
                    place=place,
                    role=role,
                    via=via,
                    is_own=is_own or names_one_subject(via),
                    table=cast(Any, table),
                    row=row,
                    scope=NO_ROW,
                    conditions=conditions,
                )
            )
        row = self.rows[same]
        held = self.origins[row]
        mappings = held.mappings if origin is None else (*held.mappings, origin)
        self.origins[row] = Origins(mappings, held.is_manual or origin is None)

    def policy(self, groups: frozenset[str]) -> Policy:
        """The rules with the rows that their scope objects have now, by which lists are filtered. One query a level."""
        keys: dict[Any, int] = {}
        for level in {rule.level for rule in self.rules} - {"cluster"}:
            wanted = [uid for rule, uid in zip(self.rules, self.uids, strict=True) if rule.level == level]
            rows = SCOPES[level].objects.system(REASON).filter(uid__in=wanted)  # type: ignore[attr-defined]
            keys |= dict(rows.values_list("uid", "pk"))
        found = zip(self.rules, self.uids, strict=True)
        return Policy(tuple(replace(rule, scope=keys.get(uid, NO_ROW)) for rule, uid in found), groups, 0)


def policy_at(
    log: Log, subject: Subject, groups: frozenset[str], by_hand: Iterable[HandGrant], at: datetime
) -> tuple[Policy, Mapping[int, Origins]]:
    """The rules of a subject, and what each comes from."""
    names = groups | subject.entitlements
    bindings = [written for written in bindings_of(log, names) if not has_ended(written, at)]
    roles = roles_at(log)
    lives = log.lives(name for binding in bindings for place in places_of(binding) if (name := name_of(place)))
    built = Builder()
    for binding in bindings:
        add_binding(built, binding, roles, lives, log.until)
    for grant in by_hand:
        add_hand_grant(built, grant, roles, log)
    return built.policy(groups), built.origins


# Bindings -------------------------------------------------------------------------------------------------------------


def bindings_of(log: Log, names: Iterable[str]) -> list[Written]:
    """The bindings that were for some of these groups."""
    names = frozenset(names)
    values = {name.partition(":")[2] for name in names}
    # A name that was too long for a group has lost its value; then all bindings are read.
    where = {} if any("~" in name for name in names) else {"after__spec__entitlement__value__in": sorted(values)}
    return [written for written in log.documents(list(BINDINGS), **where) if group_of(written) in names]


def group_of(binding: Written) -> str:
    who = binding.document["spec"]["entitlement"]
    return entitlement(who["claim"], who["value"])


def has_ended(binding: Written, at: datetime) -> bool:
    """Whether the binding's own end was over."""
    annotations = binding.document["metadata"].get("annotations") or {}
    ends = parse_datetime(annotations.get(EXPIRES) or "")
    return ends is not None and ends <= at


def places_of(binding: Written) -> list[Place]:
    """Where each mapping of a binding gives something; a namespace's binding never leaves its namespace."""
    own = binding.document["metadata"].get("namespace") or ""
    scopes = [mapping.get("scope") or {} for mapping in binding.document["spec"]["roleMappings"]]
    return [
        Place(
            own or scope.get("namespace") or "",
            scope.get("project") or "",
            scope.get("component") or "",
            scope.get("resource") or "",
        )
        for scope in scopes
    ]


def name_of(place: Place) -> Name | None:
    """The object that a place means; None for the cluster."""
    match place.level:
        case "cluster":
            return None
        case "namespace":
            return "Namespace", "", place.namespace
        case "project":
            return "Project", place.namespace, place.project
    return place.level.capitalize(), place.namespace, place.component or place.resource


def add_binding(
    built: Builder,
    binding: Written,
    roles: Mapping[RoleName, Role],
    lives: Mapping[Name, list[Life]],
    until: int,
) -> None:
    """Count in what each mapping of a binding gave or denied."""
    metadata, spec = binding.document["metadata"], binding.document["spec"]
    effect = spec.get("effect", "allow")
    kind = binding.document["kind"]
    for position, (mapping, place) in enumerate(zip(spec["roleMappings"], places_of(binding), strict=True)):
        reference = mapping["roleRef"]
        namespace = metadata.get("namespace", "") if reference["kind"] == "AuthzRole" else ""
        role = roles.get((reference["kind"], namespace, reference["name"]))
        name = name_of(place)
        life = None if name is None else bound_to(lives[name], place, binding.sequence)
        if role is None or (name is not None and (life is None or not life.covers(until))):
            continue
        conditions = tuple(
            Condition(tuple(item["actions"]), item["expression"], frozen(item["tree"]))
            for item in compiled_conditions(mapping.get("conditions") or ())
        )
        origin = MappingOrigin(kind, metadata.get("namespace", ""), metadata["name"], position)
        uid = None if life is None else life.uid
        built.add(group_of(binding), place, role, uid, origin=origin, effect=effect, conditions=conditions)


def bound_to(lives: Iterable[Life], place: Place, written: int) -> Life | None:
    """The object that a mapping was bound to: the one that was there when it was written, or the first to come after
    that. A component of another project is not meant."""
    return next((life for life in lives if life.place == place and (life.gone is None or life.gone > written)), None)


def roles_at(log: Log) -> dict[RoleName, Role]:
    """Every role as it was, by kind, namespace and name."""
    found = {}
    for written in log.documents(list(ROLES)):
        metadata, kind = written.document["metadata"], written.document["kind"]
        namespace, name = metadata.get("namespace", ""), metadata["name"]
        shown = f"{namespace}/{name}" if namespace else name
        found[kind, namespace, name] = Role(shown, tuple(written.document["spec"].get("actions") or ()), kind)
    return found


# Grants by hand, and places -------------------------------------------------------------------------------------------


def add_hand_grant(built: Builder, grant: HandGrant, roles: Mapping[RoleName, Role], log: Log) -> None:
    """Count in what was given by hand, if its scope object and its role were there."""
    place = Place() if grant.level == "cluster" else log.place_of_uid(grant.scope_uid)
    _, _, meaning = grant.permission.partition("|")
    role: Role | None = Role(meaning, (meaning,))
    if "#" in meaning:
        kind, shown = grant.role
        namespace, _, name = shown.rpartition("/")
        role = roles.get((kind, namespace, name))
    if place is None or role is None or cast(Level, grant.level) != place.level:
        return
    built.add(grant.group, place, role, grant.scope_uid, origin=None, is_own=not grant.group)


def real_place(log: Log, place: Place) -> Place | None:
    """The full place of the object that a place named then, None if there was none."""
    name = name_of(place)
    if name is None:
        return Place()
    life = log.life_now(name)
    return None if life is None else life.place
