"""Values written as YAML that every reader understands alike.

Sorted keys, block style, text of several lines as literal blocks, no aliases. Text is quoted when YAML 1.1 by any of
its readings (go-yaml's, PyYAML's) or YAML 1.2 would take it for something else than text.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from typing import Any

import yaml as pyyaml
from yaml.representer import SafeRepresenter

from catalog.compiler.gotext import json_float
from catalog.compiler.yaml_scalars import TAG_PREFIX, resolve_plain

_STR, _INT, _FLOAT, _MAP, _SEQ = (TAG_PREFIX + name for name in ("str", "int", "float", "map", "seq"))
_NO_FOLDING = 2**30
# Text that YAML 1.2 or a lenient reader takes for a number, though go-yaml v2 does not: 1e1000, 0o9, 12:30, 1,000.
_LOOKS_LIKE_NUMBER = re.compile(r"[-+]?[.0-9][0-9a-fA-FxXoO_:.,eE+-]*")


def dump(value: object) -> str:
    """Write a plain value (maps, sequences, str, bool, int, float, None) as one YAML document, without ``---``.

    Numbers have their JSON form (an integral float has no point). Raises ``ValueError`` for infinite numbers and
    not-a-number, ``TypeError`` for a value that is not plain.
    """
    return pyyaml.dump(
        value, Dumper=_Dumper, default_flow_style=False, allow_unicode=True, sort_keys=True, width=_NO_FOLDING
    )


class _Dumper(pyyaml.CSafeDumper):
    def ignore_aliases(self, data: object) -> bool:
        return True


def _represent_text(dumper: SafeRepresenter, text: str) -> pyyaml.ScalarNode:
    style = None
    if "\n" in text:
        # The emitter falls back to double quotes by itself where a block cannot hold the text.
        style = "|" if text.strip() and not text.startswith(("\n", " ")) else '"'
    elif not isinstance(resolve_plain(text), str) or _LOOKS_LIKE_NUMBER.fullmatch(text):
        style = '"'
    return dumper.represent_scalar(_STR, str(text), style=style)


def _represent_float(dumper: SafeRepresenter, value: float) -> pyyaml.ScalarNode:
    if not math.isfinite(value):
        raise ValueError(f"no YAML form for the number {value!r}")
    text = json_float(value)
    if "e" in text and "." not in text:  # strict YAML 1.1 knows no number with an exponent and without a point
        text = text.replace("e", ".0e")
    return dumper.represent_scalar(_FLOAT if "." in text else _INT, text)


def _represent_int(dumper: SafeRepresenter, value: int) -> pyyaml.ScalarNode:
    return dumper.represent_scalar(_INT, str(int(value)))


def _represent_map(dumper: SafeRepresenter, value: Mapping[str, object]) -> pyyaml.MappingNode:
    return dumper.represent_mapping(_MAP, dict(value))


def _represent_list(dumper: SafeRepresenter, value: Sequence[object]) -> pyyaml.SequenceNode:
    return dumper.represent_sequence(_SEQ, list(value))


def _refuse(dumper: SafeRepresenter, value: object) -> pyyaml.Node:
    raise TypeError(f"no YAML form for {type(value).__name__}")


_REPRESENTERS: tuple[tuple[type, Any], ...] = (
    (bool, SafeRepresenter.represent_bool),
    (str, _represent_text),
    (int, _represent_int),
    (float, _represent_float),
    (dict, _represent_map),
    (list, _represent_list),
    (tuple, _represent_list),
)
for _type, _represent in _REPRESENTERS:
    _Dumper.add_representer(_type, _represent)
    _Dumper.add_multi_representer(_type, _represent)  # also the compiler's own number and list types
_Dumper.add_multi_representer(object, _refuse)
