"""Signing keys: shared through the database, sealed, and changed without anybody noticing."""

from __future__ import annotations

from datetime import timedelta
from io import StringIO

import jwt
import pytest
from django.core.management import call_command
from django.test import Client as Browser
from django.utils import timezone

from portal.accounts.issuer import keys
from portal.accounts.issuer.models import SigningKey
from tests.portal.accounts.issuer.conftest import visit

pytestmark = pytest.mark.django_db
PROFILE = "/api/v1/authz/profile"


def token_of(program):
    return program.ask(grant_type="client_credentials").json()["access_token"]


def kid_of(token):
    return jwt.get_unverified_header(token)["kid"]


def published():
    return [key["kid"] for key in Browser().get("/oauth/jwks").json()["keys"]]


def later(**passed):
    """Let time pass for the keys."""
    for row in SigningKey.objects.all():
        row.signs_from -= timedelta(**passed)
        if row.retires_at:
            row.retires_at -= timedelta(**passed)
        row.save()
    keys.forget()


def test_the_key_set_verifies_our_tokens_and_may_be_kept_for_a_while(robot_program):
    reply = Browser().get("/oauth/jwks")
    assert reply["Cache-Control"] == "public, max-age=300"
    (entry,) = reply.json()["keys"]
    assert entry.keys() == {"kty", "n", "e", "use", "alg", "kid"} and entry["kty"] == "RSA"
    token = token_of(robot_program)
    said = jwt.decode(token, jwt.PyJWK(entry), algorithms=["RS256"], audience="http://127.0.0.1:8000")
    assert said["sub"] == "ci-robot"


def test_the_private_key_is_sealed(db):
    row = keys.signing_row()
    assert "PRIVATE" not in row.sealed and row.sealed.startswith("v1.")


def test_a_sealed_key_does_not_open_in_another_row(db):
    from portal.secrets import CannotOpen

    one, other = keys.make_key(timezone.now()), keys.make_key(timezone.now())
    SigningKey.objects.filter(pk=one.pk).update(sealed=other.sealed)
    with pytest.raises(CannotOpen):
        keys._private_key(one.kid)


def test_all_replicas_sign_with_the_same_key(robot_program):
    first = kid_of(token_of(robot_program))
    keys.forget()  # as a process that has just started
    assert kid_of(token_of(robot_program)) == first == keys.signing_row().kid


def test_a_new_key_is_published_before_it_signs_and_the_old_one_until_its_tokens_have_ended(robot_program):
    before = token_of(robot_program)
    out = StringIO()
    call_command("rotate_signing_key", stdout=out)
    new = SigningKey.objects.order_by("-id")[0].kid
    assert new in out.getvalue() and set(published()) == {new, kid_of(before)}
    assert kid_of(token_of(robot_program)) == kid_of(before)
    later(minutes=11)
    after = token_of(robot_program)
    assert kid_of(after) == new
    assert visit(PROFILE, before).status_code == visit(PROFILE, after).status_code == 200
    later(hours=2)
    assert published() == [new]
    assert visit(PROFILE, before).status_code == 401
    assert visit(PROFILE, after).status_code == 200


def test_a_leaked_key_is_withdrawn_at_once_with_all_tokens(robot_program):
    before = token_of(robot_program)
    call_command("rotate_signing_key", "--now", stdout=StringIO())
    assert published() == [kid_of(token_of(robot_program))] != [kid_of(before)]
    assert visit(PROFILE, before).status_code == 401


def test_who_has_the_leaked_key_makes_no_tokens_even_while_it_counts(robot_program):
    kid, key = keys.current_key()
    said = jwt.decode(token_of(robot_program), options={"verify_signature": False})
    forged = jwt.encode({**said, "sub": "admin", "jti": "own"}, key, "RS256", {"kid": kid, "typ": "at+jwt"})
    assert visit(PROFILE, forged).status_code == 401


def test_rotating_twice_in_a_row_keeps_every_key_that_signs(robot_program):
    before = token_of(robot_program)
    for _ in range(3):
        call_command("rotate_signing_key", stdout=StringIO())
    assert kid_of(token_of(robot_program)) == kid_of(before) and len(published()) == 4
    later(minutes=11)
    assert kid_of(token_of(robot_program)) == SigningKey.objects.order_by("-id")[0].kid


def test_withdrawn_keys_are_removed_at_the_next_rotation(db):
    call_command("rotate_signing_key", stdout=StringIO())
    call_command("rotate_signing_key", "--now", stdout=StringIO())
    call_command("rotate_signing_key", stdout=StringIO())
    assert SigningKey.objects.count() == 2


def test_keys_that_seal_secrets_can_be_changed(db):
    from portal.secrets.columns import sealed_columns

    assert "issuer.SigningKey.sealed" in [str(column) for column in sealed_columns()]


@pytest.mark.parametrize("change", [{"alg": "none"}, {"alg": "HS256"}])
def test_other_algorithms_are_refused(robot_program, change):
    token = token_of(robot_program)
    said = jwt.decode(token, options={"verify_signature": False})
    public = SigningKey.objects.get().public_pem
    if change["alg"] == "none":
        forged = jwt.encode(said, None, "none", {"kid": kid_of(token)})
    else:
        import base64
        import hashlib
        import hmac
        import json

        def part(value):
            return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")

        text = f"{part({'alg': 'HS256', 'kid': kid_of(token), 'typ': 'at+jwt'})}.{part(said)}"
        mac = hmac.new(public.encode(), text.encode(), hashlib.sha256).digest()
        forged = f"{text}.{base64.urlsafe_b64encode(mac).decode().rstrip('=')}"
    assert visit(PROFILE, forged).status_code == 401
