"""Sends recorded requests in order and collects what differs."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any

from tests.real.cluster.cluster import Cluster
from tests.replay.comparison import DATED, Correspondence, Reply, differences, next_cursor, short
from tests.replay.deliberate import Rule, rules_for
from tests.replay.exchanges import Exchange
from tests.replay.identities import Identities
from tests.replay.issuer import Issuer
from tests.replay.stage import Stage
from tests.replay.stand_ins import stand_ins

RECORDED_SERVER = "http://127.0.0.1:28080"
RECORDED_ISSUER = "http://127.0.0.1:28090"
CURSOR = re.compile(r"([?&])cursor=([\w-]{40,})")
MADE_UP = re.compile(r"[?&](?:podName|name)=(([\w-]+-[0-9a-f]{8})-[a-z0-9]{6,10}(?:-[a-z0-9]{5}){0,2})(?=&|$)")
KIND = re.compile(r"[?&]kind=(\w+)")
TOKEN_OF = re.compile(r"\(token of ([\w-]+)\)")


NOTHING: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True)
class Result:
    """What came of one exchange: `lines` say where it differs; `rules`, if any, name all of them as deliberate."""

    exchange: Exchange
    lines: Sequence[str] = ()
    rules: Sequence[Rule] = ()

    @property
    def is_equal(self) -> bool:
        return not self.lines

    @property
    def is_deliberate(self) -> bool:
        return bool(self.lines) and bool(self.rules)

    @property
    def is_different(self) -> bool:
        return bool(self.lines) and not self.rules


@dataclass
class Player:
    """One replay against one stage."""

    stage: Stage
    identities: Identities
    known: Correspondence = field(default_factory=Correspondence)
    deleted: set[str] = field(default_factory=set)
    """Paths of objects that were deleted and not made again."""
    is_secure: bool = True
    has_changed: bool = False

    def play(self, exchanges: Sequence[Exchange]) -> Iterator[Result]:
        """Results of the exchanges in order; set-up requests that fail are results too."""
        for exchange in exchanges:
            if exchange.is_secure != self.is_secure:
                self.is_secure = exchange.is_secure
                self.stage.restart_server(**security(exchange.is_secure))
            yield self.result_of(exchange)

    def result_of(self, exchange: Exchange) -> Result:
        if self.has_changed:
            self.stage.settle()
        was_deleted = exchange.path.partition("?")[0] in self.deleted
        try:
            reply = self.send(exchange)
        except OSError as error:
            return Result(exchange, [f"no reply: {error!r}"])
        self.note_change(exchange, reply)
        if not exchange.is_compared:
            gone = was_deleted and exchange.method == "DELETE" and reply.status == 404
            succeeded = 200 <= reply.status < 300 or gone
            return Result(exchange, [] if succeeded else [f"set-up failed: {reply.status} {short(reply.text)}"])
        lines = differences(exchange, reply, self.known)
        return Result(exchange, lines, rules_for(exchange, reply, lines, was_deleted) if lines else ())

    def send(self, exchange: Exchange) -> Reply:
        headers = self.identities.headers(exchange.auth)
        for name, value in exchange.request_headers.items():
            if named := TOKEN_OF.search(value):
                token = self.identities.headers(named[1])["Authorization"].partition(" ")[2]
                value = value.replace(named[0], token)
            headers[name] = value
        content = exchange.content
        if content is not None:
            headers.setdefault("Content-Type", exchange.content_type or "application/json")
        return self.stage.send(exchange.method, self.path_of(exchange, headers), content, headers)

    def path_of(self, exchange: Exchange, headers: dict[str, str]) -> str:
        """The path to send, with our own cursor in the place of a recorded one.

        Where the reply that gave the cursor is not in the recording, its request is made up for: the same list without
        a cursor.
        """
        path = self.with_our_name(dated(self.known.translate(exchange.path)), headers)
        cursor = CURSOR.search(path)
        if cursor is None:
            return path
        if cursor[2] not in self.known.cursors:
            first_page = self.stage.send("GET", path.replace(cursor[0], ""), None, headers)
            self.known.cursors[cursor[2]] = next_cursor(json.loads(first_page.body))
        return path.replace(cursor[2], self.known.cursors[cursor[2]])

    def with_our_name(self, path: str, headers: dict[str, str]) -> str:
        """The path with our name for an object of a cluster's own making: a pod, a job or a replica set."""
        wanted = MADE_UP.search(path)
        if wanted is None or "/k8sresources/" not in path:
            return path
        if wanted[1] not in self.known.names:
            kind = KIND.search(path)
            binding = path.partition("/k8sresources/")[0]
            tree = json.loads(self.stage.send("GET", f"{binding}/k8sresources/tree", None, headers).body)
            found = our_name(tree, kind[1] if kind else "Pod", wanted[2])
            self.known.names[wanted[1]] = found or wanted[1]
        return path.replace(wanted[1], self.known.names[wanted[1]])

    def note_change(self, exchange: Exchange, reply: Reply) -> None:
        """Remember what later requests and comparisons build on."""
        path = exchange.path.partition("?")[0]
        is_done = 200 <= reply.status < 300
        self.has_changed = is_done and exchange.method in ("POST", "PUT", "DELETE")
        if is_done and exchange.method == "DELETE":
            self.deleted.add(path)
        if is_done and exchange.method == "POST":
            self.deleted -= {made for made in self.deleted if made.rpartition("/")[0] == path}


def our_name(tree: dict[str, Any], kind: str, workload: str) -> str:
    """The name of the first object of that kind of a workload, "" if there is none; replica sets by their pods."""
    shown = "Pod" if kind == "ReplicaSet" else kind
    for release in tree.get("renderedReleases", ()):
        for node in release["nodes"]:
            name: str = node["name"]
            if node["kind"] == shown and name.startswith(f"{workload}-"):
                return name.rpartition("-")[0] if kind == "ReplicaSet" else name
    return ""


def dated(path: str) -> str:
    """A path with today's date in names that carry that of the recording."""
    return DATED.sub(time.strftime("-%Y%m%d-", time.gmtime()), path)


def security(is_on: bool) -> dict[str, str]:
    """The settings of a server with security on or off."""
    return {} if is_on else {"SECURITY_ENABLED": "false", "ALLOW_INSECURE": "true"}


@dataclass(frozen=True)
class Played:
    """A whole replay: results in order, and the unexpected errors that the server has logged."""

    results: Sequence[Result]
    errors: Sequence[str]


def play(
    home: Path,
    conformance: Path,
    exchanges: Sequence[Exchange],
    *,
    settings: Mapping[str, str] = NOTHING,
    cluster: Cluster | None = None,
) -> Played:
    """Replay exchanges against a fresh server in the directory `home`, with more settings if need be.

    A `cluster` stands behind the planes instead of Git.
    """
    with Issuer() as issuer, stand_ins(cluster):
        kubeconfig = cluster.kubeconfig if cluster else ""
        stage = Stage(home, conformance, kubeconfig, {**issuer.settings, **settings})
        with stage:
            addresses = {RECORDED_SERVER: stage.url, RECORDED_ISSUER: issuer.url}
            player = Player(stage, Identities(issuer), Correspondence(addresses))
            results = list(player.play(exchanges))
        return Played(results, stage.errors_logged())
