"""Commands in containers, from a client's WebSocket to a process behind a real API server, by agent and directly.

The nodes are played, but the commands are run.
"""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

import pytest
import websocket

from catalog.delivery.kubernetes.connection import Connection, Credentials
from catalog.delivery.kubernetes.plane import KubernetesPlane
from catalog.delivery.plane import Command, Place, PlaneError
from tests.real.agent_stage import AgentStage, until
from tests.real.agents import Process, listens
from tests.real.cluster.cluster import Cluster
from tests.real.services import free_port

pytestmark = [pytest.mark.real("kubernetes"), pytest.mark.xdist_group("kubernetes")]
STDIN, STDOUT, STDERR, RESIZE = (bytes([number]) for number in range(4))
GIVE = """
from portal.accounts.models import issue_token
from tests.catalog.access.conftest import bind, person, role
role("exec", "component:exec", "component:view")
for name in ("eve", "ann"):
    bind(f"exec-{name}", f"sub:{name}", "exec", scope={"namespace": "default"})
print(issue_token(person("eve"), "t"), issue_token(person("ann"), "t"), issue_token(person("sam"), "t"))
"""
EVENTS = """
import json
from portal.audit.models import AuditEvent
found = AuditEvent.objects.system("test").filter(action="component:exec", actor="ann").order_by("pk")
print(json.dumps([(event.outcome, json.loads(event.details)) for event in found]))
"""


@dataclass
class Shell:
    """Where commands are run: a server for WebSockets, and the tokens of two who may and one who may not."""

    stage: AgentStage
    port: int
    eve: str
    ann: str
    sam: str

    @contextmanager
    def open(self, *words: str, token: str = "", **query: str) -> Iterator[websocket.WebSocket]:
        given = [("env", "development"), *query.items(), *(("command", word) for word in words)]
        url = f"ws://127.0.0.1:{self.port}/exec/namespaces/default/components/shell?{urlencode(given)}"
        opened = websocket.create_connection(
            url, header=[f"Authorization: Bearer {token or self.eve}"], timeout=30, suppress_origin=True
        )
        try:
            yield opened
        finally:
            opened.close()

    def output(self, *words: str, **query: str) -> dict[bytes, bytes]:
        """All that a command says, by stream."""
        found = {STDOUT: b"", STDERR: b""}
        with self.open(*words, **query) as opened:
            for frame in frames(opened):
                found[frame[:1]] += frame[1:]
        return found

    def refusal(self, *words: str, token: str = "", **query: str) -> tuple[int, str]:
        with pytest.raises(websocket.WebSocketBadStatusException) as refused, self.open(*words, token=token, **query):
            pass
        return refused.value.status_code, (refused.value.resp_body or b"").decode()


def frames(opened: websocket.WebSocket) -> Iterator[bytes]:
    """What comes until the other side closes."""
    while True:
        code, data = opened.recv_data()
        if code == websocket.ABNF.OPCODE_CLOSE:
            return
        yield data


@pytest.fixture(scope="module")
def shell(agent_stage: AgentStage) -> Iterator[Shell]:
    agent_stage.deploy("shell")
    tokens = agent_stage.run(GIVE).split()
    port = free_port()
    server = Process(
        [sys.executable, "manage.py", "streams", "--port", str(port)],
        agent_stage.installation.environment,
        agent_stage.directory / "streams.log",
    )
    server.start()
    try:
        until(lambda: listens("127.0.0.1", port), lambda: server.said)
        yield Shell(agent_stage, port, *tokens)
    finally:
        server.stop()


def test_a_command_runs_and_both_its_streams_come(shell: Shell):
    found = shell.output("sh", "-c", "echo out; echo err >&2")
    assert (found[STDOUT], found[STDERR]) == (b"out\n", b"err\n")


def test_what_is_typed_gets_there_and_the_answer_comes_while_it_runs(shell: Shell):
    with shell.open("cat", stdin="true") as opened:
        for line in (b"one\n", b"two\n"):
            opened.send_binary(STDIN + line)
            assert next(frames(opened)) == STDOUT + line


def test_a_terminal_has_the_size_that_is_told(shell: Shell):
    with shell.open("sh", stdin="true", tty="true") as opened:
        opened.send_binary(RESIZE + json.dumps({"width": 101, "height": 37}).encode())
        opened.send_binary(
            STDIN + b"while [ \"$(stty size)\" != '37 101' ]; do sleep 0.1; done; echo it is $((40 + 2))\n"
        )
        seen = b""
        for frame in frames(opened):
            seen += frame[1:]
            if b"it is 42" in seen:
                return
    raise AssertionError(seen)


def test_words_get_there_one_by_one(shell: Shell):
    assert shell.output("printf", "%s|", "a b", "$(id)", "'", "")[STDOUT] == b"a b|$(id)|'||"


def test_much_output_comes_whole(shell: Shell):
    found = shell.output("sh", "-c", "head -c 3000000 /dev/zero | tr '\\0' x")
    assert len(found[STDOUT]) == 3_000_000


