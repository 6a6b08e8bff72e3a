"""Tools: what a client may call, declared once by the layer that knows the domain.

    TOOLS.add(Tool(name="list_namespaces", title="List namespaces", …, run=list_namespaces))

A tool says everything that a surface needs: its arguments and result as JSON Schema, the action that it asks for (one,
or one for each scope), the toolsets that it belongs to, what it does to the world, and the function that does it. It
knows no transport; the same registry can serve any number of endpoints, and a program inside of the platform may call
`tool.run(call, arguments)` itself.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from importlib import import_module
from threading import RLock
from typing import Any, Literal

from portal.access.endpoint import Call
from portal.access.place import Place

Document = dict[str, Any]
Arguments = Mapping[str, Any]
Run = Callable[[Call, Arguments], Document]
Effect = Literal["read", "create", "update", "delete", "start"]
SCOPES = ("namespace", "cluster")

HINTS: Mapping[Effect, Mapping[str, bool]] = {
    "read": {"readOnlyHint": True},
    "create": {"destructiveHint": False},
    "start": {"destructiveHint": False},
    "update": {"destructiveHint": True, "idempotentHint": True},
    "delete": {"destructiveHint": True, "idempotentHint": True},
}
"""What the protocol's annotations say of each effect. To overwrite counts as destructive there: it is not additive."""


@dataclass(frozen=True, eq=False)
class Tool:
    """One tool.

    `arguments` and `result` are the `properties` of two JSON Schemas, `required` and `always` the names of those that
    must be there. `actions` is `{"": action}`, or the actions by scope for a tool with the argument `scope`.
    `untrusted` says that the answer carries text that somebody else has written (display names, logs, messages).
    """

    name: str
    title: str
    description: str
    run: Run
    actions: Mapping[str, str]
    toolsets: tuple[str, ...]
    arguments: Mapping[str, Any] = field(default_factory=dict)
    required: tuple[str, ...] = ()
    result: Mapping[str, Any] = field(default_factory=dict)
    always: tuple[str, ...] = ()
    effect: Effect = "read"
    untrusted: bool = True

    @property
    def is_scoped(self) -> bool:
        """Whether the argument `scope` chooses between a namespace's objects and those of the whole platform."""
        return "" not in self.actions

    def action_for(self, arguments: Arguments) -> str:
        """The action that a call with these arguments asks for; "" for a scope that there is not."""
        if not self.is_scoped:
            return self.actions[""]
        return self.actions.get(arguments.get("scope") or "namespace", "")

    def enough(self, arguments: Arguments) -> tuple[str, ...]:
        """The actions any of which lets a call with these arguments be tried. One, for tools that do one thing."""
        action = self.action_for(arguments)
        return (action,) if action else ()

    def place_of(self, arguments: Arguments) -> Place:
        """Where a call with these arguments would act, as far as they say. Of a component and a resource the first
        counts, as in the contract."""
        if self.is_scoped and arguments.get("scope") == "cluster":
            return Place()
        namespace, project, component, resource = (
            str(arguments.get(name) or "")
            for name in ("namespace_name", "project_name", "component_name", "resource_name")
        )
        if not namespace:
            return Place()
        return Place(namespace, project, component, "" if component else resource)

    def shown_to(self, actions: frozenset[str]) -> Tool | None:
        """The tool as somebody sees it who could use these actions somewhere; None if it is nothing for them."""
        return None if actions.isdisjoint(self.actions.values()) else self

    @cached_property
    def input_schema(self) -> Document:
        return schema_of(self.arguments, self.required)

    @cached_property
    def output_schema(self) -> Document:
        return schema_of(self.result, self.always)

    @cached_property
    def wire(self) -> Document:
        """The tool as `tools/list` shows it."""
        return {
            "name": self.name,
            "title": self.title,
            "description": self.description,
            "inputSchema": self.input_schema,
            "outputSchema": self.output_schema,
            "annotations": dict(HINTS[self.effect]),
        }


def schema_of(properties: Mapping[str, Any], required: Iterable[str]) -> Document:
    """An object's schema. Further keys are allowed: clients and servers of other versions may know more."""
    schema: Document = {"type": "object", "properties": dict(properties)}
    names = list(required)
    return {**schema, "required": names} if names else schema


class Registry:
    """The tools of one server, by name. Modules that declare tools are named when apps load and imported on first
    use."""

    def __init__(self, toolsets: tuple[str, ...] = ()) -> None:
        self.toolsets = toolsets
        self._tools: dict[str, Tool] = {}
        self._modules: list[str] = []
        self._sorted: Mapping[str, Tool] | None = None
        self._lock = RLock()

    def add_module(self, module: str) -> None:
        """Name a module whose `tools()` gives the tools that it declares."""
        with self._lock:
            if module not in self._modules:
                self._modules.append(module)
                self._sorted = None

    def add(self, tool: Tool) -> None:
        """Add a tool. Raises `ValueError` for a name that is taken, or a toolset that there is not."""
        if unknown := set(tool.toolsets) - set(self.toolsets):
            raise ValueError(f"{tool.name} is in toolsets that there are not: {sorted(unknown)}")
        with self._lock:
            if tool.name in self._tools:
                raise ValueError(f"there are two tools called {tool.name}")
            self._tools[tool.name] = tool
            self._sorted = None

    @property
    def tools(self) -> Mapping[str, Tool]:
        """All tools, in the order of their names. The first who asks loads them; others wait until all are there."""
        found = self._sorted
        if found is None:
            with self._lock:
                while self._modules:
                    for tool in import_module(self._modules.pop(0)).tools():
                        self.add(tool)
                found = self._sorted = dict(sorted(self._tools.items()))
        return found

    def get(self, name: str) -> Tool | None:
        return self.tools.get(name)

    def __iter__(self) -> Iterator[Tool]:
        return iter(self.tools.values())

    def __len__(self) -> int:
        return len(self.tools)


TOOLSETS = ("namespace", "project", "component", "deployment", "build", "resource", "pe")
"""The contract's seven; `pe` is for platform engineers."""
TOOLS = Registry(TOOLSETS)
"""The tools of the control plane."""
