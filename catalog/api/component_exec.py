"""`GET /exec/namespaces/{namespace}/components/{name}`: a command in a container, over a WebSocket.

Everything that can be refused is refused here, in plain text, before the connection is upgraded: `admit` returns what
is to be run and where. What is judged is the component as stored, in the environment that is really meant; a project
that does not own it, an origin that is not ours and a credential in the URL are refused. Every attempt is an event
that names the command.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from urllib.parse import urlsplit

from django.conf import settings
from django.http import HttpRequest, HttpResponse, QueryDict

from catalog import store
from catalog.api.binding_objects import bound_releases, live_documents
from catalog.api.streaming import (
    TextRefusal,
    component_named,
    place_of_component,
    require,
    still_permitted,
)
from catalog.compiler.documents import Document
from catalog.delivery.plane import (
    Command,
    CommandSession,
    NotThere,
    Plane,
    PlaneError,
    Unsupported,
    require_capability,
)
from catalog.delivery.plane import Place as PlanePlace
from catalog.kinds.component import Component
from catalog.kinds.release_binding import ReleaseBinding
from catalog.releases.pipeline import InvalidPipeline, root_environment
from portal.access.endpoint import Call
from portal.access.place import Place
from portal.audit import operation as audit
from portal.audit.redaction import fingerprint, is_secret_name, redact_text
from portal.wire.query import text_parameter
from portal.wire.responses import Unreadable

ACTION = "component:exec"
FORBIDDEN = "you do not have permission to exec into this component"
CREDENTIALS = frozenset({"token", "access_token", "id_token", "authorization", "bearer", "x-openchoreo-token"})
MOST_WORDS, LONGEST_COMMAND = 256, 16 * 1024
SLOT = "stagecraft.exec"
"""Where, in the scope of a request, whoever serves WebSockets wants the command that was started."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What the query asks for. Without an environment the project's first one is meant."""

    project: str
    environment: str
    command: Command


@dataclass(frozen=True, slots=True)
class Admitted:
    """A command that may be run: where, and how to ask whether it still may."""

    plane: Plane
    plane_place: PlanePlace
    command: Command
    place: Place
    environment: str

    def still_permitted(self, call: Call) -> bool:
        return still_permitted(call, ACTION, self.place, self.environment)


@dataclass(frozen=True, slots=True)
class Started:
    """A command that runs. `shown` are its words without secrets."""

    session: CommandSession
    admitted: Admitted
    call: Call
    shown: tuple[str, ...]


def bind_command(query: QueryDict) -> Asked:
    """Read the query. Raises `Unreadable`, also for a credential: URLs end up in logs and histories."""
    if named := sorted(name for name in query if name.lower() in CREDENTIALS):
        raise Unreadable(f"a credential must not be in the URL ({named[0]}): send the header Authorization")
    project, environment, pod, container = (
        text_parameter(query, name) for name in ("project", "env", "pod", "container")
    )
    words = tuple(query.getlist("command"))
    if len(words) > MOST_WORDS or sum(map(len, words)) > LONGEST_COMMAND:
        raise Unreadable(f"a command may have {MOST_WORDS} words and {LONGEST_COMMAND} characters")
    if any("\0" in word for word in words):
        raise Unreadable("a command may not contain the NUL character")
    tty, stdin = (query.get(name) == "true" for name in ("tty", "stdin"))
    return Asked(project, environment, Command(pod, words, container, tty, stdin))


def run_command(call: Call, namespace: str, name: str) -> HttpResponse:
    """Start the command and leave it to whoever serves the WebSocket; refuse what must not be, in plain text."""
    asked: Asked = call.query
    slot = getattr(call.request, "scope", {}).get(SLOT)
    try:
        admitted = admit(call, namespace, name)
        if slot is None:
            raise TextRefusal(501, "this server does not serve WebSockets: ask the one that does (`manage.py streams`)")
        slot.started = Started(start(admitted), admitted, call, tuple(shown_words(asked.command.words)))
        note(namespace, name, asked, 101, "")
        return HttpResponse()
    except TextRefusal as refused:
        refusal = refused
    # What is no attempt to run anything leaves an event only when it is refused for want of rights.
    if is_upgrade(call.request) or refusal.status == 403 or was_denied():
        note(namespace, name, asked, refusal.status, refusal.text)
    return refusal.response