def test_a_command_that_cannot_run_says_so(shell: Shell):
    assert b"no-such-command" in shell.output("no-such-command")[STDERR]


def test_who_may_not_is_refused_before_the_upgrade(shell: Shell):
    assert shell.refusal("ls", token=shell.sam)[0] in (400, 403)
    assert shell.refusal("ls", token="nonsense")[0] == 401
    assert shell.refusal("ls", container="absent")[0] == 400


def test_a_client_that_leaves_ends_its_command(shell: Shell):
    mark = f"said-{shell.port}"
    with shell.open("sh", "-c", talking(mark)) as opened:
        assert next(frames(opened)) == STDOUT + f"{mark}\n".encode()
        assert is_running(talking(mark))
    until(lambda: not is_running(talking(mark)))


def talking(word: str) -> str:
    """A command that goes on until nobody listens: as with a real node, only then does it hear of that."""
    return f"echo {word}; while sleep 0.2; do echo {word}; done"


def is_running(words: str) -> bool:
    listed = subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True, check=True).stdout
    return words in listed


def test_an_open_session_ends_when_the_right_goes_and_that_is_an_event(shell: Shell):
    with shell.open("sh", "-c", talking("begun"), token=shell.ann) as opened:
        assert next(frames(opened)) == STDOUT + b"begun\n"
        shell.stage.installation.delete("ClusterAuthzRoleBinding", "", "exec-ann")
        code, data = opened.recv_data()
        while code != websocket.ABNF.OPCODE_CLOSE:
            code, data = opened.recv_data()
    assert data[2:].decode() == "you no longer have permission to run commands here"
    assert shell.refusal("ls", token=shell.ann)[0] in (400, 403)
    (began, first), (ended, last), (refused, _) = json.loads(shell.stage.run(EVENTS))
    assert (began, first["command"]) == ("success", ["sh", "-c", talking("begun")])
    assert (ended, last["why"], refused) == ("denied", "right has gone", "denied")


def test_one_person_may_not_take_all_sessions(shell: Shell):
    with ExitStack() as held:
        for _ in range(10):
            held.enter_context(shell.open("sh", "-c", talking("busy")))
        status, text = shell.refusal("ls")
    assert (status, "end one first" in text) == (429, True)


# Clusters that are reached directly ----------------------------------------------------------------------------------


class Unwatched:
    def cover(self, kinds: Iterable[str]) -> None:
        pass

    def is_up_to_date(self) -> bool:
        return False


@pytest.fixture(scope="module")
def direct(cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> KubernetesPlane:
    """A cluster that is reached directly, with the running pod `commands`."""
    authority = tmp_path_factory.mktemp("direct") / "ca.crt"
    authority.write_text(cluster.certificate)
    container = {"name": "main", "image": "registry.example/main:1"}
    metadata = {"name": "commands", "namespace": "default"}
    cluster.apply([{"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": {"containers": [container]}}])
    path = "/api/v1/namespaces/default/pods/commands"
    until(lambda: cluster.call("GET", path)["status"].get("phase") == "Running")
    credentials = Credentials(
        cluster.url, str(authority), True, None, None, None, lambda: f"Bearer {cluster.token}"
    )  # fmt: skip
    return KubernetesPlane(Connection("direct", credentials), Unwatched())


def run(plane: KubernetesPlane, *words: str, given: bytes = b"", pod: str = "commands", **options: Any) -> bytes:
    """Run a command and return its frames, joined."""
    command = Command(pod, words, namespace="default", stdin=bool(given), **options)
    session = plane.run_command(Place("default", "development", "shop", "web"), command)
    if given:
        session.send(STDIN + given)
    return b"".join(iter(session.receive, None))


def test_a_command_runs_in_a_cluster_that_is_reached_directly(direct: KubernetesPlane):
    assert run(direct, "echo", "hello") == STDOUT + b"hello\n"
    assert run(direct, "head", "-c", "5", given=b"typed by hand") == STDOUT + b"typed"
    assert b"no-such-command" in run(direct, "no-such-command")


@pytest.mark.parametrize(
    ("options", "why"),
    [({"pod": "absent"}, 'pods "absent" not found'), ({"container": "absent"}, "container absent is not valid")],
)
def test_what_the_api_server_refuses_is_said_in_its_words(direct: KubernetesPlane, options, why):
    with pytest.raises(PlaneError, match=why):
        run(direct, "ls", **options)


def test_closing_a_session_ends_it_for_whoever_waits(direct: KubernetesPlane):
    command = Command("commands", ("sh", "-c", talking("direct")), namespace="default")
    session = direct.run_command(Place("default", "development", "shop", "web"), command)
    assert session.receive() == STDOUT + b"direct\n"
    threading.Timer(0.3, session.close).start()
    assert set(iter(session.receive, None)) <= {STDOUT + b"direct\n"}
