"""Validation rules of types and traits, before and after rendering.

Rules before rendering see the inputs; rules after rendering see each selected resource as the variable ``resource``,
before labels are added. All broken rules are reported together. Called by ``component.pipeline``.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from catalog.compiler.component.targets import DATA_PLANE, RenderedResource, target_of
from catalog.compiler.control_flow import Rule, broken_rules, condition_of, is_true, loop_items, loop_of
from catalog.compiler.documents import Document, items, section, text
from catalog.compiler.errors import CompilerError, PostRenderError, PreRenderError
from catalog.compiler.gotext import value_text
from catalog.compiler.messages import quote, type_name
from catalog.compiler.scope import Scope


class PostRenderRule:
    """One entry of ``postRenderValidations``."""

    __slots__ = ("loop", "must_match", "rule", "target", "when")

    def __init__(self, document: Document) -> None:
        self.when = condition_of(document, "when", component_macros=True)
        self.loop = loop_of(document, component_macros=True)
        self.rule = Rule(document, component_macros=True)
        self.target = target_of(document, text(document, "targetPlane") or DATA_PLANE)
        self.must_match = section(document, "target").get("mustMatch") is not False


class PendingRules(NamedTuple):
    """The post-render rules of one type or trait instance, with the scope of their expressions."""

    label: str
    rules: Sequence[PostRenderRule]
    scope: Scope


def pre_render_rules(spec: Document, component_macros: bool = True) -> list[Rule]:
    """Return the rules of a type or trait that run before rendering; ``validations`` is the older name of the field."""
    declared = items(spec, "preRenderValidations") or items(spec, "validations")
    return [Rule(rule, component_macros) for rule in declared]


def post_render_rules(spec: Document) -> list[PostRenderRule]:
    """Return the rules of a type or trait that run on rendered resources."""
    return [PostRenderRule(rule) for rule in items(spec, "postRenderValidations")]


def check_before_render(rules: Sequence[Rule], scope: Scope, subject: str) -> None:
    """Raise ``PreRenderError`` naming all broken rules of ``subject``, if any."""
    if broken := broken_rules(rules, scope):
        raise PreRenderError(f"{subject} validation failed: {'; '.join(broken)}")


def check_after_render(pending: Sequence[PendingRules], resources: Sequence[RenderedResource]) -> None:
    """Raise ``PostRenderError`` naming all broken rules, if any."""
    broken = [
        message
        for source in pending
        for rule in source.rules
        for message in _broken(rule, quote(source.label), source.scope, resources)
    ]
    if broken:
        raise PostRenderError(f"post-render validation failed: {'; '.join(broken)}")


def _broken(rule: PostRenderRule, label: str, scope: Scope, resources: Sequence[RenderedResource]) -> Iterator[str]:
    try:
        if not is_true(rule.when, scope, "includeWhen"):
            return
    except CompilerError as error:
        yield f"{label} post-render validation: when evaluation error: {error}"
        return
    if rule.loop is None:
        yield from _broken_on_selection(rule, label, scope, resources, "")
        return
    try:
        looped = rule.loop.items.render(scope)
    except CompilerError as error:
        yield f"{label} post-render validation: forEach evaluation error: {error}"
        return
    try:
        turns = loop_items(looped)
    except CompilerError as error:
        yield f"{label} post-render validation: invalid forEach result: {error}"
        return
    for item in turns:
        turn = f" (forEach {rule.loop.variable}={value_text(item)})"
        yield from _broken_on_selection(rule, label, scope.bind(rule.loop.variable, item), resources, turn)


def _broken_on_selection(
    rule: PostRenderRule, label: str, scope: Scope, resources: Sequence[RenderedResource], turn: str
) -> Iterator[str]:
    target = rule.target
    try:
        selected = target.filter([resource for resource in resources if target.matches(resource)], scope)
    except CompilerError as error:
        yield f"{label} post-render validation: {error}"
        return
    if not selected and rule.must_match:
        wanted = f"{target.group}/{target.version}/{target.kind}"
        yield f"{label} post-render validation: no resource matched target {wanted}{turn}"
    for resource in selected:
        try:
            result = rule.rule.condition.render(scope.bind("resource", resource.object))
        except CompilerError as error:
            yield f"{label} post-render rule evaluation error on {resource.identity}: {error}{turn}"
            continue
        if result is False:
            yield f"{label} post-render validation on {resource.identity} failed: {rule.rule.message}{turn}"
        elif result is not True:
            got = type_name(result)
            yield f"{label} post-render rule on {resource.identity} must evaluate to boolean, got {got}{turn}"