def start(admitted: Admitted) -> CommandSession:
    """Run the command. Raises `TextRefusal` in the plane's words."""
    try:
        return admitted.plane.run_command(admitted.plane_place, admitted.command)
    except PlaneError as error:
        raise TextRefusal(502, f"failed to start the command: {error}") from None


def admit(call: Call, namespace: str, name: str) -> Admitted:
    """All checks, in the order of the contract. Raises `TextRefusal`."""
    asked: Asked = call.query
    require_own_origin(call.request)
    component = component_named(namespace, name)
    place = place_of_component(component)
    try:
        environment = asked.environment or first_environment(component)
    except TextRefusal:
        # What is wrong with its pipeline is not for those who may not run anything in it, or see it at all.
        require(call, ACTION, place, "", "Component", TextRefusal(403, FORBIDDEN))
        raise
    require(call, ACTION, place, environment, "Component", TextRefusal(403, FORBIDDEN))
    if asked.project and asked.project != place.project:
        raise TextRefusal(403, FORBIDDEN)
    if not is_upgrade(call.request):
        raise TextRefusal(400, "Bad Request")
    if store.get_or_none("Environment", namespace, environment) is None:
        raise TextRefusal(
            400, f'failed to resolve pod: environment "{environment}" not found in namespace "{namespace}"'
        )
    try:
        plane, plane_place, pod = find_pod(component, environment, asked.command.pod)
    except Unsupported as error:
        raise TextRefusal(501, str(error)) from None
    except PlaneError as error:
        raise TextRefusal(503, f"failed to resolve pod: {error}") from None
    command = replace(
        asked.command,
        pod=pod["metadata"]["name"],
        container=container_in(pod, asked),
        namespace=pod["metadata"].get("namespace", ""),
    )
    return Admitted(plane, plane_place, command, place, environment)


# What must be ---------------------------------------------------------------------------------------------------------


def require_own_origin(request: HttpRequest) -> None:
    """Refuse a page of somebody else's: browsers open WebSockets to anywhere, and say only where they come from."""
    origin = request.headers.get("Origin", "")
    if origin and origin.lower() not in own_origins(request):
        raise TextRefusal(403, "this origin may not open a stream; list it in CSRF_TRUSTED_ORIGINS")


def own_origins(request: HttpRequest) -> set[str]:
    parts = urlsplit(settings.PUBLIC_URL)
    found = {f"{parts.scheme}://{parts.netloc}", f"{request.scheme}://{request.get_host()}"}
    return {origin.lower() for origin in (*found, *settings.CSRF_TRUSTED_ORIGINS)}


def is_upgrade(request: HttpRequest) -> bool:
    """Whether the client asks for a WebSocket."""
    connection = {word.strip().lower() for word in request.headers.get("Connection", "").split(",")}
    return "upgrade" in connection and request.headers.get("Upgrade", "").lower() == "websocket"


def first_environment(component: Component) -> str:
    """The environment that releases of the component's project enter first. Raises `TextRefusal`."""
    project = component.project
    name = component.spec["owner"]["projectName"]
    if project is None:
        why = f'project "{name}" not found in namespace "{component.namespace_name}"'
    elif project.deployment_pipeline is None:
        why = f'deployment pipeline of project "{name}" not found in namespace "{component.namespace_name}"'
    else:
        try:
            return root_environment(project.deployment_pipeline)
        except InvalidPipeline as invalid:
            why = str(invalid)
    raise TextRefusal(400, f"failed to resolve environment: {why}")


