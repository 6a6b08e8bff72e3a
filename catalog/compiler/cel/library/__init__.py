"""The functions of the expression language, one module a topic, and the two libraries made of them."""

from __future__ import annotations

from typing import Final

from catalog.compiler.cel.functions import Library, merge_libraries
from catalog.compiler.cel.library import (
    encoders,
    lists,
    maps,
    math,
    openchoreo,
    optionals,
    sets,
    standard,
    strings,
    time,
)

# Authorization conditions know nothing but the language itself.
STANDARD: Final[Library] = merge_libraries(standard.REGISTRY.library(), time.REGISTRY.library())
EXTENDED: Final[Library] = merge_libraries(
    STANDARD,
    *(module.REGISTRY.library() for module in (optionals, strings, encoders, math, lists, sets, maps, openchoreo)),
)
