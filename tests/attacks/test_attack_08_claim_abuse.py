"""Attack 8: claims that say more than they should: groups in odd forms, names of others, look-alikes, actors."""

from __future__ import annotations

import json
from typing import Any

import jwt
import pytest
from django.contrib.auth.models import Group
from django.test import Client
from guardian.shortcuts import assign_perm

from catalog.kinds.namespace import Namespace
from portal.access.subject import entitlement
from portal.accounts.models import User, issue_token
from portal.accounts.outside_people import GROUPS_MAX
from portal.accounts.principals import make_agent
from portal.audit.models import AuditEvent
from tests.catalog.access.conftest import bind, person, role
from tests.portal.accounts.outside_issuer import RSA_KEY, OutsideIssuer

pytestmark = pytest.mark.django_db
COMPONENTS = "/api/v1/namespaces/acme/components"
WEB = f"{COMPONENTS}/shop-web"
INVALID_CLAIMS = {"error": "INVALID_CLAIMS", "message": "token claims validation failed"}


@pytest.fixture
def bound(tenants: None) -> None:
    """Roles for a group of the identity provider, for a client, for a person by name and by address."""
    role("owner", "*")
    bind("admins", "groups:admins", "owner", namespace="acme")
    bind("client", "sub:deployer-client", "owner", namespace="acme")
    bind("ada", "sub:ada", "owner", namespace="acme")
    bind("mail", "email:boss@example.com", "owner", namespace="acme")


def ask(token: str, method: str = "GET", path: str = COMPONENTS) -> Any:
    return Client().generic(method, path, headers={"Authorization": f"Bearer {token}"})


def sees(token: str) -> int:
    """How many components of acme the bearer sees."""
    reply = ask(token)
    assert reply.status_code == 200, reply.content
    return len(reply.json()["items"])


def refused(token: str) -> bool:
    reply = ask(token)
    return reply.status_code == 401 and reply.json() == INVALID_CLAIMS


def test_attack_08_groups_of_the_token_count_and_are_stored_nowhere(bound: None, issuer: OutsideIssuer) -> None:
    assert sees(issuer.token(sub="eve", groups=["admins"])) == 4
    eve = User.objects.get(username="eve")
    assert list(eve.groups.all()) == [] and not eve.has_usable_password() and not eve.is_staff
    assert sees(issuer.token(sub="eve", groups=["others"])) == 0, "the next token decides anew"


@pytest.mark.parametrize(
    "groups", ["others,admins", "others admins", "admins,", '["admins"]', "admins\u200b", " admins"]
)
def test_attack_08_a_text_of_groups_is_one_group_and_never_cut_up(
    bound: None, issuer: OutsideIssuer, groups: str
) -> None:
    reply = ask(issuer.token(sub="eve", groups=groups))

    assert reply.status_code == 401 or reply.json()["items"] == []
    assert sees(issuer.token(sub="eve", groups="admins")) == 4, "one group may stand without a list, as upstream"


@pytest.mark.parametrize(
    "groups",
    [[["admins"]], {"admins": True}, {"name": "admins"}, [{"name": "admins"}], [1], [None], True, 7, ["a\u0000"]],
)
def test_attack_08_nested_groups_and_other_forms_are_refused(bound: None, issuer: OutsideIssuer, groups: Any) -> None:
    assert refused(issuer.token(sub="eve", groups=groups))


def test_attack_08_too_many_groups_are_refused_not_cut_off(bound: None, issuer: OutsideIssuer) -> None:
    many = [f"g{number}" for number in range(GROUPS_MAX - 1)]

    assert sees(issuer.token(sub="eve", groups=[*many, "admins"])) == 4
    assert ask(issuer.token(sub="eve", groups=[f"g{number}" for number in range(10_000)])).status_code == 401
    assert refused(issuer.token(sub="eve", groups=["g" * 2000]))


@pytest.mark.parametrize("group", ["\u0430dmins", "admin\u0455", "\uff41dmins", "Admins", "ADMINS", "admins\u0301"])
def test_attack_08_look_alikes_are_other_groups(bound: None, issuer: OutsideIssuer, group: str) -> None:
    assert sees(issuer.token(sub="eve", groups=[group])) == 0


@pytest.mark.parametrize("value", ["admins", "groups:admins", "sub:ada", "email:boss@example.com", "x:admins"])
def test_attack_08_a_separator_in_a_value_makes_no_other_claim(bound: None, issuer: OutsideIssuer, value: str) -> None:
    expected = 4 if value == "admins" else 0

    assert sees(issuer.token(sub="eve", groups=[value])) == expected
    assert sees(issuer.token(sub=f"x:{value}", groups=[])) == 0


