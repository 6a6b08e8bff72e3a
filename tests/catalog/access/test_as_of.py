"""What somebody might do at a past moment: as it was then, whatever came after, and honest about what is unknown."""

from __future__ import annotations

from datetime import datetime, timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command
from django.test import Client
from django.utils import timezone
from guardian.shortcuts import assign_perm, remove_perm

from catalog import store
from catalog.access.as_of import rights_at
from catalog.access.journal import AccessChange
from catalog.kinds.authz_role_binding import EXPIRES
from catalog.kinds.component import Component
from catalog.kinds.project import Project
from portal.access.explanations import explain
from portal.access.place import Place
from portal.accounts.models import User
from tests.catalog.access.conftest import access_of, apply, bind, person, role, token_of, unbind
from tests.catalog.api.conftest import ApiClient
from tests.factories import TESTER, ComponentFactory, ProjectFactory

pytestmark = pytest.mark.django_db
SHOP = Place("acme", "shop")
WEB = Place("acme", "shop", component="shop-web")
WHY = "/api/stagecraft/v1/access/why?action=component:update&namespace=acme&project=shop"


def now() -> datetime:
    """This moment; whatever is done next is later."""
    found = timezone.now()
    while timezone.now() == found:
        pass
    return found


def might(user: User, action: str, place: Place, at: datetime, **attributes: str) -> bool:
    return rights_at(user, at).access.allows(action, place, attributes)


def remove_project(name: str) -> None:
    Component.objects.system("test").filter(namespace_id="acme", project__name=name).delete()
    project = Project.objects.system("test").get(namespace_id="acme", name=name)
    store.delete("Project", "acme", name, TESTER)
    store.remove_finalizer(project, Project.finalizer, TESTER)


def test_bindings_and_roles_count_as_they_were_written_then(tenants: None) -> None:
    ada = person("ada", "dev")
    start = now()
    role("viewer", "component:view")
    bind("team", "groups:dev", "viewer", namespace="acme", scope={"project": "shop"})
    given = now()
    role("viewer", "component:*")
    widened = now()
    bind("team", "groups:dev", "viewer", namespace="acme", scope={"project": "bank"})
    moved = now()
    unbind("team", "acme")

    assert [might(ada, "component:view", WEB, at) for at in (start, given, widened, moved, now())] == [
        *(False, True, True, False, False)
    ]
    assert [might(ada, "component:update", WEB, at) for at in (given, widened)] == [False, True]
    assert might(ada, "component:update", Place("acme", "bank", component="bank-web"), moved)


def test_the_present_seen_as_a_past_is_the_present(tenants: None) -> None:
    role("viewer", "component:view", "releasebinding:*")
    condition = {"actions": ["releasebinding:*"], "expression": 'resource.environment != "acme/prod"'}
    bind("a", "groups:dev", "viewer", namespace="acme", conditions=[condition])
    bind("b", "groups:dev", "viewer", scope={"namespace": "globex"})
    bind("c", "sub:ada", "viewer", namespace="acme", scope={"project": "bank"}, effect="deny")
    ada = person("ada", "dev")
    past = rights_at(ada, now())

    assert past.access.allows("releasebinding:view", WEB, {"environment": "acme/dev"})
    assert not past.access.allows("releasebinding:view", WEB, {"environment": "acme/prod"})
    assert not past.access.allows("component:view", Place("acme", "bank"))
    from portal.access.engine import Access

    present = Access.of(ada)
    for place in (Place(), Place("acme"), SHOP, WEB, Place("globex", "shop")):
        assert past.access.profile(place) == present.profile(place)
    seen = past.access.visible(Component.objects.all()).order_by("pk").values_list("name", flat=True)
    assert list(seen) == list(present.visible(Component.objects.all()).order_by("pk").values_list("name", flat=True))
    assert "bank-web" in seen and len(seen) == 6, "all of globex and what is not denied of acme"


def test_a_recreated_object_inherited_nothing_then_either(tenants: None) -> None:
    role("viewer", "project:view", "component:view")
    bind("team", "groups:dev", "viewer", namespace="acme", scope={"project": "shop"})
    ada = person("ada", "dev")
    first = now()
    remove_project("shop")
    gone = now()
    ProjectFactory.create(name="shop", namespace="acme")
    again = now()
    bind("team", "groups:dev", "viewer", namespace="acme", scope={"project": "shop"}, labels={"a": "label"})
    labelled = now()
    bind("team", "groups:dev", "viewer", namespace="acme")
    bind("team", "groups:dev", "viewer", namespace="acme", scope={"project": "shop"})

    assert [might(ada, "project:view", SHOP, at) for at in (first, gone, again, labelled, now())] == [
        *(True, False, False, False, True)
    ]


