"""What differs between a recorded reply and ours, after what must differ has been mapped.

Compared are the status, the content type, `allow` as a set, `www-authenticate`, `location`, JSON bodies as values and
text bodies exactly. What varies from run to run is mapped, not dropped: a recorded uid stands for one uid of ours from
then on, and a time for a time. Left out by the conformance data's own rules: the annotation that kubectl left on the
objects that the recording's server started with, `observedGeneration`, the order of conditions, build data of
`/version`, what Go's decoder says of its own types, and what a cluster makes up (resource versions, addresses, nodes,
names of pods, hashes over labels that carry uids).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from tests.replay.exchanges import Exchange

SET_UP = frozenset(
    {
        "kubectl.kubernetes.io/last-applied-configuration",
        "stagecraft.dev/driver",
        "stagecraft.dev/kubernetes-cluster",
    }
)
"""Annotations that tell how the start state was made, there and here."""
VARYING = frozenset({"observedGeneration", "resourceVersion"})
HASHES = frozenset({"openchoreo.dev/dp-resource-hash", "pod-template-hash"})
RANDOM = "[bcdfghjklmnpqrstvwxz2456789]"
"""The alphabet of Kubernetes' random names."""
MADE_UP = (
    (re.compile(rf"(-[0-9a-f]{{8}})-{RANDOM}{{8,10}}(-{RANDOM}{{5}})?\b"), r"\1-of-pods"),
    (re.compile(rf"-[0-9]{{10}}-{RANDOM}{{5}}(-{RANDOM}{{5}})?\b"), "-of-job"),
    (re.compile(rf"kube-api-access-{RANDOM}{{5}}\b"), "kube-api-access"),
    (re.compile(r"\b10\.[0-9]+\.[0-9]+\.[0-9]+\b"), "an address"),
    (re.compile(r"\bnode-[0-9]+\b"), "a node"),
)
UID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)")
DATED = re.compile(r"-20\d{6}-(?=\d+\b)")
GO_TYPES = "can't decode JSON body: json: cannot unmarshal"
CERTIFICATE = "-----BEGIN CERTIFICATE-----"
HEADERS = ("content-type", "www-authenticate", "location")
BUILD_DATA = frozenset({"name", "version", "gitRevision", "buildTime", "goOS", "goArch", "goVersion"})


