"""Where Stagecraft means to differ from the recorded server: one table, read from `deliberate.toml`.

A rule names a sort of request by its method and path, what upstream answers and what we answer, and why. It covers an
exchange only if the statuses, the texts and every single line of difference are those that it names.
`scripts/reference.py` renders the table into `docs/compatibility.md`.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from tests.replay.comparison import Reply
from tests.replay.exchanges import Exchange

TABLE = Path(__file__).with_name("deliberate.toml")


@dataclass(frozen=True)
class Side:
    """What one side answers: one of some statuses, and a pattern found in its body ("" for any)."""

    statuses: frozenset[int]
    text: str
    shown: str

    def matches(self, status: int | None, body: str) -> bool:
        return status in self.statuses and re.search(self.text, body) is not None


@dataclass(frozen=True)
class Rule:
    """One deliberate difference.

    `difference` is matched by every line of difference in replies of equal status. `after_delete`: only for an object
    that was deleted before.
    """

    request: str
    pattern: str
    upstream: Side
    ours: Side
    why: str
    difference: str = ""
    after_delete: bool = False

    def covers(self, exchange: Exchange, reply: Reply, lines: Sequence[str], was_deleted: bool) -> bool:
        if self.after_delete and not was_deleted:
            return False
        return (
            re.fullmatch(self.pattern, f"{exchange.method} {exchange.path}", re.DOTALL) is not None
            and self.upstream.matches(exchange.status, exchange.response)
            and self.ours.matches(reply.status, reply.text)
            and (reply.status != exchange.status or all(re.search(self.difference, line) for line in lines))
        )


def rule_for(exchange: Exchange, reply: Reply, lines: Sequence[str], was_deleted: bool) -> Rule | None:
    """The rule that covers all of an exchange's differences, if there is one."""
    return next((rule for rule in rules() if rule.covers(exchange, reply, lines, was_deleted)), None)


@cache
def rules() -> tuple[Rule, ...]:
    """The table. Raises KeyError for an entry that says too little."""
    with TABLE.open("rb") as file:
        return tuple(rule_of(entry) for entry in tomllib.load(file)["rule"])


def rule_of(entry: dict[str, object]) -> Rule:
    return Rule(
        request=str(entry["request"]),
        pattern=str(entry["pattern"]),
        upstream=side_of(entry["upstream"]),
        ours=side_of(entry["ours"]),
        why=str(entry["why"]),
        difference=str(entry.get("difference", "(?!)")),
        after_delete=bool(entry.get("after_delete", False)),
    )


def side_of(entry: object) -> Side:
    assert isinstance(entry, dict)
    status = entry["status"]
    statuses = frozenset(status if isinstance(status, list) else [status])
    return Side(statuses, str(entry.get("text", "")), str(entry["shown"]))
