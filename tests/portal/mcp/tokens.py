"""What a text costs an agent, by the two vocabularies that most models are near to. Nothing is downloaded."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

import orjson
from rs_bpe.bpe import openai

ENCODINGS = ("o200k", "cl100k")


@cache
def encoder(encoding: str) -> Any:
    return getattr(openai, f"{encoding}_base")()


def tokens(text: str, encoding: str = "o200k") -> int:
    """How many tokens a text is."""
    return len(encoder(encoding).encode(text))


def tokens_of(value: Any) -> Mapping[str, int]:
    """A text, or a value as compact JSON, by both encodings."""
    text = value if isinstance(value, str) else orjson.dumps(value).decode()
    return {encoding: tokens(text, encoding) for encoding in ENCODINGS}
