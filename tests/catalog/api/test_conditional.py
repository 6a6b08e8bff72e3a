"""Reads that have not changed cost no body; writes do not overwrite what their author has not seen."""

from __future__ import annotations

import pytest
from django.test import Client

from catalog import store
from portal.accounts.models import issue_token
from portal.audit.models import AuditEvent
from tests.catalog.access.conftest import bind, person, role
from tests.catalog.api.conftest import ApiClient
from tests.factories import TESTER

pytestmark = pytest.mark.django_db
TRAITS = "/api/v1/namespaces/acme/traits"
TRAIT = {"metadata": {"name": "one", "labels": {"team": "x"}}, "spec": {}}


@pytest.fixture
def trait(api, namespace):
    api.create(TRAITS, TRAIT)
    return f"{TRAITS}/one"


@pytest.mark.parametrize("path", [f"{TRAITS}/one", TRAITS, f"{TRAITS}?limit=1", "/api/v1/authz/actions"])
def test_who_has_a_reply_already_is_told_so_without_a_body(api, trait, path):
    first = api.get(path)
    again = api.get(path, **{"If-None-Match": first["ETag"]})
    assert (first.status_code, again.status_code, again.content) == (200, 304, b"")
    assert again["ETag"] == first["ETag"]
    assert "Content-Type" not in again


@pytest.mark.parametrize("header", ['"other"', "", '"other", {tag}', "W/{tag}", "*"])
def test_tags_are_compared_as_the_standard_says(api, trait, header):
    tag = api.get(trait)["ETag"]
    reply = api.get(trait, **{"If-None-Match": header.format(tag=tag)})
    assert reply.status_code == (200 if "{tag}" not in header and header != "*" else 304)


def test_a_change_of_spec_labels_or_status_is_another_reply(api, trait):
    tags = [api.get(trait)["ETag"]]
    api.put(trait, {**TRAIT, "metadata": {"name": "one", "labels": {"team": "y"}}})
    tags.append(api.get(trait)["ETag"])
    store.write_status(store.get("Trait", "acme", "one"), {"seen": True}, TESTER)
    tags.append(api.get(trait)["ETag"])
    assert len(set(tags)) == 3
    assert api.get(trait, **{"If-None-Match": ", ".join(tags[:2])}).status_code == 200


def test_a_list_is_another_one_when_an_object_of_it_has_changed(api, trait):
    tag = api.get(TRAITS)["ETag"]
    api.create(TRAITS, {"metadata": {"name": "two"}, "spec": {}})
    assert api.get(TRAITS, **{"If-None-Match": tag}).status_code == 200


def test_refusals_and_writes_are_never_304(api, trait):
    assert api.get(f"{TRAITS}/absent", **{"If-None-Match": "*"}).status_code == 404
    assert api.put(trait, TRAIT, **{"If-None-Match": "*"}).status_code == 200


def test_create_and_replace_tell_the_version_that_they_made(api, namespace):
    made = api.post(TRAITS, TRAIT)
    assert made["ETag"] == api.get(f"{TRAITS}/one")["ETag"]
    changed = api.put(f"{TRAITS}/one", {**TRAIT, "metadata": {"name": "one"}})
    assert changed["ETag"] == api.get(f"{TRAITS}/one")["ETag"] != made["ETag"]


def test_a_write_on_what_was_read_is_taken_and_one_on_what_is_no_more_is_not(api, trait):
    tag = api.get(trait)["ETag"]
    mine = {**TRAIT, "metadata": {"name": "one", "labels": {"team": "mine"}}}
    theirs = {**TRAIT, "metadata": {"name": "one", "labels": {"team": "theirs"}}}
    assert api.put(trait, theirs, **{"If-Match": tag}).status_code == 200
    refused = api.put(trait, mine, **{"If-Match": tag})
    assert (refused.status_code, refused.json()["code"]) == (412, "PRECONDITION_FAILED")
    assert "read it again" in refused.json()["error"]
    assert api.get(trait).json()["metadata"]["labels"] == {"team": "theirs"}
    assert api.put(trait, mine, **{"If-Match": api.get(trait)["ETag"]}).status_code == 200


