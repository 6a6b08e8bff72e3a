"""The admin's pages about access: who has what where, giving and taking, people, and grants nobody uses."""

from __future__ import annotations

import csv
import io
import re
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from guardian.shortcuts import assign_perm

from catalog import store
from catalog.access.models import GrantUse, ProjectGroupGrant, ProjectUserGrant
from catalog.kinds.project import Project
from portal.access.place import Place
from portal.accounts.models import User, issue_token
from portal.audit.models import AuditEvent
from tests.catalog.access.conftest import access_of, bind, person, role, tenants  # noqa: F401

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("tenants")]
SHOP = Place("acme", "shop")


@pytest.fixture
def browser(client: Client) -> Client:
    """A browser in which a superuser is signed in."""
    client.force_login(User.objects.create_superuser("root", "", "x"))
    return client


@pytest.fixture
def shop(tenants: None) -> Project:  # noqa: F811
    found: Project = store.get("Project", "acme", "shop")  # type: ignore[assignment]
    return found


def tab(obj: Any) -> str:
    return reverse(f"admin:catalog_{obj._meta.model_name}_access", args=[obj.pk])


def signed_in(user: User) -> Client:
    browser = Client()
    browser.force_login(user)
    return browser


def lead() -> User:
    """A person of the staff who may write bindings in acme, and do all with components there."""
    role("lead", "authzrolebinding:*", "component:*", "project:view", "clusterauthzrole:view")
    bind("leads", "groups:leads", "lead", namespace="acme")
    return person("lena", "leads", is_staff=True)


FORM = {"do": "give", "holder_kind": "user", "gives": "action", "action": "component:view", "expires_at": ""}


def cells(html: str) -> list[str]:
    """The text of each row of the table of grants, its parts apart by single spaces."""
    body = html.split('id="grants"')[1].split("</table>")[0]
    rows = re.findall(r"<tr.*?</tr>", body, re.S)[1:]
    return [" ".join(re.sub(r"<[^>]+>", " ", row).split()) for row in rows]


def test_the_tab_shows_what_is_given_here_and_above_with_origin_end_and_use(browser: Client, shop: Project) -> None:
    role("viewer", "component:view")
    bind("everyone", "groups:all", "viewer")
    bind("crew", "groups:crew", "viewer", namespace="acme", scope={"project": "shop"},
         annotations={"stagecraft.dev/expires-at": "2031-02-03T04:05:00Z"})  # fmt: skip
    assign_perm("project|component:view", person("ann"), shop)
    row = ProjectUserGrant.objects.get()
    GrantUse.objects.create(table="user", level="project", row=row.pk, used_at=timezone.now())

    shown = cells(browser.get(tab(shop)).content.decode())

    assert len(shown) == 3
    assert "groups:all viewer everywhere ClusterAuthzRoleBinding everyone never not yet" in shown[0]
    assert "groups:crew viewer here AuthzRoleBinding acme/crew 2031-02-03 04:05 not yet" in shown[1]
    assert shown[2].startswith("ann component:view here by hand") and "to look only" in shown[2]
    assert len(cells(browser.get(tab(shop) + "?above=0").content.decode())) == 2
    assert len(cells(browser.get(tab(shop) + "?q=cre").content.decode())) == 1


@pytest.mark.parametrize("kind", ["Namespace", "Project", "Component", "Resource"])
def test_each_kind_of_place_has_the_tab(browser: Client, kind: str, shop: Project) -> None:
    from tests.catalog.access.conftest import apply

    names = {"Namespace": ("", "acme"), "Project": ("acme", "shop"), "Component": ("acme", "shop-web")}
    if kind == "Resource":
        spec = {"owner": {"projectName": "shop"}, "type": {"kind": "ClusterResourceType", "name": "postgres"}}
        obj = apply("Resource", "db", spec, "acme")
    else:
        obj = store.get(kind, *names[kind])
    assert browser.get(tab(obj)).status_code == 200
    page = browser.get(reverse(f"admin:catalog_{kind.lower()}_change", args=[obj.pk])).content.decode()
    assert tab(obj) in page


def test_giving_previews_first_and_then_gives(browser: Client, shop: Project) -> None:
    ann = person("ann")
    role("deployer", "releasebinding:create", "releasebinding:update", "component:view")
    form = {**FORM, "holder": "ann", "gives": "role", "role": "ClusterAuthzRole/deployer"}

    html = browser.post(tab(shop), {**form, "do": "preview"}).content.decode()
    assert "1 person gains deploy and see components on project acme/project/shop" in html
    assert not access_of(ann).allows("releasebinding:create", SHOP)

    assert browser.post(tab(shop), form).status_code == 302
    assert access_of(ann).allows("releasebinding:create", SHOP)
    event = AuditEvent.objects.system("test").get(kind="Grant")
    assert (event.actor, event.surface, event.action, event.outcome) == (
        "root", "admin", "authzrolebinding:create", "success",
    )  # fmt: skip


