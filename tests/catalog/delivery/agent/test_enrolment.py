"""Who may speak for which plane, how an agent is let in, and what that makes of the plane."""

from __future__ import annotations

import base64
import json
from datetime import timedelta
from io import StringIO

import pytest
import yaml
from cryptography import x509
from django.core.management import call_command
from django.utils import timezone

from catalog.controllers import runtime
from catalog.controllers.models import WorkItem
from catalog.delivery.agent import replicas
from catalog.delivery.agent.authority import sign_client
from catalog.delivery.agent.connection import look_up
from catalog.delivery.agent.gateway.admission import Refused, admit
from catalog.delivery.agent.gateway.reporting import report_agents, report_dead_gateways
from catalog.delivery.agent.heads import Head, head_of
from catalog.delivery.agent.models import GatewayReplica
from catalog.delivery.agent.replicas import Connected
from catalog.delivery.drivers import driver_name, location_of, plane_at
from catalog.delivery.kubernetes.connection import Unreachable
from portal.secrets import seal
from portal.secrets.models import HeldSecret
from tests.catalog.controllers import components as c
from tests.catalog.controllers import installation as it

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)
EDGE = Head("dataplane", "edge", "default", "edge")


def shown(certificate: str) -> list[x509.Certificate]:
    return x509.load_pem_x509_certificates(certificate.encode())


def apply_plane(kind: str = "DataPlane", name: str = "edge", authority: object = None, **spec: object) -> None:
    given = {"value": authority} if isinstance(authority, str) else (authority or {})
    it.apply(kind, name, {"clusterAgent": {"clientCA": given}, **spec})


@pytest.fixture(autouse=True)
def namespace():
    it.apply("Namespace", "default")


def test_an_agent_speaks_for_the_planes_of_its_id_whose_authority_signed_it():
    mine, other = sign_client("agent", DAY), sign_client("agent", DAY)
    apply_plane(authority=mine.authority)
    apply_plane(name="second", planeID="edge", authority=mine.authority)
    apply_plane(name="third", planeID="edge", authority=other.authority)
    apply_plane("ClusterDataPlane", "fourth", planeID="edge", authority=f"{other.authority}{mine.authority}")
    apply_plane("WorkflowPlane", "edge", authority=mine.authority)
    admitted = admit(shown(mine.certificate), "dataplane", "edge")
    assert admitted == {EDGE, EDGE._replace(name="second"), Head("dataplane", "edge", "", "fourth")}


def test_an_authority_may_be_in_a_secret_that_the_platform_holds():
    signed = sign_client("agent", DAY)
    reference = {"name": "agents", "key": "ca.crt", "namespace": "default"}
    apply_plane(authority={"secretKeyRef": reference})
    with pytest.raises(Refused, match="holds no secret default/agents"):
        admit(shown(signed.certificate), "dataplane", "edge")
    row = HeldSecret(owner="00000000-0000-4000-8000-000000000001", namespace="default", name="agents")
    row.sealed = seal(json.dumps({"ca.crt": signed.authority}), row.context)
    row.save()
    assert admit(shown(signed.certificate), "dataplane", "edge") == {EDGE}


def test_a_plane_of_a_namespace_reads_no_other_namespaces_secrets():
    apply_plane(authority={"secretKeyRef": {"name": "agents", "key": "ca.crt", "namespace": "other"}})
    with pytest.raises(Refused, match="must name a secret in the plane's namespace"):
        admit(shown(sign_client("agent", DAY).certificate), "dataplane", "edge")


def enroll(*words: str) -> list[dict]:
    out, complaints = StringIO(), StringIO()
    call_command("agent", "enroll", *words, stdout=out, stderr=complaints)
    return list(yaml.safe_load_all(out.getvalue()))


def certificate_of(manifests: list[dict]) -> str:
    secret = next(item for item in manifests if item["kind"] == "Secret")
    return base64.b64decode(secret["data"]["tls.crt"]).decode()


def test_enrolling_puts_the_authority_on_the_plane_and_prints_what_to_apply(settings, tmp_path):
    settings.HOME = tmp_path
    apply_plane()
    manifests = {item["kind"]: item for item in enroll("DataPlane/edge", "--url", "wss://gateway.example:8443/ws")}
    certificate = base64.b64decode(manifests["Secret"]["data"]["tls.crt"]).decode()
    assert admit(shown(certificate), "dataplane", "edge") == {EDGE}
    container = manifests["Deployment"]["spec"]["template"]["spec"]["containers"][0]
    assert container["args"] == [
        "--server-url", "wss://gateway.example:8443/ws", "--plane-type", "dataplane", "--plane-id", "edge",
    ]  # fmt: skip
    authority = (tmp_path / "gateway" / "authority.crt").read_text()
    assert manifests["ConfigMap"]["data"] == {"server-ca.crt": authority}
    assert driver_name(it.get("DataPlane", "edge")) == "agent"


