"""Where Stagecraft means to differ from the recorded server: one table, read from `deliberate.toml`.

A rule names a sort of request by its method and path, what upstream answers and what we answer, and why. An exchange
is deliberately different only if every single line of difference is named by a rule for its sort of request.
`[[pending]]` entries name what needs parts that are missing; they count as different, and are told apart only so that
nothing unexplained hides among them. `scripts/reference.py` renders both into `docs/compatibility.md`.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

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

    def applies(self, exchange: Exchange, reply: Reply, was_deleted: bool) -> bool:
        """Whether the exchange is of the sort that the rule speaks of."""
        return (
            (was_deleted or not self.after_delete)
            and re.fullmatch(self.pattern, f"{exchange.method} {exchange.path}", re.DOTALL) is not None
            and self.upstream.matches(exchange.status, exchange.response)
            and self.ours.matches(reply.status, reply.text)
        )

    def names(self, line: str, is_same_status: bool) -> bool:
        """Whether the rule means that line of difference. Where statuses differ there is one line only."""
        return not is_same_status or re.search(self.difference, line) is not None


def rules_for(exchange: Exchange, reply: Reply, lines: Sequence[str], was_deleted: bool) -> tuple[Rule, ...]:
    """The rules that together name every line of an exchange's differences; none if a single line is not named."""
    applying = [rule for rule in rules() if rule.applies(exchange, reply, was_deleted)]
    is_same_status = reply.status == exchange.status
    named = [next((rule for rule in applying if rule.names(line, is_same_status)), None) for line in lines]
    return () if None in named else tuple(dict.fromkeys(rule for rule in named if rule))


@dataclass(frozen=True)
class Pending:
    """A sort of request that needs a part that may be missing."""

    request: str
    pattern: str
    needs: str


def pending_for(exchange: Exchange) -> Pending | None:
    return next(
        (entry for entry in pending() if re.fullmatch(entry.pattern, f"{exchange.method} {exchange.path}", re.DOTALL)),
        None,
    )


@cache
def table() -> dict[str, Any]:
    with TABLE.open("rb") as file:
        return tomllib.load(file)


@cache
def rules() -> tuple[Rule, ...]:
    """The deliberate differences. Raises KeyError for an entry that says too little."""
    return tuple(rule_of(entry) for entry in table()["rule"])


@cache
def pending() -> tuple[Pending, ...]:
    """What needs parts that may be missing."""
    return tuple(Pending(entry["request"], entry["pattern"], entry["needs"]) for entry in table().get("pending", ()))


def rule_of(entry: dict[str, Any]) -> Rule:
    return Rule(
        request=str(entry["request"]),
        pattern=str(entry["pattern"]),
        upstream=side_of(entry["upstream"]),
        ours=side_of(entry["ours"]),
        why=str(entry["why"]),
        difference=str(entry.get("difference", "(?!)")),
        after_delete=bool(entry.get("after_delete", False)),
    )


def side_of(entry: dict[str, Any]) -> Side:
    status = entry["status"]
    statuses = frozenset(status if isinstance(status, list) else [status])
    return Side(statuses, str(entry.get("text", "")), str(entry["shown"]))
