"""A preview's report as people read it: as text on a terminal, and as Markdown for a pull request.

Both are made of the JSON report.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any

from catalog.kinds.base import Document

SHOWN_NAMES = 5
LONGEST_VALUE = 80
NOTHING = "(nothing)"


def as_text(report: Document) -> Iterator[str]:
    """The lines for a terminal."""
    yield from documents(report)
    for impact in report["environments"]:
        yield ""
        yield f"{title(impact)}: {headline(impact)}"
        for failure in impact["failures"]:
            yield f"  {counted(failure['owners'])} {fails(failure)}: {failure['message']}"
            if "place" in failure:
                yield f"    at {location(failure['place'])}"
            yield f"    {names(failure['owners'])}"
        for group in impact["groups"]:
            yield f"  {counted(group['owners'])}: {change(group)}"
            yield f"    {names(group['owners'])}"
    if not report["environments"]:
        yield ""
        yield "nothing that is deployed is concerned"


def as_markdown(report: Document) -> Iterator[str]:
    """The lines for a comment on a pull request."""
    summary = report["summary"]
    yield "## Preview"
    yield ""
    yield f"**{summary['changed']}** of {summary['looked_at']} deployments change, **{summary['failing']}** would fail."
    yield ""
    yield from (f"- {line}" for line in documents(report))
    for impact in report["environments"]:
        yield ""
        yield f"### {title(impact)}"
        yield ""
        yield f"{headline(impact)}."
        if impact["failures"]:
            yield ""
            for failure in impact["failures"]:
                where = f" (`{location(failure['place'])}`)" if "place" in failure else ""
                yield f"- **{counted(failure['owners'])} {fails(failure)}**: {code(failure['message'])}{where}"
                yield f"  {names(failure['owners'])}"
        if impact["groups"]:
            yield ""
            yield "| who | object | field | before | after |"
            yield "|---|---|---|---|---|"
            for group in impact["groups"]:
                yield row(group)
    if not report["environments"]:
        yield ""
        yield "Nothing that is deployed is concerned."


def documents(report: Document) -> Iterator[str]:
    """What became of each document; what stays as it is needs no line."""
    for item in report["documents"]:
        subject = f"{item['kind'] or 'document'} {item['name']}".strip()
        for problem in item.get("problems", ()):
            where = f"{problem['path']}: " if problem["path"] else ""
            yield f"{problem['location']}: {subject} {item['result']}: {where}{problem['message']}"
        if item["result"] in ("created", "changed"):
            yield f"{subject} {item['result']}"


def title(impact: Document) -> str:
    named = ", ".join(name for name in impact["environments"] if name)
    return f"{named}, {impact['moment']}" if named else "no release"


def headline(impact: Document) -> str:
    """How many change, stay and fail."""
    failing = sum(item["count"] for item in impact["failures"])
    parts = [f"{impact['changed']} changed", f"{impact['unchanged']} unchanged"]
    if failing:
        parts.append(f"{failing} failing")
    return ", ".join(parts)


def change(group: Document) -> str:
    """One change in words."""
    if "field" not in group:
        others = f" and {group['variants'] - 1} others" if many(group) else ""
        return f"{group['object']} {group['name']}{others} {group['action']}"
    differing = f"  (one of {group['variants']} different changes)" if many(group) else ""
    return f"{group['object']} {group['field']}: {shown(group['before'])} → {shown(group['after'])}{differing}"


def row(group: Document) -> str:
    who = f"{counted(group['owners'])}: {names(group['owners'])}"
    if "field" not in group:
        others = f" and {group['variants'] - 1} others" if many(group) else ""
        return f"| {who} | {group['object']} {cell(group['name'])}{others} | {group['action']} | | |"
    differing = f" (one of {group['variants']} different changes)" if many(group) else ""
    before, after = (cell(shown(group[side])) for side in ("before", "after"))
    return f"| {who} | {group['object']} | {cell(group['field'])} | {before} | {after}{differing} |"


def fails(failure: Document) -> str:
    verb = "fails" if failure["count"] == 1 else "fail"
    reasons = f"{failure['reason']}, {failure['variants']} messages, one is" if many(failure) else failure["reason"]
    return f"{verb} already ({reasons})" if failure["already"] else f"{verb} ({reasons})"


def many(item: Document) -> bool:
    """Whether the item stands for several that differ."""
    return bool(item["variants"] > 1)


def location(place: Document) -> str:
    at = f"{place['kind']} {place['name']} {place['field']}"
    return f"{place['location']} ({at})" if "location" in place else at


def counted(owners: list[Document]) -> str:
    """`412 components`, or `3 components and 1 project`."""
    kinds: dict[str, int] = {}
    for owner in owners:
        kinds[owner["kind"]] = kinds.get(owner["kind"], 0) + 1
    return " and ".join(f"{count} {kind.lower()}{'' if count == 1 else 's'}" for kind, count in sorted(kinds.items()))


def names(owners: Iterable[Document]) -> str:
    """The first few by name; with namespaces if there are several."""
    some = list(owners)
    is_mixed = len({owner["namespace"] for owner in some}) > 1
    texts = [f"{owner['namespace']}/{owner['name']}" if is_mixed else owner["name"] for owner in some[:SHOWN_NAMES]]
    return ", ".join(texts) + (f" and {len(some) - SHOWN_NAMES} more" if len(some) > SHOWN_NAMES else "")


def shown(value: Any) -> str:
    """A value in one line: texts bare, all else as JSON, cut where it is long."""
    if value is None:
        return NOTHING
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    text = " ".join(text.split()) or '""'
    return text if len(text) <= LONGEST_VALUE else text[: LONGEST_VALUE - 1] + "…"


def cell(text: str) -> str:
    return code(text).replace("|", "\\|")


def code(text: str) -> str:
    """Text as code in Markdown, in one line."""
    flat = " ".join(text.split())
    fence = "``" if "`" in flat else "`"
    return f"{fence}{flat}{fence}"
