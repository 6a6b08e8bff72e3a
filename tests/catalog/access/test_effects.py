"""What a change of roles or bindings would do to people is worked out by making it, and undoing it."""

from __future__ import annotations

import json
import random
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from guardian.shortcuts import assign_perm

from catalog import store
from catalog.access import effects as effects_module
from catalog.access.compile import snapshot
from catalog.access.document_effects import effects_of_document
from catalog.access.effects import Effects
from catalog.kinds.registry import kind_named
from catalog.store.models import Revision
from portal.access.actions import all_actions
from portal.access.place import Place
from portal.accounts.models import User, issue_token
from portal.audit.models import AuditEvent
from tests.catalog.access.conftest import access_of, apply, bind, person, role, tenants  # noqa: F401
from tests.factories import TESTER, ProjectFactory

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("tenants")]


def binding(who: str, to: str, namespace: str = "acme", *, effect: str = "allow", **mapping: Any) -> dict[str, Any]:
    claim, _, value = who.partition(":")
    entry = {"roleRef": {"kind": "ClusterAuthzRole", "name": to}, **mapping}
    kind = "AuthzRoleBinding" if namespace else "ClusterAuthzRoleBinding"
    metadata = {"name": "new", **({"namespace": namespace} if namespace else {})}
    spec = {"entitlement": {"claim": claim, "value": value}, "effect": effect, "roleMappings": [entry]}
    return {"apiVersion": "openchoreo.dev/v1alpha1", "kind": kind, "metadata": metadata, "spec": spec}


def effects(document: dict[str, Any] | None, held: Any = None) -> Effects:
    kind = document["kind"] if document else held.kind
    return effects_of_document(kind_named(kind), held, document, TESTER)


@pytest.fixture
def deployer(tenants: None) -> None:  # noqa: F811
    role("deployer", "releasebinding:create", "releasebinding:update")


def test_a_new_binding_says_how_many_people_gain_what_on_how_many_projects(deployer: None) -> None:
    for number in range(17):
        person(f"p{number}", "crew")
    person("bot", "crew", kind="agent")
    ProjectFactory.create(name="third", namespace="acme")

    found = effects(binding("groups:crew", "deployer"))

    # The agent gains nothing: through groups an agent only reads.
    assert found.sentences == ["17 people gain deploy on 3 projects"]
    assert found.effects[0].gains[0].places == ("ns/acme/project/bank", "ns/acme/project/shop", "ns/acme/project/third")


def test_what_somebody_has_already_is_not_gained(deployer: None) -> None:
    person("ann", "crew", "bankers")
    person("bob", "crew")
    bind("bankers", "groups:bankers", "deployer", namespace="acme", scope={"project": "bank"})

    found = effects(binding("groups:crew", "deployer"))

    assert found.sentences == ["2 people gain deploy on 2 projects in all"]
    assert {tuple(effect.names): effect.gains[0].places for effect in found.effects} == {
        ("ann",): ("ns/acme/project/shop",),
        ("bob",): ("ns/acme/project/bank", "ns/acme/project/shop"),
    }


def test_nothing_is_kept_of_a_preview(deployer: None) -> None:
    ann = person("ann", "crew")
    state = (snapshot(), Revision.objects.system("test").count(), AuditEvent.objects.system("test").count())

    effects(binding("groups:crew", "deployer"))

    assert store.get_or_none("AuthzRoleBinding", "acme", "new") is None
    assert not access_of(ann).allows("releasebinding:create", Place("acme", "shop"))
    assert state == (snapshot(), Revision.objects.system("test").count(), AuditEvent.objects.system("test").count())


def test_deletion_and_narrowing_say_what_is_lost(deployer: None) -> None:
    person("ann", "crew")
    held = bind("new", "groups:crew", "deployer", namespace="acme")

    assert effects(None, held).sentences == ["1 person loses deploy on 2 projects"]
    narrower = binding("groups:crew", "deployer", scope={"project": "shop"})
    assert effects(narrower, held).sentences == ["1 person loses deploy on project acme/project/bank"]
    other = binding("groups:others", "deployer")
    assert effects(other, held).sentences == [
        "1 person loses deploy on 2 projects",
        "whoever is in groups:others gains deploy on 2 projects",
    ]


