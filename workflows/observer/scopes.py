"""Where a question looks: names in, permission, uids out.

`{namespace, project?, component?, environment?}` or, with a key `workflowRunName`, `{namespace, workflowRunName?,
taskName?}`. Permission is asked at the place that is named, with the environment as the attribute for conditions,
before anything is looked up: who may not ask there gets the same answer whether the place exists or not.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from catalog import store
from catalog.access.hierarchy import place_of
from catalog.api.noted_reads import was_noted
from catalog.kinds.base import PlatformObject
from portal.access import guard
from portal.access.engine import Access
from portal.access.place import Place
from portal.audit import operation as audit
from workflows.observer.refusals import ObserverRefusal, bad_request, denied
from workflows.observer.windows import text_of

COMPONENT_KEYS = ("project", "component", "environment")


@dataclass(frozen=True)
class Scope:
    """What was named. `is_workflow`: a run (or all runs) of the namespace, not what is deployed."""

    namespace: str
    project: str = ""
    component: str = ""
    environment: str = ""
    run: str = ""
    task: str = ""
    is_workflow: bool = False

    @property
    def place(self) -> Place:
        """Where permission is asked for: a run counts where its labels say, if it is still known."""
        if self.is_workflow:
            run = store.get_or_none("WorkflowRun", self.namespace, self.run) if self.run else None
            return (
                Place(self.namespace)
                if run is None
                else place_of(run.kind, run.namespace_name, run.name, run.spec, run.labels)
            )
        return Place(self.namespace, self.project, self.component)

    @property
    def kind(self) -> str:
        """The kind of what is named innermost."""
        if self.run:
            return "WorkflowRun"
        return "Component" if self.component else "Project" if self.project else "Namespace"

    @property
    def name(self) -> str:
        return self.run or self.component or self.project or self.namespace

    @property
    def attributes(self) -> dict[str, str]:
        """Those of conditions. Without an environment there is none, so that they fail closed."""
        return {"environment": f"{self.namespace}/{self.environment}"} if self.environment else {}


def read_scope(given: Mapping[str, Any], code: str = "", *, with_workflows: bool = False) -> Scope:
    """The `searchScope` of a request. Raises the 400."""
    scope = given.get("searchScope")
    if scope is None:
        raise bad_request("searchScope is required", code)
    if not isinstance(scope, dict):
        raise bad_request("searchScope must be an object", code)
    names = {
        field: text_of(scope, field).strip() for field in ("namespace", *COMPONENT_KEYS, "workflowRunName", "taskName")
    }
    is_workflow = with_workflows and "workflowRunName" in scope
    if is_workflow and any(field in scope for field in COMPONENT_KEYS):
        raise bad_request("searchScope cannot mix workflowRunName with project/component/environment", code)
    if not names["namespace"]:
        raise bad_request("searchScope.namespace is required", code)
    if is_workflow:
        return Scope(names["namespace"], run=names["workflowRunName"], task=names["taskName"], is_workflow=True)
    if names["component"] and not names["project"]:
        raise bad_request("searchScope.project is required when searchScope.component is provided", code)
    return Scope(names["namespace"], names["project"], names["component"], names["environment"])


def permit(access: Access, action: str, scope: Scope) -> None:
    """Raise the 403 unless the caller may do that there."""
    if not guard.ask(access, action, scope.place, scope.attributes, scope.kind, None).allowed:
        raise denied()


def note(access: Access, action: str, scope: Scope) -> None:
    """Write down who has read what, once a minute. Called when the answer is there."""
    named = (scope.namespace, scope.project, scope.name, scope.environment)
    opened = audit.current()
    if opened is None or was_noted((access.subject.name, action, *named)):
        return
    opened.action = action
    opened.target = audit.Target(scope.kind, scope.namespace, scope.name)
    details = {"environment": scope.environment, "task": scope.task}
    audit.conclude(opened, "success", 200, {field: value for field, value in details.items() if value})


@dataclass(frozen=True)
class Found:
    """The objects that a scope names, as far as it names any."""

    scope: Scope
    project: PlatformObject | None = None
    component: PlatformObject | None = None
    environment: PlatformObject | None = None

    @cached_property
    def uids(self) -> dict[str, str]:
        """`projectUid`, `componentUid` and `environmentUid` of those that are named, for adapters."""
        named = {"projectUid": self.project, "componentUid": self.component, "environmentUid": self.environment}
        return {field: str(obj.uid) for field, obj in named.items() if obj is not None}

    @property
    def identity(self) -> dict[str, str]:
        """What entries of this scope must say of themselves, if they say it."""
        return {"namespaceName": self.scope.namespace, **self.uids}

    @property
    def for_adapter(self) -> dict[str, str]:
        """The `searchScope` that logs and metrics adapters take."""
        if self.scope.is_workflow:
            named = {"workflowRunName": self.scope.run, "taskName": self.scope.task}
            return {"namespace": self.scope.namespace, **{field: text for field, text in named.items() if text}}
        return {"namespace": self.scope.namespace, **self.uids}


def resolve(scope: Scope, code: str = "", status: int = 400) -> Found:
    """The objects behind the names. Raises the refusal for one that is not there: 400, or 404 where the contract has
    it."""
    if scope.is_workflow:
        return Found(scope)
    return Found(
        scope,
        named("Project", scope.namespace, scope.project, code, status),
        component_of(scope, code, status),
        named("Environment", scope.namespace, scope.environment, code, status),
    )


def named(kind: str, namespace: str, name: str, code: str, status: int) -> PlatformObject | None:
    """The object of that name; None for no name. Raises the refusal."""
    if not name:
        return None
    found = store.get_or_none(kind, namespace, name)
    if found is None:
        raise ObserverRefusal(status, f"{kind} {name!r} was not found in namespace {namespace!r}", code)
    return found


def component_of(scope: Scope, code: str, status: int) -> PlatformObject | None:
    """The component, which must be the named project's. Raises the refusal."""
    found = named("Component", scope.namespace, scope.component, code, status)
    if found is not None and found.spec["owner"]["projectName"] != scope.project:
        text = f"Component {scope.component!r} was not found in project {scope.project!r}"
        raise ObserverRefusal(status, text, code)
    return found
