"""Label selectors: `app=web,tier in (a, b),!legacy`, by Kubernetes' grammar and with its error texts.

Parsing only; `catalog.api.label_filter` turns requirements into SQL.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from portal.wire.kubernetes_names import label_key_problems, label_value_problems

Operator = Literal["in", "notin", "exists", "absent", "gt", "lt"]

_SPECIAL = "=!(),><"
_TOKEN = re.compile(r"[ \t\r\n]*(==|!=|[=!(),><]|[^=!(),>< \t\r\n]+)")
LENGTH_MAX, REQUIREMENTS_MAX = 8192, 100
"""Each requirement is a condition on every row; a database takes some hundreds before it gives up."""
MAX_DIGITS = 18  # what every database's whole numbers hold; labels with longer ones compare as no number
_INTEGER = re.compile(r"[+-]?[0-9]{1,18}")


@dataclass(frozen=True, slots=True)
class Requirement:
    """One condition on one label. `values` is empty for "exists" and "absent"; one whole number for "gt" and "lt".

    `=` and `==` are "in" with one value, `!=` is "notin" with one. "notin" also holds where the label is absent.
    """

    key: str
    operator: Operator
    values: tuple[str, ...] = ()

    def matches(self, labels: dict[str, str]) -> bool:
        """Whether a set of labels meets the condition."""
        held = labels.get(self.key)
        match self.operator:
            case "exists":
                return held is not None
            case "absent":
                return held is None
            case "in":
                return held in self.values
            case "notin":
                return held not in self.values
        if held is None or not held.isdecimal() or len(held) > MAX_DIGITS:
            return False
        return int(held) > int(self.values[0]) if self.operator == "gt" else int(held) < int(self.values[0])


class BadSelector(ValueError):
    """The text is not a label selector; the message is Kubernetes' own."""


def parse_selector(text: str) -> tuple[Requirement, ...]:
    """The requirements of a selector, none for an empty text. Raises `BadSelector`, also for more than one writes."""
    if len(text) > LENGTH_MAX:
        raise BadSelector(f"longer than {LENGTH_MAX} characters")
    tokens = _Tokens(text)
    found = tuple(_requirements(tokens))
    if len(found) > REQUIREMENTS_MAX:
        raise BadSelector(f"more than {REQUIREMENTS_MAX} requirements")
    return found


class _Tokens:
    """The words of a selector, one looked at ahead; "" is the end."""

    def __init__(self, text: str) -> None:
        self._words = [match.group(1) for match in _TOKEN.finditer(text)]
        self._position = 0

    @property
    def ahead(self) -> str:
        return self._words[self._position] if self._position < len(self._words) else ""

    def take(self) -> str:
        word = self.ahead
        self._position += 1
        return word


def _is_identifier(word: str) -> bool:
    return word != "" and word[0] not in _SPECIAL


def _requirements(tokens: _Tokens) -> Iterator[Requirement]:
    if tokens.ahead and not _is_identifier(tokens.ahead) and tokens.ahead != "!":
        raise BadSelector(f"found '{tokens.ahead}', expected: !, identifier, or 'end of string'")
    while tokens.ahead:
        try:
            yield _requirement(tokens)
        except BadSelector as error:
            raise BadSelector(f"unable to parse requirement: {error}") from None
        word = tokens.take()
        if not word:
            return
        if word != ",":
            raise BadSelector(f"found '{word}', expected: ',' or 'end of string'")
        if not _is_identifier(tokens.ahead) and tokens.ahead != "!":
            raise BadSelector(f"found '{tokens.ahead}', expected: identifier after ','")


def _requirement(tokens: _Tokens) -> Requirement:
    absent = tokens.ahead == "!"
    if absent:
        tokens.take()
    key = tokens.take()
    if not _is_identifier(key):
        raise BadSelector(f"found '{key}', expected: identifier")
    _check_key(key)
    if absent:
        return Requirement(key, "absent")
    if tokens.ahead in ("", ","):
        return Requirement(key, "exists")
    operator = tokens.take()
    match operator:
        case "in":
            return Requirement(key, "in", _values(tokens, key))
        case "notin":
            return Requirement(key, "notin", _values(tokens, key))
        case "=" | "==":
            return Requirement(key, "in", (_value(tokens, key),))
        case "!=":
            return Requirement(key, "notin", (_value(tokens, key),))
        case ">" | "<":
            value = _value(tokens, key)
            if not _INTEGER.fullmatch(value):
                raise BadSelector(
                    f'values[0][{key}]: Invalid value: "{value}": '
                    "for 'Gt', 'Lt' operators, the value must be an integer"
                )
            return Requirement(key, "gt" if operator == ">" else "lt", (value,))
    raise BadSelector(f"found '{operator}', expected: in, notin, =, ==, !=, gt, lt")


def _value(tokens: _Tokens, key: str) -> str:
    """The value after `=`; nothing stands for the empty value."""
    if tokens.ahead in ("", ","):
        return ""
    word = tokens.take()
    if not _is_identifier(word):
        raise BadSelector(f"found '{word}', expected: identifier")
    _check_value(key, word, 0)
    return word


def _values(tokens: _Tokens, key: str) -> tuple[str, ...]:
    """The values in parentheses after `in` and `notin`; a comma without a neighbour stands for the empty value."""
    opening = tokens.take()
    if opening != "(":
        raise BadSelector(f"found '{opening}' expected: '('")
    found: list[str] = []
    expects_value = True
    while True:
        word = tokens.take()
        if word == ")":
            if expects_value and found:
                found.append("")
            break
        if word == ",":
            if expects_value:
                found.append("")
            expects_value = True
        elif _is_identifier(word) and expects_value:
            _check_value(key, word, len(found))
            found.append(word)
            expects_value = False
        else:
            expected = "',', ')' or identifier" if expects_value else "',' or ')'"
            raise BadSelector(f"found '{word}', expected: {expected}")
    if not found:
        raise BadSelector("values: Invalid value: []: for 'in', 'notin' operators, values set can't be empty")
    return tuple(dict.fromkeys(found))


def _check_key(key: str) -> None:
    if problems := label_key_problems(key):
        raise BadSelector(f'key: Invalid value: "{key}": {"; ".join(problems)}')


def _check_value(key: str, value: str, index: int) -> None:
    if problems := label_value_problems(value):
        raise BadSelector(f'values[{index}][{key}]: Invalid value: "{value}": {"; ".join(problems)}')