@pytest.mark.parametrize("claim", ["groups%3Aadmins", "sub", "email", "a:b"])
def test_attack_08_whatever_claim_holds_the_groups_it_names_only_itself(
    bound: None, issuer: OutsideIssuer, settings: Any, claim: str
) -> None:
    settings.OIDC_GROUPS_CLAIM = "roles"
    assert sees(issuer.token(sub="eve", groups=["admins"])) == 0, "the claim that is not asked for"
    assert sees(issuer.token(sub="eve", roles=["admins"])) == 0, "bindings name the claim"
    bind("roles", "roles:admins", "owner", namespace="acme")
    assert sees(issuer.token(sub="eve", roles=["admins"])) == 4
    assert entitlement(claim, "admins") != entitlement("groups", "admins")


def test_attack_08_a_name_that_somebody_has_is_never_taken_over(bound: None, issuer: OutsideIssuer) -> None:
    ada = person("ada")

    assert sees(issuer.token(sub="ada", groups=[])) == 0, "bindings of the local ada are not for the other one"
    other = User.objects.get(issuer=issuer.url)
    assert other.pk != ada.pk and other.username.startswith("ada~") and other.subject == "ada"
    ada.refresh_from_db()
    assert ada.issuer == "" and ada.subject == ""
    assert sees(issuer.token(sub="ada", groups=[])) == 0 and User.objects.filter(subject="ada").count() == 1


@pytest.mark.parametrize("name", ["admin", "Admin", "root", "anonymous", "system"])
def test_attack_08_names_that_mean_more_are_not_given_to_outsiders(
    bound: None, issuer: OutsideIssuer, name: str
) -> None:
    bind("local", f"sub:{name}", "owner", namespace="acme")

    assert sees(issuer.token(sub=name, groups=[])) == 0
    assert not User.objects.filter(username=name).exists()


def test_attack_08_look_alikes_of_a_name_are_other_people(bound: None, issuer: OutsideIssuer) -> None:
    for subject in ("\uff41da", "ad\u0430", "ada\u0301", "ADA", "ada ", "ada/../ada"):
        assert sees(issuer.token(sub=subject, groups=[])) == 0, subject
    assert not User.objects.filter(username="ada").exists()
    assert sees(issuer.token(sub="ada", groups=[])) == 4, "the one that the binding names"


def test_attack_08_a_subject_that_is_no_user_name_is_bound_by_itself(bound: None, issuer: OutsideIssuer) -> None:
    bind("odd", "sub:auth0|5f3:x", "owner", namespace="acme")

    assert sees(issuer.token(sub="auth0|5f3:x", groups=[])) == 4
    assert sees(issuer.token(sub="auth0|5f3", groups=[])) == 0


def test_attack_08_a_person_who_calls_themselves_as_a_client_is_not_that_client(
    bound: None, issuer: OutsideIssuer
) -> None:
    client = issuer.token(sub="deployer-client", client_id="deployer-client", groups=None)
    assert sees(client) == 4
    assert User.objects.get(username="deployer-client").principal_kind == "service_account"

    assert refused(issuer.token(sub="deployer-client", azp="web-app", groups=["x"]))
    assert refused(issuer.token(sub="deployer-client", client_id="web-app", groups=None))
    assert refused(issuer.token(sub="deployer-client", groups=["x"]))
    assert sees(client) == 4


def test_attack_08_a_client_that_calls_itself_as_a_person_is_not_that_person(
    bound: None, issuer: OutsideIssuer
) -> None:
    assert sees(issuer.token(sub="ada", azp="web-app", groups=[])) == 4

    assert refused(issuer.token(sub="ada", client_id="ada", groups=None))
    assert sees(issuer.token(sub="ada", groups=None)) == 4, "without groups she is still the person that she was"


def test_attack_08_a_person_named_as_an_agent_is_refused(bound: None, issuer: OutsideIssuer, settings: Any) -> None:
    settings.OIDC_AGENTS = ["rca-agent"]

    assert refused(issuer.token(sub="rca-agent", azp="web-app", groups=["admins"]))


def test_attack_08_an_unverified_address_is_nobodys(bound: None, issuer: OutsideIssuer) -> None:
    def with_mail(**claims: Any) -> int:
        return sees(issuer.token(sub="eve", groups=[], **claims))

    assert with_mail(email="boss@example.com") == 0
    for verified in (False, "true", "false", 1, None):
        assert with_mail(email="boss@example.com", email_verified=verified) == 0
    assert with_mail(email="boss@example.com", email_verified=True) == 4
    assert with_mail(email=["boss@example.com"], email_verified=True) == 0
    assert with_mail(email="BOSS@example.com", email_verified=True) == 0


