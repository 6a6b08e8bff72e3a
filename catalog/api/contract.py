"""Every operation of the contract's REST API: where it is, how ours compares with the reference, and what checks that.

The table is what `docs/reference/rest.md` and `/openapi.json` are made of; `tests/catalog/api/test_every_operation.py`
holds it against the contract's own document and against our routes, `tests/contract` says what was seen of each.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Literal

from catalog.api.collection import ROLE_KINDS, Collection
from catalog.api.routes import collections_by_route
from catalog.api.type_schema import TYPE_KINDS

Verdict = Literal["same", "better", "pending"]
V1, ALPHA = "/api/v1", "/api/v1alpha1"
IN_NAMESPACE = f"{V1}/namespaces/{{namespace}}"

NAMES = {
    "ClusterAuthzRole": "ClusterRole",
    "ClusterAuthzRoleBinding": "ClusterRoleBinding",
    "AuthzRole": "NamespaceRole",
    "AuthzRoleBinding": "NamespaceRoleBinding",
}
"""The contract's names of operations that are not those of the kind."""


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation. `remark` says what is better or what is pending; "" where it is the same.

    `kind` is set for what every kind has, `verb` is then list, create, get, update, delete or schema.
    """

    name: str
    method: str
    path: str
    verdict: Verdict = "same"
    remark: str = ""
    more: str = ""
    """Test modules about this operation alone; what every operation is checked by, its checks say themselves."""
    kind: str = ""
    verb: str = ""
    is_public: bool = False
    in_document: bool = True
    """Whether the contract's OpenAPI document has it; two streams are outside of it."""


@cache
def operations() -> tuple[Operation, ...]:
    """All operations, in the order of their paths."""
    found = [*SPECIAL, *(item for each in collections_by_route().values() for item in operations_of(each))]
    return tuple(sorted(found, key=lambda operation: (operation.path, operation.method)))


def operations_of(collection: Collection) -> Iterator[Operation]:
    """What every kind has: list, create, get, replace and delete; no replace for snapshots; types have a schema."""
    model = collection.model
    base = IN_NAMESPACE if model.namespaced else V1
    listed, item = f"{base}/{model.plural}", f"{base}/{model.plural}/{{name}}"
    name, kind = NAMES.get(model.kind, model.kind), model.kind

    def operation(verb: str, method: str, path: str, remark: str = "", suffix: str = "") -> Operation:
        verdict: Verdict = "better" if remark else "same"
        return Operation(f"{verb}{name}{suffix}", method, path, verdict, remark, kind=kind, verb=verb)

    hidden = "" if kind in ROLE_KINDS else "what may not be seen looks absent"
    yield operation("list", "GET", listed, "a broken cursor is 400, not 500", "s")
    yield operation("create", "POST", listed, "no name, no namespace or a taken name is 4xx, never 500")
    yield operation("get", "GET", item, hidden)
    if collection.is_replaceable:
        yield operation("update", "PUT", item, hidden)
    yield operation("delete", "DELETE", item, hidden)
    if kind in TYPE_KINDS:
        yield Operation(f"get{name}Schema", "GET", f"{item}/schema", "same", kind=kind, verb="schema")


def checked(*names: str) -> str:
    """Test modules for people to look up."""
    return ", ".join(f"`tests/{name}.py`" for name in names)


COMPONENT = f"{IN_NAMESPACE}/components/{{name}}"
BINDING = f"{IN_NAMESPACE}/releasebindings/{{name}}"
RUN = f"{IN_NAMESPACE}/workflowruns/{{name}}"
OBJECTS = checked("catalog/api/test_binding_objects")
RUNS = checked("workflows/runs/test_progress", "real/test_argo_runs")
STREAMS = "up to the stream, which is not served yet: 501"
UNOBSERVED = "on a plane that cannot be looked into (Git): 501 with the reason"
OWN_PODS = "only the run's own pods; a run that is not on its plane has none, not 404 or 500"

