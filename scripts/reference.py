#!/usr/bin/env python
"""Writes docs/reference/ from the code, and the generated parts of docs/compatibility.md. `--check` only says whether
all is up to date.

Run as `.venv/bin/python -m scripts.reference`; a test runs it with `--check`.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

REPOSITORY = Path(__file__).resolve().parent.parent
REFERENCE = REPOSITORY / "docs" / "reference"
COMPATIBILITY = REPOSITORY / "docs" / "compatibility.md"
NOTICE = "<!-- Written by scripts/reference.py from the code. Change the code, then run `make reference`. -->\n\n"


def pages() -> dict[str, str]:
    """Every page's file name and text."""
    return {"settings.md": settings_page(), "kinds.md": kinds_page(), "rest.md": rest_page(), "mcp.md": mcp_page()}


def parts() -> dict[str, str]:
    """The text of every generated part of docs/compatibility.md, by the name in the marks around it."""
    return {"replay": deliberate_table(), "document": deviations_table()}


def deviations_table() -> str:
    from tests.contract.deviations import MORE_FIELDS, RULES

    lines = ["| answer | whose | why |", "|---|---|---|"]
    for rule in RULES:
        lines.append(f"| {rule.answer} | {'ours' if rule.is_ours else 'OpenChoreo and ours'} | {rule.why} |")
    for operation, fields in MORE_FIELDS.items():
        names = ", ".join(f"`{field.removeprefix('.')}`" for field in sorted(fields))
        lines.append(f"| {operation}: also {names} | ours | what was started, and what was not and why |")
    return "\n".join(lines) + "\n"


def deliberate_table() -> str:
    from tests.replay.deliberate import pending, rules

    lines = ["| request | OpenChoreo | Stagecraft | why |", "|---|---|---|---|"]
    previous = ""
    for rule in rules():
        why = previous if rule.why == "as above" else rule.why
        lines.append(f"| {rule.request} | {rule.upstream.shown} | {rule.ours.shown} | {why} |")
        previous = why
    lines += ["", "These count as different where the part is missing:", ""]
    lines += [f"- {entry.request}: they need {entry.needs}" for entry in pending()]
    return "\n".join(lines) + "\n"


def with_part(page: str, name: str, text: str) -> str:
    """The page with the text between the marks of that name. Raises ValueError if they are not there."""
    begin, end = f"<!-- {name}: written by scripts/reference.py -->\n", f"<!-- {name}: end -->\n"
    before, found, rest = page.partition(begin)
    _, found_too, after = rest.partition(end)
    if not (found and found_too):
        raise ValueError(f"the marks {begin.strip()} and {end.strip()} are not in the page")
    return before + begin + "\n" + text + "\n" + end + after


def mcp_page() -> str:
    from portal.mcp.registry import TOOLSETS
    from portal.mcp.server import CONTROL_PLANE
    from workflows.compact.server import COMPACT
    from workflows.observer.tools import OBSERVER

    lines = [
        "# MCP tools\n",
        f"The {len(CONTROL_PLANE.registry)} tools of the control plane at `{CONTROL_PLANE.path}`. What is needed is in"
        " bold. A tool with two actions asks for the second with `scope: cluster`. How to connect:"
        " [the guide for agents](../guides/agents.md).",
    ]
    for toolset in TOOLSETS:
        tools = [tool for tool in CONTROL_PLANE.registry if tool.toolsets[0] == toolset]
        lines += [f"\n## {toolset}\n", "| tool | what it does | arguments | action | effect |", "|---|---|---|---|---|"]
        lines += [mcp_row(tool) for tool in tools]
    said = "At `/observer/mcp`; what they answer is told in [the guide](../guides/observability.md)."
    lines += [
        "\n## The observer\n",
        said,
        "",
        "| tool | what it does | arguments | action | effect |",
        "|---|---|---|---|---|",
    ]
    lines += [mcp_row(tool) for tool in OBSERVER.registry]
    lines += [
        "\n## Compact mode\n",
        f"{len(COMPACT.registry)} tools at `{COMPACT.path}`; [the guide](../guides/agents.md#compact-mode) tells how"
        " they answer. A call asks for the actions of the tools that it comes down to.\n",
        "| tool | what it does | arguments | comes down to | effect |",
        "|---|---|---|---|---|",
        *(compact_row(tool) for tool in COMPACT.registry),
    ]
    return "\n".join(lines) + "\n"