def test_enrolling_again_lets_a_second_agent_in_and_replacing_shuts_the_others_out(settings, tmp_path):
    settings.HOME = tmp_path
    apply_plane()
    first, second, third = (certificate_of(enroll("DataPlane/edge", *more)) for more in ((), (), ("--replace",)))
    assert admit(shown(third), "dataplane", "edge")
    for gone in (first, second):
        with pytest.raises(Refused):
            admit(shown(gone), "dataplane", "edge")


@pytest.mark.parametrize(
    ("words", "code", "why"),
    [
        (("DataPlane/absent",), 1, "not found"),
        (("Component/web",), 2, "is no plane"),
        (("DataPlane",), 2, "is no plane"),
        (("Moon/x",), 2, "Moon"),
        (("DataPlane/edge", "--days", "0"), 2, "--days"),
    ],
)
def test_what_cannot_be_enrolled_is_said(words, code, why):
    apply_plane()
    complaints = StringIO()
    with pytest.raises(SystemExit) as ended:
        call_command("agent", "enroll", *words, stdout=StringIO(), stderr=complaints)
    assert (ended.value.code, why in complaints.getvalue()) == (code, True), complaints.getvalue()


# Rows and drivers -----------------------------------------------------------------------------------------------------


def connect(*heads: Head, id: str = "a" * 32, name: str = "one") -> None:
    now = timezone.now()
    replicas.renew(name, f"http://{name}", [Connected(id, "dataplane", "edge", heads, now)] if heads else [])
    report_agents()


def test_the_first_agent_of_a_plane_makes_it_one_behind_agents_for_good():
    c.install()
    c.apply_component()
    c.apply_workload()
    it.apply("ClusterDataPlane", "default", {"planeID": "edge", "clusterAgent": {"clientCA": {}}}, annotations={})
    runtime.drain()
    WorkItem.objects.all().delete()
    plane = it.get("ClusterDataPlane", "default")
    assert driver_name(plane) == "git"
    connect(head_of(plane))
    assert driver_name(it.get("ClusterDataPlane", "default")) == "agent"
    assert WorkItem.objects.filter(kind="RenderedRelease").exists()
    connect()
    plane = it.get("ClusterDataPlane", "default")
    assert plane.status["agentConnection"]["connected"] is False
    assert driver_name(plane) == "agent"


def test_who_names_a_driver_keeps_it():
    it.apply_data_plane(driver="git")
    plane = it.get("ClusterDataPlane", "default")
    replicas.renew("one", "http://one", [
        Connected("a" * 32, "dataplane", head_of(plane).plane_id, [head_of(plane)], timezone.now())
    ])  # fmt: skip
    report_agents()
    assert driver_name(type(plane).objects.system("test").get(pk=plane.pk)) == "git"


def test_the_agents_of_a_replica_that_is_silent_do_not_count():
    apply_plane()
    connect(EDGE)
    connect(EDGE, id="b" * 32, name="two")
    assert it.get("DataPlane", "edge").status["agentConnection"]["message"] == "2 agents connected (HA mode)"
    GatewayReplica.objects.filter(name="one").update(renewed_at=timezone.now() - replicas.LEASE)
    report_agents()
    assert it.get("DataPlane", "edge").status["agentConnection"]["connectedAgents"] == 1
    assert replicas.holders(EDGE) == ["http://two"]


def test_what_a_gateway_that_died_has_left_is_cleared_by_others():
    apply_plane()
    connect(EDGE)
    report_dead_gateways()
    assert it.get("DataPlane", "edge").status["agentConnection"]["connected"] is True
    GatewayReplica.objects.update(renewed_at=timezone.now() - 2 * replicas.FORGET)
    report_dead_gateways()
    assert it.get("DataPlane", "edge").status["agentConnection"]["message"] == "No agents connected"
    assert not GatewayReplica.objects.exists()


def test_a_gateway_that_starts_again_takes_the_place_of_the_one_that_died():
    apply_plane()
    connect(EDGE)
    replicas.renew("again", "http://one", [])
    report_agents()
    assert list(GatewayReplica.objects.values_list("name", flat=True)) == ["again"]
    assert it.get("DataPlane", "edge").status["agentConnection"]["connected"] is False


def test_a_plane_without_an_agent_says_what_is_wanting():
    apply_plane()
    plane = it.get("DataPlane", "edge")
    plane.annotations = {"stagecraft.dev/driver": "agent"}
    location = location_of(plane)
    assert location.settings == {"agent-plane": "dataplane/edge/default/edge"}
    assert plane_at(location).capabilities.runs_commands
    with pytest.raises(Unreachable, match=r"no cluster gateway runs; start `manage.py gateway`"):
        look_up(EDGE)
    connect(id="c" * 32)
    with pytest.raises(Unreachable, match=r"DataPlane default/edge has no agent: none is connected"):
        look_up(EDGE)
    connect(EDGE._replace(name="other"))
    with pytest.raises(Unreachable, match=r"its certificate is not of this plane's clusterAgent.clientCA"):
        look_up(EDGE)
    connect(EDGE)
    assert look_up(EDGE) == ["http://one"]
