"""Tools about what platform teams write: types, traits and workflows, of a namespace or of the whole platform.

The five kinds have the same seven tools each, so they are made from a table. Those who read are in the toolset of
those who use the kind, too.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from catalog.api.collection import Draft
from catalog.api.openapi_schemas import plain
from catalog.api.type_schema import schema_of_parameters
from catalog.kinds.registry import kind_named
from catalog.mcp import objects
from catalog.mcp.declare import DETAIL, META, PAGE, SCHEMA, SCOPE, WRITTEN, WRITTEN_ALWAYS, both, page_of
from portal.access.endpoint import Call
from portal.mcp.arguments import OBJECT, TEXT, described
from portal.mcp.registry import Arguments, Document, Tool

NAMED: Document = {**SCOPE, "name": TEXT}


@dataclass(frozen=True)
class TypeKind:
    """A kind with a twin for the whole platform. `word` is its name in tools, `toolset` that of those who use it (""
    for none), `purpose` what it is for."""

    kind: str
    word: str
    purpose: str
    toolset: str = ""
    plural: str = ""

    @property
    def shown(self) -> str:
        return self.word.replace("_", " ")

    @property
    def key(self) -> str:
        """The name of the list in results."""
        return self.plural or f"{self.word}s"

    @property
    def action(self) -> str:
        return self.kind.lower()

    @property
    def readers(self) -> tuple[str, ...]:
        return (self.toolset, "pe") if self.toolset else ("pe",)


TYPES = (
    TypeKind("ComponentType", "component_type", "how components of a sort run", "component"),
    TypeKind("Trait", "trait", "what can be added to components", "component"),
    TypeKind("Workflow", "workflow", "how things are built or done", "build"),
    TypeKind("ResourceType", "resource_type", "which infrastructure can be had", "resource"),
    TypeKind("ProjectType", "project_type", "what a project gets in each environment", "project"),
)


def tools_of(of: TypeKind) -> Iterator[Tool]:
    """The seven tools of a type."""
    yield listing(of)
    yield getting(of)
    yield parameters(of)
    yield from authoring(of)


def article(noun: str) -> str:
    return f"{'an' if noun[0] in 'aeiou' else 'a'} {noun}"


def listing(of: TypeKind) -> Tool:
    def run(call: Call, given: Arguments) -> Document:
        is_cluster = given.get("scope") == "cluster"
        key = f"cluster_{of.key}" if is_cluster else of.key
        return objects.listed(call, objects.kind_in(of.kind, given), given, key)

    plural = of.key.replace("_", " ")
    return Tool(
        f"list_{of.key.replace('data_planes', 'dataplanes').replace('workflow_planes', 'workflowplanes')}",
        f"List {plural}",
        f"{plural.capitalize()}: {of.purpose}.",
        run,
        both(of.action, "view"),
        of.readers,
        arguments={**SCOPE, **PAGE},
        result=page_of(of.key),
    )


def getting(of: TypeKind, result: Document = DETAIL) -> Tool:
    def run(call: Call, given: Arguments) -> Document:
        return objects.detailed(call, objects.kind_in(of.kind, given), given, given["name"])

    return Tool(
        f"get_{of.word}",
        f"Get {article(of.shown)}",
        f"One {of.shown} with its whole spec.",
        run,
        both(of.action, "view"),
        of.readers,
        arguments=NAMED,
        required=("name",),
        result=result,
        always=("name",),
    )


def parameters(of: TypeKind) -> Tool:
    def run(call: Call, given: Arguments) -> Document:
        return schema_of_parameters(objects.got(call, objects.kind_in(of.kind, given), given, given["name"]))

    return Tool(
        f"get_{of.word}_schema",
        f"Get {article(of.shown)}'s parameters",
        f"JSON Schema of the parameters of {article(of.shown)}.",
        run,
        both(of.action, "view"),
        of.readers,
        arguments=NAMED,
        required=("name",),
        result=SCHEMA,
    )


def authoring(of: TypeKind, verb: str = "create") -> Iterator[Tool]:
    """Creation schema, create, update and delete. `verb` is what reading the schema asks for."""

    def show_schema(call: Call, given: Arguments) -> Document:
        schema: Document = plain(kind_named(objects.kind_in(of.kind, given)).spec_schema)
        return schema

    def create(call: Call, given: Arguments) -> Document:
        kind = objects.kind_in(of.kind, given)
        return objects.written(objects.created(call, kind, given, given["name"], given["spec"]), "created")

    def update(call: Call, given: Arguments) -> Document:
        def edit(draft: Draft) -> None:
            draft.spec = dict(given["spec"])

        kind = objects.kind_in(of.kind, given)
        return objects.written(objects.changed(call, kind, given, given["name"], edit), "updated")

    def delete(call: Call, given: Arguments) -> Document:
        return objects.deleted(call, objects.kind_in(of.kind, given), given, given["name"])

    yield Tool(
        f"get_{of.word}_creation_schema",
        f"Get the schema of {of.shown} specs",
        f"JSON Schema of spec in create_{of.word}.",
        show_schema,
        both(of.action, verb),
        ("pe",),
        arguments={"scope": SCOPE["scope"]},
        result=SCHEMA,
        untrusted=False,
    )
    yield Tool(
        f"create_{of.word}",
        f"Create {article(of.shown)}",
        f"Create {article(of.shown)}.",
        create,
        both(of.action, "create"),
        ("pe",),
        arguments={**NAMED, **META, "spec": described(OBJECT, f"see get_{of.word}_creation_schema")},
        required=("name", "spec"),
        result=WRITTEN,
        always=WRITTEN_ALWAYS,
        effect="create",
    )
    yield Tool(
        f"update_{of.word}",
        f"Replace {article(of.shown)}",
        f"Replace the whole spec of {article(of.shown)}.",
        update,
        both(of.action, "update"),
        ("pe",),
        arguments={**NAMED, **META, "spec": OBJECT},
        required=("name", "spec"),
        result=WRITTEN,
        always=WRITTEN_ALWAYS,
        effect="update",
    )
    yield Tool(
        f"delete_{of.word}",
        f"Delete {article(of.shown)}",
        f"Delete {article(of.shown)}.",
        delete,
        both(of.action, "delete"),
        ("pe",),
        arguments=NAMED,
        required=("name",),
        result=WRITTEN,
        always=WRITTEN_ALWAYS,
        effect="delete",
    )


TOOLS = tuple(tool for of in TYPES for tool in tools_of(of))
