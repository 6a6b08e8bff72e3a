"""Which driver delivers to a plane, and with what settings.

A plane document says it by annotations; without any, it is the embedded Git plane of this installation:

    stagecraft.dev/driver          git (default), kubernetes, agent; agent by itself once an agent has connected
    stagecraft.dev/git-repository  a name: that repository beside the embedded one, instead of it
    stagecraft.dev/git-branch      the branch, instead of GIT_PLANE_BRANCH
    stagecraft.dev/git-remote      https://…, ssh://… or user@host:path below one of GIT_PLANE_REMOTES: pushed to
    stagecraft.dev/kubernetes-cluster  the name of a cluster that this installation has credentials for

Whoever may write a plane is not thereby allowed to write files on this machine, so no annotation names a path.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pygit2
from django.conf import settings

from catalog.delivery.agent.connection import WATCHED, agent_connection
from catalog.delivery.agent.heads import head_of
from catalog.delivery.agent.plane import AgentPlane
from catalog.delivery.git.permitted import NoAddress, is_permitted
from catalog.delivery.git.plane import GitPlane
from catalog.delivery.git.remote import ALLOWED
from catalog.delivery.kubernetes.clusters import cluster_of, connection_to
from catalog.delivery.kubernetes.connection import Connection
from catalog.delivery.kubernetes.leases import ClusterWatchRequest
from catalog.delivery.kubernetes.plane import KubernetesPlane
from catalog.delivery.plane import Capabilities, Plane, PlaneNotConfigured
from catalog.kinds.base import PlatformObject

PREFIX = "stagecraft.dev/"
DRIVER = f"{PREFIX}driver"
DEFAULT_DRIVER = "git"
AGENT_PLANE = "agent-plane"
"""The setting of a location that holds the plane's name at the gateway."""
REPOSITORY_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,100}")


@dataclass(frozen=True, slots=True)
class Location:
    """A plane as delivery remembers it: enough to reach it again after its document has gone."""

    driver: str
    kind: str
    namespace: str
    name: str
    settings: Mapping[str, str] = field(default_factory=dict)
    """The driver's annotations, without the prefix; what is left out follows this installation's configuration."""

    def to_json(self) -> dict[str, Any]:
        return {
            "driver": self.driver,
            "kind": self.kind,
            "namespace": self.namespace,
            "name": self.name,
            "settings": dict(self.settings),
        }

    @classmethod
    def from_json(cls, held: Mapping[str, Any]) -> Location:
        return cls(**held)

    def __str__(self) -> str:
        return f"{self.kind} {self.namespace}/{self.name}" if self.namespace else f"{self.kind} {self.name}"


@dataclass(frozen=True, slots=True)
class Driver:
    """A sort of plane: what it can do, and how to reach one."""

    capabilities: Capabilities
    connect: Callable[[Location], Plane]


def location_of(plane: PlatformObject) -> Location:
    """Where a plane is, by its document (any of the plane kinds)."""
    driver = driver_name(plane)
    prefix = f"{PREFIX}{driver}-"
    given = {key.removeprefix(PREFIX): value for key, value in plane.annotations.items() if key.startswith(prefix)}
    if driver == "agent":
        given = {AGENT_PLANE: str(head_of(plane))}
    return Location(driver, plane.kind, plane.namespace_name, plane.name, dict(sorted(given.items())))


def plane_at(location: Location) -> Plane:
    """The driver, bound to the plane. Raises `PlaneNotConfigured`."""
    driver = DRIVERS.get(location.driver)
    if driver is None:
        raise PlaneNotConfigured(
            f"{location} asks for the driver {location.driver!r}, which does not exist; set its annotation {DRIVER} "
            f"to one of {', '.join(sorted(DRIVERS))}"
        )
    return driver.connect(location)


def observes_health(plane: PlatformObject) -> bool:
    """Whether the plane reports how objects fare there. Where it does not, delivered is all that can be said."""
    return capabilities_of(plane).observes_health


def holds_secrets(plane: PlatformObject) -> bool:
    """Whether secrets may be put on the plane. Where not, they stay with the platform, sealed."""
    return capabilities_of(plane).holds_secrets


def runs_workflows(plane: PlatformObject) -> bool:
    """Whether a workflow plane is one that runs can be submitted to."""
    return capabilities_of(plane).runs_workflows


def capabilities_of(plane: PlatformObject) -> Capabilities:
    """What the plane's driver can do; nothing if there is no such driver."""
    driver = DRIVERS.get(driver_name(plane))
    return Capabilities() if driver is None else driver.capabilities


