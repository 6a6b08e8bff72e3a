"""Regular expressions of the contract: RE2, unanchored.

Patterns come from platform engineers and are matched against what developers send; RE2 answers in linear time and is
the dialect that the reference runs, so nothing else may match them.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

import re2

_OPTIONS = re2.Options()
_OPTIONS.log_errors = False


class PatternError(ValueError):
    """The text is no RE2 pattern."""


@lru_cache(maxsize=4096)
def matcher(pattern: str) -> Callable[[str], bool]:
    """Return the function that says whether ``pattern`` matches anywhere in a text. Raises ``PatternError``."""
    try:
        search = re2.compile(pattern, _OPTIONS).search
    except re2.error as error:
        reason = error.args[0] if error.args else error
        raise PatternError(reason.decode() if isinstance(reason, bytes) else str(reason)) from None
    return lambda text: search(text) is not None