def compact_row(tool: Any) -> str:
    """A compact tool; of one with a `kind` the verbs behind it are told, which all kinds have in common."""
    cells = mcp_row(tool).split(" | ")
    verbs = dict.fromkeys(name.partition("_")[0] for name in tool.covers)
    behind = [f"`{name}`" for name in tool.covers] if len(tool.covers) < 13 else [f"`{verb}_…`" for verb in verbs]
    return " | ".join([*cells[:3], ", ".join(behind) or "the log of changes", cells[4]])


def mcp_row(tool: Any) -> str:
    """One tool in a table of its first toolset; the others that it is in stand behind its description."""
    arguments = ", ".join(f"**`{name}`**" if name in tool.required else f"`{name}`" for name in tool.arguments)
    also = f" (also in {', '.join(tool.toolsets[1:])})" if tool.toolsets[1:] else ""
    actions = ", ".join(f"`{action}`" for action in tool.actions.values())
    description = tool.description.replace("|", "\\|")
    return f"| `{tool.name}` | {description}{also} | {arguments or '–'} | {actions} | {tool.effect} |"


def settings_page() -> str:
    from portal.settings import BASE_DIR, VARIABLES

    lines = [
        "# Settings\n",
        "All settings are environment variables, read once at start. A wrong value ends the process with a sentence"
        " that names the variable.\n",
        "| variable | default | meaning |",
        "|---|---|---|",
    ]
    for variable in VARIABLES:
        default = variable.default.replace(str(BASE_DIR), "(repository)")
        lines.append(f"| `{variable.name}` | {f'`{default}`' if default else '(empty)'} | {variable.meaning} |")
    return "\n".join(lines) + "\n"


def rest_page() -> str:
    from collections import Counter

    from catalog.api.contract import operations
    from tests.contract import evidence

    count = Counter(operation.verdict for operation in operations() if operation.in_document)
    lines = [
        "# Operations of the REST API\n",
        f"The {count.total()} operations of OpenChoreo's API document and two streams beside it: {count['same']} answer"
        f" the same, {count['better']} better where the table says so and else the same, {count['pending']} wait for"
        " parts that are not there yet. A dash stands for the streams, which the document does not have. What differs"
        " on purpose, exchange by exchange, is in [compatibility](../compatibility.md). The server's own description,"
        " ours included, is `/openapi.json`.\n",
        "Checked by: *contract*, requests made from the document and answers judged by it, with the statuses that were"
        " seen; *recordings*, exchanges with OpenChoreo's own server, with their number; *occ*, requests of its CLI in"
        " the transcript; *TypeScript*, a client generated from the document. Each check fails unless this table says"
        " of it what it has just done (`tests/contract/evidence.py`). Then tests about the operation alone.\n",
        "| operation | | compared | what is better, or pending | checked by |",
        "|---|---|---|---|---|",
    ]
    seen = evidence.held()
    for operation in operations():
        name = operation.name if operation.in_document else "–"
        checks = ", ".join(filter(None, [*checks_of(operation.name, seen), operation.more]))
        lines.append(
            f"| {name} | `{operation.method} {operation.path}` | {operation.verdict} | {operation.remark} | {checks} |"
        )
    return "\n".join(lines) + "\n"