def test_the_end_of_a_grant_can_be_set_and_it_can_be_taken_back(browser: Client, shop: Project) -> None:
    ann = person("ann")
    browser.post(tab(shop), {**FORM, "holder": "ann", "expires_at": "2031-01-02T03:04"})
    row = ProjectUserGrant.objects.get()
    assert (row.expires_at.isoformat(), row.granted_by) == ("2031-01-02T03:04:00+00:00", "root")  # type: ignore[union-attr]
    key = f"user:project:{row.pk}"
    browser.post(tab(shop), {"do": "end", "grant": key, "until": ""})
    assert ProjectUserGrant.objects.get().expires_at is None
    browser.post(tab(shop), {"do": "take", "grant": key})
    assert not access_of(ann).allows("component:view", SHOP)


@pytest.mark.parametrize(
    ("change", "field"),
    [({"holder": "nobody"}, "there is no user"), ({"holder": "ann", "action": "nonsense"}, "there is no action"),
     ({"holder": "ann", "expires_at": "2020-01-01T00:00"}, "must end in the future"),
     ({"holder": "ann", "expires_at": "soon"}, "is not a time")],
)  # fmt: skip
def test_mistakes_are_named_where_they_were_made(
    browser: Client, shop: Project, change: dict[str, str], field: str
) -> None:
    person("ann")
    html = browser.post(tab(shop), {**FORM, **change}).content.decode()
    assert field in html
    assert 'role="alert"' in html
    assert not ProjectUserGrant.objects.exists()


def test_a_lead_gives_what_they_hold_and_nothing_else(shop: Project) -> None:
    browser, ann = signed_in(lead()), person("ann")
    assert browser.post(tab(shop), {**FORM, "holder": "ann"}).status_code == 302
    assert access_of(ann).allows("component:view", SHOP)
    refused = browser.post(tab(shop), {**FORM, "holder": "ann", "action": "project:delete"})
    assert "Not permitted" in refused.content.decode()
    assert "Not permitted" in browser.post(tab(shop), {**FORM, "holder": "lena"}).content.decode()
    preview = browser.post(tab(shop), {**FORM, "holder": "ann", "action": "project:delete", "do": "preview"})
    assert "Not permitted" in preview.content.decode()
    assert ProjectUserGrant.objects.count() == 1


def test_what_is_given_further_up_is_not_shown_to_who_may_not_see_it(shop: Project) -> None:
    role("viewer", "component:view")
    bind("secret-society", "groups:all", "viewer")
    html = signed_in(lead()).get(tab(shop)).content.decode()
    assert "secret-society" not in html
    assert "you may not see it" in html


def test_the_tab_takes_as_many_queries_for_many_grants_as_for_few(browser: Client, shop: Project) -> None:
    role("viewer", "component:view")
    counts = []
    for number in range(2):
        for one in range(number * 15, number * 15 + 15):
            assign_perm("project|component:view", person(f"p{one}"), shop)
            bind(f"b{one}", f"groups:g{one}", "viewer", namespace="acme", scope={"project": "shop"})
        with CaptureQueriesContext(connection) as queries:
            assert browser.get(tab(shop)).status_code == 200
        counts.append(len(queries))
    assert counts[0] == counts[1] <= 40, counts


# People ---------------------------------------------------------------------------------------------------------------


def page_of(user: User) -> str:
    return reverse("admin:access_person", args=[user.pk])


def test_a_persons_page_says_what_they_can_do_by_which_grants_and_what_they_did(browser: Client) -> None:
    role("dev", "component:view", "component:update", "releasebinding:*")
    only_dev = {"actions": ["releasebinding:*"], "expression": 'resource.environment == "acme/dev"'}
    bind("devs", "groups:devs", "dev", namespace="acme", scope={"project": "shop"}, conditions=[only_dev])
    ann = person("ann", "devs")
    token = issue_token(ann, "laptop")
    web = "/api/v1/namespaces/acme/components/shop-web"
    Client().delete(web, headers={"Authorization": f"Bearer {token}"})

    html = browser.get(page_of(ann)).content.decode()

    rights = html.split('id="rights"')[1].split('id="grants"')[0]
    assert "ns/acme/project/shop" in rights
    assert re.search(r"component</th>.*?view.*?update", rights, re.S)
    assert "if <code>resource.environment == &quot;acme/dev&quot;</code>" in rights
    assert "AuthzRoleBinding acme/devs" in html
    assert "laptop" in html
    assert "component:delete" in html.split('id="events"')[1]
    assert token not in html


