"""The platform on which tokens are counted: 4 projects, 1,000 components, three environments, some of what is deployed
unwell, 200 changes in the last day, 12 managed databases. Names and facts are random by seed, so that an answer can be
checked for what it must hold.

One component is real in every part: made through the store and deployed by the controllers. The others are its copies.
"""

from __future__ import annotations

import copy
import random
import uuid
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from django.utils import timezone

from catalog import store
from catalog.controllers import runtime
from catalog.kinds.component import Component
from catalog.kinds.release_binding import ReleaseBinding
from catalog.releases.cut import generate_release
from catalog.store.models import ObjectReference, Revision
from portal.quickstart import content
from tests.factories import TESTER
from tests.portal.mcp.seed import POSTGRES, apply, component_spec, workload_spec

COMPONENTS, CHANGES, DATABASES, DEPLOYED = 1000, 200, 12, 60
WORDS = ("amber", "basil", "cedar", "delta", "ember", "fjord", "grove", "heron", "inlet", "jasper", "krill", "lotus")
PEOPLE = ("ada", "bert", "cleo", "dora")
TEST = "test"


@dataclass
class Facts:
    """What answers are checked for."""

    projects: list[str]
    component: str
    project: str
    releases: list[str] = field(default_factory=list)
    """Of the component, oldest first."""
    newest_changes: list[Revision] = field(default_factory=list)
    """Of the project, newest first."""
    change_count: int = 0


def populate(seed: int = 20) -> Facts:
    """Everything. Returns the facts."""
    chance = random.Random(seed)  # noqa: S311 - facts that a test can check
    content.apply_directory(content.DEFAULTS)
    projects = ["default", *(f"{chance.choice(WORDS)}-{number}" for number in range(3))]
    for name in projects[1:]:
        apply(
            "Project",
            name,
            {"deploymentPipelineRef": {"name": "default"}, "type": {"name": "default", "kind": "ClusterProjectType"}},
        )
    facts = Facts(projects, f"{chance.choice(WORDS)}-api", projects[1])
    deploy_the_real_one(facts)
    for number in range(DATABASES):
        owner = {"projectName": chance.choice(projects)}
        apply("Resource", f"db-{number}", {"owner": owner, "type": POSTGRES, "parameters": {}})
    copy_components(facts, chance)
    copy_bindings(facts, chance)
    write_changes(facts, chance)
    return facts


def deploy_the_real_one(facts: Facts) -> None:
    """Two releases: the second in development and staging, the first in production; staging cannot be rendered."""
    owner = {"projectName": facts.project, "componentName": facts.component}
    apply("Component", facts.component, component_spec(owner={"projectName": facts.project}, autoDeploy=False))
    for number in (1, 2):
        workload = workload_spec(f"registry.example.org/{facts.component}:{number}")
        apply("Workload", f"{facts.component}-workload", {"owner": owner, **workload})
        runtime.drain()
        name = f"{facts.component}-{number}"
        make_release(facts.component, name)
        facts.releases.append(name)
    older, newer = facts.releases
    bound = (
        ("development", newer, {}),
        ("staging", newer, BROKEN),
        ("production", newer, {}),
        ("production", older, LOUD),
    )
    for environment, release, more in bound:
        spec = {"owner": owner, "environment": environment, "releaseName": release, **more}
        apply("ReleaseBinding", f"{facts.component}-{environment}", spec)
        runtime.drain()


LOUD: dict[str, Any] = {"workloadOverrides": {"container": {"env": [{"key": "LOG_LEVEL", "value": "debug"}]}}}
BROKEN: dict[str, Any] = {"componentTypeEnvironmentConfigs": {"replicas": "many"}}


def make_release(component: str, name: str) -> None:
    """Cut a release of what the component is now."""
    held: Any = store.get("Component", "default", component)
    generate_release(held, TESTER, name)