def checks_of(operation: str, seen: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    """What was seen of an operation, check by check."""
    for check in ("contract", "recordings", "occ", "TypeScript"):
        found = seen.get(check, {}).get(operation)
        if found:
            yield f"{check} {' '.join(map(str, found)) if isinstance(found, list) else found}"


def kinds_page() -> str:
    from catalog.kinds.registry import KINDS

    lines = [
        "# Kinds\n",
        "What each kind's `spec` may hold, with types, defaults and limits. `!` marks required fields. Fields that are"
        " not listed are dropped, save below fields marked *any*.\n",
    ]
    for model in sorted(KINDS, key=lambda model: model.kind):
        scope = "in a namespace" if model.namespaced else "cluster-wide"
        lines.append(f"## {model.kind}\n")
        summary = (sys.modules[model.__module__].__doc__ or "").strip().split("\n\n")[0].replace("\n", " ")
        lines.append(f"{summary}\n")
        lines.append(f"`{model.plural}`, {scope}, `{model.api_version}`.\n")
        rows = list(fields_of(model.spec_schema, ""))
        if rows:
            lines += ["| field | type | default | limits |", "|---|---|---|---|", *rows, ""]
    return "\n".join(lines)


def fields_of(schema: Mapping[str, Any], path: str) -> Iterator[str]:
    """A table row for every field below a schema, depth first."""
    for name, field in schema.get("properties", {}).items():
        required = "!" if name in schema.get("required", ()) else ""
        here = f"{path}.{name}" if path else name
        yield f"| `{here}`{required} | {type_of(field)} | {default_of(field)} | {limits_of(field)} |"
        yield from nested(field, here)


def nested(field: Mapping[str, Any], here: str) -> Iterator[str]:
    if "items" in field:
        yield from fields_of(field["items"], f"{here}[]")
    additional = field.get("additionalProperties")
    if isinstance(additional, dict):
        yield from fields_of(additional, f"{here}.*")
    yield from fields_of(field, here)


def type_of(field: Mapping[str, Any]) -> str:
    if "items" in field:
        return f"list of {type_of(field['items'])}"
    additional = field.get("additionalProperties")
    if isinstance(additional, dict):
        return f"map of {type_of(additional)}"
    if field.get("x-kubernetes-int-or-string"):
        return "integer or string"
    if field.get("x-kubernetes-preserve-unknown-fields"):
        return "*any*" if "type" not in field else f"*any* {field['type']}"
    return str(field.get("type", "*any*"))


def default_of(field: Mapping[str, Any]) -> str:
    return f"`{field['default']}`" if "default" in field else ""


def limits_of(field: Mapping[str, Any]) -> str:
    limits = []
    if "enum" in field:
        limits.append("one of " + ", ".join(f"`{value}`" for value in field["enum"]))
    if "pattern" in field:
        limits.append("matches `" + field["pattern"].replace("|", "\\|") + "`")
    for key, words in LIMIT_WORDS.items():
        if key in field:
            limits.append(f"{words} {field[key]}")
    return "; ".join(limits)


LIMIT_WORDS = {
    "minimum": "at least",
    "maximum": "at most",
    "minLength": "characters: at least",
    "maxLength": "characters: at most",
    "minItems": "items: at least",
    "maxItems": "items: at most",
    "maxProperties": "entries: at most",
}


def main() -> int:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")
    sys.path.insert(0, str(REPOSITORY))
    import django

    django.setup()
    stale = []
    REFERENCE.mkdir(parents=True, exist_ok=True)
    wanted = {REFERENCE / name: NOTICE + text for name, text in pages().items()}
    page = COMPATIBILITY.read_text()
    for name, text in parts().items():
        page = with_part(page, name, text)
    wanted[COMPATIBILITY] = page
    for path, text in wanted.items():
        if not path.exists() or path.read_text() != text:
            stale.append(str(path.relative_to(REPOSITORY)))
            if "--check" not in sys.argv:
                path.write_text(text)
    if stale and "--check" in sys.argv:
        print(f"{', '.join(stale)} out of date: run `make reference`")
        return 1
    print(f"docs: {'wrote ' + ', '.join(stale) if stale else 'up to date'}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