def test_without_a_condition_the_last_write_wins_as_in_the_contract(api, trait):
    api.put(trait, {**TRAIT, "metadata": {"name": "one", "labels": {"team": "y"}}})
    assert api.put(trait, TRAIT).status_code == 200
    assert api.put(trait, TRAIT, **{"If-Match": "*"}).status_code == 200


def test_a_status_that_moves_on_by_itself_spoils_no_edit(api, trait):
    tag = api.get(trait)["ETag"]
    store.write_status(store.get("Trait", "acme", "one"), {"seen": True}, TESTER)
    assert api.put(trait, TRAIT, **{"If-Match": tag}).status_code == 200


def test_a_recreated_object_of_the_same_content_is_another_version(api, trait):
    tag = api.get(trait)["ETag"]
    api.delete(trait)
    api.create(TRAITS, TRAIT)
    assert api.put(trait, TRAIT, **{"If-Match": tag}).status_code == 412


def test_a_delete_is_conditional_too(api, trait):
    tag = api.get(trait)["ETag"]
    api.put(trait, {**TRAIT, "metadata": {"name": "one"}})
    assert api.delete(trait, **{"If-Match": tag}).status_code == 412
    assert api.delete(trait, **{"If-Match": api.get(trait)["ETag"]}).status_code == 204
    assert api.delete(trait, **{"If-Match": tag}).status_code == 404


@pytest.mark.parametrize("header", ["nonsense", '""', '"', "'a'", '"a"b"', '"-"'])
def test_a_condition_that_cannot_be_met_is_never_met(api, trait, header):
    assert api.put(trait, TRAIT, **{"If-Match": header}).status_code == 412


def test_a_refused_write_is_a_conflict_in_the_audit(api, trait):
    api.put(trait, TRAIT, **{"If-Match": '"other"'})
    event = AuditEvent.objects.system("test").order_by("-pk").first()
    assert (event.action, event.name, event.outcome, event.status) == ("trait:update", "one", "conflict", 412)


def test_who_may_not_see_learns_nothing_by_conditions(api, trait):
    """Attack 21: neither a good tag, nor a bad one, nor `*` tells that the object is there."""
    tag = api.get(trait)["ETag"]
    nobody = ApiClient(Client(), issue_token(person("nobody"), "tests"))
    for condition in (tag, '"other"', "*"):
        for path in (trait, f"{TRAITS}/absent"):
            read, write = (
                nobody.get(path, **{"If-None-Match": condition}),
                nobody.put(path, TRAIT, **{"If-Match": tag}),
            )
            assert (read.status_code, write.status_code) == (404, 404)
            assert read.json()["error"] == write.json()["error"] == "Trait not found"
            assert "ETag" not in read


def test_who_may_see_but_not_change_is_refused_whatever_the_condition(api, trait):
    role("see", "trait:view")
    bind("see", "sub:sam", "see")
    sam = ApiClient(Client(), issue_token(person("sam"), "tests"))
    tag = sam.get(trait)["ETag"]
    for condition in (tag, '"other"'):
        assert sam.put(trait, TRAIT, **{"If-Match": condition}).status_code == 403


def test_lists_of_two_people_who_see_different_things_have_different_tags(api, trait):
    nobody = ApiClient(Client(), issue_token(person("nobody"), "tests"))
    assert nobody.get(TRAITS)["ETag"] != api.get(TRAITS)["ETag"]
    assert nobody.get(TRAITS, **{"If-None-Match": api.get(TRAITS)["ETag"]}).status_code == 200


OURS = "/api/stagecraft/v1"


@pytest.mark.parametrize(
    "path",
    [
        f"{OURS}/changes?since=0",
        f"{OURS}/watch?since=0&wait=0",
        f"{OURS}/namespaces/acme/traits/one/history",
        f"{OURS}/namespaces/acme/traits/one/as-of?sequence=999999999999",
        f"{OURS}/namespaces/acme/traits/one/deletion",
        f"{OURS}/deleted",
        f"{OURS}/access/actions",
        f"{OURS}/access/why?action=trait:view",
        f"{OURS}/access/grants",
        "/api/v1/namespaces/acme/traits/one/schema",
    ],
)
def test_reads_of_ours_that_have_not_changed_cost_no_body_either(api, trait, path):
    first = api.get(path)
    again = api.get(path, **{"If-None-Match": first["ETag"]})
    assert (first.status_code, again.status_code, again.content) == (200, 304, b"")