@dataclass(frozen=True)
class Reply:
    """A reply of ours. Header names are lower-case."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def text(self) -> str:
        return self.body.decode("utf-8", "replace")


@dataclass
class Correspondence:
    """What stands for what: addresses from the start, uids and cursors as replies show them."""

    addresses: dict[str, str] = field(default_factory=dict)
    uids: dict[str, str] = field(default_factory=dict)
    cursors: dict[str, str] = field(default_factory=dict)
    names: dict[str, str] = field(default_factory=dict)
    """Of pods and the like."""

    def translate(self, text: str) -> str:
        """A recorded text with our addresses in it."""
        for recorded, ours in self.addresses.items():
            text = text.replace(recorded, ours)
        return text

    def are_same_uid(self, recorded: str, ours: str) -> bool:
        return self.uids.setdefault(recorded, ours) == ours


def differences(exchange: Exchange, reply: Reply, known: Correspondence) -> list[str]:
    """Every difference as a line that says what is, and what was recorded. Empty when the replies are equal."""
    if reply.status != exchange.status:
        return [f"{reply.status} {short(reply.text)}, recorded {exchange.status} {short(exchange.response)}"]
    found = list(header_differences(exchange, reply, known))
    if exchange.method == "HEAD":
        return found
    recorded_type = exchange.headers.get("content-type", "")
    if "json" not in recorded_type:
        found += text_differences(known.translate(exchange.response), reply.text, recorded_type)
        return found
    try:
        ours = json.loads(reply.body)
    except ValueError:
        return [*found, f"body is no JSON: {short(reply.text)}"]
    recorded = json.loads(known.translate(exchange.response))
    if exchange.path.partition("?")[0] == "/version":
        recorded, ours = without_build_data(recorded), without_build_data(ours)
    found += unequal(comparable(recorded), comparable(ours), "body", known)
    remember_cursors(exchange, recorded, ours, known)
    return found


def header_differences(exchange: Exchange, reply: Reply, known: Correspondence) -> Iterator[str]:
    for name in HEADERS:
        recorded, ours = known.translate(exchange.headers.get(name, "")), reply.headers.get(name, "")
        if ours != recorded:
            yield f"header {name} is {ours!r}, recorded {recorded!r}"
    recorded, ours = exchange.headers.get("allow", ""), reply.headers.get("allow", "")
    if words(recorded) != words(ours):
        yield f"header allow is {ours!r}, recorded {recorded!r}"


def text_differences(recorded: str, ours: str, content_type: str) -> Iterator[str]:
    if recorded.startswith(GO_TYPES) and ours.startswith(GO_TYPES):
        return
    if content_type.startswith("text/event-stream"):
        # Only what the events carry counts, not how the stream is framed.
        recorded, ours = "\n".join(event_data(recorded)), "\n".join(event_data(ours))
    if recorded != ours:
        yield f"text is {short(ours)}, recorded {short(recorded)}"


def event_data(stream: str) -> Iterator[str]:
    for line in stream.splitlines():
        if line.startswith("data:"):
            yield json.dumps(json.loads(line[5:]), sort_keys=True)


def words(header: str) -> set[str]:
    return {word.strip() for word in header.split(",")}


def comparable(value: Any, key: str = "") -> Any:
    """A JSON value without what is left out by rule; conditions by type, causes of an error without order."""
    if isinstance(value, dict):
        if SET_UP & set(value.get("annotations") or ()):
            annotations = {name: text for name, text in value["annotations"].items() if name not in SET_UP}
            value = {**value, "annotations": annotations}
            if not annotations:
                del value["annotations"]
        if "healthStatus" in value:
            value = {name: item for name, item in value.items() if name != "status"}  # the raw status of a live object
        found = {
            name: "a hash" if name in HASHES else comparable(item, name)
            for name, item in value.items()
            if name not in VARYING
        }
        if set(found) == {"code", "error"} and isinstance(found["error"], str):
            found["error"] = sorted(found["error"].split("; "))
        return found
    if isinstance(value, list):
        if key == "conditions" and all(isinstance(item, dict) and "type" in item for item in value):
            return {item["type"]: comparable(item) for item in value}
        return [comparable(item) for item in value]
    if not isinstance(value, str):
        return value
    if value.startswith((CERTIFICATE, "(PEM of")):
        return CERTIFICATE
    for made_up, word in MADE_UP:
        value = made_up.sub(word, value)
    return DATED.sub("-date-", value)


def without_build_data(value: Any) -> Any:
    return {
        name: "…" if name in BUILD_DATA and isinstance(item, str) and item else item for name, item in value.items()
    }


def unequal(recorded: Any, ours: Any, path: str, known: Correspondence) -> Iterator[str]:
    """Every place where two JSON values differ."""
    if isinstance(recorded, dict) and isinstance(ours, dict):
        for key in sorted(recorded.keys() | ours.keys()):
            here = f"{path}.{key}"
            if key not in ours:
                yield f"{here} is missing, recorded {short(recorded[key])}"
            elif key not in recorded:
                yield f"{here} is {short(ours[key])}, not recorded"
            elif key != "nextCursor":
                yield from unequal(recorded[key], ours[key], here, known)
    elif is_objects(recorded) and is_objects(ours) and names(recorded) != names(ours):
        yield from unequal_names(recorded, ours, path, known)
    elif isinstance(recorded, list) and isinstance(ours, list) and len(recorded) == len(ours):
        for index, (left, right) in enumerate(zip(recorded, ours, strict=True)):
            yield from unequal(left, right, f"{path}[{index}]", known)
    elif not are_same(recorded, ours, known):
        yield f"{path} is {short(ours)}, recorded {short(recorded)}"


def unequal_names(recorded: list[Any], ours: list[Any], path: str, known: Correspondence) -> Iterator[str]:
    """How two lists of objects differ that do not hold the same names: the shared ones are still compared."""
    found = dict(zip(names(ours), ours, strict=True))
    for name, item in zip(names(recorded), recorded, strict=True):
        if name in found:
            yield from unequal(item, found.pop(name), f"{path}[{name}]", known)
        else:
            yield f"{path}[{name}] is missing, recorded {short(item)}"
    yield from (f"{path}[{name}] is {short(item)}, not recorded" for name, item in found.items())
    if sorted(names(recorded)) == sorted(names(ours)):
        yield f"{path} is in the order {', '.join(names(ours))}, recorded {', '.join(names(recorded))}"


def is_objects(value: Any) -> bool:
    """Whether it is a list of objects with names."""
    return isinstance(value, list) and all(
        isinstance(item, dict) and "name" in item.get("metadata", {}) for item in value
    )


def names(objects: list[Any]) -> list[str]:
    return [item["metadata"]["name"] for item in objects]


def are_same(recorded: Any, ours: Any, known: Correspondence) -> bool:
    """Whether two values that are not both objects, nor lists of one length, mean the same."""
    if isinstance(recorded, str) and isinstance(ours, str):
        if UID.fullmatch(recorded) and UID.fullmatch(ours):
            return known.are_same_uid(recorded, ours)
        if TIME.fullmatch(recorded) and TIME.fullmatch(ours):
            return True
    return bool(isinstance(recorded, bool) == isinstance(ours, bool) and recorded == ours)


def remember_cursors(exchange: Exchange, recorded: Any, ours: Any, known: Correspondence) -> None:
    cursor = next_cursor(ours)
    if cursor and (theirs := next_cursor(recorded)):
        known.cursors[theirs] = cursor


def next_cursor(body: Any) -> str:
    """The cursor of a list's reply, "" if there is none."""
    pagination = body.get("pagination") if isinstance(body, dict) else None
    return str(pagination.get("nextCursor") or "") if isinstance(pagination, dict) else ""


def short(value: Any, length: int = 300) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    text = text.strip().replace("\n", "\\n")
    return text if len(text) <= length else text[: length - 1] + "…"
