"""The Git plane: what a delivery leaves in the repository, judged by git itself."""

from __future__ import annotations

from pathlib import Path

import pytest

from catalog.delivery.git.plane import GitPlane
from catalog.delivery.plane import Command, PlaneNotConfigured, Superseded, Unsupported
from tests.catalog.delivery.deliveries import (
    commits,
    config_map,
    content,
    delivery,
    deployment,
    files,
    git,
    is_sound,
    key_of,
    manifests,
    place,
    push_by_somebody,
)

CART = "default/development/shop/cart"


@pytest.fixture
def repository(tmp_path) -> Path:
    return tmp_path / "planes" / "default.git"


@pytest.fixture
def plane(repository) -> GitPlane:
    return GitPlane(repository)


@pytest.fixture
def clone(repository, plane, tmp_path) -> Path:
    """Somebody's clone of the repository, with the first delivery in it."""
    plane.apply(delivery(place(), config_map(a="1"), deployment()))
    git(tmp_path, "clone", "-q", str(repository), "clone")
    return tmp_path / "clone"


def test_it_makes_a_bare_repository_on_first_use_and_commits_one_file_for_each_object(plane, repository):
    applied = plane.apply(delivery(place(), config_map(a="1"), deployment()))
    assert applied.changed
    assert not applied.errors
    assert git(repository, "rev-parse", "--is-bare-repository") == "true"
    assert git(repository, "rev-parse", "HEAD") == applied.revision
    assert files(repository) == [
        f"{CART}/.stagecraft",
        f"{CART}/configmap-settings.yaml",
        f"{CART}/deployment-cart.yaml",
    ]
    assert is_sound(repository)


def test_delivered_objects_carry_the_tracking_labels_and_nothing_else_is_added(plane, repository):
    plane.apply(delivery(place(), config_map(a="1")))
    assert content(repository, f"{CART}/configmap-settings.yaml") == {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "data": {"a": "1"},
        "metadata": {
            "name": "settings",
            "namespace": "dp",
            "labels": {
                "openchoreo.dev/managed-by": "renderedrelease-controller",
                "openchoreo.dev/rendered-release-resource-id": "configmap-settings",
                "openchoreo.dev/rendered-release-uid": "uid-of-cart",
                "openchoreo.dev/rendered-release-name": "cart-development",
                "openchoreo.dev/rendered-release-namespace": "default",
            },
        },
    }


def test_the_same_delivery_twice_is_one_commit(plane, repository):
    first = plane.apply(delivery(place(), config_map(a="1"), deployment()))
    second = plane.apply(delivery(place(), config_map(a="1"), deployment()))
    assert not second.changed
    assert second.state == first.state
    assert len(commits(repository)) == 1


def test_the_same_delivery_in_two_repositories_is_the_same_tree_to_the_last_byte(tmp_path):
    trees = set()
    for name in ("one.git", "two.git"):
        GitPlane(tmp_path / name).apply(delivery(place(), config_map(b="2", a="1"), deployment()))
        trees.add(git(tmp_path / name, "rev-parse", "main^{tree}"))
    assert len(trees) == 1


def test_a_changed_object_changes_its_file_only_and_asks_for_no_other_manifest(plane, repository):
    plane.apply(delivery(place(), config_map(a="1"), deployment()))
    wanted = delivery(place(), config_map(a="1"), deployment(image="cart:2"))
    asked = []

    def bodies(keys):
        asked.extend(keys)
        return {key: deployment(image="cart:2") for key in keys}

    from dataclasses import replace

    plane.apply(replace(wanted, bodies=bodies))
    assert asked == [key_of(deployment())]
    changed = git(repository, "diff", "--name-only", "main~1", "main").splitlines()
    assert changed == [f"{CART}/.stagecraft", f"{CART}/deployment-cart.yaml"]


def test_an_object_that_left_the_release_is_deleted_from_the_tree(plane, repository):
    plane.apply(delivery(place(), config_map(a="1"), deployment()))
    plane.apply(delivery(place(), deployment()))
    assert manifests(repository) == [f"{CART}/deployment-cart.yaml"]
    assert [owned.key for owned in plane.list_owned(place())] == [key_of(deployment())]
    assert "Removed: ConfigMap settings" in git(repository, "log", "-1", "--format=%b")


def test_a_release_without_objects_leaves_no_directory(plane, repository):
    plane.apply(delivery(place(), config_map(a="1")))
    plane.apply(delivery(place("frontend"), config_map(a="1")))
    plane.apply(delivery(place()))
    assert manifests(repository) == ["default/development/shop/frontend/configmap-settings.yaml"]


