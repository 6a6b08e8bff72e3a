"""Whose certificate counts: each plane's authority is judged alone."""

from __future__ import annotations

from datetime import timedelta

import pytest
from cryptography import x509

from catalog.delivery.agent.authority import Signed, own_files, sign_client, sign_server
from catalog.delivery.agent.gateway.certificates import NotTrusted, require_signed

DAY = timedelta(days=1)


def shown(signed: Signed) -> list[x509.Certificate]:
    return x509.load_pem_x509_certificates(signed.certificate.encode())


def test_a_certificate_of_the_authority_counts():
    signed = sign_client("agent", DAY)
    require_signed(shown(signed), signed.authority)


def test_another_authority_of_the_same_name_neither_counts_nor_is_in_the_way():
    one, other = sign_client("agent", DAY), sign_client("agent", DAY)
    with pytest.raises(NotTrusted):
        require_signed(shown(one), other.authority)
    for bundle in (one.authority + other.authority, other.authority + one.authority):
        require_signed(shown(one), bundle)
        require_signed(shown(other), bundle)


def test_a_self_signed_certificate_is_its_own_authority():
    signed = sign_client("agent", DAY)
    authority = x509.load_pem_x509_certificates(signed.authority.encode())
    require_signed(authority, signed.authority)


@pytest.mark.parametrize(
    ("bundle", "why"),
    [("", "names no certificate authority"), ("no PEM", "no certificate in PEM"), ("x" * 300_000, "too long")],
)
def test_a_bundle_that_cannot_be_used_lets_nobody_in(bundle, why):
    with pytest.raises(NotTrusted, match=why):
        require_signed(shown(sign_client("agent", DAY)), bundle)


def test_what_is_shown_must_be_valid_today_and_for_clients():
    for signed, why in (
        (sign_client("agent", timedelta(minutes=1)), "expired"),
        (sign_server(["127.0.0.1"]), "not for clients"),
    ):
        with pytest.raises(NotTrusted, match=why):
            require_signed(shown(signed), signed.authority)
    with pytest.raises(NotTrusted, match="no client certificate"):
        require_signed([], sign_client("agent", DAY).authority)


def test_the_gateways_own_certificate_is_kept_until_it_lacks_a_host(tmp_path):
    first = own_files(tmp_path / "gateway", ["127.0.0.1"]).certificate.read_text()
    assert own_files(tmp_path / "gateway", ["127.0.0.1"]).certificate.read_text() == first
    assert own_files(tmp_path / "gateway", ["127.0.0.1", "gateway.example"]).certificate.read_text() != first
    assert (tmp_path / "gateway" / "gateway.key").stat().st_mode & 0o777 == 0o600
