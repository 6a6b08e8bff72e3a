"""Addresses of repositories: many ways to write one, and paths within."""

from __future__ import annotations

import pytest

from workflows.webhooks.repositories import directory, normalized, provider_of, touches


@pytest.mark.parametrize(
    "address",
    [
        "https://github.com/acme/shop",
        "https://github.com/Acme/Shop.git",
        "https://github.com/acme/shop.git/",
        "https://user:password@github.com/acme/shop",
        "https://github.com:443/acme/shop",
        "http://github.com/acme/shop",
        "git@github.com:acme/shop.git",
        "github.com:acme/shop",
        "ssh://git@github.com/acme/shop.git",
        "ssh://git@github.com:22/acme/shop.git",
        "git+ssh://git@github.com/acme/shop",
        " https://GITHUB.com/acme/shop ",
    ],
)
def test_one_repository_has_one_form_however_it_is_written(address):
    assert normalized(address) == "https://github.com/acme/shop"


@pytest.mark.parametrize("address", ["", "shop", "/srv/git/shop", "https://", "https://github.com", "http://[::1"])
def test_what_names_no_host_and_path_has_no_form(address):
    assert normalized(address) == ""


def test_a_port_makes_another_server():
    assert normalized("https://git.example:8443/a/b") == "https://git.example:8443/a/b"


@pytest.mark.parametrize(
    ("repository", "provider"),
    [
        ("https://github.com/acme/shop", "github"),
        ("https://enterprise.gitlab.com/acme/shop", "gitlab"),
        ("https://bitbucket.org/acme/github.com-mirror", "bitbucket"),
        ("https://notgithub.com/acme/shop", ""),
        ("https://github.com.evil.example/acme/shop", ""),
        ("https://git.example/github.com/shop", ""),
    ],
)
def test_a_provider_is_told_by_the_host_alone(repository, provider):
    assert provider_of(repository) == provider


@pytest.mark.parametrize(
    ("path", "cleaned"), [("", ""), ("/", ""), (".", ""), ("./api/", "api"), ("/a//b/../c", "a/c"), ("../../x", "x")]
)
def test_directories_have_one_form(path, cleaned):
    assert directory(path) == cleaned


@pytest.mark.parametrize(
    ("paths", "app_path", "wanted"),
    [
        (["api/main.go"], "api", True),
        (["/api/main.go"], "api", True),
        (["api"], "api", True),
        (["api2/main.go"], "api", False),
        (["docs/api/x"], "api", False),
        (["anything"], "", True),
        ([], "api", False),
    ],
)
def test_a_change_touches_a_directory_when_it_lies_within(paths, app_path, wanted):
    assert touches(paths, app_path) is wanted
