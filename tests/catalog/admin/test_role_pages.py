"""Roles and bindings in the admin: what they give, who has them, changes by ticking, previews."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from catalog import store
from portal.access.place import Place
from portal.accounts.models import User
from tests.catalog.access.conftest import access_of, bind, person, role, tenants  # noqa: F401

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("tenants")]


@pytest.fixture
def browser(client: Client) -> Client:
    client.force_login(User.objects.create_superuser("root", "", "x"))
    return client


def page(obj: Any, name: str = "change") -> str:
    return reverse(f"admin:catalog_{obj._meta.model_name}_{name}", args=[obj.pk])


def tick(browser: Client, url: str, *actions: str, do: str = "save-ticks") -> Any:
    shown = browser.get(url).context
    return browser.post(url, {"do": do, "action": list(actions), "fingerprint": shown["fingerprint"],
                              "description": shown.get("description", "")})  # fmt: skip


def actions_of(name: str) -> list[str]:
    return list(store.get("ClusterAuthzRole", "", name).spec["actions"])


def test_a_role_shows_each_action_with_its_description_and_what_wildcards_give(browser: Client) -> None:
    made = role("dev", "component:*", "logs:view")
    html = browser.get(page(made)).content.decode()
    assert "Run commands in a component" in html
    assert html.count("given by component:*") == 5
    assert re.search(r'value="logs:view" checked', html)
    assert re.search(r'value="component:\*" checked', html)
    assert not re.search(r'value="component:view" checked', html)


def test_a_role_shows_the_bindings_that_use_it(browser: Client) -> None:
    made = role("dev", "component:view")
    role("other", "component:view")
    held = bind("crew", "groups:crew", "dev", namespace="acme")
    bind("not-this", "groups:crew", "other", namespace="acme")
    html = browser.get(page(made)).content.decode()
    assert page(held) in html and "gives groups:crew" in html
    assert "not-this" not in html


def test_ticking_changes_the_role_and_keeps_the_order(browser: Client) -> None:
    made = role("dev", "logs:view", "component:view", "workload:view")
    tick(browser, page(made), "component:view", "logs:view", "workload:view", "component:exec")
    assert actions_of("dev") == ["logs:view", "component:view", "workload:view", "component:exec"]
    tick(browser, page(made), "component:view", "made-up:thing")
    assert actions_of("dev") == ["component:view"]


def test_entries_of_before_that_mean_nothing_are_shown_and_can_be_unticked(browser: Client) -> None:
    made = role("dev", "component:view")
    type(made).objects.system("test").filter(pk=made.pk).update(spec={"actions": ["component:view", "gone:do"]})
    html = browser.get(page(made)).content.decode()
    assert "gone:do" in html and "unknown here" in html
    tick(browser, page(made), "component:view")
    assert actions_of("dev") == ["component:view"]


def test_a_role_without_actions_is_refused_with_the_reason(browser: Client) -> None:
    made = role("dev", "component:view")
    html = tick(browser, page(made)).content.decode()
    assert "Nothing was saved" in html and "spec.actions" in html
    assert actions_of("dev") == ["component:view"]


def test_previewing_ticks_says_who_gains_and_saves_nothing(browser: Client) -> None:
    made = role("dev", "component:view")
    bind("crew", "groups:crew", "dev", namespace="acme", scope={"project": "shop"})
    person("ann", "crew")
    html = tick(browser, page(made), "component:view", "component:exec", do="preview-ticks").content.decode()
    assert "1 person gains run commands in containers on project acme/project/shop" in html
    assert re.search(r'value="component:exec" checked', html)
    assert actions_of("dev") == ["component:view"]


def test_a_binding_is_previewed_from_its_yaml(browser: Client) -> None:
    role("dev", "releasebinding:create")
    held = bind("crew", "groups:crew", "dev", namespace="acme", scope={"project": "shop"})
    ann = person("ann", "crew")
    shown = browser.get(page(held)).context
    text = shown["text"].replace("project: shop", "project: bank")
    html = browser.post(
        page(held), {"text": text, "fingerprint": shown["fingerprint"], "do": "preview"}
    ).content.decode()
    assert "1 person gains deploy on project acme/project/bank" in html
    assert "1 person loses deploy on project acme/project/shop" in html
    assert not access_of(ann).allows("releasebinding:create", Place("acme", "bank"))


def test_the_page_of_deletion_says_who_loses_what(browser: Client) -> None:
    role("dev", "releasebinding:create")
    held = bind("crew", "groups:crew", "dev", namespace="acme", scope={"project": "shop"})
    person("ann", "crew")
    assert "1 person loses deploy on project acme/project/shop" in browser.get(page(held, "delete")).content.decode()
    assert browser.post(page(held, "delete"), {"post": "yes"}).status_code == 302
    assert store.get_or_none("AuthzRoleBinding", "acme", "crew") is None


def test_a_binding_shows_what_became_of_its_mappings_and_its_end_can_be_set(browser: Client) -> None:
    role("dev", "component:view")
    held = bind("crew", "groups:crew", "dev", namespace="acme", scope={"project": "shop"})
    waiting = bind("later", "groups:crew", "absent", namespace="acme")
    ann = person("ann", "crew")
    assert "in force" in browser.get(page(held)).content.decode()
    assert "1 is known here" in browser.get(page(held)).content.decode()
    assert "role or place does not exist" in browser.get(page(waiting)).content.decode()

    shown = browser.get(page(held)).context
    browser.post(page(held), {"do": "end", "until": "2020-01-01T00:00", "fingerprint": shown["fingerprint"]})
    assert not access_of(ann).allows("component:view", Place("acme", "shop"))
    assert "expired" in browser.get(page(held)).content.decode()
    shown = browser.get(page(held)).context
    browser.post(page(held), {"do": "end", "until": "", "fingerprint": shown["fingerprint"]})
    assert access_of(ann).allows("component:view", Place("acme", "shop"))
    shown = browser.get(page(held)).context
    html = browser.post(
        page(held), {"do": "end", "until": "soon", "fingerprint": shown["fingerprint"]}
    ).content.decode()
    assert "must be a time such as" in html


def test_who_may_only_look_gets_no_forms_and_no_preview(browser: Client) -> None:
    made = role("dev", "component:view")
    role("looker", "clusterauthzrole:view")
    bind("lookers", "groups:lookers", "looker")
    viewer = Client()
    viewer.force_login(person("sam", "lookers", is_staff=True))
    html = viewer.get(page(made)).content.decode()
    assert "Save what is ticked" not in html
    fingerprint = browser.get(page(made)).context["fingerprint"]
    for do in ("save-ticks", "preview-ticks", "preview"):
        assert viewer.post(page(made), {"do": do, "action": "*", "fingerprint": fingerprint}).status_code == 403
    assert viewer.get(page(made, "delete")).status_code == 403


def test_a_role_in_a_thousand_bindings_takes_as_many_queries_as_one_in_few(browser: Client) -> None:
    made = role("dev", "component:view")
    counts = []
    for number in range(2):
        for one in range(12):
            bind(f"b{number}-{one}", f"groups:g{one}", "dev", namespace="acme")
        with CaptureQueriesContext(connection) as queries:
            browser.get(page(made))
        counts.append(len(queries))
    assert counts[0] == counts[1], counts
