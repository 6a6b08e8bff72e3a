"""Random policies and questions: the engine and the slow reference say the same, for checks, lists and profiles."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from catalog import store
from catalog.access.hierarchy import attributes_of, place_of
from catalog.kinds.component import Component
from catalog.kinds.environment import Environment
from catalog.kinds.namespace import Namespace
from catalog.kinds.project import Project
from catalog.kinds.release_binding import ReleaseBinding
from catalog.kinds.workflow_run import WorkflowRun
from portal.access.engine import Access
from portal.access.place import Place
from portal.access.subject import Subject, entitlement
from tests.catalog.access import reference
from tests.catalog.access.conftest import apply
from tests.factories import EnvironmentFactory

KINDS = (Namespace, Project, Component, Environment, ReleaseBinding, WorkflowRun)
VERBS = ("view", "update", "delete")
EXPRESSIONS = (
    'resource.environment == "acme/prod"',
    '"acme/prod" != resource.environment',
    '!(resource.environment in ["acme/dev", "globex/dev"])',
    'resource.environment.startsWith("acme/") && resource.environment.endsWith("dev")',
    'resource.environment.contains("pro") || false',
    'resource.environment.matches("^(acme|ACME)/d.v$")',
    'resource.environment.startsWith("ACME")',
)
TYPE_EXPRESSIONS = (
    'resource.componentType == "worker"',
    'resource.componentType.startsWith("acme/")',
    'resource.componentType != "worker"',
)
ENTRIES = (
    *("*", "component:*", "component:view", "project:view", "releasebinding:*", "releasebinding:view"),
    *("workflowrun:view", "environment:view", "namespace:view", "component:update", "authzrole:*"),
)
SCOPES = (
    *({}, {"project": "shop"}, {"project": "bank"}, {"project": "shop", "component": "shop-web"}),
    *({"project": "bank", "component": "bank-api"}, {"project": "shop", "component": "bank-api"}, {"project": "gone"}),
)
roles = st.dictionaries(
    st.sampled_from([("", "one"), ("", "two"), ("acme", "one"), ("globex", "three")]),
    st.lists(st.sampled_from(ENTRIES), min_size=1, max_size=3, unique=True),
    min_size=1,
)
conditions = st.one_of(
    st.just([]),
    st.lists(
        st.one_of(
            st.builds(
                lambda text, action: {"actions": [action], "expression": text},
                st.sampled_from(EXPRESSIONS),
                st.sampled_from(["releasebinding:*", "releasebinding:view", "releasebinding:update"]),
            ),
            st.builds(
                lambda text, action: {"actions": [action], "expression": text},
                st.sampled_from(TYPE_EXPRESSIONS),
                st.sampled_from(["component:update", "component:delete"]),
            ),
        ),
        max_size=2,
    ),
)


@st.composite
def bindings(draw: Any) -> dict[str, Any]:
    """A binding of one of three claims, in a namespace or for the cluster."""
    claim, value = draw(st.sampled_from([("groups", "a"), ("groups", "b"), ("sub", "ada")]))
    namespace = draw(st.sampled_from(["", "acme", "globex"]))
    mappings = []
    for _ in range(draw(st.integers(1, 2))):
        scope = dict(draw(st.sampled_from(SCOPES)))
        if not namespace and (scope or draw(st.booleans())):
            scope["namespace"] = draw(st.sampled_from(["acme", "globex"]))
        kind = draw(st.sampled_from(["AuthzRole", "ClusterAuthzRole"])) if namespace else "ClusterAuthzRole"
        name = draw(st.sampled_from(["one", "two", "three"]))
        mappings.append({"roleRef": {"kind": kind, "name": name}, "scope": scope, "conditions": draw(conditions)})
    effect = draw(st.sampled_from(["allow", "allow", "deny"]))
    return {
        "kind": "AuthzRoleBinding" if namespace else "ClusterAuthzRoleBinding",
        "metadata": {"namespace": namespace} if namespace else {},
        "spec": {"entitlement": {"claim": claim, "value": value}, "effect": effect, "roleMappings": mappings},
    }


askers = st.builds(
    reference.Asker,
    st.sets(st.sampled_from(["groups:a", "groups:b", "sub:ada"]), min_size=1).map(frozenset),
    st.sampled_from([False, False, True]),
)


@pytest.fixture
def world(tenants: None) -> None:
    """To the tenants: two environments, a binding of each component in each, and runs with and without owners."""
    for namespace in ("acme", "globex"):
        for environment in ("dev", "prod"):
            EnvironmentFactory.create(name=environment, namespace=namespace)
            for project in ("shop", "bank"):
                owner = {"projectName": project, "componentName": f"{project}-web"}
                spec = {"owner": owner, "environment": environment}
                apply("ReleaseBinding", f"{project}-web-{environment}", spec, namespace)
        for name, labels in (
            ("none", {}),
            ("half", {"project": "shop"}),
            ("own", {"project": "shop", "component": "shop-web"}),
        ):
            marks = {f"openchoreo.dev/{key}": value for key, value in labels.items()}
            apply("WorkflowRun", f"run-{name}", {"workflow": {"name": "build"}}, namespace, labels=marks)
    spec = {
        "owner": {"projectName": "shop"},
        "componentType": {"kind": "ComponentType", "name": "deployment/worker"},
    }
    apply("Component", "shop-own", spec, "acme")


def subject_of(asker: reference.Asker) -> Subject:
    names = frozenset(entitlement(*claim.split(":", 1)) for claim in asker.claims)
    return Subject(None, "ada", "agent" if asker.is_agent else "human", names)


def compare(policy_roles: Any, policy_bindings: list[dict[str, Any]], asker: reference.Asker) -> None:
    """All questions about one policy, on both sides. Raises `AssertionError` at the first difference."""
    with store.rehearsal():
        for (namespace, name), actions in policy_roles.items():
            apply("AuthzRole" if namespace else "ClusterAuthzRole", name, {"actions": actions}, namespace)
        for number, binding in enumerate(policy_bindings):
            apply(binding["kind"], f"b{number}", binding["spec"], binding["metadata"].get("namespace", ""))
        lines = [line for line in reference.lines_of(policy_roles, policy_bindings) if leads_somewhere(line.path)]
        access = Access(subject_of(asker))
        for model in KINDS:
            for verb in VERBS:
                action = f"{model.kind.lower()}:{verb}"
                listed = set(access.filter(model.objects.all(), action).values_list("pk", flat=True))
                for obj in model.objects.system("test"):
                    place = place_of(obj.kind, obj.namespace_name, obj.name, obj.spec, obj.labels)
                    attributes = attributes_of(obj.kind, obj.namespace_name, obj.spec)
                    expected = reference.is_allowed(lines, asker, action, place.path, attributes)
                    assert access.allows(action, place, attributes) is expected, (action, place)
                    assert (obj.pk in listed) is expected, (action, place, "in the list")
                    missing = reference.is_allowed(lines, asker, action, place.path, {})
                    assert access.allows(action, place) is missing, (action, place, "without attributes")
        for asked in (Place(), Place("acme"), Place("acme", "shop"), Place("globex", "bank", component="bank-api")):
            assert shown(access, asked) == reference.profile(lines, asker, asked.path)


def leads_somewhere(path: str) -> bool:
    """Difference: what is given on an object that does not exist gives nothing, instead of waiting for its name."""
    return "gone" not in path and "project/shop/component/bank-api" not in path


def shown(access: Access, asked: Place) -> Any:
    def sets(paths: Any) -> Any:
        return {path: None if expressions is None else set(expressions) for path, expressions in paths.items()}

    return {
        action: {"allow": sets(capability.allowed), "deny": sets(capability.denied)}
        for action, capability in access.profile(asked).items()
    }


@pytest.mark.django_db
@settings(
    max_examples=25,
    phases=[Phase.explicit, Phase.generate],
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(policy_roles=roles, policy_bindings=st.lists(bindings(), min_size=1, max_size=5), asker=askers)
def test_engine_and_reference_agree(
    world: None, policy_roles: Any, policy_bindings: Any, asker: reference.Asker
) -> None:
    compare(policy_roles, policy_bindings, asker)