def test_a_role_that_loses_an_action_takes_it_from_everybody_who_has_it(deployer: None) -> None:
    person("ann", "crew")
    person("bob")
    bind("crew", "groups:crew", "deployer", namespace="acme", scope={"project": "shop"})
    bind("bob", "sub:bob", "deployer", namespace="globex", scope={"project": "bank"})
    held: Any = store.get("ClusterAuthzRole", "", "deployer")
    document = store.to_document(held, with_status=False)
    document["spec"] = {"actions": ["releasebinding:view"]}

    assert sorted(effects(document, held).sentences) == [
        "2 people gain see what is deployed on 2 projects in all",
        "2 people lose deploy on 2 projects in all",
    ]


def test_a_condition_is_told_and_its_end_is_a_gain(deployer: None) -> None:
    person("ann", "crew")
    only_dev = {"actions": ["releasebinding:*"], "expression": 'resource.environment == "acme/dev"'}
    document = binding("groups:crew", "deployer", scope={"project": "shop"}, conditions=[only_dev])

    assert effects(document).sentences == [
        '1 person gains deploy on project acme/project/shop, if resource.environment == "acme/dev"'
    ]
    held = bind("new", "groups:crew", "deployer", namespace="acme", scope={"project": "shop"}, conditions=[only_dev])
    free = binding("groups:crew", "deployer", scope={"project": "shop"})
    assert effects(free, held).sentences == ["1 person gains deploy on project acme/project/shop"]


def test_a_deny_takes_away_what_the_same_group_gives_and_no_more(deployer: None) -> None:
    person("ann", "crew")
    person("bob", "crew", "bankers")
    bind("crew", "groups:crew", "deployer", namespace="acme", scope={"project": "bank"})
    bind("bankers", "groups:bankers", "deployer", namespace="acme", scope={"project": "bank"})

    found = effects(binding("groups:crew", "deployer", effect="deny"))

    assert [effect.names for effect in found.effects] == [["ann"]]
    assert found.sentences == ["1 person loses deploy on project acme/project/bank"]


def test_everything_everywhere_is_called_that(tenants: None) -> None:  # noqa: F811
    role("admin", "*")
    person("ann", "crew")
    found = effects(binding("groups:crew", "admin", ""))
    gained = {action for gain in found.effects[0].gains for action in gain.actions}
    assert gained == {action.name for action in all_actions()}
    assert any("4 projects" in text for text in found.sentences)
    assert any("namespaces" in text for text in found.sentences)
    assert any(text.endswith("everywhere") for text in found.sentences)


def test_superusers_and_the_disabled_gain_and_lose_nothing(deployer: None) -> None:
    person("root", "crew", is_superuser=True)
    person("gone", "crew", is_active=False)
    assert effects(binding("groups:crew", "deployer")).sentences == [
        "whoever is in groups:crew gains deploy on 2 projects"
    ]


def test_a_role_that_bindings_wait_for_starts_them(tenants: None) -> None:  # noqa: F811
    person("ann", "crew")
    bind("crew", "groups:crew", "later", namespace="acme", scope={"project": "shop"})
    document = {
        "apiVersion": "openchoreo.dev/v1alpha1", "kind": "ClusterAuthzRole",
        "metadata": {"name": "later"}, "spec": {"actions": ["component:exec"]},
    }  # fmt: skip
    assert effects(document).sentences == ["1 person gains run commands in containers on project acme/project/shop"]


def test_a_change_without_effect_says_so(deployer: None) -> None:
    person("ann", "crew")
    held = bind("new", "groups:crew", "deployer", namespace="acme")
    assert effects(binding("groups:crew", "deployer"), held).sentences == ["Nobody gains or loses anything."]


