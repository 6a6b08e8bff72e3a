"""What a plane is to the rest of the platform: a place that holds the objects of rendered releases.

Three sorts of drivers put objects there: into a Git repository, straight into a cluster, through an agent in a
cluster. They differ in what they can see, so each says so in its `Capabilities`; whoever asks for more gets
`Unsupported`. `catalog.delivery.drivers` finds the driver of a plane, the RenderedRelease controller calls it.

A driver never touches the platform's database. What it needs of it, it gets with the `Delivery`.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple, NoReturn, Protocol

from catalog.compiler.documents import Document

if TYPE_CHECKING:
    from catalog.delivery.drift import Difference

DATA_PLANE = "dataplane"
OBSERVABILITY_PLANE = "observabilityplane"


class PlaneError(Exception):
    """The plane did not do it, for now; trying again may help. The text is for users and says what to do."""


class PlaneNotConfigured(PlaneError):
    """The plane cannot be used as it is configured; trying again helps only once that has been changed."""


class Unsupported(PlaneNotConfigured):
    """This sort of plane cannot do that at all."""


class NotThere(PlaneError):
    """What was asked for is not on the plane, or not within the place."""


class NoSuchContainer(PlaneError):
    """The pod has no container of that name."""


class AlreadyThere(PlaneError):
    """An object of that name is on the plane already."""


class Superseded(PlaneError):
    """The delivery is no longer wanted: the release has changed or is being deleted. Nothing was done."""


class ObjectKey(NamedTuple):
    """What makes two manifests mean the same object, whatever their version."""

    group: str
    kind: str
    namespace: str
    name: str

    def __str__(self) -> str:
        return f"{self.kind} {self.name}"


@dataclass(frozen=True, slots=True)
class Place:
    """Whose objects they are; never changes in the life of a rendered release.

    Exactly one of `component` and `resource` is set, or neither for a project's own objects.
    """

    namespace: str
    environment: str
    project: str
    component: str = ""
    resource: str = ""
    target: str = DATA_PLANE
    release: str = ""
    uid: str = ""
    kinds: tuple[str, ...] = field(default=(), compare=False)
    """The kinds that the release has ever had there, `group/Kind` (`/Service`): where to look for what is its own."""

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, held: Mapping[str, Any]) -> Place:
        return cls(**{**held, "kinds": tuple(held.get("kinds", ()))})

    def __str__(self) -> str:
        if self.component:
            return self.component
        return f"resource {self.resource}" if self.resource else f"project {self.project}"


@dataclass(frozen=True, slots=True)
class WantedObject:
    """One object that shall be there. `digest` changes with every byte that would be delivered.

    `is_applied`: the plane took this very content before, as far as the platform knows, and `seen` is the digest that
    the driver gave of what it then held.
    """

    key: ObjectKey
    version: str
    id: str
    digest: str
    is_applied: bool = False
    seen: str = ""
    is_drifted: bool = False
    """It is known not to be as it was left any more."""
    is_held: bool = False
    """Drift of it is to be reported and left as it is."""
    ignored: tuple[str, ...] = ()
    """Places that others may change: what they have there stays."""
    applied_at: str = ""
    """When the plane took it last, RFC 3339; "" if it never did."""


@dataclass(frozen=True, slots=True)
class Story:
    """Who does what, and why: what a plane that keeps a history writes down with a delivery."""

    actor: str
    request_id: str = ""
    release: str = ""
    """The ComponentRelease, ProjectRelease or ResourceRelease that was rendered."""
    generation: int = 0
    plane: str = ""
    through: str = ""
    """The controller that acted on the author's change, "" if the author made the binding's change directly."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """What shall be at a place: these objects and no others of this release.

    `bodies` gives the final manifests of those objects that the driver needs, by key; `former` those that the plane
    took last, of which it has none for what it never took. `is_current` is asked at the
    last moment: a worker that was held up must not overwrite what a faster one has delivered since. `look`: compare
    with what the plane holds now, and remove what has left the release; else only what is not applied is sent.
    """

    place: Place
    objects: Sequence[WantedObject]
    story: Story
    bodies: Callable[[Collection[ObjectKey]], Mapping[ObjectKey, Document]]
    is_current: Callable[[], bool] = field(default=lambda: True)
    look: bool = True
    former: Callable[[Collection[ObjectKey]], Mapping[ObjectKey, Document]] = field(default=lambda keys: {})


@dataclass(frozen=True, slots=True)
class Observed:
    """An object as the plane reports it. `digest` is of our part of it: it changes if somebody else changes that.

    `version` grows with each change of the object.
    """

    status: Document | None
    health: str
    digest: str = ""
    version: int = 0


@dataclass(frozen=True, slots=True)
class Drifted:
    """How an object was found to differ from what it should be, and what was done about it.

    `did` tells more than that it was sent again; `error` says why it could not be mended, `is_held` that it was not to
    be.
    """

    differences: tuple[Difference, ...]
    did: str = ""
    error: str = ""
    is_held: bool = False


@dataclass(frozen=True, slots=True)
class Applied:
    """What a delivery came to.

    `errors` names the objects that were refused, each with the plane's own words; `drifted` those that others had
    changed. `state` is the driver's word for
    what the place holds now, to be shown again to `Plane.holds`. `observed` is None where the plane does not observe.
    """

    changed: bool
    revision: str = ""
    state: str = ""
    errors: Mapping[ObjectKey, str] = field(default_factory=dict)
    observed: Mapping[ObjectKey, Observed] | None = None
    drifted: Mapping[ObjectKey, Drifted] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class OwnedObject:
    """An object of a place that the plane holds for the platform."""

    key: ObjectKey
    version: str
    id: str
    digest: str


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What a sort of plane can do beside holding objects."""

    observes_health: bool = False
    reads_live: bool = False
    reports_events: bool = False
    streams_logs: bool = False
    creates_objects: bool = False
    runs_commands: bool = False
    streams_flows: bool = False
    holds_secrets: bool = False
    runs_workflows: bool = False
    keeps_history: bool = False
    """Whether the plane writes down who did what and why with each delivery."""


