"""People, programs and a browser, for the tests of the built-in issuer."""

from __future__ import annotations

import base64
import hashlib
import secrets
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from django.contrib.auth.models import Group
from django.test import Client as Browser

from portal.accounts.issuer import clients, keys
from portal.accounts.issuer.models import Client
from portal.accounts.models import User

PASSWORD = "correct horse battery"
OCC_CALLBACK = "http://127.0.0.1:55152/auth-callback"
HOME = "http://127.0.0.1:8000"


@pytest.fixture(autouse=True)
def keys_of_this_test() -> Iterator[None]:
    keys.forget()
    yield
    keys.forget()


@pytest.fixture
def ada(db: None) -> User:
    user = User.objects.create_user("ada", email="ada@example.org", password=PASSWORD, first_name="Ada")
    user.groups.add(Group.objects.create(name="groups:shop-team"), Group.objects.create(name="editors of the wiki"))
    return user


@pytest.fixture
def bob(db: None) -> User:
    return User.objects.create_user("bob", password=PASSWORD)


@pytest.fixture
def robot(db: None) -> User:
    return User.objects.create(username="ci-robot", principal_kind=User.PrincipalKind.SERVICE_ACCOUNT)


@pytest.fixture
def agent(ada: User) -> User:
    return User.objects.create(username="helper", principal_kind=User.PrincipalKind.AGENT, owner=ada)


@dataclass
class Program:
    """A client as its program knows it."""

    client: Client
    secret: str = ""
    redirect_uri: str = OCC_CALLBACK
    verifier: str = field(default_factory=lambda: secrets.token_urlsafe(32))

    @property
    def authorize_path(self) -> str:
        return "/oauth/authorize?" + urlencode(self.question())

    def question(self, **changed: str) -> dict[str, str]:
        asked = {
            "client_id": self.client.client_id,
            "response_type": "code",
            "redirect_uri": self.redirect_uri,
            "scope": "openid profile email",
            "state": "a-state",
            "code_challenge": challenge_of(self.verifier),
            "code_challenge_method": "S256",
            **changed,
        }
        return {name: value for name, value in asked.items() if value}

    def ask(self, **form: str) -> Any:
        """POST to the token endpoint, as a program does: without cookies."""
        identity = {"client_id": self.client.client_id}
        if self.secret:
            identity["client_secret"] = self.secret
        return Browser().post("/oauth/token", {**identity, **form})

    def redeem(self, code: str, **changed: str) -> Any:
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": self.redirect_uri,
            "code_verifier": self.verifier,
            **changed,
        }
        return self.ask(**form)

    def sign_in(self, user: User) -> dict[str, Any]:
        """The whole flow with a browser that has a session; the token reply."""
        browser = Browser()
        browser.force_login(user)
        response = browser.get(self.authorize_path)
        if response.status_code == 200:
            form = {**response.context["form"].initial, "allow": "true"}
            response = browser.post("/oauth/authorize", {key: value for key, value in form.items() if value})
        reply = self.redeem(answer_of(response)["code"])
        assert reply.status_code == 200, reply.content
        return dict(reply.json())


def challenge_of(verifier: str) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).decode().rstrip("=")


def answer_of(response: Any) -> dict[str, str]:
    """What the authorization endpoint tells the client in the redirect."""
    assert response.status_code == 302, response.content
    return {name: values[0] for name, values in parse_qs(urlsplit(response["Location"]).query).items()}


def visit(path: str, token: str) -> Any:
    """GET as a program with a bearer token."""
    return Browser().get(path, headers={"Authorization": f"Bearer {token}"})


@pytest.fixture
def occ(db: None) -> Program:
    clients.known_clients()
    return Program(Client.objects.get(client_id="openchoreo-cli"))


@pytest.fixture
def editor(db: None) -> Program:
    """A public client that is not ours and gets refresh tokens."""
    made = clients.public_client("editor", "An editor", ["http://127.0.0.1/callback"])
    return Program(made, redirect_uri="http://127.0.0.1:41999/callback")


@pytest.fixture
def robot_program(robot: User) -> Program:
    return Program(*clients.machine_client("ci", "CI", robot))


@pytest.fixture
def agent_program(agent: User) -> Program:
    return Program(*clients.machine_client("helper-client", "Helper", agent))