def test_deleting_removes_the_place_and_the_directories_left_empty(plane, repository):
    plane.apply(delivery(place(), config_map(a="1"), deployment()))
    plane.apply(delivery(place("cart", environment="staging"), config_map(a="1")))
    assert plane.delete(place(), delivery(place()).story) == []
    assert manifests(repository) == ["default/staging/shop/cart/configmap-settings.yaml"]
    assert commits(repository)[-1] == "Remove cart from development"
    assert plane.delete(place(), delivery(place()).story) == []
    assert len(commits(repository)) == 3
    plane.delete(place("cart", environment="staging"), delivery(place()).story)
    assert files(repository) == []
    assert is_sound(repository)


def test_deleting_where_nothing_was_ever_delivered_makes_no_repository(plane, repository):
    assert plane.delete(place(), delivery(place()).story) == []
    assert not repository.exists()


def test_projects_resources_and_observability_have_places_of_their_own(plane, repository):
    shop = {"namespace": "default", "environment": "development", "project": "shop", "component": ""}
    plane.apply(delivery(place(), config_map("a")))
    plane.apply(delivery(place(**shop, release="p-shop-development"), config_map("b")))
    plane.apply(delivery(place(**shop, resource="redis", release="r-redis-development"), config_map("c")))
    plane.apply(delivery(place(target="observabilityplane", release="cart-development-observability"), config_map("d")))
    assert manifests(repository) == [
        "_observability/default/development/shop/cart/configmap-d.yaml",
        "default/development/shop/_project/configmap-b.yaml",
        "default/development/shop/_resources/redis/configmap-c.yaml",
        "default/development/shop/cart/configmap-a.yaml",
    ]
    assert commits(repository) == [
        "Deliver cart to development: cart-abc",
        "Deliver project shop to development: shop-abc",
        "Deliver resource redis to development: shop-abc",
        "Deliver cart to development: cart-abc",
    ]


def test_the_commit_says_who_asked_for_what_where(plane, repository):
    plane.apply(delivery(place(), config_map(a="1"), actor="alice"))
    assert git(repository, "log", "-1", "--format=%an|%cn|%s") == (
        "alice|Stagecraft|Deliver cart to development: cart-abc"
    )
    trailers = dict(
        line.split(": ", 1) for line in git(repository, "log", "-1", "--format=%(trailers:only)").splitlines()
    )
    assert trailers == {
        "Namespace": "default",
        "Project": "shop",
        "Rendered-Release": "default/cart-development, generation 1",
        "Plane": "DataPlane default/default",
        "Actor": "alice",
        "Request-Id": "request-1",
    }


@pytest.mark.parametrize("actor", ["mallory\nActor: alice", "mallory <alice@example.org>", "", "\0"])
def test_no_name_forges_a_trailer_or_breaks_the_commit(plane, repository, actor):
    plane.apply(delivery(place(), config_map(a="1"), actor=actor))
    lines = git(repository, "log", "-1", "--format=%(trailers:only)").splitlines()
    assert [line for line in lines if line.startswith("Actor: alice")] == []
    assert is_sound(repository)


def test_names_in_any_script_are_written_as_they_are(plane, repository):
    plane.apply(delivery(place(), config_map(a="Grüße, 你好"), actor="Jürgen 山田"))
    assert git(repository, "log", "-1", "--format=%an") == "Jürgen 山田"
    assert "Actor: Jürgen 山田" in git(repository, "log", "-1", "--format=%b")
    assert plane.read(place(), key_of(config_map()))["data"] == {"a": "Grüße, 你好"}


def test_objects_whose_names_would_meet_in_one_file_get_one_each(plane, repository):
    other = {**config_map("settings", b="2"), "metadata": {"name": "settings", "namespace": "elsewhere"}}
    plane.apply(delivery(place(), config_map("settings", a="1"), other))
    names = manifests(repository)
    assert len(names) == 2
    assert {content(repository, name)["metadata"]["namespace"] for name in names} == {"dp", "elsewhere"}
    plane.apply(delivery(place(), config_map("settings", a="1")))
    assert manifests(repository) == [f"{CART}/configmap-settings.yaml"]


