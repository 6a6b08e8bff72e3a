"""The agents' port up to HTTP: which certificates come through, who may stay, and that bytes are what they were."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Awaitable, Callable
from datetime import timedelta
from pathlib import Path

import pytest
from aiohttp import ClientSession, TCPConnector, web
from cryptography import x509

from catalog.delivery.agent.authority import own_files, sign_client, write_private
from catalog.delivery.agent.gateway import tls
from catalog.delivery.agent.gateway.tls import NoCertificate, TlsListener


def served(tmp_path: Path, story: Callable[[TlsListener, int, ssl.SSLContext], Awaitable[None]]) -> None:
    """Play a story against a listener that answers with the length of the body and the certificate's serial number."""
    files = own_files(tmp_path / "gateway", ["127.0.0.1"])

    async def play() -> None:
        async def answer(request: web.BaseRequest) -> web.Response:
            peer = listener.peers[request.transport]
            peer.entered.set()
            body = await request.read()
            serial = peer.certificates[0].serial_number if peer.certificates else 0
            return web.Response(body=body[::-1], headers={"Serial": str(serial), "Peer": peer.address})

        listener = TlsListener(web.Server(answer), files.certificate, files.key)
        port = await listener.start("127.0.0.1", 0)
        try:
            await story(listener, port, ssl.create_default_context(cafile=str(files.authority)))
        finally:
            await listener.stop()

    asyncio.run(play())


def show(context: ssl.SSLContext, directory: Path) -> int:
    """Have the client show a certificate that nobody knows; its serial number."""
    signed = sign_client("agent", timedelta(days=1))
    write_private(directory / "tls.key", signed.key)
    (directory / "tls.crt").write_text(signed.certificate)
    context.load_cert_chain(directory / "tls.crt", directory / "tls.key")
    return x509.load_pem_x509_certificate(signed.certificate.encode()).serial_number


def test_any_certificate_comes_through_to_be_judged_and_none_is_none(tmp_path):
    async def story(listener: TlsListener, port: int, context: ssl.SSLContext) -> None:
        async with ClientSession(connector=TCPConnector(ssl=context, force_close=True)) as session:
            async with session.get(f"https://127.0.0.1:{port}/") as answer:
                assert (answer.headers["Serial"], answer.headers["Peer"]) == ("0", "127.0.0.1")
            serial = show(context, tmp_path)
            async with session.get(f"https://127.0.0.1:{port}/") as answer:
                assert answer.headers["Serial"] == str(serial)

    served(tmp_path, story)


def test_bytes_arrive_as_they_were_sent_both_ways(tmp_path):
    async def story(listener: TlsListener, port: int, context: ssl.SSLContext) -> None:
        body = bytes(range(256)) * 4000
        async with ClientSession(connector=TCPConnector(ssl=context)) as session:
            for _ in range(3):
                async with session.post(f"https://127.0.0.1:{port}/", data=body) as answer:
                    assert await answer.read() == body[::-1]

    served(tmp_path, story)


def test_who_is_not_let_in_may_not_stay(tmp_path, monkeypatch):
    monkeypatch.setattr(tls, "ENTER_SECONDS", 0.2)

    async def story(listener: TlsListener, port: int, context: ssl.SSLContext) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=context)
        assert await asyncio.wait_for(reader.read(), 20) == b""
        writer.close()
        assert listener.strangers == 0

    served(tmp_path, story)


def test_strangers_do_not_pile_up(tmp_path, monkeypatch):
    monkeypatch.setattr(tls, "STRANGERS", 2)

    async def story(listener: TlsListener, port: int, context: ssl.SSLContext) -> None:
        held = [await asyncio.open_connection("127.0.0.1", port) for _ in range(2)]
        while listener.strangers < 2:
            await asyncio.sleep(0.01)
        with pytest.raises((OSError, ssl.SSLError)):
            await asyncio.open_connection("127.0.0.1", port, ssl=context)
        for _, writer in held:
            writer.close()
        while listener.strangers:
            await asyncio.sleep(0.01)
        _, writer = await asyncio.open_connection("127.0.0.1", port, ssl=context)
        writer.close()

    served(tmp_path, story)


def test_what_is_no_tls_is_closed(tmp_path):
    async def story(listener: TlsListener, port: int, context: ssl.SSLContext) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"GET /ws HTTP/1.1\r\n\r\n")
        assert b"HTTP" not in await asyncio.wait_for(reader.read(), 20)
        writer.close()

    served(tmp_path, story)


def test_a_renewed_certificate_is_shown_to_the_next_who_comes(tmp_path):
    async def story(listener: TlsListener, port: int, context: ssl.SSLContext) -> None:
        first = await shown(port)
        for path in (tmp_path / "gateway").iterdir():
            path.unlink()
        own_files(tmp_path / "gateway", ["127.0.0.1"])
        assert await shown(port) != first

    async def shown(port: int) -> bytes:
        anybody = ssl.create_default_context()
        anybody.check_hostname, anybody.verify_mode = False, ssl.CERT_NONE
        _, writer = await asyncio.open_connection("127.0.0.1", port, ssl=anybody)
        found: bytes = writer.get_extra_info("ssl_object").getpeercert(binary_form=True)
        writer.close()
        return found

    served(tmp_path, story)


def test_a_certificate_that_cannot_be_read_is_said_at_the_start(tmp_path):
    (tmp_path / "crt").write_text("no certificate")
    (tmp_path / "key").write_text("no key")

    async def start() -> None:
        server = web.Server(lambda request: web.Response())
        await TlsListener(server, tmp_path / "crt", tmp_path / "key").start("127.0.0.1", 0)

    with pytest.raises(NoCertificate, match="cannot be used"):
        asyncio.run(start())
