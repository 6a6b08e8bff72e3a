"""From a plane document to its driver: the embedded Git plane unless an annotation says otherwise."""

from __future__ import annotations

from pathlib import Path

import pytest

from catalog.delivery.drivers import Location, is_same_store, location_of, observes_health, plane_at
from catalog.delivery.plane import PlaneNotConfigured
from catalog.kinds.data_plane import DataPlane


@pytest.fixture(autouse=True)
def home(settings, tmp_path) -> Path:
    settings.HOME = tmp_path
    settings.GIT_PLANE_REPOSITORY = str(tmp_path / "planes" / "default.git")
    settings.GIT_PLANE_BRANCH = "main"
    settings.GIT_PLANE_REMOTES = ["https://git.example.org/team", "ssh://git@git.example.org/team"]
    return tmp_path


def plane(**annotations: str) -> DataPlane:
    given = {f"stagecraft.dev/{name.replace('_', '-')}": value for name, value in annotations.items()}
    return DataPlane(namespace_id="default", name="here", annotations=given)


def git_plane(**annotations: str):
    return plane_at(location_of(plane(**annotations)))


def test_a_plane_without_annotations_is_the_embedded_git_plane(home):
    found = git_plane()
    assert (found.path, found.branch, found.remote_url) == (home / "planes" / "default.git", "main", "")


def test_a_relative_repository_lies_in_the_data_directory(home, settings):
    settings.GIT_PLANE_REPOSITORY = "delivery.git"
    assert git_plane().path == home / "delivery.git"


def test_a_plane_may_have_a_repository_and_a_branch_of_its_own(home):
    found = git_plane(git_repository="team-a", git_branch="clusters/east")
    assert (found.path, found.branch) == (home / "planes" / "team-a.git", "clusters/east")


@pytest.mark.parametrize("name", ["/etc", "../../elsewhere", "a/b", ".hidden", "-x", "a\nb"])
def test_no_annotation_leads_out_of_the_directory_of_planes(name):
    with pytest.raises(PlaneNotConfigured, match="plain name"):
        git_plane(git_repository=name)


@pytest.mark.parametrize("branch", ["a..b", "-x", "with space", "a.lock", "a~1"])
def test_a_branch_that_git_would_refuse_is_refused_in_words(branch):
    with pytest.raises(PlaneNotConfigured, match="cannot be the name of a Git branch"):
        git_plane(git_branch=branch)


def test_a_remote_is_mirrored_beside_the_embedded_repository(home):
    found = git_plane(git_remote="https://user@git.example.org/team/deploy.git")
    assert found.remote_url == "https://user@git.example.org/team/deploy.git"
    assert found.path.parent == home / "planes"
    assert found.path.name.startswith("git-example-org-team-deploy-git-")
    assert git_plane(git_remote="git@git.example.org:team/deploy.git").path != found.path


@pytest.mark.parametrize("url", ["file:///etc", "/etc", "ext::sh", "http://plain.example.org/x.git", "--upload-pack=x"])
def test_a_remote_by_annotation_is_https_or_ssh(url):
    with pytest.raises(PlaneNotConfigured, match="git-remote"):
        git_plane(git_remote=url)


def test_the_operator_may_name_a_remote_for_the_embedded_plane(settings):
    settings.GIT_PLANE_REPOSITORY = "ssh://git@git.example.org/deploy.git"
    assert git_plane().remote_url == "ssh://git@git.example.org/deploy.git"


@pytest.mark.parametrize(("driver", "reason"), [("kubernetes", "says no cluster")])
def test_what_cannot_be_reached_is_refused_only_when_chosen(driver, reason):
    with pytest.raises(PlaneNotConfigured, match=reason):
        git_plane(driver=driver)


def test_an_unknown_driver_is_refused_with_the_list_of_those_that_exist():
    with pytest.raises(PlaneNotConfigured, match="agent, git, kubernetes"):
        git_plane(driver="carrier-pigeon")


def test_only_planes_that_observe_say_so():
    assert not observes_health(plane())
    assert observes_health(plane(driver="kubernetes"))
    assert not observes_health(plane(driver="carrier-pigeon"))


def test_a_location_survives_being_stored():
    location = location_of(plane(git_branch="east", driver="git", something="else"))
    assert location.settings == {"git-branch": "east"}
    assert Location.from_json(location.to_json()) == location
    assert plane_at(Location.from_json(location.to_json())).branch == "east"


def test_two_planes_on_one_branch_of_one_repository_are_one_store():
    assert is_same_store(location_of(plane()), location_of(plane(git_branch="main")))
    assert not is_same_store(location_of(plane()), location_of(plane(git_branch="east")))
    assert not is_same_store(location_of(plane()), location_of(plane(driver="kubernetes")))
