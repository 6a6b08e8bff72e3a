"""Requests that somebody made up: schemathesis makes them of a document, right ones and wrong ones, from a seed.

Most go to objects that are there, and most bodies are those of a right request with a made-up part in it, since what is
wrong everywhere is refused at the first look.
"""

from __future__ import annotations

import copy
import json
import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode

import hypothesis
import schemathesis
from hypothesis import HealthCheck, Phase

from tests.contract.document import Document, Operation
from tests.contract.plan import NAMESPACE, Plan

RIGHT_AND_WRONG = (schemathesis.GenerationMode.POSITIVE, schemathesis.GenerationMode.NEGATIVE)
THERE = ("full", "small", "cut")
ODD = ("absent", "..", "a%2Fb", "x" * 300, "%00", "%F0%9F%98%80", "Full", "full%20", "-", "%E2%80%AE")


@dataclass(frozen=True)
class Request:
    """A request of an operation; the path is with its query, as it is sent."""

    operation: Operation
    path: str
    headers: Mapping[str, str]
    body: Any

    @property
    def content(self) -> bytes:
        """What is sent; also what is no text in Unicode."""
        if self.body is None or isinstance(self.body, bytes):
            return self.body or b""
        text = json.dumps(self.body, ensure_ascii=False, default=str)
        return text.encode("utf-8", "surrogatepass")

    def __str__(self) -> str:
        sent = f"{self.operation.method} {self.path[:300]} {dict(self.headers)} {str(self.body)[:1500]}"
        return f"{self.operation.name}: {sent}"


@dataclass
class Maker:
    """Makes requests of a document. `rights` are right bodies by operation, to put made-up parts into."""

    document: Document
    seed: int
    rights: Mapping[str, Any]

    def __post_init__(self) -> None:
        self.chance = random.Random(self.seed)  # noqa: S311  (which names are tried, not a secret)
        self.known = {(item.method, item.path): item for item in self.document.operations.values()}

    def requests(
        self, examples: int, only: str = "", *, variants: int = 1, is_shuffled: bool = False
    ) -> Iterator[Request]:
        """So many right and so many wrong ones of each operation, or of those whose path begins so.

        Making one takes far longer than sending it, so each may be sent in variants: to other objects, and with other
        parts of its body in a right one.
        """
        every = list(schemathesis.openapi.from_dict(dict(self.document.whole)).get_all_operations())
        if is_shuffled:
            self.chance.shuffle(every)
        for found in every:
            made = found.ok()
            if made.path.startswith(only):
                operation = self.known[made.method.upper(), made.path]
                for mode in RIGHT_AND_WRONG:
                    for case in cases(made, mode, examples, self.chance.randrange(2**32)):
                        for _ in range(variants):
                            yield self.request(operation, case)

    def request(self, operation: Operation, case: Any) -> Request:
        path = operation.path
        for name, value in (case.path_parameters or {}).items():
            path = path.replace(f"{{{name}}}", self.name_for(name, value))
        query = urlencode(dict(case.query or {}), doseq=True)
        headers = {name: value for name, value in dict(case.headers or {}).items() if is_sendable(name, value)}
        body = case.body if not isinstance(case.body, schemathesis.core.NotSet) else None
        right = self.rights.get(operation.name)
        if right is not None and isinstance(body, dict) and self.chance.random() < 0.8:
            body = self.mixed(copy.deepcopy(right), body)
            if isinstance(body.get("metadata"), dict) and self.chance.random() < 0.6:
                body["metadata"]["name"] = self.chance.choice((*THERE, "made-up", f"made-{self.chance.randrange(40)}"))
        return Request(operation, f"{path}?{query}" if query else path, headers, body)

    def name_for(self, parameter: str, value: Any) -> str:
        """Mostly a name that is there, sometimes an odd one, sometimes what was made up."""
        if parameter in ("namespaceName", "namespace") and self.chance.random() < 0.85:
            return NAMESPACE
        names = THERE if self.chance.random() < 0.7 else ODD
        return self.chance.choice(names) if self.chance.random() < 0.85 else quote(str(value)[:200], safe="")

    def mixed(self, right: Any, made_up: Any) -> Any:
        """The right value with some of the made-up parts in their places."""
        if not isinstance(right, dict) or not isinstance(made_up, dict):
            return made_up
        for name, value in made_up.items():
            if name in right and self.chance.random() < 0.8:
                right[name] = self.mixed(right[name], value)
            elif self.chance.random() < 0.3:
                right[name] = value
        return right


def cases(operation: Any, mode: Any, examples: int, seed: int) -> list[Any]:
    """Cases of an operation; none where there is nothing wrong to make of it."""
    found: list[Any] = []

    @hypothesis.seed(seed)
    @hypothesis.settings(
        max_examples=examples, deadline=None, database=None, phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @hypothesis.given(case=operation.as_strategy(generation_mode=mode))
    def make(case: Any) -> None:
        found.append(case)

    try:
        make()
    except Exception:
        return found
    return found


def is_sendable(name: str, value: Any) -> bool:
    """Whether it can stand in a request at all; the token is not made up here."""
    text = f"{name}{value}"
    return name.lower() not in ("authorization", "content-length", "host") and text.isprintable() and text.isascii()


def rights(plan: Plan) -> dict[str, Any]:
    """A right body for each operation that makes or replaces an object, under a name that is taken or a new one."""
    creates = [name for name in plan.document.operations if name.startswith("create")]
    kinds = [name.removeprefix("create") for name in creates if not name.endswith("Secret")]
    made = {f"create{kind}": plan.body(kind, "made-up", is_full=True) for kind in kinds}
    replaced = {f"update{kind}": plan.body(kind, "full", is_full=True) for kind in kinds}
    return {name: body for name, body in {**made, **replaced}.items() if name in plan.document.operations}
