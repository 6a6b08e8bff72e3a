"""Where a value that came from outside holds a NUL character, which PostgreSQL cannot store or even look for."""

from __future__ import annotations

from collections.abc import Iterator


def places_of_nul(value: object, path: str) -> Iterator[str]:
    """The path of each text with a NUL character below `path`; for a key with one, the path of its object."""
    if isinstance(value, str):
        if "\0" in value:
            yield path
    elif isinstance(value, dict):
        for key, item in value.items():
            if "\0" in key:
                yield path
            yield from places_of_nul(item, f"{path}.{key}" if path else key)
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from places_of_nul(item, f"{path}[{index}]")
