"""What was expected of a case and did not come.

``objects`` must be there, each with at least the given fields; ``absent`` must not; ``kinds`` counts all objects;
``snapshot`` is a file with all of them, whole; ``checks`` are expressions, over ``objects`` or over each ``resource``
that has some fields; ``outputs`` and ``ready`` are those of resource types; ``error`` is how the render must fail.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import orjson

from catalog.compiler.cel import CelError, Environment, from_json
from catalog.compiler.documents import Document
from catalog.compiler.template_scan import Expression, scan
from catalog.type_tests.rendering import Rendered

_NAME = ("metadata", "name")


def failures(expect: Mapping[str, Any], rendered: Rendered) -> Iterator[str]:
    """Yield what is not as expected, one text each. The snapshot is compared by `snapshots`."""
    wanted = expect.get("error")
    if rendered.error is not None or wanted is not None:
        yield from _error(wanted, rendered)
        return
    yield from _objects(expect.get("objects") or [], rendered.objects)
    for pattern in expect.get("absent") or ():
        for found in _matching(pattern, rendered.objects):
            yield f"{identity(found)} is there, but should not be"
    if "kinds" in expect:
        yield from _kinds(expect["kinds"], rendered.objects)
    for check in expect.get("checks") or ():
        yield from _check(check, rendered)
    for name, value in (expect.get("outputs") or {}).items():
        if name not in rendered.outputs:
            yield f"output {name} is missing"
        else:
            yield from differences(value, rendered.outputs[name], f"output {name}")
    for entry, value in (expect.get("ready") or {}).items():
        if rendered.ready.get(entry) is not value:
            yield f"{entry}: expected ready to be {_shown(value)}, got {_shown(rendered.ready.get(entry))}"


def differences(wanted: Any, found: Any, path: str, *, whole: bool = False) -> Iterator[str]:
    """Yield where a value is not as wanted. Of objects the wanted fields count, all of them if ``whole``; lists have
    the wanted items and no others; numbers are equal by value."""
    if isinstance(wanted, Mapping) and isinstance(found, Mapping):
        for key in wanted:
            if key not in found:
                yield f"{path}.{key} is missing, expected {_shown(wanted[key])}"
            else:
                yield from differences(wanted[key], found[key], f"{path}.{key}", whole=whole)
        for key in found if whole else ():
            if key not in wanted:
                yield f"{path}.{key} is {_shown(found[key])}, not expected at all"
    elif isinstance(wanted, list) and isinstance(found, list) and len(wanted) == len(found):
        for index, (left, right) in enumerate(zip(wanted, found, strict=True)):
            yield from differences(left, right, f"{path}[{index}]", whole=whole)
    elif not _equal(wanted, found):
        yield f"{path}: expected {_shown(wanted)}, got {_shown(found)}"


def identity(found: Mapping[str, Any]) -> str:
    """`Kind/name` of an object."""
    metadata = found.get("metadata")
    return f"{found.get('kind')}/{metadata.get('name') if isinstance(metadata, Mapping) else None}"


def _error(wanted: Mapping[str, Any] | None, rendered: Rendered) -> Iterator[str]:
    error = rendered.error
    if error is None:
        yield "expected an error, but it rendered"
    elif wanted is None:
        fault = rendered.find_fault()
        yield f"{error}" + (f"\nat {fault}" if fault else "")
    elif wanted.get("class", error.error_class) != error.error_class:
        yield f"expected an error of class {wanted['class']}, got {error.error_class}: {error}"
    elif wanted.get("message", "") not in str(error):
        yield f"expected an error with {_shown(wanted['message'])}, got: {error}"


def _objects(patterns: Iterable[Document], objects: list[Document]) -> Iterator[str]:
    for pattern in patterns:
        same_kind = [found for found in objects if _is_meant(pattern, found)]
        if not same_kind:
            yield f"{identity(pattern)} is missing; there are: {', '.join(map(identity, objects)) or 'no objects'}"
            continue
        unlike = [list(differences(pattern, found, identity(found))) for found in same_kind]
        if all(unlike):
            yield from min(unlike, key=len)


def _is_meant(pattern: Mapping[str, Any], found: Mapping[str, Any]) -> bool:
    """Whether an object has the kind of a pattern, and its name if the pattern says one."""
    name = (pattern.get("metadata") or {}).get("name")
    return pattern.get("kind", found.get("kind")) == found.get("kind") and (
        name is None or name == found.get("metadata", {}).get("name")
    )


def _matching(pattern: Mapping[str, Any], objects: Iterable[Document]) -> list[Document]:
    return [found for found in objects if not any(differences(pattern, found, ""))]


def _kinds(wanted: Mapping[str, int], objects: Iterable[Document]) -> Iterator[str]:
    counts = Counter(str(found.get("kind")) for found in objects)
    for kind in sorted({*wanted, *counts}):
        if counts[kind] != wanted.get(kind, 0):
            yield f"expected {wanted.get(kind, 0)} of kind {kind}, got {counts[kind]}"


def _check(check: Mapping[str, Any], rendered: Rendered) -> Iterator[str]:
    text = check["that"]
    pieces = [piece for piece in scan(text) if isinstance(piece, Expression)]
    source = pieces[0].text if len(pieces) == 1 else text
    known = {"objects": from_json(rendered.objects), "outputs": from_json(rendered.outputs)}
    if "for" not in check:
        yield from _judge(source, known, check, "")
        return
    selected = _matching(check["for"], rendered.objects)
    if not selected:
        yield f"no object is like {_shown(check['for'])}, which a check is about"
    for found in selected:
        yield from _judge(source, {**known, "resource": from_json(found)}, check, f"{identity(found)}: ")


def _judge(source: str, known: Mapping[str, Any], check: Mapping[str, Any], where: str) -> Iterator[str]:
    try:
        value = Environment(frozenset(known)).compile(source).evaluate(known)
    except CelError as error:
        yield f"{where}{source}: {error}"
        return
    if value is not True:
        yield f"{where}{check.get('message') or source}" + ("" if value is False else f" (it gave {value!r})")


def _equal(wanted: Any, found: Any) -> bool:
    if isinstance(wanted, bool) or isinstance(found, bool):
        return wanted is found
    return bool(wanted == found)


def _shown(value: Any) -> str:
    return orjson.dumps(value, default=str).decode()