def test_an_agents_page_shows_that_groups_let_it_only_read_and_for_whom_it_acts(browser: Client) -> None:
    role("dev", "component:*")
    bind("devs", "groups:devs", "dev", namespace="acme")
    bot = person("bot", "devs", kind="agent")
    html = browser.get(page_of(bot)).content.decode()
    rights = html.split('id="rights"')[1].split('id="grants"')[0]
    assert re.findall(r'class="right">(\w+)', rights) == ["view"]


def test_a_denied_right_is_not_shown_as_one(browser: Client) -> None:
    role("dev", "component:*")
    role("no-deletes", "component:delete")
    bind("devs", "groups:devs", "dev", namespace="acme")
    bind("careful", "groups:devs", "no-deletes", namespace="acme", effect="deny")
    rights = (
        browser.get(page_of(person("ann", "devs"))).content.decode().split('id="rights"')[1].split('id="grants"')[0]
    )
    assert sorted(re.findall(r'class="right">(\w+)', rights)) == ["create", "exec", "update", "view"]


def test_the_page_answers_for_a_past_day(browser: Client) -> None:
    ann = person("ann")
    day = (timezone.now() - timedelta(days=3)).strftime("%Y-%m-%d")
    html = browser.get(page_of(ann) + f"?on={day}").content.decode()
    assert f"could do on {day}" in html
    assert "not recorded" in html or "recorded since" in html
    assert "is no time" in browser.get(page_of(ann) + "?on=then").content.decode()


def test_others_are_looked_at_only_by_who_may_ask_what_they_may_do() -> None:
    ann, bob = person("ann", is_staff=True), person("bob", is_staff=True)
    browser = signed_in(ann)
    assert browser.get(page_of(bob)).status_code == 403
    assert browser.get(page_of(ann)).status_code == 200
    assert browser.get(reverse("admin:access_people")).status_code == 403
    role("asker", "authz:impersonate-evaluate")
    bind("askers", "sub:ann", "asker")
    html = browser.get(page_of(bob)).content.decode()
    assert "bob" in html
    assert 'id="tokens"' not in html
    assert browser.get(reverse("admin:access_people") + "?q=bo&kind=human").content.decode().count("bob") == 1


def test_events_that_the_viewer_may_not_see_are_not_on_the_page() -> None:
    ann, bob = person("ann", is_staff=True), person("bob", is_staff=True)
    role("asker", "authz:impersonate-evaluate")
    bind("askers", "sub:ann", "asker")
    Client().delete("/api/v1/namespaces/acme/components/shop-web",
                    headers={"Authorization": f"Bearer {issue_token(bob, 't')}"})  # fmt: skip
    assert "component:delete" not in signed_in(ann).get(page_of(bob)).content.decode()
    assert "component:delete" in signed_in(bob).get(page_of(bob)).content.decode()


def test_the_page_of_an_account_leads_to_what_it_may_do(browser: Client) -> None:
    ann = person("ann")
    html = browser.get(reverse("admin:accounts_user_change", args=[ann.pk])).content.decode()
    assert page_of(ann) in html


# Grants nobody uses ---------------------------------------------------------------------------------------------------


@pytest.fixture
def old_grants(shop: Project) -> None:
    """Two bindings and a grant by hand of long ago, of which one binding is in use."""
    role("viewer", "component:view")
    bind("used", "groups:used", "viewer", namespace="acme", scope={"project": "shop"})
    bind("idle", "groups:idle", "viewer", namespace="acme", scope={"project": "shop"})
    assign_perm("project|component:view", person("ann"), shop)
    long_ago = timezone.now() - timedelta(days=200)
    for model in (ProjectGroupGrant, ProjectUserGrant):
        model.objects.update(granted_at=long_ago)
    used = ProjectGroupGrant.objects.get(group__name="groups:used")
    GrantUse.objects.create(table="group", level="project", row=used.pk, used_at=timezone.now() - timedelta(days=5))
    bind("new", "groups:new", "viewer", namespace="acme", scope={"project": "shop"})


UNUSED = "/admin/access/unused/"