def test_too_many_people_are_counted_as_at_least(deployer: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(effects_module, "PEOPLE_MAX", 3)
    for number in range(5):
        person(f"p{number}", "crew")
    assert effects(binding("groups:crew", "deployer")).sentences == ["at least 3 people gain deploy on 2 projects"]


def test_too_many_projects_are_counted_as_at_least(deployer: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(effects_module, "UNITS_MAX", 1)
    person("ann", "crew")
    assert effects(binding("groups:crew", "deployer")).sentences == ["1 person gains deploy on at least 1 project"]


def test_people_of_the_same_groups_are_looked_at_once(deployer: None) -> None:
    counts = []
    for number in range(2):
        for one in range(20):
            person(f"p{number}-{one}", "crew")
        with CaptureQueriesContext(connection) as queries:
            effects(binding("groups:crew", "deployer"))
        counts.append(len(queries))
    assert counts[1] <= counts[0], counts


def test_preview_and_the_engine_agree_on_everything_that_changes(deployer: None) -> None:
    """What was foretold is what has changed: every action at every project, asked of the engine before and after."""
    role("mixed", "component:*", "releasebinding:view", "logs:view")
    bind("base", "groups:crew", "deployer", namespace="acme", scope={"project": "bank"})
    bind("no", "groups:crew", "deployer", namespace="acme", scope={"project": "shop"}, effect="deny")
    ann = person("ann", "crew")
    document = binding("groups:crew", "mixed")
    document["spec"]["roleMappings"].append({"roleRef": {"kind": "ClusterAuthzRole", "name": "deployer"}})
    places = [Place(namespace, project) for namespace in ("acme", "globex") for project in ("shop", "bank")]
    questions = [(action.name, place) for action in all_actions() for place in places]
    before = {question for question in questions if access_of(ann).allows(*question)}

    found = effects(document)
    apply("AuthzRoleBinding", "new", document["spec"], "acme")

    after = {question for question in questions if access_of(ann).allows(*question)}
    foretold = {
        (action, path)
        for effect in found.effects for gain in effect.gains if not gain.is_loss
        for action in gain.actions for path in gain.places
    }  # fmt: skip
    assert foretold == {(action, place.path) for action, place in after - before}
    assert before <= after


@pytest.mark.parametrize("seed", range(8))
def test_preview_and_the_engine_agree_whatever_else_there_is(seed: int, tenants: None) -> None:  # noqa: F811
    """Random roles, bindings, denies and grants by hand; then one more binding, one less, or another role: for each
    person, what was foretold is what the engine says has changed, without attributes, at every project."""
    dice = random.Random(seed)  # noqa: S311 - not for secrets
    names = [action.name for action in all_actions()]
    patterns = [*dice.sample(names, 12), "component:*", "releasebinding:*", "*"]
    roles = [f"r{number}" for number in range(4)]
    for name in roles:
        role(name, *dice.sample(patterns, dice.randint(1, 4)))
    people = [person(f"p{number}", *dice.sample(["a", "b", "c"], dice.randint(1, 3))) for number in range(4)]
    people.append(person("bot", "a", "b", kind="agent"))
    only_dev = {"actions": ["releasebinding:*"], "expression": 'resource.environment == "acme/dev"'}

    def spec() -> dict[str, Any]:
        mapping: dict[str, Any] = {"roleRef": {"kind": "ClusterAuthzRole", "name": dice.choice(roles)}}
        if dice.random() < 0.6:
            mapping["scope"] = {"project": dice.choice(["shop", "bank"])}
        if dice.random() < 0.3:
            mapping["conditions"] = [only_dev]
        claim, value = dice.choice([("groups", "a"), ("groups", "b"), ("groups", "c"), ("sub", "p1"), ("sub", "bot")])
        effect = dice.choice(["allow", "allow", "allow", "deny"])
        return {"entitlement": {"claim": claim, "value": value}, "effect": effect, "roleMappings": [mapping]}

    for number in range(6):
        apply("AuthzRoleBinding", f"b{number}", spec(), dice.choice(["acme", "globex"]))
    assign_perm("project|component:view", people[0], store.get("Project", "acme", "shop"))
    places = [Place(namespace, project) for namespace in ("acme", "globex") for project in ("shop", "bank")]
    # What belongs to namespaces is counted in namespaces, and not asked about here.
    asked = [(action.name, place) for action in all_actions() for place in places
             if action.lowest_scope in ("project", "component", "resource")]  # fmt: skip

    def held() -> dict[str, set[tuple[str, str]]]:
        found = {}
        for one in people:
            access = access_of(one)
            found[one.username] = {(action, place.path) for action, place in asked if access.allows(action, place)}
        return found

    before = held()
    step = dice.choice(["add", "drop", "role"])
    if step == "add":
        document = {"apiVersion": "openchoreo.dev/v1alpha1", "kind": "AuthzRoleBinding",
                    "metadata": {"name": "new", "namespace": "acme"}, "spec": spec()}  # fmt: skip
        foretold = effects(document)
        store.apply(document, TESTER)
    elif step == "drop":
        target = next(one for one in (store.get_or_none("AuthzRoleBinding", ns, f"b{dice.randrange(6)}")
                                      for ns in ("acme", "globex") * 20) if one is not None)  # fmt: skip
        foretold = effects(None, target)
        store.delete("AuthzRoleBinding", target.namespace_name, target.name, TESTER)
    else:
        target = store.get("ClusterAuthzRole", "", dice.choice(roles))
        document = store.to_document(target, with_status=False)
        document["spec"] = {"actions": dice.sample(patterns, 3)}
        foretold = effects(document, target)
        store.replace(document, TESTER)
    after = held()

    inside = {place.path for place in places}
    gained: dict[str, set[tuple[str, str]]] = {one.username: set() for one in people}
    lost: dict[str, set[tuple[str, str]]] = {one.username: set() for one in people}
    for effect in foretold.effects:
        for gain in effect.gains:
            # A change of or into a condition is none for the engine, which is asked without attributes.
            if gain.level == "project" and not gain.condition:
                pairs = {(action, path) for action in gain.actions for path in gain.places if path in inside}
                for name in effect.names:
                    (lost if gain.is_loss else gained)[name] |= pairs
    for name in before:
        assert after[name] - before[name] == gained[name], (step, name)
        assert before[name] - after[name] <= lost[name] | conditional_losses(foretold, name), (step, name)
        assert lost[name] <= before[name] - after[name], (step, name)


def conditional_losses(found: Effects, name: str) -> set[tuple[str, str]]:
    """What somebody keeps only under a condition."""
    return {(action, path) for effect in found.effects if name in effect.names for gain in effect.gains
            if gain.is_loss and gain.condition for action in gain.actions for path in gain.places}  # fmt: skip


# REST and the command line --------------------------------------------------------------------------------------------


def post(client: Client, user: User, body: Any) -> Any:
    return client.post(
        "/api/stagecraft/v1/access/preview", json.dumps(body), content_type="application/json",
        headers={"Authorization": f"Bearer {issue_token(user, 'test')}"},
    )  # fmt: skip


def test_rest_previews_for_who_may_write_it(deployer: None, client: Client) -> None:
    person("ann", "crew")
    root = User.objects.create_superuser("root", "", "x")
    shown = post(client, root, binding("groups:crew", "deployer")).json()
    assert shown["sentences"] == ["1 person gains deploy on 2 projects"]
    assert shown["effects"][0]["changes"][0]["actions"] == ["releasebinding:create", "releasebinding:update"]

    assert post(client, person("sam"), binding("groups:crew", "deployer")).status_code == 403
    assert post(client, root, {"kind": "Project"}).status_code == 400
    broken = binding("groups:crew", "deployer")
    broken["spec"]["roleMappings"] = []
    assert post(client, root, broken).status_code == 400
    assert post(client, root, {"delete": True, "document": binding("groups:crew", "deployer")}).status_code == 404
    bind("new", "groups:crew", "deployer", namespace="acme")
    deletion = post(client, root, {"delete": True, "document": binding("groups:crew", "deployer")}).json()
    assert deletion["sentences"] == ["1 person loses deploy on 2 projects"]


def test_the_command_line_previews_files(deployer: None, tmp_path: Path) -> None:
    person("ann", "crew")
    file = tmp_path / "binding.json"
    file.write_text(json.dumps(binding("groups:crew", "deployer")))
    out = StringIO()
    call_command("preview-access", "-f", str(file), stdout=out)
    assert out.getvalue().splitlines() == ["AuthzRoleBinding new", "  1 person gains deploy on 2 projects"]