# The pod --------------------------------------------------------------------------------------------------------------


def find_pod(component: Component, environment: str, name: str) -> tuple[Plane, PlanePlace, Document]:
    """The named pod, or the first that is ready. Only pods of the component's own objects there count.

    Raises `TextRefusal` or a `PlaneError`.
    """
    where = f'component "{component.name}" in environment "{environment}"'
    rows = ReleaseBinding.objects.system("a component that the caller may exec into")
    for binding in rows.filter(component_id=component.pk).order_by("name"):
        if binding.spec["environment"] != environment:
            continue
        for bound in bound_releases(binding):
            if bound.target != "dataplane":
                continue
            try:
                plane, place = bound.plane()
            except NotThere:
                continue
            require_capability(plane, "runs_commands")
            pods = [document for document in live_documents(bound) if document.get("kind") == "Pod"]
            return plane, place, choose(pods, name, where)
    raise TextRefusal(400, f"failed to resolve pod: no running pods found for {where}")


def choose(pods: Sequence[Document], name: str, where: str) -> Document:
    """The named pod, which must be ready; else the first that is ready, else the first that runs."""
    if name:
        named = [pod for pod in pods if pod["metadata"]["name"] == name]
        if not named:
            raise TextRefusal(400, f'failed to resolve pod: pod "{name}" not found for {where}')
        if not is_ready(named[0]):
            phase = (named[0].get("status") or {}).get("phase", "")
            raise TextRefusal(400, f'failed to resolve pod: pod "{name}" is not ready (phase: {phase})')
        return named[0]
    running = [pod for pod in pods if (pod.get("status") or {}).get("phase") == "Running"]
    for pod in [pod for pod in running if is_ready(pod)] or running:
        return pod
    raise TextRefusal(400, f"failed to resolve pod: no running pods found for {where}")


def is_ready(pod: Document) -> bool:
    conditions = (pod.get("status") or {}).get("conditions") or ()
    return any(condition.get("type") == "Ready" and condition.get("status") == "True" for condition in conditions)


def container_in(pod: Document, asked: Asked) -> str:
    """The container that is asked for, "" for the pod's first. Raises `TextRefusal`."""
    wanted = asked.command.container
    names = [str(item.get("name")) for item in (pod.get("spec") or {}).get("containers") or ()]
    if wanted and wanted not in names:
        name = pod["metadata"]["name"]
        raise TextRefusal(400, f'container "{wanted}" not found in pod "{name}" (available: {", ".join(names)})')
    return wanted


# The event ------------------------------------------------------------------------------------------------------------


def was_denied() -> bool:
    opened = audit.current()
    return opened is not None and opened.decision == "deny"


def note(namespace: str, name: str, asked: Asked, status: int, why: str) -> None:
    """One event for one attempt, with the command as far as it holds no secret."""
    opened = audit.current()
    if opened is None:
        return
    opened.action = ACTION
    opened.target = audit.Target("Component", namespace, name)
    details = {
        "command": list(shown_words(asked.command.words)),
        "environment": asked.environment,
        "pod": asked.command.pod,
        "container": asked.command.container,
        "tty": asked.command.tty,
        "why": why,
    }
    outcome = "denied" if was_denied() else audit.outcome_of_status(status)
    audit.conclude(opened, outcome, status, details)


def shown_words(words: Sequence[str]) -> Iterator[str]:
    """The words without the secrets that can be told: `--password x`, `--password=x`, `API_KEY=x`, tokens, keys."""
    before = ""
    for word in words:
        name, is_assignment, value = word.partition("=")
        if is_assignment and is_secret_name(name):
            yield f"{name}={fingerprint(value)}"
        elif before.startswith("-") and "=" not in before and is_secret_name(before):
            yield fingerprint(word)
        else:
            yield redact_text(word)
        before = word