CANNOT = {
    "reads_live": "see what has become of the objects",
    "reports_events": "show events",
    "streams_logs": "show logs",
    "creates_objects": "start jobs",
    "runs_commands": "run commands",
    "streams_flows": "show network traffic",
    "holds_secrets": "keep secrets",
    "runs_workflows": "run workflows",
}
"""Capabilities that not every plane has, in the words of a refusal: "so the platform cannot … there"."""


class LogLine(NamedTuple):
    """A line of a container's log. `timestamp` is RFC 3339, as the plane gives it."""

    timestamp: str
    container: str
    text: str


@dataclass(frozen=True, slots=True)
class Command:
    """A command to be run in a container of a pod. No words means the container's own shell."""

    pod: str
    words: tuple[str, ...] = ()
    container: str = ""
    tty: bool = False
    stdin: bool = False
    namespace: str = ""
    """The pod's, in the cluster."""


class CommandSession(Protocol):
    """A command that runs. Frames are the contract's: first byte 0 stdin, 1 stdout, 2 stderr, 3 resize (JSON)."""

    def send(self, frame: bytes) -> None:
        """Hand the client's frame to the command."""

    def receive(self) -> bytes | None:
        """The next frame for the client, None when the command has ended."""

    def close(self) -> None:
        """End the command."""


class Plane(Protocol):
    """A driver bound to one plane. Every method may raise `PlaneError`.

    The methods below `refuse` are for those planes whose `capabilities` say so; the others raise `Unsupported`.
    """

    driver: ClassVar[str]
    capabilities: ClassVar[Capabilities]

    def apply(self, delivery: Delivery) -> Applied:
        """Make the place hold these objects and no others of its release; do nothing where it does already."""

    def holds(self, place: Place, state: str) -> bool:
        """Whether the place still is as `apply` left it when it returned that `state`. Cheap."""

    def list_owned(self, place: Place) -> list[OwnedObject]:
        """The objects of the place that are the platform's, in the order of application."""

    def read(self, place: Place, key: ObjectKey) -> Document | None:
        """One object as the plane holds it, or None."""

    def delete(self, place: Place, story: Story, is_current: Callable[[], bool] = lambda: True) -> list[OwnedObject]:
        """Remove all that `list_owned` gives. Returns what is still there: empty when the removal is complete."""

    def refuse(self, what: str) -> NoReturn:
        """Raise `Unsupported`: why this plane cannot do that, and what to do instead. `what` is of `CANNOT`."""

    def live(self, place: Place) -> Sequence[Document]:
        """The place's objects as they are now, and what they have brought forth: replica sets, jobs, pods.

        Whole documents, uids and owner references included, the place's own objects in the order of application.
        Needs `reads_live`.
        """

    def events(self, key: ObjectKey) -> Sequence[Document]:
        """What has been reported of an object, as core/v1 Events. Needs `reports_events`.

        Callers make sure that the object is one that may be asked about: that `live` or `offspring` shows it.
        """

    def read_log(self, pod: Document, container: str, since_seconds: int | None = None) -> Iterator[LogLine]:
        """The log of a container of a pod that `live` or `offspring` shows. Needs `streams_logs`.

        Raises `NoSuchContainer`, or `NotThere` where there is no log: not yet, or not any more.
        """

    def create(self, place: Place, document: Document) -> None:
        """Add an object that belongs to no release, such as a job. Needs `creates_objects`; raises `AlreadyThere`."""

    def run_command(self, place: Place, command: Command) -> CommandSession:
        """Start a command in a container of a pod that `live` shows. Needs `runs_commands`."""

    def stream_flows(self, namespace: str, environment: str, project: str, component: str) -> Iterator[bytes]:
        """Network traffic as server-sent events; project and component narrow it unless "". Needs `streams_flows`."""

    def put(self, documents: Sequence[Document]) -> None:
        """Make these objects, which belong to no release, be there, in that order.

        Needs `holds_secrets` or `runs_workflows`. A plane that writes what it gets where others read it must not have
        the first.
        """

    def find(self, version: str, kind: str, namespace: str, name: str) -> Document | None:
        """An object that `put` has put there, or None. `version` is its apiVersion. Needs what `put` needs."""

    def offspring(self, document: Document) -> Sequence[Document]:
        """What an object that `find` has found has brought forth: jobs, pods. Needs `runs_workflows`."""

    def take_away(self, keys: Sequence[ObjectKey]) -> None:
        """Remove objects that `put` has put there; those that are gone already are no error."""


def require_capability(plane: Plane, name: str) -> None:
    """Raise `Unsupported`, in the plane's own words, unless it has that capability (a key of `CANNOT`)."""
    if not getattr(plane.capabilities, name):
        plane.refuse(CANNOT[name])
