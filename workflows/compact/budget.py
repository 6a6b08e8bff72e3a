"""What a text costs an agent, and how an answer is kept within a budget without losing anything silently.

The tokens are estimated, on the safe side: by runs of letters, digits and signs, with no table of any vocabulary
(`tests/workflows/compact/test_budget.py` holds the estimate against two real ones). An answer is a list of pieces;
those that fit are shown, after a line that says what there is, and a cursor asks for the rest. The cursor is (the
contract's own cursor, pieces already shown), so the same question is asked again and the same pieces are left out.
"""

from __future__ import annotations

import base64
import binascii
import re
from dataclasses import dataclass
from typing import Any

import orjson

from portal.mcp.arguments import BadArguments
from portal.mcp.registry import Arguments

DEFAULT_TOKENS, LEAST_TOKENS, MOST_TOKENS = 700, 200, 20_000
PIECE_TOKENS = 100
"""A line that costs more is cut into several pieces, so that each fits into the smallest budget."""
FOR_CURSOR = 60
"""Tokens that are kept for the last line."""
RUN = re.compile(r"[A-Za-z0-9]{20,}|[A-Z]?[a-z]+|[A-Z]+|[0-9]{1,3}|[^\S\n]+|\n|[^\w\s]|_|[^\x00-\x7f]", re.ASCII)


def estimated(text: str) -> int:
    """About how many tokens a text is: rather more than fewer."""
    return sum(map(cost_of, RUN.findall(text)))


def cost_of(run: str) -> int:
    """What one run costs: a word of eight letters one token or two, each sign one, a character beyond ASCII two; what
    is too long for a word and looks like chance, more for each letter."""
    if len(run) >= LONG and run.isascii() and run.isalnum():
        if run.islower() and run.isalpha():
            return round(len(run) * 0.57)
        if not (run.islower() or run.isupper() or run.isalpha()):
            return round(len(run) * 0.77)
        return sum(map(cost_of, SHORT_RUN.findall(run)))
    if run[0].isascii():
        if run[0].isalpha():
            return 1 + (len(run) - 1) // 5
        return 0 if run == " " else 1
    return 2


LONG = 20
SHORT_RUN = re.compile(r"[A-Z]?[a-z]{1,15}|[A-Z]{1,15}|[0-9]{1,3}")


@dataclass(frozen=True)
class Cursor:
    """Where to go on: the contract's cursor for the same question, and the pieces to leave out."""

    inner: str = ""
    skip: int = 0

    @classmethod
    def of(cls, given: Arguments) -> Cursor:
        """The cursor of a call; raises `BadArguments` for one that is none of ours."""
        text = given.get("cursor")
        if not text:
            return cls()
        try:
            value = orjson.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
            inner, skip = value
        except (binascii.Error, ValueError, TypeError):
            raise BadArguments("cursor is none of this server's; leave it out to begin anew") from None
        if not isinstance(inner, str) or isinstance(skip, bool) or not isinstance(skip, int) or skip < 0:
            raise BadArguments("cursor is none of this server's; leave it out to begin anew")
        return cls(inner, skip)

    @property
    def text(self) -> str:
        return base64.urlsafe_b64encode(orjson.dumps([self.inner, self.skip])).decode().rstrip("=")


def budget_of(given: Arguments) -> int:
    """The tokens that an answer may have."""
    wanted = given.get("max_tokens") or DEFAULT_TOKENS
    return max(LEAST_TOKENS, min(int(wanted), MOST_TOKENS))


def cut_long(lines: list[str]) -> list[str]:
    """The lines, each cut into pieces that a small budget can hold."""
    return [piece for line in lines for piece in pieces_of(line)]


def pieces_of(line: str) -> list[str]:
    """A line, or its parts: all but the first begin with an ellipsis."""
    if estimated(line) <= PIECE_TOKENS:
        return [line]
    parts, begin, cost = [], 0, 0
    for run in RUN.finditer(line):
        for start in range(run.start(), run.end(), PIECE_TOKENS):
            end = min(start + PIECE_TOKENS, run.end())
            more = cost_of(line[start:end])
            if cost + more > PIECE_TOKENS and start > begin:
                parts.append(line[begin:start])
                begin, cost = start, 0
            cost += more
    parts.append(line[begin:])
    return [parts[0], *(f"… {part}" for part in parts[1:])]


def fitting(pieces: list[str], tokens: int) -> int:
    """How many of the pieces fit. At least one, or a cursor would lead nowhere."""
    used = 0
    for number, piece in enumerate(pieces):
        used += estimated(piece) + 1
        if used > tokens and number:
            return number
    return len(pieces)


def shown(heading: str, summary: str, lines: list[str], given: Arguments, following: Any = "") -> str:
    """The answer's text: what fits of the lines, and where the rest is.

    `heading` stands above each part (the columns of a table), `summary` only where not everything fits. `following` is
    the contract's cursor for what comes after all of these lines.
    """
    cursor = Cursor.of(given)
    pieces = cut_long(lines)[cursor.skip :]
    head = [heading] if heading else []
    room = budget_of(given) - FOR_CURSOR - sum(map(estimated, head))
    number = fitting(pieces, room)
    if number < len(pieces):
        head = ([summary] if summary and not cursor.skip else []) + head
        room = budget_of(given) - FOR_CURSOR - sum(map(estimated, head))
        number = fitting(pieces, room)
    rest = len(pieces) - number
    if rest:
        after = Cursor(cursor.inner, cursor.skip + number)
        tail = [f"… {rest} more lines here; cursor={after.text}"]
    else:
        tail = [f"… more; cursor={Cursor(str(following)).text}"] if following else []
    return "\n".join([*head, *pieces[:number], *tail])