@pytest.mark.parametrize("kind", ["Namespace", "Project", "Component", "Resource"])
def test_no_scope_object_of_an_old_name_inherits_now_or_then(tenants: None, kind: str) -> None:
    """Neither what bindings gave nor what was given by hand, on each level; a role of an old name is meant again."""
    namespace, name = ("", "new") if kind == "Namespace" else ("acme", "new")
    spec = {"Resource": {"owner": {"projectName": "shop"}, "type": {"kind": "ClusterResourceType", "name": "t"}}}

    def make() -> Any:
        if kind in ("Project", "Component"):
            extra = {"project": "shop"} if kind == "Component" else {}
            return {"Project": ProjectFactory, "Component": ComponentFactory}[kind].create(
                name=name, namespace=namespace, **extra
            )
        return apply(kind, name, spec.get(kind, {}), namespace)

    level = kind.lower()
    place = {
        "Namespace": Place("new"),
        "Project": Place("acme", "new"),
        "Component": Place("acme", "shop", component="new"),
        "Resource": Place("acme", "shop", resource="new"),
    }[kind]
    names = {"namespace": place.namespace, "project": place.project, level: name}
    first = make()
    role("viewer", f"{level}:view")
    bind("team", "groups:dev", "viewer", scope={key: value for key, value in names.items() if value})
    ada, hand = person("ada", "dev"), person("hand")
    assign_perm(f"{level}|{level}:view", hand, first)
    given = now()
    store.delete(kind, namespace, name, TESTER)
    for finalizer in list(first.finalizers):
        store.remove_finalizer(first, finalizer, TESTER)
    gone = now()
    again = make()
    assert again.uid != first.uid

    for user in (ada, hand):
        assert [might(user, f"{level}:view", place, at) for at in (given, gone, now())] == [True, False, False]
        assert not access_of(user).allows(f"{level}:view", place)


def test_a_mapping_that_waited_for_its_object_counts_from_when_that_came(tenants: None) -> None:
    role("viewer", "component:view")
    bind("early", "groups:dev", "viewer", namespace="acme", scope={"project": "shop", "component": "later"})
    ada, place = person("ada", "dev"), Place("acme", "shop", component="later")
    before = now()
    ComponentFactory.create(name="later", namespace="acme", project="shop")

    assert not might(ada, "component:view", place, before)
    assert might(ada, "component:view", place, now())


def test_memberships_count_as_they_were(tenants: None) -> None:
    role("viewer", "component:view")
    bind("team", "groups:dev", "viewer", namespace="acme")
    ada = person("ada")
    outside = now()
    group = person("bob", "dev").groups.get()
    ada.groups.add(group)
    inside = now()
    group.user_set.remove(ada)  # type: ignore[attr-defined]
    left = now()
    ada.groups.set([group])
    ada.groups.clear()
    cleared = now()
    ada.groups.add(group)
    back = now()
    group.delete()

    moments = (outside, inside, left, cleared, back, now())
    assert [might(ada, "component:view", WEB, at) for at in moments] == [False, True, False, False, True, False]


def test_grants_by_hand_count_as_they_were_given_prolonged_and_taken(tenants: None) -> None:
    web = Component.objects.system("test").get(namespace_id="acme", name="shop-web")
    ada = person("ada")
    before = now()
    assign_perm("component|component:view", ada, web)
    given = now()
    remove_perm("component|component:view", ada, web)
    taken = now()
    assign_perm("component|component:view", ada, web)
    again = now()
    web.delete()

    moments = (before, given, taken, again, now())
    assert [might(ada, "component:view", WEB, at) for at in moments] == [False, True, False, True, False]
    shown = explain(rights_at(ada, given).access, "component:view", WEB, {}, rights_at(ada, given).records)
    assert shown["rule"]["bindings"] == ["given by hand"]