def copied(obj: Any, **fields: Any) -> Any:
    """A row like that one, with other names and an identity of its own."""
    row = copy.copy(obj)
    row.pk, row.uid, row._state = None, uuid.uuid4(), copy.copy(obj._state)
    row._state.adding = True
    for name, value in fields.items():
        setattr(row, name, value)
    return row


def copy_components(facts: Facts, chance: random.Random) -> None:
    """All components but the real one, spread over the projects."""
    real = Component.objects.system(TEST).get(name=facts.component)
    keys = {project.name: project.pk for project in type(real.project).objects.system(TEST).all()}
    rows = []
    for number in range(COMPONENTS - 1):
        project = facts.projects[number % len(facts.projects)]
        spec = {**copy.deepcopy(real.spec), "owner": {"projectName": project}}
        name = f"{chance.choice(WORDS)}-{chance.choice(WORDS)}-{number}"
        rows.append(copied(real, name=name, spec=spec, project_id=keys[project]))
    made = Component.objects.system(TEST).bulk_create(rows)
    copy_references(real, made, lambda row: {"project": row.spec["owner"]["projectName"]})


def copy_references(real: Any, made: list[Any], targets: Any) -> None:
    """What the copies refer to: as the real one does, with the targets of some roles changed."""
    held = list(ObjectReference.objects.filter(source_kind=real.kind, source_id=real.pk))
    rows = []
    for row in made:
        named = targets(row)
        for reference in held:
            reference = copy.copy(reference)
            reference.pk, reference.source_id = None, row.pk
            reference.target_name = named.get(reference.role, reference.target_name)
            reference._state = copy.copy(reference._state)
            reference._state.adding = True
            rows.append(reference)
    ObjectReference.objects.bulk_create(rows)


def copy_bindings(facts: Facts, chance: random.Random) -> None:
    """Some of the copies are deployed, every fourth of them not well."""
    real = ReleaseBinding.objects.system(TEST).get(name=f"{facts.component}-development")
    broken = ReleaseBinding.objects.system(TEST).get(name=f"{facts.component}-staging")
    others = list(Component.objects.system(TEST).exclude(name=facts.component).order_by("pk"))
    rows = []
    for number, component in enumerate(chance.sample(others, DEPLOYED)):
        like = broken if number % 4 == 0 else real
        owner = {"projectName": component.spec["owner"]["projectName"], "componentName": component.name}
        spec = {**copy.deepcopy(like.spec), "owner": owner}
        name = f"{component.name}-{like.spec['environment']}"
        rows.append(copied(like, name=name, spec=spec, component_id=component.pk, project_id=component.project_id))
    made = ReleaseBinding.objects.system(TEST).bulk_create(rows)
    copy_references(real, made, lambda row: {"component": row.spec["owner"]["componentName"]})


def write_changes(facts: Facts, chance: random.Random) -> None:
    """What people have changed in the last day; nothing else counts as of today."""
    now = timezone.now()
    Revision.objects.system(TEST).update(recorded_at=now - timedelta(days=3))
    rows = []
    for number in range(CHANGES):
        at = now - timedelta(minutes=5 * (CHANGES - number))
        component = chance.choice(list(Component.objects.system(TEST).order_by("pk")[:50]))
        document = {"metadata": {"name": component.name, "namespace": "default"}, "spec": component.spec}
        rows.append(
            Revision(
                recorded_at=at,
                kind="Component",
                namespace="default",
                name=component.name,
                uid=component.uid,
                action=Revision.Action.CHANGED,
                generation=2,
                actor=chance.choice(PEOPLE),
                actor_kind="human",
                surface="rest",
                request_id="",
                before=document,
                after=document,
            )
        )
    Revision.objects.system(TEST).bulk_create(rows)
    mine = [row for row in rows if row.after["spec"]["owner"]["projectName"] == facts.project]
    facts.change_count, facts.newest_changes = len(mine), mine[::-1][:3]
