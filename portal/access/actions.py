"""Every action that can be permitted: one registry, the contract's 159 first, extended by ours.

An action is `kind:verb`. `lowest_scope` is the innermost place at which it is judged: a grant there or at any place
around it gives it, a grant further in does not. `conditions` are the attributes that a grant of it may depend on.
Other layers add their own with `register`; the contract's list (`V1/authz/actions`, profiles) stays as it is.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from typing import Literal

Level = Literal["cluster", "namespace", "project", "component", "resource"]
LEVELS: tuple[Level, ...] = ("cluster", "namespace", "project", "component", "resource")
WITHIN: dict[Level, frozenset[Level]] = {
    "cluster": frozenset(LEVELS),
    "namespace": frozenset(LEVELS[1:]),
    "project": frozenset(LEVELS[2:]),
    "component": frozenset(("component",)),
    "resource": frozenset(("resource",)),
}
"""The lowest scopes of the actions that a grant at a level can give."""

ATTRIBUTES = {
    "environment": "Environment associated with the resource, as namespace/name",
    "componentType": "ComponentType of the component: namespace/name, or the bare name of a ClusterComponentType",
    "resourceType": "ResourceType of the resource: namespace/name, or the bare name of a ClusterResourceType",
    "workflow": "Workflow of the run: namespace/name, or the bare name of a ClusterWorkflow",
}


@dataclass(frozen=True, slots=True)
class Action:
    """One permission. `is_contract` tells the contract's actions from ours."""

    name: str
    lowest_scope: Level
    description: str
    conditions: tuple[str, ...] = ()
    is_contract: bool = True

    @property
    def kind(self) -> str:
        return self.name.partition(":")[0]

    @property
    def verb(self) -> str:
        return self.name.partition(":")[2]

    @property
    def only_reads(self) -> bool:
        """Whether it changes nothing: all that an agent gets through its groups."""
        return self.verb == "view"


ALL_VERBS = ("create", "view", "update", "delete")
SNAPSHOT_VERBS = ("create", "view", "delete")
NOUNS = {
    "clustercomponenttype": "cluster component types",
    "clusterresourcetype": "cluster resource types",
    "clusterprojecttype": "cluster project types",
    "clustertrait": "cluster traits",
    "clusterworkflow": "cluster workflows",
    "clusterdataplane": "cluster data planes",
    "clusterworkflowplane": "cluster workflow planes",
    "clusterobservabilityplane": "cluster observability planes",
    "clusterauthzrole": "roles for all namespaces",
    "clusterauthzrolebinding": "role bindings for all namespaces",
    "namespace": "namespaces",
    "componenttype": "component types",
    "resourcetype": "resource types",
    "projecttype": "project types",
    "workflow": "workflows",
    "trait": "traits",
    "environment": "environments",
    "dataplane": "data planes",
    "workflowplane": "workflow planes",
    "observabilityplane": "observability planes",
    "deploymentpipeline": "deployment pipelines",
    "observabilityalertsnotificationchannel": "notification channels",
    "secretreference": "secret references",
    "secret": "secrets",
    "authzrole": "a namespace's roles",
    "authzrolebinding": "a namespace's role bindings",
    "project": "projects",
    "projectrelease": "project releases",
    "projectreleasebinding": "project release bindings",
    "component": "components",
    "componentrelease": "component releases",
    "releasebinding": "release bindings: what is deployed where",
    "workflowrun": "workflow runs",
    "workload": "workloads",
    "resource": "resources",
    "resourcerelease": "resource releases",
    "resourcereleasebinding": "resource release bindings",
}
VERBS = {"create": "Create", "view": "See", "update": "Change", "delete": "Delete"}
_CLUSTER = tuple(kind for kind in NOUNS if kind.startswith("cluster"))
_NAMESPACE = (
    *("componenttype", "resourcetype", "projecttype", "workflow", "trait", "environment", "dataplane"),
    *("workflowplane", "observabilityplane", "deploymentpipeline", "observabilityalertsnotificationchannel"),
    *("secretreference", "secret", "authzrole", "authzrolebinding"),
)
_ENVIRONMENT = ("environment",)

_registry: dict[str, Action] = {}


def register(action: Action) -> Action:
    """Add an action. Raises `ValueError` if that name is taken by another."""
    held = _registry.setdefault(action.name, action)
    if held != action:
        raise ValueError(f"the action {action.name} is registered already, as something else")
    _contract.cache_clear()
    return action


def extension(name: str, lowest_scope: Level, description: str) -> Action:
    """Add an action of our own."""
    return register(Action(name, lowest_scope, description, is_contract=False))


def all_actions() -> list[Action]:
    """The contract's and ours, by name."""
    return sorted(_registry.values(), key=lambda action: action.name)


