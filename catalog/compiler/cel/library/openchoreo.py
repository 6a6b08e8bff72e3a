"""The contract's own functions: omitted values, merged maps, names of Kubernetes objects, hashes."""

from __future__ import annotations

from typing import Any, Final

from catalog.compiler.cel.errors import CelEvaluationError
from catalog.compiler.cel.functions import Registry
from catalog.compiler.cel.values import OMIT, CelMap
from catalog.compiler.names import LABEL_LIMIT, RESOURCE_NAME_LIMIT, fnv1a32_hex, kubernetes_name

REGISTRY: Final = Registry()


@REGISTRY.function("oc_omit() -> dyn")
def _omit() -> object:
    return OMIT


@REGISTRY.function("oc_merge(map(string, dyn), map(string, dyn)) -> map(string, dyn)")
def merge(base: dict[Any, Any], override: dict[Any, Any]) -> CelMap:
    """Merge two maps; of two entries with one key the right one wins, whole."""
    if not all(type(key) is str for key in (*base, *override)):
        raise CelEvaluationError("no such overload: oc_merge(map, map)")
    return CelMap({**base, **override})


@REGISTRY.function("oc_generate_name(string) -> string")
def _name_of_text(text: str) -> str:
    return kubernetes_name(RESOURCE_NAME_LIMIT, text)


@REGISTRY.function("oc_generate_name(list(string)) -> string")
def _name_of_list(parts: list[Any]) -> str:
    return _name(RESOURCE_NAME_LIMIT, parts)


@REGISTRY.function("oc_dns_label(string) -> string")
def _label_of_text(text: str) -> str:
    return kubernetes_name(LABEL_LIMIT, text)


@REGISTRY.function("oc_dns_label(list(string)) -> string")
def _label_of_list(parts: list[Any]) -> str:
    return _name(LABEL_LIMIT, parts)


def _name(limit: int, parts: list[Any]) -> str:
    """Make a name of the texts among ``parts``; the rest is passed over, as by the reference."""
    texts = [part for part in parts if type(part) is str]
    if not texts:
        raise CelEvaluationError("a name needs at least one part")
    return kubernetes_name(limit, *texts)


@REGISTRY.function("oc_hash(string) -> string")
def _hash(text: str) -> str:
    return fnv1a32_hex(text)
