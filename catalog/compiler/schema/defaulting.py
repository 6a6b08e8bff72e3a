"""Defaulting by a function generated per schema.

The rules are those of the Kubernetes API server. A property with a default is set when it is absent, or null while it
may not be null; then every present value is defaulted by its own schema. So a default below an object takes effect
only when that object is there or has itself a default (``default: {}``). The default of the root, and whatever stands
in ``allOf``, ``anyOf``, ``oneOf`` and ``not``, has no effect; nothing is converted and nothing is removed.

Interpreting the schema on every render costs more than the rest of a small render, so it is translated once into
straight-line Python that visits only the parts where something can happen.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from catalog.compiler.schema.node import Node

Defaulter = Callable[[object], object]

_INDENT = "    "


def generate_defaulter(node: Node) -> Defaulter:
    """Return the function that gives a value its defaults.

    It returns a new value where something changes on the way and shares the rest with its argument, which it leaves
    unchanged. Defaults are new objects in every result.
    """
    if not _takes_effect(node):
        return _unchanged
    source = _Source()
    name = source.function_of(node)
    scope: dict[str, Defaulter] = {}
    # The source holds nothing but names made here and literals written by repr().
    exec(compile("\n".join(source.lines), "<schema defaulter>", "exec"), scope)  # noqa: S102
    return scope[name]


def _unchanged(value: object) -> object:
    return value


def _takes_effect(node: Node) -> bool:
    """Say whether any value can change by the defaults below ``node``."""
    below = [*node.properties.values(), *([node.items] if node.items else [])]
    if isinstance(node.additional, Node):
        below.append(node.additional)
    return any(child.default is not None or _takes_effect(child) for child in below)


class _Source:
    """The generated module: one function per schema with effect, children before their parents."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.functions = 0

    def function_of(self, node: Node) -> str:
        body = [*self._object(node), *self._list(node)]
        name = f"default_{self.functions}"
        self.functions += 1
        self.lines += [f"def {name}(value):", *(_INDENT + line for line in body), _INDENT + "return value"]
        return name

    def _object(self, node: Node) -> list[str]:
        body: list[str] = []
        for name, child in sorted(node.properties.items()):
            key = repr(name)
            effect = _takes_effect(child)
            call = f"result[{key}] = {self.function_of(child)}(result[{key}])" if effect else ""
            if child.default is not None:
                absent = f"{key} not in result" if child.nullable else f"result.get({key}) is None"
                body += [f"if {absent}:", f"{_INDENT}result[{key}] = {_literal(child.default)}"]
                if effect:
                    body += [call]
            elif effect:
                body += [f"if {key} in result:", _INDENT + call]
        body += self._additional(node)
        if not body:
            return []
        return [
            "if isinstance(value, dict):",
            *(_INDENT + line for line in ["result = dict(value)", *body, "return result"]),
        ]

    def _additional(self, node: Node) -> list[str]:
        child = node.additional
        if not isinstance(child, Node) or not (child.default is not None or _takes_effect(child)):
            return []
        known = _literal_set(node.properties)
        skip = [f"{_INDENT}if key in {known}:", f"{_INDENT * 2}continue"] if node.properties else []
        return ["for key, item in value.items():", *skip, f"{_INDENT}result[key] = {self._element(child)}"]

    def _list(self, node: Node) -> list[str]:
        child = node.items
        if child is None or not (child.default is not None or _takes_effect(child)):
            return []
        return ["if isinstance(value, list):", f"{_INDENT}return [{self._element(child)} for item in value]"]

    def _element(self, child: Node) -> str:
        """The expression for one element of a list or map: a null that may not be null becomes the default."""
        element = "item"
        if child.default is not None and not child.nullable:
            element = f"({_literal(child.default)} if item is None else item)"
        return f"{self.function_of(child)}({element})" if _takes_effect(child) else element


def _literal(value: object) -> str:
    """A Python expression that makes ``value`` (plain JSON data) anew."""
    return repr(value)


def _literal_set(names: Iterable[str]) -> str:
    return "{" + ", ".join(map(repr, sorted(names))) + "}"
