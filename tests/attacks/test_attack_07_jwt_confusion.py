"""Attack 7: tokens that are signed wrongly, by the wrong key, for another, or that mean something else."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding
from django.test import Client

from portal.accounts.models import User
from tests.portal.accounts.outside_issuer import (
    EC384_KEY,
    EC_KEY,
    ED_KEY,
    OTHER_RSA_KEY,
    RSA_KEY,
    SHORT_RSA_KEY,
    OutsideIssuer,
    hmac_with,
    jwk,
)

pytestmark = pytest.mark.django_db
PATH = "/api/v1/namespaces"
INVALID_TOKEN = {"error": "INVALID_TOKEN", "message": "invalid or expired token"}
INVALID_CLAIMS = {"error": "INVALID_CLAIMS", "message": "token claims validation failed"}


def ask(token: str) -> Any:
    return Client().get(PATH, headers={"Authorization": f"Bearer {token}"})


def refusal(token: str) -> Any:
    """The body of the 401 that a token earns; it leaves no account behind."""
    reply = ask(token)
    assert reply.status_code == 401, reply.content
    assert not User.objects.exists()
    return reply.json()


def rs256(key: Any = RSA_KEY) -> Any:
    return lambda data: key.sign(data, padding.PKCS1v15(), hashes.SHA256())


@pytest.mark.parametrize("kid", ["rsa", "ec", "ed"])
def test_attack_07_good_tokens_of_every_family_are_let_in(issuer: OutsideIssuer, kid: str) -> None:
    assert ask(issuer.token(kid)).status_code == 200
    assert ask(issuer.token(kid, header={"typ": "at+jwt"})).status_code == 200
    assert ask(issuer.token(kid, aud=["other", "stagecraft"])).status_code == 200


@pytest.mark.parametrize("algorithm", ["none", "None", "NONE", "", None, 1, ["RS256"]])
def test_attack_07_without_a_signature_nobody_comes_in(issuer: OutsideIssuer, algorithm: Any) -> None:
    for signature in (b"", b"x"):
        token = issuer.by_hand({"alg": algorithm, "kid": "rsa"}, issuer.claims(), lambda data, s=signature: s)
        assert refusal(token) == INVALID_TOKEN


@pytest.mark.parametrize("algorithm", ["HS256", "HS384", "HS512"])
def test_attack_07_the_public_key_is_no_secret_to_sign_with(issuer: OutsideIssuer, algorithm: str) -> None:
    public = RSA_KEY.public_key()
    formats = [
        public.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo),
        public.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo),
        public.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.PKCS1),
        json.dumps(jwk(RSA_KEY, "rsa")).encode(),
    ]
    for secret in formats:
        token = issuer.by_hand({"alg": algorithm, "kid": "rsa"}, issuer.claims(), hmac_with(secret))
        assert refusal(token) == INVALID_TOKEN


def test_attack_07_a_key_verifies_only_its_own_familys_algorithms(issuer: OutsideIssuer) -> None:
    issuer.keys += [jwk(EC384_KEY, "p384"), jwk(SHORT_RSA_KEY, "short"), jwk(RSA_KEY, "pinned", alg="PS256")]

    assert refusal(issuer.token("rsa", key=EC_KEY, algorithm="ES256")) == INVALID_TOKEN
    assert refusal(issuer.token("ec", key=RSA_KEY, algorithm="RS256")) == INVALID_TOKEN
    assert refusal(issuer.token("ed", key=EC_KEY, algorithm="ES256")) == INVALID_TOKEN
    assert refusal(issuer.token("p384", key=EC_KEY, algorithm="ES256")) == INVALID_TOKEN
    assert refusal(issuer.token("short", key=SHORT_RSA_KEY, algorithm="RS256")) == INVALID_TOKEN
    assert refusal(issuer.token("pinned", key=RSA_KEY, algorithm="RS256")) == INVALID_TOKEN
    assert ask(issuer.token("pinned", key=RSA_KEY, algorithm="PS256")).status_code == 200


def test_attack_07_an_algorithm_that_is_not_on_the_list_is_refused(issuer: OutsideIssuer, settings: Any) -> None:
    settings.OIDC_ALGORITHMS = ["ES256"]

    assert refusal(issuer.token("rsa")) == INVALID_TOKEN
    assert ask(issuer.token("ec")).status_code == 200


@pytest.mark.parametrize("kid", [None, "", "unknown", "ec", 7, ["rsa"], "../rsa", "rsa\0", "' OR 1=1 --", "x" * 300])
def test_attack_07_the_kid_must_name_the_key_that_signed(issuer: OutsideIssuer, kid: Any) -> None:
    header = {"alg": "RS256", **({} if kid is None else {"kid": kid})}

    assert refusal(issuer.by_hand(header, issuer.claims(), rs256())) == INVALID_TOKEN


def test_attack_07_another_key_under_a_known_kid_is_refused(issuer: OutsideIssuer) -> None:
    assert refusal(issuer.token("rsa", key=OTHER_RSA_KEY)) == INVALID_TOKEN


def test_attack_07_keys_and_addresses_within_the_token_are_never_looked_at(issuer: OutsideIssuer) -> None:
    evil = jwk(OTHER_RSA_KEY, "evil")
    for header in (
        {"jku": f"{issuer.url}/evil-keys"},
        {"x5u": f"{issuer.url}/evil-chain"},
        {"jwk": evil},
        {"x5c": ["MIIB"]},
    ):
        token = issuer.token("evil", key=OTHER_RSA_KEY, algorithm="RS256", header=header)
        assert refusal(token) == INVALID_TOKEN
    assert not [path for path in issuer.asked if "evil" in path]


@pytest.mark.parametrize(
    "header",
    [{"crit": ["exp"], "exp": 1}, {"crit": ["bork"], "bork": 1}, {"crit": []}, {"crit": ["b64"], "b64": False}],
)
def test_attack_07_what_must_be_understood_and_is_not_is_refused(issuer: OutsideIssuer, header: Any) -> None:
    token = issuer.by_hand({"alg": "RS256", "kid": "rsa", **header}, issuer.claims(), rs256())

    assert refusal(token) == INVALID_TOKEN


@pytest.mark.parametrize("claim", ["exp", "aud", "sub"])
def test_attack_07_exp_aud_and_sub_are_required(issuer: OutsideIssuer, claim: str) -> None:
    assert refusal(issuer.token(**{claim: None})) == INVALID_CLAIMS


@pytest.mark.parametrize(
    ("changes", "body"),
    [
        ({"exp": 1}, INVALID_TOKEN),
        ({"exp": "soon"}, INVALID_TOKEN),
        ({"exp": True, "iat": None}, INVALID_TOKEN),
        ({"nbf": 99999999999}, INVALID_TOKEN),
        ({"iat": 99999999999}, INVALID_TOKEN),
        ({"aud": "another-service"}, INVALID_CLAIMS),
        ({"aud": ["another-service"]}, INVALID_CLAIMS),
        ({"aud": []}, INVALID_CLAIMS),
        ({"aud": {"stagecraft": 1}}, INVALID_CLAIMS),
        ({"iss": "https://elsewhere.example"}, INVALID_CLAIMS),
        ({"iss": None}, INVALID_CLAIMS),
        ({"sub": ""}, INVALID_CLAIMS),
        ({"sub": 7}, INVALID_CLAIMS),
        ({"sub": "a\u0000b"}, INVALID_CLAIMS),
        ({"sub": "a\nb"}, INVALID_CLAIMS),
        ({"sub": "x" * 300}, INVALID_CLAIMS),
    ],
)
def test_attack_07_wrong_times_audiences_issuers_and_subjects(issuer: OutsideIssuer, changes: Any, body: Any) -> None:
    assert refusal(issuer.token(**changes)) == body


def test_attack_07_the_issuer_is_compared_to_the_letter(issuer: OutsideIssuer) -> None:
    listed = issuer.by_hand({"alg": "RS256", "kid": "rsa"}, {**issuer.claims(), "iss": [issuer.url]}, rs256())
    assert refusal(listed) == INVALID_CLAIMS
    for name in (issuer.url + "/", issuer.url.replace("http", "HTTP"), issuer.url + "@evil.example", issuer.url + "\0"):
        assert refusal(issuer.token(iss=name)) == INVALID_CLAIMS


def test_attack_07_a_clock_may_be_off_by_half_a_minute_only(issuer: OutsideIssuer) -> None:
    assert ask(issuer.token(exp=int(time.time()) - 20)).status_code == 200
    assert ask(issuer.token(exp=int(time.time()) - 40)).status_code == 401


@pytest.mark.parametrize(
    ("header", "changes"),
    [
        ({}, {"nonce": "n"}),
        ({}, {"at_hash": "h"}),
        ({}, {"token_use": "id"}),
        ({}, {"typ": "ID"}),
        ({}, {"typ": "Refresh"}),
        ({}, {"typ": "Offline"}),
        ({}, {"token_use": "refresh"}),
        ({}, {"events": {"http://schemas.openid.net/event/backchannel-logout": {}}}),
        ({"typ": "logout+jwt"}, {}),
        ({"typ": "secevent+jwt"}, {}),
        ({"typ": "dpop+jwt"}, {}),
        ({"typ": "JWE"}, {}),
    ],
)
def test_attack_07_what_is_no_access_token_is_refused(issuer: OutsideIssuer, header: Any, changes: Any) -> None:
    assert refusal(issuer.token(header=header, **changes))["error"] in ("INVALID_CLAIMS", "INVALID_TOKEN")


def test_attack_07_an_access_token_may_say_that_it_is_one(issuer: OutsideIssuer) -> None:
    assert ask(issuer.token(typ="Bearer")).status_code == 200
    assert ask(issuer.token(token_use="access")).status_code == 200


def test_attack_07_a_claim_or_header_that_stands_twice_is_refused(issuer: OutsideIssuer) -> None:
    claims, header = json.dumps(issuer.claims()), json.dumps({"alg": "RS256", "kid": "rsa"})
    for name, value in (("sub", '"root"'), ("exp", "99999999999"), ("groups", '["admins"]'), ("aud", '"x"')):
        doubled = f'{{"{name}": {value}, {claims[1:]}'
        assert refusal(issuer.by_hand(header, doubled, rs256())) == INVALID_TOKEN
    assert refusal(issuer.by_hand('{"alg": "none", ' + header[1:], claims, rs256())) == INVALID_TOKEN


@pytest.mark.parametrize(
    "token",
    [
        "not.a.jwt",
        "abc",
        "a.b.c.d.e",
        "..",
        "stg_",
        "stg_" + "x" * 43,
        "eyJ",
        "\x00",
        "ÿ.ÿ.ÿ",
        "W10.W10.W10",
    ],
)
def test_attack_07_garbage_is_refused_as_recorded(issuer: OutsideIssuer, token: str) -> None:
    assert refusal(token) == INVALID_TOKEN


def test_attack_07_endless_and_deep_tokens_cost_nothing(issuer: OutsideIssuer) -> None:
    deep = "[" * 20_000 + "]" * 20_000
    began = time.process_time()
    assert refusal("x" * 1024 * 1024) == INVALID_TOKEN
    assert refusal(issuer.token(padding="x" * 1024 * 1024)) == INVALID_TOKEN
    assert refusal("stg_" + "x" * 1024 * 1024) == INVALID_TOKEN
    assert refusal(issuer.by_hand('{"alg":"RS256","kid":"rsa"}', f'{{"a":{deep}}}', rs256())) == INVALID_TOKEN
    assert refusal(issuer.by_hand('{"alg":"RS256","kid":"rsa"}', '{"exp":NaN}', rs256())) == INVALID_TOKEN
    assert issuer.asked == [], "no key is fetched for what cannot be a token"
    assert time.process_time() - began < 5


def test_attack_07_a_mixed_jwks_yields_its_usable_keys_only(issuer: OutsideIssuer) -> None:
    secret = {"kty": "oct", "k": "c2VjcmV0", "kid": "oct", "alg": "HS256"}
    issuer.keys += [
        secret,
        jwk(OTHER_RSA_KEY, "encrypts", use="enc"),
        jwk(OTHER_RSA_KEY, "signs-only", key_ops=["sign"]),
        {"kty": "RSA", "kid": "broken", "n": "!", "e": "AQAB"},
        {"kty": "RSA", "kid": "partial"},
        {"kty": "EC", "crv": "secp256k1", "kid": "curve", "x": "AA", "y": "AA"},
        jwk(OTHER_RSA_KEY, "twice"),
        jwk(RSA_KEY, "twice"),
        "text",
        None,
        {"kid": ["rsa"]},
    ]
    assert ask(issuer.token("rsa")).status_code == 200
    User.objects.all().delete()

    oct_token = issuer.by_hand({"alg": "HS256", "kid": "oct"}, issuer.claims(), hmac_with(b"secret"))
    assert refusal(oct_token) == INVALID_TOKEN
    for kid in ("encrypts", "signs-only", "broken", "partial", "curve", "twice"):
        assert refusal(issuer.token(kid, key=OTHER_RSA_KEY, algorithm="RS256")) == INVALID_TOKEN


def test_attack_07_without_an_issuer_in_the_settings_no_signed_token_counts(
    issuer: OutsideIssuer, settings: Any
) -> None:
    token = issuer.token()
    settings.OIDC_ISSUER = ""

    assert refusal(token) == INVALID_CLAIMS
    assert refusal(issuer.token(iss="")) == INVALID_CLAIMS
    assert issuer.asked == []


def test_attack_07_the_key_object_signs_with_eddsa_too(issuer: OutsideIssuer) -> None:
    forged = issuer.token("ed")
    head, body, _ = forged.split(".")
    resigned = issuer.by_hand({"alg": "EdDSA", "kid": "ed"}, issuer.claims(), lambda data: b"\0" * 64)

    assert refusal(f"{head}.{body}.") == INVALID_TOKEN
    assert refusal(resigned) == INVALID_TOKEN
    assert ED_KEY is not None and ask(forged).status_code == 200
