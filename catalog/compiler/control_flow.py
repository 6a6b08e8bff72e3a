"""Conditions, loops and rules: what all four pipelines evaluate around their templates.

Called by the component, project, resource and workflow pipelines.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from catalog.compiler.cel.values import StringList
from catalog.compiler.errors import CompilerError, ResultTypeError
from catalog.compiler.messages import quote, type_name
from catalog.compiler.render_limit import count_turns
from catalog.compiler.scope import Scope
from catalog.compiler.template import TemplateSource

DEFAULT_LOOP_VARIABLE = "item"


class Rule:
    """A validation rule: a condition, and what to say when it does not hold. The message is literal text."""

    __slots__ = ("condition", "message", "text")

    def __init__(self, document: dict[str, object], component_macros: bool) -> None:
        self.text = str(document.get("rule") or "")
        self.condition = TemplateSource(self.text, component_macros)
        self.message = str(document.get("message") or "")


class Loop:
    """``forEach`` with the name of its variable."""

    __slots__ = ("items", "variable")

    def __init__(self, items: TemplateSource, variable: str) -> None:
        self.items = items
        self.variable = variable or DEFAULT_LOOP_VARIABLE

    def scopes(self, scope: Scope) -> Iterator[Scope]:
        """Yield the scope of each turn. Raises as ``loop_items`` and as the template, before the first turn."""
        items = loop_items(self.items.render(scope))
        return (scope.bind(self.variable, item) for item in items)


def condition_of(document: dict[str, object], field: str, component_macros: bool) -> TemplateSource | None:
    """Return the condition in ``document[field]``, or ``None`` when it is absent or empty."""
    text = document.get(field)
    return TemplateSource(text, component_macros) if text else None


def loop_of(document: dict[str, object], component_macros: bool) -> Loop | None:
    """Return the loop that ``document`` describes by ``forEach`` and ``var``, or ``None``."""
    text = document.get("forEach")
    return Loop(TemplateSource(text, component_macros), str(document.get("var") or "")) if text else None


def is_true(condition: TemplateSource | None, scope: Scope, name: str) -> bool:
    """Evaluate a condition; an absent one holds. ``name`` is the field it comes from, for the message.

    Raises ``ResultTypeError`` when the result is no boolean, and what the template raises.
    """
    if condition is None:
        return True
    result = condition.render(scope)
    if not isinstance(result, bool):
        raise ResultTypeError(f"{name} must evaluate to boolean, got {type_name(result)}")
    return result


def loop_items(value: object) -> list[object]:
    """Return what a loop over ``value`` visits: the items of a list, or ``{key, value}`` for a map, sorted by key.

    Raises ``BudgetError`` when the render has done too much already, and ``ResultTypeError`` for anything else. The
    result of ``split`` is such: the contract cannot loop over it.
    """
    if isinstance(value, list) and not isinstance(value, StringList):
        count_turns(len(value))
        return value
    if isinstance(value, dict):
        count_turns(len(value))
        return [{"key": key, "value": value[key]} for key in sorted(value)]
    raise ResultTypeError(f"forEach must evaluate to array or map, got {type_name(value)}")


def broken_rules(rules: Iterable[Rule], scope: Scope) -> list[str]:
    """Evaluate all rules and return what is wrong, in order: not true, no boolean, or not to be evaluated."""
    broken = []
    for index, rule in enumerate(rules):
        try:
            result = rule.condition.render(scope)
        except CompilerError as error:
            broken.append(f"{_label(index, rule)} evaluation error: {error}")
            continue
        if result is True:
            continue
        if result is False:
            broken.append(f"{_label(index, rule)} evaluated to false: {rule.message}")
        else:
            broken.append(f"{_label(index, rule)} must evaluate to boolean, got {type_name(result)}")
    return broken


def _label(index: int, rule: Rule) -> str:
    text = rule.text if len(rule.text) <= 120 else rule.text[:120] + "..."
    return f"rule[{index}] {quote(text)}"
