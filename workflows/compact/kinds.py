"""Every kind that compact mode knows, and which of the contract's tools is behind each verb."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

VERBS = ("list", "get", "create", "update", "delete", "schema", "authoring")
"""`schema` is of an object's parameters; `authoring` of the spec with which a type or role is written."""


@dataclass(frozen=True)
class Kind:
    """A kind. `named` is the contract's argument for an object's name in get, update and delete, `made` in create."""

    name: str
    tools: Mapping[str, str]
    named: str = "name"
    made: str = "name"


@dataclass(frozen=True)
class Row:
    """A line of the table below: the verbs of a kind, and names that are not regular."""

    kind: str
    verbs: str
    named: str = "name"
    made: str = "name"
    irregular: Mapping[str, str] = field(default_factory=dict)


FIVE = "list get create update delete"
ROWS = (
    Row("namespace", "list create"),
    Row("project", "list create update delete", named="project_name"),
    Row("component", f"{FIVE} schema", named="component_name", irregular={"update": "patch_component"}),
    Row("workload", f"{FIVE} schema", named="workload_name"),
    Row("component_release", "list get create delete schema", named="release_name", made="release_name"),
    Row("release_binding", FIVE, named="binding_name"),
    Row("resource", FIVE),
    Row("resource_release", "list get create delete"),
    Row("resource_release_binding", FIVE),
    Row("project_release", "list get create delete"),
    Row("project_release_binding", FIVE),
    Row("workflow_run", "list get", named="run_name"),
    Row("environment", "list create update delete"),
    Row("deployment_pipeline", FIVE),
    Row("secret_reference", FIVE, named="secret_reference_name"),
    *(
        Row(kind, f"{FIVE} schema authoring")
        for kind in ("component_type", "resource_type", "project_type", "trait", "workflow")
    ),
    *(Row(kind, "list get") for kind in ("dataplane", "workflowplane", "observability_plane")),
    *(Row(kind, f"{FIVE} authoring") for kind in ("authz_role", "authz_role_binding")),
)


def tool_of(kind: str, verb: str) -> str:
    """The regular name of the contract's tool."""
    match verb:
        case "list":
            return f"list_{kind}s"
        case "schema":
            return f"get_{kind}_schema"
        case "authoring":
            return f"get_{kind}_creation_schema"
    return f"{verb}_{kind}"


KINDS: Mapping[str, Kind] = {
    row.kind: Kind(
        row.kind,
        {verb: row.irregular.get(verb) or tool_of(row.kind, verb) for verb in row.verbs.split()},
        row.named,
        row.made,
    )
    for row in ROWS
}


def kinds_with(verb: str) -> tuple[str, ...]:
    """The kinds that have a verb."""
    return tuple(name for name, kind in KINDS.items() if verb in kind.tools)
