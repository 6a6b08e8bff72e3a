"""What the gateway listens on, by its settings; mistakes are said before it starts."""

from __future__ import annotations

import pytest
from django.core.management.base import CommandError

from catalog.management.commands.gateway import where


def test_on_one_machine_it_makes_its_own_certificate_and_needs_nothing_else(settings, tmp_path):
    settings.HOME = tmp_path
    found = where("gateway.example:8443", "127.0.0.1:8444")
    assert (found.agents, found.internal, found.internal_tls) == (("gateway.example", 8443), ("127.0.0.1", 8444), None)
    assert found.certificate.exists()


def test_an_internal_port_that_others_reach_needs_tls(settings, tmp_path):
    settings.HOME = tmp_path
    with pytest.raises(CommandError, match=r"secrets would go there in the clear\. Set GATEWAY_INTERNAL_CERTIFICATE"):
        where("0.0.0.0:8443", "0.0.0.0:8444")
    for name in ("CERTIFICATE", "KEY", "AUTHORITY"):
        setattr(settings, f"GATEWAY_INTERNAL_{name}", str(tmp_path / name.lower()))
    assert where("0.0.0.0:8443", "[::]:8444").internal_tls is not None


def test_half_of_the_internal_tls_is_refused(settings, tmp_path):
    settings.HOME = tmp_path
    settings.GATEWAY_INTERNAL_KEY = str(tmp_path / "key")
    with pytest.raises(CommandError, match="belong together"):
        where("0.0.0.0:8443", "127.0.0.1:8444")


def test_the_operators_certificate_is_used_where_there_is_one(settings, tmp_path):
    settings.GATEWAY_CERTIFICATE, settings.GATEWAY_KEY = "/tls/tls.crt", "/tls/tls.key"
    assert [str(path) for path in (where("[::1]:1", "127.0.0.1:2").certificate, where("[::1]:1", "[::1]:2").key)] == [
        "/tls/tls.crt", "/tls/tls.key",
    ]  # fmt: skip