def test_names_that_no_file_could_have_are_delivered_all_the_same(plane, repository):
    role = {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole", "metadata": {"name": "a:b/../c"}}
    plane.apply(delivery(place(), role, config_map("x" * 253)))
    assert len(manifests(repository)) == 2
    assert all(len(name.rpartition("/")[2]) < 255 for name in manifests(repository))
    assert plane.read(place(), key_of(role))["metadata"]["name"] == "a:b/../c"


def test_an_object_named_twice_is_delivered_once_and_the_last_one_stays(plane):
    plane.apply(delivery(place(), config_map(a="1"), config_map(a="2")))
    assert plane.read(place(), key_of(config_map()))["data"] == {"a": "2"}


def test_an_object_that_yaml_cannot_express_is_named_and_the_others_are_delivered(plane, repository):
    bad = {**config_map("bad"), "data": {"x": float("nan")}}
    applied = plane.apply(delivery(place(), config_map(a="1"), bad))
    assert list(applied.errors) == [key_of(bad)]
    assert "number" in applied.errors[key_of(bad)]
    assert manifests(repository) == [f"{CART}/configmap-settings.yaml"]
    plane.apply(delivery(place(), config_map(a="1"), config_map("bad", x="1")))
    applied = plane.apply(delivery(place(), config_map(a="1"), bad))
    assert list(applied.errors) == [key_of(bad)]
    assert plane.read(place(), key_of(bad))["data"] == {"x": "1"}, "what was there stays"


def test_a_file_edited_by_hand_is_seen_and_mended(plane, repository, clone):
    applied = plane.apply(delivery(place(), config_map(a="1"), deployment()))
    assert plane.holds(place(), applied.state)
    push_by_somebody(clone, "main", f"{CART}/configmap-settings.yaml", "data: {}\n")
    assert not plane.holds(place(), applied.state)
    mended = plane.apply(delivery(place(), config_map(a="1"), deployment()))
    assert mended.changed
    assert content(repository, f"{CART}/configmap-settings.yaml")["data"] == {"a": "1"}
    assert commits(repository)[-2:] == [
        f"somebody adds {CART}/configmap-settings.yaml",
        "Deliver cart to development: cart-abc",
    ]


def test_a_file_removed_by_hand_comes_back(plane, repository, clone):
    git(clone, "rm", "-q", f"{CART}/deployment-cart.yaml")
    push_by_somebody(clone, "main", "README.md")
    plane.apply(delivery(place(), config_map(a="1"), deployment()))
    assert f"{CART}/deployment-cart.yaml" in manifests(repository)


def test_files_of_others_beside_ours_are_never_touched(plane, repository, clone):
    push_by_somebody(clone, "main", f"{CART}/kustomization.yaml", "resources: [deployment-cart.yaml]\n")
    plane.apply(delivery(place(), deployment(image="cart:2")))
    assert f"{CART}/kustomization.yaml" in manifests(repository)
    plane.delete(place(), delivery(place()).story)
    assert files(repository) == [f"{CART}/kustomization.yaml"]


@pytest.mark.parametrize("damage", ["not json", '{"format": 99}', None])
def test_with_the_index_lost_the_labels_say_what_is_ours(plane, repository, clone, damage):
    if damage is None:
        git(clone, "rm", "-q", f"{CART}/.stagecraft")
        push_by_somebody(clone, "main", f"{CART}/notes.yaml", "kind: ConfigMap\nmetadata: {name: theirs}\n")
    else:
        push_by_somebody(clone, "main", f"{CART}/notes.yaml", "kind: ConfigMap\nmetadata: {name: theirs}\n")
        push_by_somebody(clone, "main", f"{CART}/.stagecraft", damage)
    assert {owned.key for owned in plane.list_owned(place())} == {key_of(config_map()), key_of(deployment())}
    plane.apply(delivery(place(), deployment()))
    assert manifests(repository) == [f"{CART}/deployment-cart.yaml", f"{CART}/notes.yaml"]


def test_a_file_in_the_way_of_the_directory_is_named(plane, clone):
    push_by_somebody(clone, "main", "default/staging", "a file\n")
    with pytest.raises(Exception, match="'staging' is a file in the branch"):
        plane.apply(delivery(place(environment="staging"), config_map()))


def test_a_delivery_that_has_been_overtaken_does_nothing(plane, repository):
    plane.apply(delivery(place(), config_map(a="2")))
    with pytest.raises(Superseded):
        plane.apply(delivery(place(), config_map(a="1"), is_current=lambda: False))
    assert len(commits(repository)) == 1


def test_what_git_cannot_do_it_says(plane):
    with pytest.raises(Unsupported, match="cannot show logs there"):
        plane.read_log({}, "main")
    with pytest.raises(Unsupported, match="cannot run commands there"):
        plane.run_command(place(), Command("pod", ("ls",)))
    assert not plane.capabilities.observes_health


def test_a_directory_that_is_no_repository_is_refused_with_what_to_do(tmp_path):
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "cat.jpg").write_text("meow")
    with pytest.raises(PlaneNotConfigured, match="GIT_PLANE_REPOSITORY"):
        GitPlane(tmp_path / "photos").apply(delivery(place(), config_map()))
    assert [entry.name for entry in (tmp_path / "photos").iterdir()] == ["cat.jpg"]


def test_a_repository_that_was_removed_under_a_running_worker_is_made_again(plane, repository):
    import shutil

    plane.apply(delivery(place(), config_map(a="1")))
    shutil.rmtree(repository)
    plane.apply(delivery(place(), config_map(a="1")))
    assert len(commits(repository)) == 1