def test_the_list_has_what_is_old_and_not_used(browser: Client, old_grants: None) -> None:
    html = browser.get(UNUSED).content.decode()
    assert "2 found" in html
    assert "groups:idle" in html and "ann" in html
    assert "groups:used" not in html and "groups:new" not in html
    assert "3 found" in browser.get(UNUSED + "?days=3").content.decode()


def test_one_step_ends_a_grant_by_hand_or_its_binding(browser: Client, old_grants: None) -> None:
    idle = ProjectGroupGrant.objects.get(group__name="groups:idle")
    browser.post(UNUSED, {"grant": f"group:project:{idle.pk}"})
    browser.post(UNUSED, {"grant": f"user:project:{ProjectUserGrant.objects.get().pk}"})

    assert store.get_or_none("AuthzRoleBinding", "acme", "idle") is None
    assert not ProjectUserGrant.objects.exists()
    assert "0 found" in browser.get(UNUSED).content.decode()
    assert browser.post(UNUSED, {"grant": f"group:project:{idle.pk}"}).status_code == 404


def test_a_binding_that_gives_more_loses_only_that_mapping(browser: Client, shop: Project) -> None:
    role("viewer", "component:view")
    from tests.catalog.access.conftest import apply

    to = {"kind": "ClusterAuthzRole", "name": "viewer"}
    mappings = [{"roleRef": to, "scope": {"project": name}} for name in ("shop", "bank")]
    spec = {"entitlement": {"claim": "groups", "value": "both"}, "roleMappings": mappings}
    apply("AuthzRoleBinding", "both", spec, "acme")
    row = ProjectGroupGrant.objects.get(content_object=shop)

    browser.post(UNUSED, {"grant": f"group:project:{row.pk}"})

    left = store.get("AuthzRoleBinding", "acme", "both").spec["roleMappings"]
    assert [mapping["scope"]["project"] for mapping in left] == ["bank"]


def test_who_may_not_write_the_binding_does_not_end_it(old_grants: None) -> None:
    role("auditor", "clusterauthzrolebinding:view", "authzrolebinding:view")
    bind("auditors", "groups:auditors", "auditor")
    browser = signed_in(person("aud", "auditors", is_staff=True))
    idle = ProjectGroupGrant.objects.get(group__name="groups:idle")
    assert "End this grant" not in browser.get(UNUSED).content.decode()
    browser.post(UNUSED, {"grant": f"group:project:{idle.pk}"})
    assert store.get_or_none("AuthzRoleBinding", "acme", "idle") is not None


def test_the_list_is_to_be_had_as_csv_that_no_spreadsheet_runs(
    browser: Client, old_grants: None, shop: Project
) -> None:
    assign_perm("project|component:view", person("=cmd"), shop)
    ProjectUserGrant.objects.update(granted_at=timezone.now() - timedelta(days=200))
    reply = browser.get(UNUSED + "csv/?days=90")
    rows = list(csv.DictReader(io.StringIO(b"".join(reply.streaming_content).decode())))  # type: ignore[attr-defined]
    assert [row["holder"] for row in rows] == ["groups:idle", "ann", "'=cmd"]
    assert rows[0]["bindings"] == "AuthzRoleBinding acme/idle"
    assert reply.headers["Content-Type"].startswith("text/csv")


@pytest.mark.parametrize("url", ["/admin/access/everywhere/", "/admin/access/people/", UNUSED, UNUSED + "csv/"])
def test_the_pages_are_not_for_everybody(url: str, client: Client) -> None:
    assert client.get(url).status_code == 302  # to the sign-in
    assert signed_in(person("sam", is_staff=True)).get(url).status_code == 403
    front = signed_in(User.objects.get(username="sam")).get("/admin/").content.decode()
    assert url not in front


def test_pages_run_no_script_of_their_own_and_label_every_field(browser: Client, shop: Project) -> None:
    assign_perm("project|component:view", ann := person("ann"), shop)
    for url in (tab(shop), page_of(ann), "/admin/access/people/", UNUSED, "/admin/access/everywhere/"):
        html = browser.get(url).content.decode()
        content = html.split('id="content-main"')[1]
        assert "<script" not in content and " onclick" not in content and "style=" not in content
        for field in re.findall(r"<(?:input|select|textarea)[^>]*>", content):
            if 'type="hidden"' in field or 'type="submit"' in field:
                continue
            labelled = (found := re.search(r' id="([^"]+)"', field)) and f'for="{found[1]}"' in content
            assert labelled or "aria-label" in field or re.search(r"<label>[^<]*" + re.escape(field), content), field
