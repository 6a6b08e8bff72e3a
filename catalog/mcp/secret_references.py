"""Tools about secret references: where a secret lies, never its value."""

from __future__ import annotations

from catalog.api.collection import Draft
from catalog.mcp import objects
from catalog.mcp.declare import DETAIL, META, NAMESPACE, PAGE, WRITTEN, WRITTEN_ALWAYS, one, page_of
from portal.access.endpoint import Call
from portal.mcp.arguments import OBJECT, TEXT, described
from portal.mcp.registry import Arguments, Document, Tool

KIND = "SecretReference"
NAMED: Document = {**NAMESPACE, "secret_reference_name": TEXT}
READERS = ("namespace", "pe")


def list_secret_references(call: Call, given: Arguments) -> Document:
    return objects.listed(call, KIND, given, "secret_references")


def get_secret_reference(call: Call, given: Arguments) -> Document:
    return objects.detailed(call, KIND, given, given["secret_reference_name"])


def create_secret_reference(call: Call, given: Arguments) -> Document:
    return objects.written(objects.created(call, KIND, given, given["name"], given["spec"]), "created")


def update_secret_reference(call: Call, given: Arguments) -> Document:
    def edit(draft: Draft) -> None:
        draft.spec = dict(given.get("spec", draft.spec))

    return objects.written(objects.changed(call, KIND, given, given["secret_reference_name"], edit), "updated")


def delete_secret_reference(call: Call, given: Arguments) -> Document:
    return objects.deleted(call, KIND, given, given["secret_reference_name"])


TOOLS = (
    Tool(
        "list_secret_references",
        "List secret references",
        "The secret references of a namespace.",
        list_secret_references,
        one("secretreference:view"),
        READERS,
        arguments={**NAMESPACE, **PAGE},
        required=("namespace_name",),
        result=page_of("secret_references"),
        always=("secret_references",),
    ),
    Tool(
        "get_secret_reference",
        "Get a secret reference",
        "Which keys come from where in the secret store; no values.",
        get_secret_reference,
        one("secretreference:view"),
        READERS,
        arguments=NAMED,
        required=tuple(NAMED),
        result=DETAIL,
        always=("name",),
    ),
    Tool(
        "create_secret_reference",
        "Create a secret reference",
        "Point to a secret in the secret store.",
        create_secret_reference,
        one("secretreference:create"),
        ("pe",),
        arguments={
            **NAMESPACE,
            "name": TEXT,
            "spec": described(
                OBJECT,
                "{template: {type}, data: [{secretKey, remoteRef: {key, property?}}], refreshInterval?, targetPlane?}",
            ),
            **META,
        },
        required=("namespace_name", "name", "spec"),
        result=WRITTEN,
        always=WRITTEN_ALWAYS,
        effect="create",
    ),
    Tool(
        "update_secret_reference",
        "Change a secret reference",
        "Change a secret reference; spec replaces all of it.",
        update_secret_reference,
        one("secretreference:update"),
        ("pe",),
        arguments={**NAMED, "spec": OBJECT, **META},
        required=tuple(NAMED),
        result=WRITTEN,
        always=WRITTEN_ALWAYS,
        effect="update",
    ),
    Tool(
        "delete_secret_reference",
        "Delete a secret reference",
        "Delete a secret reference; the stored secret stays.",
        delete_secret_reference,
        one("secretreference:delete"),
        ("pe",),
        arguments=NAMED,
        required=tuple(NAMED),
        result=WRITTEN,
        always=WRITTEN_ALWAYS,
        effect="delete",
    ),
)