SPECIAL: tuple[Operation, ...] = (
    Operation("getHealth", "GET", "/health", is_public=True),
    Operation(
        "getReady",
        "GET",
        "/ready",
        "better",
        "503 names what is missing: database, migrations, broker",
        checked("catalog/api/test_operations"),
        is_public=True,
    ),
    Operation("getVersion", "GET", "/version", is_public=True),
    Operation(
        "getOpenAPISpec",
        "GET",
        "/openapi.json",
        "better",
        "made from the code that answers; ours are in it too",
        checked("catalog/api/test_openapi"),
        is_public=True,
    ),
    Operation("getOAuthProtectedResourceMetadata", "GET", "/.well-known/oauth-protected-resource", is_public=True),
    Operation("listActions", "GET", f"{V1}/authz/actions"),
    Operation(
        "evaluates", "POST", f"{V1}/authz/evaluates", "better", "asking about others needs a right; 1,000 at most"
    ),
    Operation("getSubjectProfile", "GET", f"{V1}/authz/profile"),
    Operation("listSubjectTypes", "GET", f"{V1}/authn/subject-types"),
    Operation(
        "generateRelease",
        "POST",
        f"{COMPONENT}/generate-release",
        "better",
        "a taken name is 409, a missing type 404, not 500",
        checked("catalog/api/test_generate_release"),
    ),
    Operation("getComponentSchema", "GET", f"{COMPONENT}/schema", more=checked("catalog/api/test_schemas")),
    Operation("getWorkflowRunStatus", "GET", f"{RUN}/status", more=RUNS),
    Operation("getWorkflowRunLogs", "GET", f"{RUN}/logs", "better", OWN_PODS, RUNS),
    Operation("getWorkflowRunEvents", "GET", f"{RUN}/events", "better", OWN_PODS, RUNS),
    Operation(
        "getReleaseBindingK8sResourceTree",
        "GET",
        f"{BINDING}/k8sresources/tree",
        "better",
        "conditions on the environment are judged; on a Git plane what was delivered, health Unknown",
        OBJECTS,
    ),
    Operation(
        "getReleaseBindingK8sResourceEvents",
        "GET",
        f"{BINDING}/k8sresources/events",
        "better",
        f"only the binding's own objects; {UNOBSERVED}",
        OBJECTS,
    ),
    Operation(
        "getReleaseBindingK8sResourceLogs",
        "GET",
        f"{BINDING}/k8sresources/logs",
        "better",
        f"only the binding's own pods; {UNOBSERVED}",
        OBJECTS,
    ),
    Operation(
        "triggerReleaseBindingCronJob",
        "POST",
        f"{ALPHA}/namespaces/{{namespace}}/releasebindings/{{name}}/trigger",
        "better",
        f"conditions on the environment are judged; {UNOBSERVED}",
        OBJECTS,
    ),
    Operation(
        "handleAutoBuild",
        "POST",
        f"{ALPHA}/autobuild",
        "better",
        "verified before it is read, once each, and the answer says what was not started and why",
        checked("workflows/webhooks/test_autobuild", "attacks/test_attack_14_webhook_signatures"),
        is_public=True,
    ),
    *(
        Operation(f"{verb}{name}", method, f"{ALPHA}/namespaces/{{namespace}}/{plural}{item}", "better", remark)
        for plural, remark, named in (
            (
                "secrets",
                "values go in and do not come out",
                (
                    ("list", "GET", "", "Secrets"),
                    ("create", "POST", "", "Secret"),
                    ("get", "GET", "/{name}", "Secret"),
                    ("update", "PUT", "/{name}", "Secret"),
                    ("delete", "DELETE", "/{name}", "Secret"),
                ),
            ),
            (
                "gitsecrets",
                "values go in and do not come out",
                (
                    ("list", "GET", "", "GitSecrets"),
                    ("create", "POST", "", "GitSecret"),
                    ("delete", "DELETE", "/{name}", "GitSecret"),
                ),
            ),
        )
        for verb, method, item, name in named
    ),
    Operation(
        "streamWirelogs",
        "GET",
        f"{IN_NAMESPACE}/environments/{{name}}/wirelogs",
        "better",
        "ends soon after the right has gone; on a Git plane 502 with the reason",
        checked("catalog/api/test_wirelogs"),
        in_document=False,
    ),
    Operation(
        "execComponent",
        "GET",
        "/exec/namespaces/{namespace}/components/{name}",
        "pending",
        STREAMS,
        checked("attacks/test_attack_29_exec"),
        in_document=False,
    ),
)