def driver_name(plane: PlatformObject) -> str:
    named = plane.annotations.get(DRIVER)
    if named:
        return str(named)
    # Once and for all: objects must not move away because a connection is broken.
    has_agent = bool(((plane.status or {}).get("agentConnection") or {}).get("lastConnectedTime"))
    return "agent" if has_agent else DEFAULT_DRIVER


def git_plane(location: Location) -> GitPlane:
    """The Git plane of a location, with the embedded one's settings where it has none of its own."""
    given = location.settings
    branch = given.get("git-branch") or settings.GIT_PLANE_BRANCH
    if branch.startswith("-") or not pygit2.reference_is_valid_name(f"refs/heads/{branch}"):
        raise PlaneNotConfigured(f"{location}: {branch!r} cannot be the name of a Git branch")
    remote = given.get("git-remote", "")
    if remote:
        require_permitted(location, remote)
    name = given.get("git-repository", "")
    if name:
        if not REPOSITORY_NAME.fullmatch(name):
            raise PlaneNotConfigured(f"{location}: {PREFIX}git-repository must be a plain name, not {name!r}")
        return GitPlane(planes_directory() / f"{name.removesuffix('.git')}.git", branch, remote, is_guarded=True)
    if remote:
        return GitPlane(mirror_of(remote), branch, remote, is_guarded=True)
    configured: str = settings.GIT_PLANE_REPOSITORY
    if ALLOWED.fullmatch(configured):
        return GitPlane(mirror_of(configured), branch, configured)
    # A relative path means the same for server and workers, wherever they were started.
    return GitPlane(settings.HOME / Path(configured).expanduser(), branch)


def kubernetes_plane(location: Location) -> KubernetesPlane:
    """The cluster that a plane names."""
    cluster = cluster_of(location.namespace, location.settings)
    if not cluster:
        inside = f" below {location.namespace}/" if location.namespace else ""
        raise PlaneNotConfigured(
            f"{location} says no cluster; set its annotation {PREFIX}kubernetes-cluster to a name, and put "
            f"<name>.kubeconfig into the directory KUBERNETES_CLUSTERS{inside}"
        )
    try:
        return KubernetesPlane(connection_to(cluster), ClusterWatchRequest(cluster))
    except PlaneNotConfigured as error:
        raise PlaneNotConfigured(f"{location}: {error}") from None


def agent_plane(location: Location) -> AgentPlane:
    """The cluster behind the agents of a plane."""
    name = location.settings.get(AGENT_PLANE, "")
    return AgentPlane(agent_connection(name), ClusterWatchRequest(f"{WATCHED}{name}"))


def watched_name(location: Location) -> str:
    """What the cluster is called where clusters are watched; "" for a location that is none."""
    if location.driver == "agent":
        return f"{WATCHED}{location.settings.get(AGENT_PLANE, '')}"
    return cluster_of(location.namespace, location.settings)


def watched_connection(name: str) -> Connection:
    """The connection to a cluster by that name. Raises `PlaneNotConfigured`."""
    return agent_connection(name.removeprefix(WATCHED)) if name.startswith(WATCHED) else connection_to(name)


def require_permitted(location: Location, remote: str) -> None:
    """The remote of an annotation is one that the operator permits. Raises `PlaneNotConfigured`."""
    try:
        permitted = is_permitted(remote, settings.GIT_PLANE_REMOTES)
    except NoAddress as error:
        raise PlaneNotConfigured(f"{location}: {PREFIX}git-remote cannot be used: {error}") from None
    if not permitted:
        raise PlaneNotConfigured(
            f"{location}: {PREFIX}git-remote {remote!r} is not below any address in GIT_PLANE_REMOTES; ask whoever "
            "runs Stagecraft to add it"
        )


def mirror_of(url: str) -> Path:
    """Where the local side of a remote lies."""
    without_user = url.rpartition("://")[2].rpartition("@")[2]  # a password must not become the name of a directory
    readable = re.sub(r"[^A-Za-z0-9]+", "-", without_user).strip("-")[-60:]
    return planes_directory() / f"{readable}-{hashlib.sha256(url.encode()).hexdigest()[:8]}.git"


def planes_directory() -> Path:
    home: Path = settings.HOME
    return home / "planes"


def is_same_store(one: Location, other: Location) -> bool:
    """Whether both lead to the same branch of the same repository: leaving one for the other removes nothing."""
    if one.driver != other.driver or one.driver != "git":
        return one == other
    try:
        first, second = git_plane(one), git_plane(other)
    except PlaneNotConfigured:
        return False
    return (first.path, first.branch) == (second.path, second.branch)


DRIVERS: dict[str, Driver] = {
    "git": Driver(GitPlane.capabilities, git_plane),
    "kubernetes": Driver(KubernetesPlane.capabilities, kubernetes_plane),
    "agent": Driver(AgentPlane.capabilities, agent_plane),
}
