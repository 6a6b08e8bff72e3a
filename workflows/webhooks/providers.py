"""Deliveries of GitHub, GitLab and Bitbucket: who sent one, is it really theirs, what does it say.

A delivery is verified over its raw bytes before anything of it is read: GitHub and Bitbucket sign the body with
HMAC-SHA256 (`sha256=<hex>`), GitLab sends the agreed token. Comparisons take the same time whatever is wrong. Without
an agreed secret nothing is ever right.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from workflows.webhooks.repositories import normalized

ProviderName = Literal["github", "gitlab", "bitbucket"]
Headers = Mapping[str, str]
BRANCH = "refs/heads/"
NO_COMMIT = re.compile(r"0*")
MOST_PATHS = 10_000


class UnreadableDelivery(ValueError):
    """The body, though genuine, is not what its provider sends. The text says what is wrong."""


@dataclass(frozen=True, slots=True)
class Push:
    """A branch of a repository is now at another commit. No paths means that they are not known: all may be."""

    repository: str
    branch: str
    commit: str
    paths: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Provider:
    """How one host of repositories reports pushes."""

    name: ProviderName
    signature_header: str
    event_header: str
    push_events: frozenset[str]
    delivery_headers: tuple[str, ...]
    is_genuine: Callable[[bytes, str, str], bool]
    """Body, signature and secret."""
    pushes: Callable[[Mapping[str, Any]], Iterator[Push]]

    def delivery_id(self, headers: Headers) -> str:
        """The host's own id of a delivery, "" where it sends none."""
        return next((headers[name] for name in self.delivery_headers if headers.get(name)), "")

    def is_push(self, headers: Headers) -> bool:
        """Whether it reports a push; what does not say what it is counts as one."""
        event = headers.get(self.event_header, "")
        return not event or event in self.push_events


def provider_of_request(headers: Headers) -> Provider | None:
    """Who sent it, by the first header that tells; None for nobody we know."""
    if headers.get("X-Hub-Signature-256"):
        return GITHUB
    if headers.get("X-Gitlab-Token"):
        return GITLAB
    return BITBUCKET if headers.get("X-Event-Key") else None


def read_pushes(provider: Provider, body: Any) -> list[Push]:
    """The pushes that a body reports, in its order; none for tags, removed branches and the like.

    Raises `UnreadableDelivery`.
    """
    if not isinstance(body, Mapping):
        raise UnreadableDelivery("the body is no JSON object")
    return list(provider.pushes(body))


# Genuine, or not ------------------------------------------------------------------------------------------------------


def has_signature(body: bytes, signature: str, secret: str) -> bool:
    """Whether `sha256=<hex>` is the HMAC of the body under the secret."""
    if not secret:
        return False
    wanted = "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
    return hmac.compare_digest(signature.encode("utf-8", "surrogateescape"), wanted.encode())


def has_token(body: bytes, token: str, secret: str) -> bool:
    """Whether the token is the agreed one."""
    # Digests are of one length, so that not even the length of the secret shows.
    given, wanted = (hashlib.sha256(text.encode("utf-8", "surrogateescape")).digest() for text in (token, secret))
    return bool(secret) and hmac.compare_digest(given, wanted)


# What it says ---------------------------------------------------------------------------------------------------------


def pushes_with_ref(repository_paths: tuple[tuple[str, str], ...]) -> Callable[[Mapping[str, Any]], Iterator[Push]]:
    """A reader of the form that GitHub and GitLab share: `ref`, `after`, and commits with paths."""

    def read(body: Mapping[str, Any]) -> Iterator[Push]:
        ref, commit = text(body, "ref"), text(body, "after")
        if not ref.startswith(BRANCH) or NO_COMMIT.fullmatch(commit):
            return
        addresses = (text(section(body, field), name) for field, name in repository_paths)
        repository = next(filter(None, map(normalized, addresses)), "")
        yield Push(repository, ref.removeprefix(BRANCH), commit, tuple(changed_paths(body)))

    return read


def changed_paths(body: Mapping[str, Any]) -> Iterator[str]:
    """Every path that the commits name; none if there are more than anybody would look through."""
    found: list[str] = []
    for commit in items(body, "commits"):
        for field in ("added", "modified", "removed"):
            found += [path for path in items(commit, field) if isinstance(path, str)]
        if len(found) > MOST_PATHS:
            return
    yield from dict.fromkeys(found)


def bitbucket_pushes(body: Mapping[str, Any]) -> Iterator[Push]:
    """Every branch that the push has moved. Bitbucket names no paths."""
    links = section(section(body, "repository"), "links")
    repository = normalized(text(section(links, "html"), "href"))
    for change in items(section(body, "push"), "changes"):
        new = change.get("new") if isinstance(change, Mapping) else None
        if not isinstance(new, Mapping) or text(new, "type") not in ("", "branch"):
            continue  # a removed branch, or a tag
        # The newest commit comes first; what the branch points to is surer still.
        hashes = (text(commit, "hash") for commit in items(change, "commits") if isinstance(commit, Mapping))
        commit = text(section(new, "target"), "hash") or next(hashes, "")
        yield Push(repository, text(new, "name"), commit)


def section(body: Mapping[str, Any], field: str) -> Mapping[str, Any]:
    """A nested object, {} where there is none. Raises `UnreadableDelivery`."""
    value = body.get(field)
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        raise UnreadableDelivery(f"{field} is no JSON object")
    return value


def items(body: Any, field: str) -> list[Any]:
    """A list, [] where there is none. Raises `UnreadableDelivery`."""
    value = body.get(field) if isinstance(body, Mapping) else None
    if value is None:
        return []
    if not isinstance(value, list):
        raise UnreadableDelivery(f"{field} is no list")
    return value


def text(body: Mapping[str, Any], field: str) -> str:
    """A text, "" where there is none. Raises `UnreadableDelivery`."""
    value = body.get(field)
    if value is None:
        return ""
    if not isinstance(value, str) or "\0" in value:
        raise UnreadableDelivery(f"{field} is no text")
    return value


GITHUB = Provider(
    name="github",
    signature_header="X-Hub-Signature-256",
    event_header="X-GitHub-Event",
    push_events=frozenset({"push"}),
    delivery_headers=("X-GitHub-Delivery",),
    is_genuine=has_signature,
    pushes=pushes_with_ref((("repository", "clone_url"), ("repository", "html_url"))),
)
GITLAB = Provider(
    name="gitlab",
    signature_header="X-Gitlab-Token",
    event_header="X-Gitlab-Event",
    push_events=frozenset({"Push Hook", "System Hook"}),
    delivery_headers=("Idempotency-Key", "X-Gitlab-Event-UUID"),
    is_genuine=has_token,
    pushes=pushes_with_ref((("project", "git_http_url"), ("project", "web_url"))),
)
BITBUCKET = Provider(
    name="bitbucket",
    signature_header="X-Hub-Signature",
    event_header="X-Event-Key",
    push_events=frozenset({"repo:push"}),
    delivery_headers=("X-Request-UUID",),
    is_genuine=has_signature,
    pushes=bitbucket_pushes,
)