def test_a_role_given_by_hand_means_what_it_meant_then(tenants: None) -> None:
    from django.contrib.auth.models import Permission

    viewer = role("viewer", "component:view")
    ada = person("ada")
    permission = Permission.objects.get(codename=f"project|clusterauthzrole#{viewer.pk}")
    assign_perm(permission, ada, Project.objects.system("test").get(namespace_id="acme", name="shop"))
    narrow = now()
    role("viewer", "component:*")
    wide = now()
    store.delete("ClusterAuthzRole", "", "viewer", TESTER)

    assert [might(ada, "component:update", WEB, at) for at in (narrow, wide, now())] == [False, True, False]
    assert might(ada, "component:view", WEB, narrow)


def test_ends_of_bindings_and_states_of_accounts_count_at_the_moment(tenants: None) -> None:
    role("viewer", "component:view")
    soon = timezone.now() + timedelta(hours=1)
    bind("t", "groups:dev", "viewer", namespace="acme", annotations={EXPIRES: soon.isoformat()})
    ada = person("ada", "dev")
    active = now()
    User.objects.get(pk=ada.pk).save()
    ada = User.objects.get(pk=ada.pk)
    ada.is_active = False
    ada.save()
    off = now()
    ada.is_active = ada.is_superuser = True
    ada.save()

    assert might(ada, "component:view", WEB, active)
    assert not might(ada, "component:view", WEB, off)
    assert might(ada, "component:delete", WEB, now())
    assert not might(ada, "component:delete", WEB, active)
    ada.is_superuser = False
    ada.save()
    assert not might(ada, "component:view", WEB, soon + timedelta(seconds=1)), "its binding has ended by then"


def test_the_answer_says_what_was_not_recorded(tenants: None) -> None:
    ada = person("ada")
    began = AccessChange.objects.system("test").get(what="began").recorded_at

    early = " ".join(rights_at(ada, began - timedelta(days=1)).notes)
    late = " ".join(rights_at(ada, now()).notes)

    assert "recorded since" in early and "recorded since" not in late
    assert "named in a token are not recorded" in late


def test_what_was_before_the_record_is_taken_from_what_came_after_it(tenants: None) -> None:
    role("viewer", "component:view")
    bind("team", "groups:dev", "viewer", namespace="acme")
    ada = person("ada", "dev")
    AccessChange.objects.system("test: as if it had been before the record").all().delete()
    early = now()
    ada.groups.clear()

    assert might(ada, "component:view", WEB, early)
    assert not might(ada, "component:view", WEB, now())


def test_rest_and_commands_tell_the_past_in_the_words_of_the_present(tenants: None) -> None:
    role("owner", "component:*")
    role("watcher", "authz:view")
    bind("team", "groups:dev", "owner", namespace="acme", scope={"project": "shop"})
    bind("watch", "groups:leads", "watcher", namespace="acme", scope={"project": "shop"})
    person("ada", "dev")
    lead = ApiClient(Client(), token_of(person("lead", "leads")))
    present = lead.get(f"{WHY}&user=ada").json()
    at = now().isoformat().replace("+00:00", "Z")
    unbind("team", "acme")

    for rule in (present["rule"], *present["rules"]):
        rule.pop("grant")  # a row of today says nothing of then
    past = lead.get(f"{WHY}&user=ada&at={at}").json()
    assert {name: past[name] for name in present} == present
    assert past["at"] == at and past["notes"]
    assert not lead.get(f"{WHY}&user=ada").json()["allowed"]
    assert lead.get(f"{WHY}&user=ada&at=yesterday").status_code == 400
    assert lead.get(f"{WHY.replace('shop', 'bank')}&user=ada&at={at}").status_code == 403
    said = StringIO()
    call_command("why", "ada", "component:update", "--namespace=acme", "--project=shop", f"--as-of={at}", stdout=said)
    assert said.getvalue().startswith(
        "yes: AuthzRoleBinding acme/team gives owner at ns/acme/project/shop to groups:dev\n"
    )
    assert "note: groups that an identity provider" in said.getvalue()
    with pytest.raises(SystemExit):
        call_command("can-i", "ada", "component:update", "--namespace=acme", "--project=shop", stdout=said)


def test_a_question_about_the_past_takes_a_bounded_number_of_queries(
    tenants: None, django_assert_max_num_queries: Any
) -> None:
    role("viewer", "component:view")
    for number in range(20):
        scope = {"project": ("shop", "bank")[number % 2]}
        bind(f"b{number}", "groups:dev", "viewer", namespace="acme", scope=scope)
    ada = person("ada", "dev")

    with django_assert_max_num_queries(30):
        assert might(ada, "component:view", WEB, now())
