"""A text that does not show itself: not in logs, tracebacks, f-strings, JSON, pickles or debug pages.

Only `reveal()` gives the plain text, so every place that uses a secret can be found by that name.
"""

from __future__ import annotations

import hmac
from typing import Any, NoReturn, SupportsIndex

REDACTED = "(secret)"


class SecretText:
    """A secret in memory. Equal texts are equal (compared in constant time); there is no hash and no order."""

    __slots__ = ("_text",)
    __hash__ = None  # type: ignore[assignment]

    def __init__(self, text: str | SecretText) -> None:
        object.__setattr__(self, "_text", text.reveal() if isinstance(text, SecretText) else str(text))

    def reveal(self) -> str:
        """The plain text. Whoever calls this answers for where it goes."""
        text: str = object.__getattribute__(self, "_text")
        return text

    def __setattr__(self, name: str, value: object) -> NoReturn:
        raise AttributeError("a SecretText cannot be changed")

    def __bool__(self) -> bool:
        return bool(self.reveal())

    def __eq__(self, other: object) -> bool:
        if isinstance(other, SecretText):
            other = other.reveal()
        return isinstance(other, str) and hmac.compare_digest(self.reveal().encode(), other.encode())

    def __repr__(self) -> str:
        return REDACTED

    def __str__(self) -> str:
        return REDACTED

    def __format__(self, specification: str) -> str:
        return REDACTED

    def __json__(self) -> str:
        """What Celery's serializer writes; the standard library's refuses the type, which is right too."""
        return REDACTED

    def __copy__(self) -> SecretText:
        return self

    def __deepcopy__(self, memo: dict[int, Any]) -> SecretText:
        return self

    def __getstate__(self) -> NoReturn:
        raise TypeError("a SecretText has no state to show")

    def __reduce_ex__(self, protocol: SupportsIndex) -> tuple[Any, ...]:
        # A pickle lands in a broker, a cache or a file. It carries the word that stands for the secret.
        return (SecretText, (REDACTED,))