@cache
def _contract() -> tuple[Action, ...]:
    return tuple(action for action in all_actions() if action.is_contract)


def contract_actions() -> tuple[Action, ...]:
    """The contract's 159, by name."""
    return _contract()


def action_named(name: str) -> Action | None:
    return _registry.get(name)


def is_pattern_known(pattern: str) -> bool:
    """Whether a role's entry means anything: an action, `kind:*` of a known kind, or `*`."""
    return pattern == "*" or pattern in _registry or any(covers(pattern, name) for name in _registry)


def covers(pattern: str, action: str) -> bool:
    """Whether a role's entry gives the action: the same text, `kind:*`, or `*`."""
    if pattern == action or pattern == "*":
        return True
    return pattern.endswith(":*") and action.startswith(pattern[:-1])


def any_covers(patterns: Iterable[str], action: str) -> bool:
    return any(covers(pattern, action) for pattern in patterns)


def expand(pattern: str) -> Iterator[str]:
    """The contract's actions that an entry stands for; an exact entry stands for itself, known or not."""
    if pattern == "*" or pattern.endswith(":*"):
        yield from (action.name for action in contract_actions() if covers(pattern, action.name))
    else:
        yield pattern


def common_attributes(patterns: Iterable[str]) -> frozenset[str]:
    """The attributes that a condition for these entries may use: those that every action they cover has."""
    found: frozenset[str] | None = None
    for pattern in patterns:
        covered = [_registry[name] for name in expand(pattern) if name in _registry]
        if not covered:
            return frozenset()
        for action in covered:
            found = frozenset(action.conditions) if found is None else found & frozenset(action.conditions)
    return found or frozenset()


def _attributes_of(kind: str, verb: str) -> tuple[str, ...]:
    """Which attributes the contract has for an action."""
    if kind.endswith("releasebinding"):
        return _ENVIRONMENT
    if verb != "view" and kind in ("component", "resource"):
        return (f"{kind}Type",)
    return ("workflow",) if verb != "view" and kind == "workflowrun" else ()


def _register_kind(kind: str, scope: Level, create_scope: Level, verbs: Iterable[str] = ALL_VERBS) -> None:
    for verb in verbs:
        level = create_scope if verb == "create" else scope
        register(Action(f"{kind}:{verb}", level, f"{VERBS[verb]} {NOUNS[kind]}", _attributes_of(kind, verb)))


def _register_contract() -> None:
    for kind in _CLUSTER:
        _register_kind(kind, "cluster", "cluster")
    _register_kind("namespace", "namespace", "cluster")
    for kind in _NAMESPACE:
        _register_kind(kind, "namespace", "namespace")
    _register_kind("project", "project", "namespace")
    _register_kind("component", "component", "project")
    _register_kind("resource", "resource", "project")
    for kind in ("project", "component", "resource"):
        level: Level = kind  # type: ignore[assignment]
        _register_kind(f"{kind}release", level, level, SNAPSHOT_VERBS)
    _register_kind("projectreleasebinding", "project", "project")
    _register_kind("resourcereleasebinding", "resource", "resource")
    for kind in ("releasebinding", "workflowrun", "workload"):
        _register_kind(kind, "component", "component")
    for name, scope, description, attributes in (
        ("component:exec", "component", "Run commands in a component's containers", _ENVIRONMENT),
        ("logs:view", "component", "Read logs", _ENVIRONMENT),
        ("events:view", "component", "See events of the planes", ()),
        ("wirelogs:view", "component", "Read logs of network traffic", _ENVIRONMENT),
        ("metrics:view", "component", "See metrics", _ENVIRONMENT),
        ("traces:view", "project", "See traces", _ENVIRONMENT),
        ("alerts:view", "component", "See alerts", ()),
        ("incidents:view", "component", "See incidents", ()),
        ("incidents:update", "component", "Change incidents", ()),
        ("rcareport:view", "project", "Read reports on root causes", ()),
        ("rcareport:update", "project", "Change reports on root causes", ()),
        ("finopsreport:view", "project", "Read reports on cost", ()),
        ("finopsreport:update", "project", "Change reports on cost", ()),
        ("finops:view", "component", "See what things cost", ()),
    ):
        register(Action(name, scope, description, attributes))  # type: ignore[arg-type]


_register_contract()

extension("portal-assistant:invoke", "cluster", "Talk to the portal's assistant")
# Of a kind of their own, so that nobody has them by `authzrole:*`.
extension("authz:escalate", "namespace", "Write roles with actions that one does not hold")
extension("authz:bind", "namespace", "Give roles that one does not hold")
extension("authz:impersonate-evaluate", "cluster", "Ask what somebody else may do")
extension("secret:reveal", "namespace", "Read the values of secrets")