def test_attack_08_claims_about_staff_superusers_or_sorts_mean_nothing(bound: None, issuer: OutsideIssuer) -> None:
    token = issuer.token(sub="eve", groups=[], is_superuser=True, is_staff=True, kind="admin", roles=["*"], scope="*")

    assert sees(token) == 0
    eve = User.objects.get(username="eve")
    assert (eve.is_superuser, eve.is_staff, eve.principal_kind) == (False, False, "human")


def test_attack_08_a_local_group_that_looks_like_a_claim_is_only_for_its_members(
    bound: None, issuer: OutsideIssuer
) -> None:
    Group.objects.get_or_create(name="admins")
    local = Group.objects.get_or_create(name="local")[0]
    person("leo").groups.add(local)

    assert sees(issuer.token(sub="eve", groups=["local"])) == 0
    assert sees(issuer.token(sub="eve", groups=["admins"])) == 4, (
        "through the binding, not through a group of that name"
    )


def test_attack_08_a_person_without_groups_at_first_may_have_some_later(bound: None, issuer: OutsideIssuer) -> None:
    assert sees(issuer.token(sub="eve", groups=None)) == 0

    assert sees(issuer.token(sub="eve", groups=["admins"])) == 4


# Agents ---------------------------------------------------------------------------------------------------------------


def test_attack_08_an_outside_agent_needs_somebody_who_answers_for_it(
    bound: None, issuer: OutsideIssuer, settings: Any
) -> None:
    settings.OIDC_AGENTS = ["rca-agent"]
    token = issuer.token(sub="rca-agent", client_id="rca-agent", groups=None)
    assert refused(token)

    settings.OIDC_AGENT_OWNER = person("ada").username
    assert sees(token) == 0
    agent = User.objects.get(username="rca-agent")
    assert agent.principal_kind == "agent" and agent.owner is not None and agent.owner.username == "ada"


def test_attack_08_a_client_that_is_named_an_agent_later_is_one_from_then_on(
    bound: None, issuer: OutsideIssuer, settings: Any
) -> None:
    token = issuer.token(sub="deployer-client", client_id="deployer-client", groups=None)
    bind("team", "groups:team", "owner", namespace="acme")
    assert sees(token) == 4
    settings.OIDC_AGENTS, settings.OIDC_AGENT_OWNER = ["deployer-client"], person("ada").username

    assert sees(token) == 4
    assert User.objects.get(username="deployer-client").principal_kind == "agent"
    events = AuditEvent.objects.system("test").filter(kind="User", actor="system:identity").order_by("recorded_at")
    assert [(event.action, event.surface) for event in events] == [("user:create", "rest"), ("user:update", "rest")]


def test_attack_08_groups_do_not_let_an_outside_agent_write(bound: None, issuer: OutsideIssuer, settings: Any) -> None:
    settings.OIDC_AGENT_CLAIM, settings.OIDC_AGENT_OWNER = "kind=agent", person("ada").username
    token = issuer.token(sub="bot", kind="agent", groups=["admins"])

    assert sees(token) == 4
    assert ask(token, "DELETE", WEB).status_code == 403


def test_attack_08_an_actor_does_only_what_both_may(bound: None, issuer: OutsideIssuer, settings: Any) -> None:
    settings.OIDC_AGENTS, settings.OIDC_AGENT_OWNER = ["bot"], person("olga").username
    acting = issuer.token(sub="eve", azp="bot", groups=["admins"], act={"sub": "bot"})
    assert sees(acting) == 0, "the agent has nothing"

    bind("bot", "sub:bot", "owner", namespace="acme", scope={"project": "shop"})
    assert sees(acting) == 2
    assert sees(issuer.token(sub="eve", azp="bot", groups=["others"], act={"sub": "bot"})) == 0, "nor eve"
    assert ask(acting, "DELETE", WEB).status_code == 204
    event = AuditEvent.objects.system("test").get(action="component:delete")
    assert (event.actor, event.actor_kind, event.on_behalf_of) == ("bot", "agent", "eve")


