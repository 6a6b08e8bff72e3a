"""list, get, schema, create, update, delete: a verb, a `kind`, and what the contract's tool for it takes."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from portal.access.endpoint import Call
from portal.mcp.arguments import NUMBER, OBJECT, TEXT, BadArguments, described, one_of
from portal.mcp.registry import Arguments, Document, Effect
from workflows.compact.budget import Cursor
from workflows.compact.dispatching import OWNERS, arguments_of, own_fields, read, write
from workflows.compact.kinds import KINDS
from workflows.compact.tool import CompactTool, Picked, contract_tool, of_kinds

SPARING: Document = {"max_tokens": NUMBER, "cursor": TEXT, "format": one_of("text", "json")}
"""What every reading tool takes."""
PLACE: Document = {"namespace": TEXT, "project": TEXT, "component": TEXT, "resource": TEXT}
FIELDS = described(OBJECT, "see schema")


def picking(verb: str) -> Callable[[Arguments], Picked]:
    """`pick` of a tool with a kind."""

    def pick(given: Arguments) -> Picked:
        return arguments_of(given["kind"], verb, given)

    return pick


def list_objects(call: Call, given: Arguments) -> Document:
    name, arguments = arguments_of(given["kind"], "list", given)
    inner = Cursor.of(given).inner
    found = read(call, name, {**arguments, **({"cursor": inner} if inner else {})})
    if given.get("format") == "json":
        return found
    return {
        key: [spared(row, given) for row in value] if isinstance(value, list) else value for key, value in found.items()
    }


def spared(row: Document, given: Arguments) -> Document:
    """A row without what the question has said, and without ages: nobody decides by them, and get tells them."""
    asked = {
        "namespace": "namespace",
        "projectName": "project",
        "componentName": "component",
        "resourceName": "resource",
    }
    return {
        field: value
        for field, value in row.items()
        if field != "createdAt" and (field not in asked or value != given.get(asked[field]))
    }


def get_object(call: Call, given: Arguments) -> Document:
    return read(call, *arguments_of(given["kind"], "get", given))


def create_object(call: Call, given: Arguments) -> Document:
    return write(call, *arguments_of(given["kind"], "create", given))


def update_object(call: Call, given: Arguments) -> Document:
    return write(call, *arguments_of(given["kind"], "update", given))


def delete_object(call: Call, given: Arguments) -> Document:
    return write(call, *arguments_of(given["kind"], "delete", given))


# Schemas --------------------------------------------------------------------------------------------------------------


def pick_schema(given: Arguments) -> Picked:
    """The contract's schema tool: of one object's parameters with a name, else of the spec that is written."""
    kind, verb = KINDS.get(given["kind"]), given.get("of") or "fields"
    if kind is None:
        raise BadArguments(f"there is no kind {given['kind']!r}")
    if verb == "fields":
        writing = kind.tools.get("create") or kind.tools.get("update") or next(iter(kind.tools.values()))
        return writing, {"scope": "namespace" if given.get("namespace") else "cluster"}
    if verb == "spec":
        scope = {"scope": "namespace" if given.get("namespace") else "cluster"}
        if "authoring" in kind.tools:
            return kind.tools["authoring"], scope
        raise BadArguments(f"{kind.name} has no spec to write; ask of=fields")
    return arguments_of(given["kind"], "schema", given)


def show_schema(call: Call, given: Arguments) -> Document:
    """The fields of a kind's create and update, or one of the contract's JSON Schemas."""
    name, arguments = pick_schema(given)
    if (given.get("of") or "fields") == "fields":
        return fields_of(given["kind"])
    return read(call, name, arguments)


def fields_of(kind: str) -> Document:
    """What create and update of a kind take in `fields`, as the contract's tools say it."""
    found: Document = {}
    for verb in ("create", "update"):
        name = KINDS[kind].tools.get(verb)
        if name is None:
            continue
        tool = contract_tool(name)
        named = KINDS[kind].made if verb == "create" else KINDS[kind].named
        names = {**OUR_NAMES, named: "name"}
        needs = [names.get(field, field) for field in tool.required if field not in own_fields(tool)]
        fields = {
            f"{field}{'*' if field in tool.required else ''}": said_of(tool.arguments[field])
            for field in own_fields(tool)
        }
        found[verb] = {"does": in_compact_words(tool.description), "beside": needs, "fields": fields}
    return found or {"kind": kind, "writes": "none"}


def said_of(schema: Document) -> str:
    """An argument's schema in a few words."""
    values = "|".join(schema["enum"]) if "enum" in schema else str(schema.get("type", ""))
    return f"{values}: {in_compact_words(schema['description'])}" if schema.get("description") else values


TOOL_NAME = re.compile(r"\b(?:list|get|create|update|patch|delete)_[a-z_]+\b")
OUR_NAMES = {"namespace_name": "namespace", **{theirs: ours for ours, theirs in OWNERS.items()}}
PHRASES = {
    tool: f"schema kind={kind.name} of={'spec' if verb == 'authoring' else 'parameters'}"
    if verb in ("schema", "authoring")
    else f"{verb} kind={kind.name}"
    for kind in KINDS.values()
    for verb, tool in kind.tools.items()
}


def in_compact_words(text: str) -> str:
    """A description with the contract's tools by the calls that stand for them here."""
    return TOOL_NAME.sub(lambda found: PHRASES.get(found[0], found[0]), text)


def tools() -> Iterator[CompactTool]:
    """The six."""
    yield CompactTool(
        "list",
        description="Objects of a kind, in short. Without namespace: the whole platform's (types, planes, roles).",
        run=list_objects,
        pick=picking("list"),
        required=("kind",),
        **of_kinds("List", "list", arguments={**PLACE, "limit": NUMBER, **SPARING}),
    )
    yield CompactTool(
        "get",
        description="One object, whole.",
        run=get_object,
        pick=picking("get"),
        required=("kind", "name"),
        **of_kinds("Get", "get", arguments={"name": TEXT, "namespace": TEXT, **SPARING}),
    )
    yield CompactTool(
        "schema",
        description="What goes where: of=fields, what create and update take; of=spec, the JSON Schema of the spec of "
        "a type, trait, workflow or role; of=parameters, that of what a named type or component accepts.",
        run=show_schema,
        pick=pick_schema,
        required=("kind",),
        **of_kinds(
            "Schema",
            *("schema", "authoring", "create", "update"),
            arguments={
                "of": one_of("fields", "spec", "parameters"),
                "name": TEXT,
                "namespace": TEXT,
                "component": TEXT,
                **SPARING,
            },
        ),
    )
    writing: tuple[tuple[str, str, Effect], ...] = (
        ("create", "Create an object. To deploy, use deploy.", "create"),
        ("update", "Change the fields that are given; a spec is replaced whole.", "update"),
        ("delete", "Delete an object with all that is in it.", "delete"),
    )
    runs = {"create": create_object, "update": update_object, "delete": delete_object}
    for verb, description, effect in writing:
        place = PLACE | {"environment": TEXT} if verb == "create" else {"namespace": TEXT}
        yield CompactTool(
            verb,
            description=description,
            run=runs[verb],
            pick=picking(verb),
            effect=effect,
            required=("kind",) if verb == "create" else ("kind", "name"),
            **of_kinds(
                verb.capitalize(),
                verb,
                arguments={"name": TEXT, **place, **({} if verb == "delete" else {"fields": FIELDS})},
            ),
        )
