"""An explanation (`portal.access.explanations.explain`) in lines for a terminal or a page."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any


def lines_of(shown: Mapping[str, Any]) -> Iterator[str]:
    """The answer and its reason, each rule that decided, and what would allow it."""
    yield f"{'yes' if shown['allowed'] else 'no'}: {shown['reason']}"
    for rule in shown.get("rules", ()):
        yield from rule_lines(rule)
    for rule in shown.get("unmet", ()):
        yield "  its condition does not hold:"
        yield from rule_lines(rule)
    if behind := shown.get("onBehalfOf"):
        yield f"  on behalf of {behind['subject']}:"
        yield from (f"  {line}" for line in lines_of(behind))
    if change := shown.get("wouldAllow"):
        yield "  the least change that allows it:"
        for mapping in change["remove"]:
            yield f"    take away {mapping['binding']}, roleMappings[{mapping['index']}]"
        for grant in change["grants"]:
            claim = grant["entitlement"]
            yield f"    give {grant['action']} at {grant['scope']} to {claim['claim']}:{claim['value']}"
    for note in shown.get("notes", ()):
        yield f"  note: {note}"


def rule_lines(rule: Mapping[str, Any]) -> Iterator[str]:
    role = rule["role"]
    yield f"  {rule['effect']}  {role.get('kind', 'action')} {role.get('name') or role['action']}"
    yield f"    scope    {rule['scope']}"
    yield f"    through  {rule['through']}"
    for binding in rule["bindings"]:
        yield f"    binding  {binding}"
    for expression in rule.get("conditions", ()):
        given = ", ".join(f"{name}={value or '(not given)'}" for name, value in rule["attributes"].items())
        yield f"    condition  {expression}  with {given}"