@pytest.mark.parametrize(
    "act",
    [
        {}, {"sub": ""}, {"sub": 7}, {"sub": ["bot"]}, "bot", ["bot"], None, True,
        {"sub": "bot", "iss": "https://elsewhere.example"}, {"sub": "eve"}, {"sub": "a\u0000b"}, {"sub": "unknown"},
        {"sub": "human"},
    ],
)  # fmt: skip
def test_attack_08_an_actor_that_is_none_is_refused(
    bound: None, issuer: OutsideIssuer, act: Any, settings: Any
) -> None:
    assert sees(issuer.token(sub="human", azp="web-app", groups=[])) == 0
    claims = {**issuer.claims(sub="eve", groups=["admins"]), "act": act}

    assert refused(jwt.encode(claims, RSA_KEY, algorithm="RS256", headers={"kid": "rsa"}))


def test_attack_08_nobody_acts_for_a_machine(bound: None, issuer: OutsideIssuer, settings: Any) -> None:
    settings.OIDC_AGENTS, settings.OIDC_AGENT_OWNER = ["bot"], person("olga").username
    assert sees(issuer.token(sub="deployer-client", client_id="deployer-client", groups=None)) == 4

    assert refused(issuer.token(sub="deployer-client", groups=None, act={"sub": "bot"}))


def test_attack_08_an_actor_has_nothing_of_an_earlier_one(bound: None, issuer: OutsideIssuer, settings: Any) -> None:
    settings.OIDC_AGENTS, settings.OIDC_AGENT_OWNER = ["bot", "strong"], person("olga").username
    bind("strong", "sub:strong", "owner", namespace="acme")

    assert sees(issuer.token(sub="eve", groups=["admins"], act={"sub": "bot", "act": {"sub": "strong"}})) == 0


# Agents and rights ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("by", ["binding", "hand", "superuser's delegation", "outside"])
def test_attack_08_an_agent_never_makes_grants_roles_or_tokens_whatever_it_is_bound_to(
    tenants: None, issuer: OutsideIssuer, settings: Any, by: str
) -> None:
    role("owner", "*")
    ada = person("ada")
    root = User.objects.create_superuser("root")
    bot = make_agent("bot", owner=ada)
    bind("bot", "sub:bot", "owner")
    bind("helper", "sub:helper", "owner")
    text = issue_token(bot, "t")
    if by == "hand":
        acme = Namespace.objects.system("test").get(name="acme")
        for action in ("authzrole:create", "authzrolebinding:create", "authzrolebinding:update", "authz:bind"):
            assign_perm(f"namespace|{action}", bot, acme)
    elif by == "superuser's delegation":
        text = issue_token(bot, "t2", on_behalf_of=root)
    elif by == "outside":
        settings.OIDC_AGENTS, settings.OIDC_AGENT_OWNER = ["helper"], "ada"
        text = issuer.token(sub="helper", client_id="helper", groups=None)

    def send(method: str, path: str, body: Any) -> int:
        headers = {"Authorization": f"Bearer {text}"}
        return int(Client().generic(method, path, json_body(body), "application/json", headers=headers).status_code)

    binding = {
        "metadata": {"name": "evil"},
        "spec": {
            "entitlement": {"claim": "sub", "value": "accomplice"},
            "roleMappings": [{"roleRef": {"kind": "ClusterAuthzRole", "name": "owner"}}],
        },
    }
    evil_role = {"metadata": {"name": "evil"}, "spec": {"actions": ["*"]}}
    assert send("POST", "/api/v1/namespaces/acme/authzrolebindings", binding) == 403
    assert send("POST", "/api/v1/clusterauthzrolebindings", binding) == 403
    assert send("POST", "/api/v1/namespaces/acme/authzroles", evil_role) == 403
    assert send("POST", "/api/v1/clusterauthzroles", evil_role) == 403
    assert send("PUT", "/api/v1/clusterauthzrolebindings/bot", binding) == 403
    assert send("DELETE", "/api/v1/clusterauthzrolebindings/bot", None) == 403
    assert send("POST", "/api/stagecraft/v1/access/tokens", {"name": "own"}) == 403
    documents = {"apiVersion": "openchoreo.dev/v1alpha1", "kind": "ClusterAuthzRoleBinding", **binding}
    assert send("POST", "/api/stagecraft/v1/apply", documents) == 403
    grant = {"user": "accomplice", "action": "component:view", "namespace": "acme"}
    assert send("POST", "/api/stagecraft/v1/access/grants", grant) in (403, 404)
    if by in ("binding", "outside"):
        assert send("GET", COMPONENTS, None) == 200, "what it is bound to it may do"


def json_body(body: Any) -> bytes:
    return b"" if body is None else json.dumps(body).encode()
