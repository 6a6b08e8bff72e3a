"""Attack 29: commands in containers. All that is judged before a connection is upgraded.

That an open session ends when the right goes, and how many sessions one person may have, is tested on real streams
(`tests/real/test_exec.py`).
"""

from __future__ import annotations

import json
from urllib.parse import urlencode

import pytest
from django.test import Client, RequestFactory

from catalog import store
from catalog.api import component_exec
from catalog.api.streaming import TextRefusal
from catalog.controllers import runtime
from catalog.delivery import drivers
from portal.access.bearer import authenticate
from portal.access.endpoint import Call
from portal.accounts.models import issue_token
from portal.audit.models import AuditEvent
from tests.catalog.access.conftest import bind, person, role, unbind
from tests.catalog.api.cluster import Cluster
from tests.catalog.api.conftest import ApiClient
from tests.catalog.controllers import components as c
from tests.catalog.controllers import installation as it

pytestmark = pytest.mark.django_db
URL = "/exec/namespaces/default/components/web"
UPGRADE = {"Connection": "keep-alive, Upgrade", "Upgrade": "websocket"}
ABSENT = 'failed to resolve component: component "web" not found in namespace "default"\n'
FORBIDDEN = "you do not have permission to exec into this component\n"


@pytest.fixture
def cluster(monkeypatch):
    """A component with a ready pod in `development`, another project, and eve, who may exec into the first."""
    found = Cluster()
    monkeypatch.setitem(drivers.DRIVERS, "kubernetes", drivers.Driver(Cluster.capabilities, lambda location: found))
    c.install()
    c.apply_component()
    c.apply_workload()
    c.apply_component("other")
    c.apply_workload("other")
    it.apply_project("second")
    runtime.drain()
    for document in pods(found):
        document["status"] = {"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}]}
    role("exec", "component:exec", "component:view")
    bind("exec", "sub:eve", "exec", scope={"namespace": "default", "project": "shop", "component": "web"})
    return found


@pytest.fixture
def eve(cluster):
    return ApiClient(Client(), issue_token(person("eve"), "tests"))


def pods(cluster):
    return [item for items in cluster.held.values() for item in items if item["kind"] == "Pod"]


def pod_of(component):
    release = store.get("RenderedRelease", "default", f"{component}-development")
    return release.rendered_objects.system("test").first().name + "-rs-pod"


def ask(api, *, component="web", headers=UPGRADE, **query):
    reply = api.get(f"{URL.replace('web', component)}?{urlencode(query, doseq=True)}", **headers)
    return reply.status_code, reply.content.decode()


def admitted(name="eve", component="web", **query):
    """What would be run, by the checks themselves."""
    headers = {"Authorization": f"Bearer {issue_token(person(name), 'tests')}", **UPGRADE}
    request = RequestFactory().get(f"{URL}?{urlencode(query, doseq=True)}", headers=headers)
    call = Call(request, authenticate(request), component_exec.bind_command(request.GET))
    return call, component_exec.admit(call, "default", component)


def test_a_command_that_is_allowed_is_admitted_into_a_pod_of_the_component(cluster):
    _, found = admitted(env="development", container="main", command=["ls", "-l"], tty="true")
    assert found.command.pod == pod_of("web")
    assert (found.command.words, found.command.container, found.command.tty) == (("ls", "-l"), "main", True)
    assert found.place.path == "ns/default/project/shop/component/web"


def test_without_an_environment_the_projects_first_one_is_judged_and_used(cluster):
    only_staging = [{"actions": ["component:exec"], "expression": 'resource.environment == "default/staging"'}]
    bind("exec", "sub:eve", "exec", conditions=only_staging)
    with pytest.raises(TextRefusal) as refused:
        admitted(command="ls")
    assert refused.value.status == 403
    bind("exec", "sub:eve", "exec")
    assert admitted(command="ls")[1].environment == "development"


def test_nobody_signed_in_runs_nothing(cluster):
    reply = ApiClient(Client()).get(URL, **UPGRADE)
    assert (reply.status_code, reply.json()["error"]) == (401, "MISSING_TOKEN")


@pytest.mark.parametrize("name", ["token", "access_token", "Authorization", "x-openchoreo-token"])
def test_a_token_in_the_url_is_refused_even_if_it_is_good(eve, name):
    status, text = ask(eve, **{name: eve.token}, command="ls")
    assert status == 400
    assert text.startswith("a credential must not be in the URL")
    assert eve.token not in text


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://testserver.evil.example", "file://"])
def test_a_page_of_another_origin_cannot_open_a_stream(eve, origin):
    status, text = ask(eve, headers={**UPGRADE, "Origin": origin}, command="ls")
    assert status == 403
    assert "origin" in text


def test_our_own_origin_and_listed_ones_may(eve, settings):
    settings.CSRF_TRUSTED_ORIGINS = ["https://backstage.example"]
    for origin in ("http://testserver", settings.PUBLIC_URL, "https://Backstage.example"):
        assert ask(eve, headers={**UPGRADE, "Origin": origin}, command="ls")[0] == 501


def test_a_project_that_does_not_own_the_component_does_not_lend_its_rights(cluster):
    bind("exec2", "sub:mallory", "exec", scope={"namespace": "default", "project": "second"})
    mallory = ApiClient(Client(), issue_token(person("mallory"), "tests"))
    assert ask(mallory, project="second", command="ls") == (400, ABSENT)


def test_a_project_that_is_named_wrongly_is_refused_although_the_caller_may_exec(eve):
    assert ask(eve, project="second", command="ls") == (403, FORBIDDEN)


def test_who_sees_the_component_but_may_not_exec_is_told_so_and_others_that_it_is_not_there(cluster):
    role("see", "component:view")
    bind("see", "sub:sam", "see")
    sam, nobody = (ApiClient(Client(), issue_token(person(name), "tests")) for name in ("sam", "nobody"))
    assert ask(sam, command="ls") == (403, FORBIDDEN)
    assert ask(nobody, command="ls") == (400, ABSENT)
    assert ask(nobody, component="absent", command="ls") == (400, ABSENT.replace("web", "absent"))


def test_the_pod_of_another_component_cannot_be_named(eve):
    status, text = ask(eve, env="development", pod=pod_of("other"), command="ls")
    assert (status, "not found for component" in text) == (400, True)


def test_a_pod_that_is_not_ready_and_an_unknown_container_are_refused(eve, cluster):
    status, text = ask(eve, env="development", container="main;reboot", command="ls")
    assert (status, "not found in pod" in text) == (400, True)
    for pod in pods(cluster):
        pod["status"] = {"phase": "Pending"}
    assert ask(eve, env="development", pod=pod_of("web"), command="ls")[0] == 400
    assert "no running pods" in ask(eve, env="development", command="ls")[1]


@pytest.mark.parametrize("environment", ["absent", "../staging", "a/b", "Development"])
def test_an_environment_that_is_not_there_is_refused_before_any_plane_is_asked(eve, environment):
    status, text = ask(eve, env=environment, command="ls")
    assert (status, "not found in namespace" in text) == (400, True)


def test_words_are_handed_on_one_by_one_and_never_joined(cluster):
    words = ["sh", "-c", "echo '$(id)'; ls && rm -rf /", ""]
    assert admitted(env="development", command=words)[1].command.words == tuple(words)


@pytest.mark.parametrize("query", [{"command": ["x"] * 257}, {"command": "x" * 20_000}, {"command": "a\0b"}])
def test_commands_without_measure_and_with_nul_are_refused(eve, query):
    assert ask(eve, **query)[0] == 400


@pytest.mark.parametrize("name", ["pod", "env", "container", "project"])
def test_a_parameter_given_twice_is_refused(eve, name):
    assert ask(eve, **{name: ["one", "two"]})[0] == 400


def test_a_plain_request_is_a_bad_request_as_recorded(eve):
    assert ask(eve, headers={}) == (400, "Bad Request\n")


def test_a_plane_that_runs_no_commands_says_so(eve, settings, tmp_path):
    settings.HOME = tmp_path
    settings.GIT_PLANE_REPOSITORY = str(tmp_path / "planes" / "default.git")
    it.apply_data_plane(driver="git")
    runtime.drain()
    status, text = ask(eve, env="development", command="ls")
    assert (status, "cannot run commands there" in text) == (501, True)


def test_a_right_that_has_gone_is_gone_for_a_session_that_asks_again(cluster):
    call, found = admitted(env="development", command="ls")
    assert found.still_permitted(call)
    unbind("exec")
    assert not found.still_permitted(call)


def test_a_disabled_account_loses_its_session_too(cluster):
    call, found = admitted(env="development", command="ls")
    person_of = call.user
    person_of.is_active = False
    person_of.save()
    assert not found.still_permitted(call)


def events():
    found = AuditEvent.objects.system("test").filter(action="component:exec").order_by("pk")
    return [(event.actor, event.outcome, json.loads(event.details)) for event in found]


def test_every_attempt_is_one_event_that_names_the_command(eve):
    ask(eve, env="development", command=["cat", "/etc/passwd"])
    ((actor, outcome, details),) = events()
    assert (actor, outcome) == ("eve", "error")  # no stream is served here yet
    assert (details["command"], details["environment"]) == (["cat", "/etc/passwd"], "development")


def test_a_denied_attempt_is_an_event_with_the_command_too(cluster):
    nobody = ApiClient(Client(), issue_token(person("nobody"), "tests"))
    ask(nobody, command=["id"])
    ((actor, outcome, details),) = events()
    assert (actor, outcome, details["command"]) == ("nobody", "denied", ["id"])


def test_secrets_in_a_command_are_not_written_down(eve):
    ask(
        eve, command=["mysql", "--password", "canary-1", "--token=canary-2", "API_KEY=canary-3", "https://u:canary-4@x"]
    )
    assert "canary" not in AuditEvent.objects.system("test").filter(action="component:exec").get().details
