"""What is known of content that was checked before.

A type is checked once for its content, however often it is stored again and however many releases carry a copy of it.
Kept are the errors only, with paths from the checked part on, so that a part found elsewhere costs a look-up.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from functools import lru_cache

from catalog.compiler.documents import Document, content_of
from catalog.compiler.schema import FieldError

Check = Callable[[Document], Iterator[FieldError]]

_KEPT_VERDICTS = 4096


class _Content:
    """A document to be checked, equal to others of the same content. It holds the document only while it is new."""

    __slots__ = ("digest", "document")

    def __init__(self, document: Document) -> None:
        self.digest = hashlib.blake2b(content_of(document), digest_size=16).digest()
        self.document: Document | None = document

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Content) and other.digest == self.digest

    def __hash__(self) -> int:
        return hash(self.digest)


def verdict(check: Check, document: Document, path: str) -> Iterator[FieldError]:
    """Return the errors that ``check`` finds in ``document``, with ``path`` (of the document) before their paths.

    ``check`` yields errors whose paths begin with a dot, or are empty for the document itself; it must depend on
    nothing but the document.
    """
    content = _Content(document)
    try:
        errors = _verdict(check, content)
    finally:
        content.document = None  # the key stays in the cache, and must not keep the document alive
    return (FieldError(path + error.path, error.reason, error.message, error.field) for error in errors)


@lru_cache(maxsize=_KEPT_VERDICTS)
def _verdict(check: Check, content: _Content) -> tuple[FieldError, ...]:
    assert content.document is not None  # noqa: S101
    return tuple(check(content.document))
