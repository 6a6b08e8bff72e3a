"""Health of an object: one word of the contract, judged by a rule for its kind from the document that a plane reports.

Rules are data: CEL expressions that see the object and give the word. Stagecraft's own are in `health_rules.yaml`;
platform engineers change them and add theirs in the admin (`health_models`). Which rules hold now tells `use`d source,
so that drivers, which call `health_of` for every object seen, touch no database.

A rule is for one kind, or by `*` for all kinds of a group, of groups that match a pattern, or for whatever no other
rule is for. An expression that fails, or gives another word, makes an object Unknown: nothing is claimed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path
from typing import Any, Literal

from catalog.compiler import yaml
from catalog.compiler.cel import CelError, Environment
from catalog.compiler.cel.environment import Program
from catalog.compiler.documents import Document

Health = Literal["Healthy", "Progressing", "Degraded", "Suspended", "Unknown"]
WORDS = frozenset({"Healthy", "Progressing", "Degraded", "Suspended", "Unknown"})
SHIPPED = Path(__file__).with_name("health_rules.yaml")
VARIABLES = frozenset({"object", "metadata", "spec", "status", "conditions"})
"""What an expression sees: the object, three of its parts ({} where there is none), and its conditions by type."""
BUDGET = 20_000
"""Steps that a rule may take: it is asked for every object that changes."""


class BadRule(ValueError):
    """An expression that is none. The text says where and why."""


@dataclass(frozen=True, slots=True)
class Rule:
    """The health of a kind. `group` and `kind` may be `*`, and `group` a pattern such as `*.crossplane.io`."""

    group: str
    kind: str
    expression: str
    description: str = ""

    @property
    def is_exact(self) -> bool:
        return "*" not in self.group and self.kind != "*"

    def is_for(self, group: str, kind: str) -> bool:
        return self.kind in (kind, "*") and fnmatchcase(group, self.group)

    @property
    def nearness(self) -> tuple[bool, int]:
        """Of several rules for a kind the one with the greatest counts: it names the kind, or more of the group."""
        return self.kind != "*", len(self.group.replace("*", ""))


@dataclass(frozen=True)
class Rules:
    """All rules, compiled. Safe to use from many threads."""

    rules: tuple[Rule, ...]
    programs: dict[tuple[str, str], Program | None] = field(default_factory=dict, compare=False, repr=False)

    def judge(self, document: Document) -> Health:
        """The health of an object, `Healthy` where no rule is for it."""
        return self.judged(document)[0]

    def judged(self, document: Document) -> tuple[Health, str]:
        """The same, and why it is Unknown where an expression has failed."""
        group = str(document.get("apiVersion") or "").rpartition("/")[0]
        key = (group, str(document.get("kind") or ""))
        if key not in self.programs:
            rule = self.rule_for(*key)
            self.programs[key] = None if rule is None else compile_rule(rule.expression)
        program = self.programs[key]
        return ("Healthy", "") if program is None else evaluate(program, document)

    def rule_for(self, group: str, kind: str) -> Rule | None:
        """The nearest rule for a kind."""
        fitting = [rule for rule in self.rules if rule.is_for(group, kind)]
        return max(fitting, key=lambda rule: rule.nearness, default=None)


def compile_rule(expression: str) -> Program:
    """The expression, ready to be evaluated. Raises `BadRule`. Compiled once for each text."""
    try:
        return Environment(VARIABLES, budget=BUDGET).compile(expression)
    except CelError as error:
        raise BadRule(str(error)) from None


def evaluate(program: Program, document: Document) -> tuple[Health, str]:
    """What a rule says of an object, and what is wrong where it says nothing."""
    try:
        found = program.evaluate_native(bindings_of(document))
    except (CelError, TypeError, AttributeError, ValueError) as error:
        return "Unknown", str(error)
    if found not in WORDS:
        return "Unknown", f"it gave {found!r}, which is none of {', '.join(sorted(WORDS))}"
    return found, ""


def bindings_of(document: Document) -> Mapping[str, Any]:
    """What an expression sees of an object. Raises `TypeError` for one of no known form."""
    status = part(document, "status")
    return {
        "object": document,
        "metadata": part(document, "metadata"),
        "spec": part(document, "spec"),
        "status": status,
        "conditions": {item.get("type"): item for item in status.get("conditions") or ()},
    }


def part(document: Document, name: str) -> Document:
    """A part of a document, {} where there is none. Raises `TypeError` for what is no object."""
    value = document.get(name)
    if value is not None and not isinstance(value, dict):
        raise TypeError(f"{name} is no object")
    return value or {}


@cache
def shipped() -> tuple[Rule, ...]:
    """Stagecraft's own rules."""
    documents: Any = yaml.load(SHIPPED.read_text())
    return tuple(Rule(**rule) for rule in documents["rules"])


def rules_of(rules: Iterable[Rule]) -> Rules:
    return Rules(tuple(rules))


@cache
def shipped_rules() -> Rules:
    return rules_of(shipped())


_source: Callable[[], Rules] = shipped_rules


def use(source: Callable[[], Rules]) -> None:
    """Have rules come from there; the source is asked for every object and must be cheap."""
    global _source
    _source = source


def health_of(document: Document) -> Health:
    """The health of a live object by the rules that hold now."""
    return _source().judge(document)
