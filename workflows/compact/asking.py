"""access and changes: who may do what and why, and what has been changed by whom."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from catalog.access.hierarchy import place_of
from catalog.access.revisions import visible_revisions
from catalog.store.models import Revision
from portal.access import guard
from portal.access.asking import SEE_ACCESS, Question, answer, holders, note_question
from portal.access.endpoint import Call
from portal.access.place import Place
from portal.mcp.arguments import ITEMS, NUMBER, TEXT, BadArguments, described, one_of
from portal.mcp.registry import Arguments, Document
from workflows.compact.budget import Cursor
from workflows.compact.dispatching import read
from workflows.compact.since import beginning_of, wire_time
from workflows.compact.tool import CompactTool, Picked, actions_behind
from workflows.compact.verbs import PLACE, SPARING

MOST_REVISIONS = 2000
NEWEST = 10
HOLDERS = 50


def ask_access(call: Call, given: Arguments) -> Document:
    """`why`: whether the caller may, and why. `who`: everybody who may, and by what. `check`: the contract's questions,
    about others too. `actions`: what there is to ask about."""
    if given["ask"] == "actions":
        return read(call, "list_authz_actions", {})
    if given["ask"] == "check":
        return read(call, "evaluate_authz", {"requests": given.get("requests") or []})
    if not given.get("action"):
        raise BadArguments("access: give action, such as releasebinding:update; ask=actions lists them")
    question = question_of(given)
    if given["ask"] == "why":
        found = answer(question, call.user, call.access)
        return {name: found[name] for name in ("allowed", "reason", "scope", "wouldAllow") if name in found}
    guard.require_at(call.access, SEE_ACCESS, question.place)
    note_question(question)
    page = holders(question, limit=min(given.get("limit") or HOLDERS, HOLDERS), cursor=Cursor.of(given).inner)
    following = page["pagination"].get("nextCursor")
    rows = [holder_of(item) for item in page["items"]]
    return {"who": rows or "nobody", **({"next_cursor": following} if following else {})}


def holder_of(item: Document) -> Document:
    """One who may, and the rule that lets it."""
    if "entitlement" in item:
        named = f"whoever has {item['entitlement']['claim']}={item['entitlement']['value']}"
    else:
        named = f"{item['kind']} {item['name']}"
    return {"who": named, "by": item["reason"]}


def question_of(given: Arguments) -> Question:
    """The question at the place and in the environment that the arguments name."""
    namespace, project, component, resource = (
        str(given.get(name) or "") for name in ("namespace", "project", "component", "resource")
    )
    place = Place(namespace, project, component, "" if component else resource)
    environment = given.get("environment")
    attributes = {"environment": f"{place.namespace}/{environment}"} if environment else {}
    return Question(given["action"], place, attributes)


def pick_access(given: Arguments) -> Picked:
    match given["ask"]:
        case "actions":
            return "list_authz_actions", {}
        case "check":
            return "evaluate_authz", {}
    raise LookupError("these ask for what the contract has no tool for")


# changes --------------------------------------------------------------------------------------------------------------


def changes(call: Call, given: Arguments) -> Document:
    """What has been changed of what the caller may see, newest first, and how much by whom. Statuses are no changes;
    what the platform did by itself is counted, and shown to who asks for its actor."""
    since = beginning_of({"since": given.get("since") or "24h"}, datetime.now(UTC))
    rows = Revision.objects.system("narrowed below to what the caller may see").filter(
        namespace=given["namespace"], recorded_at__gte=since
    )
    rows = rows.exclude(action=Revision.Action.STATUS).order_by("-sequence")
    if given.get("actor"):
        rows = rows.filter(actor=given["actor"])
    found = list(rows[: MOST_REVISIONS + 1])
    seen = [row for row in visible_revisions(call.access, found[:MOST_REVISIONS]) if is_within(row, given)]
    own = [row for row in seen if row.actor_kind == "system"]
    if not given.get("actor"):
        seen = [row for row in seen if row.actor_kind != "system"]
    counts = Counter(row.actor for row in seen)
    newest = seen[: given.get("limit") or NEWEST]
    return {
        "since": wire_time(since),
        "count": f"{'at least ' if len(found) > MOST_REVISIONS else ''}{len(seen)}",
        "by": ", ".join(f"{actor} {number}" for actor, number in counts.most_common(10)),
        "by_the_platform": len(own),
        "newest": [
            {
                "time": wire_time(row.recorded_at)[:19] + "Z",
                "actor": row.actor,
                "action": row.action,
                "object": f"{row.kind}/{row.name}",
                "via": row.surface,
            }
            for row in newest
        ]
        or "none",
    }


def is_within(row: Revision, given: Arguments) -> bool:
    """Whether a change is of the project and component that are asked for."""
    document: dict[str, Any] = row.after or row.before or {}
    metadata = document.get("metadata") or {}
    place = place_of(row.kind, row.namespace, row.name, document.get("spec"), metadata.get("labels"))
    return all(
        not given.get(name) or getattr(place, name) == given[name] for name in ("project", "component", "resource")
    )


def tools() -> Iterator[CompactTool]:
    """The two."""
    yield CompactTool(
        "access",
        "Access",
        "why: whether you may do something, and why. who: who may, and by which rule. check: the contract's questions "
        "[{action, resource{type, id, hierarchy}, subject_context}]. actions: all there are.",
        ask_access,
        actions_behind("evaluate_authz", "list_authz_actions"),
        (),
        arguments={
            "ask": one_of("why", "who", "check", "actions"),
            "action": TEXT,
            **PLACE,
            "environment": TEXT,
            "requests": ITEMS,
            **SPARING,
        },
        required=("ask",),
        covers=("evaluate_authz", "list_authz_actions"),
        pick=pick_access,
        is_open=True,
    )
    yield CompactTool(
        "changes",
        "Changes",
        "What has been changed, when and by whom.",
        changes,
        actions_behind("list_projects", "list_components"),
        (),
        arguments={
            **PLACE,
            "actor": TEXT,
            "since": described(TEXT, "default 24h"),
            "limit": NUMBER,
            **SPARING,
        },
        required=("namespace",),
    )
