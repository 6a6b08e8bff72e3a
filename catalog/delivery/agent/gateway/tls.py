"""TLS for the agents' port: asks for a client certificate and hands it on, whoever signed it.

Which authority counts is known only when the agent has said for which plane it comes, and each plane has its own. Put
into one pool, as Python's `ssl` wants them, a tenant's authority with another's name could shut out the other's agents.
So TLS ends here, by pyOpenSSL, and each connection goes on as plain bytes, with the certificates beside it.
"""

from __future__ import annotations

import asyncio
import logging
import socket
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast
from weakref import WeakKeyDictionary

from aiohttp import web
from cryptography import x509
from OpenSSL import SSL

log = logging.getLogger("stagecraft.gateway")
HANDSHAKE_SECONDS = 10.0
PIECE = 65536
ENTER_SECONDS = 20.0
"""How long a connection may last on which nobody has been let in."""
STRANGERS = 128
"""Such connections at once, those in the middle of their handshake included; further ones are closed."""
Certificates = Sequence[x509.Certificate]


@dataclass(eq=False)
class Peer:
    """The other side: the certificates that it has shown, its own first, and its address."""

    certificates: Certificates
    address: str
    entered: asyncio.Event = field(default_factory=asyncio.Event)
    """Set by whoever has judged the certificates and let it in. Others may not stay."""


class NoCertificate(Exception):
    """The gateway's own certificate or key cannot be used."""


@dataclass
class TlsListener:
    """A port that speaks TLS; behind it `server`, which finds the peer's certificates in `peers`."""

    server: web.Server
    certificate: Path
    key: Path
    peers: WeakKeyDictionary[Any, Peer] = field(default_factory=WeakKeyDictionary)
    """The other sides by the transports that `server` sees."""
    strangers: int = 0
    running: set[asyncio.Task[None]] = field(default_factory=set)
    listening: asyncio.Server | None = None
    loaded: tuple[tuple[int, int], SSL.Context] | None = None

    async def start(self, host: str, port: int) -> int:
        """Listen; the port. Raises `NoCertificate` and OSError."""
        self.context()
        self.listening = await asyncio.start_server(self.accept, host, port, limit=PIECE)
        return int(self.listening.sockets[0].getsockname()[1])

    async def stop(self) -> None:
        if self.listening is not None:
            self.listening.close()
        for task in list(self.running):
            task.cancel()
        await asyncio.gather(*self.running, return_exceptions=True)

    def context(self) -> SSL.Context:
        """The settings of TLS; read anew when the files have changed: a renewed certificate needs no restart."""
        try:
            changed = (self.certificate.stat().st_mtime_ns, self.key.stat().st_mtime_ns)
            if self.loaded is not None and self.loaded[0] == changed:
                return self.loaded[1]
            made = context_of(self.certificate, self.key)
        except (OSError, SSL.Error) as error:
            if self.loaded is not None:
                log.error("the gateway's certificate cannot be read, the former one stays in use: %s", error)
                return self.loaded[1]
            raise NoCertificate(f"{self.certificate} and {self.key} cannot be used: {error}") from None
        self.loaded = (changed, made)
        return made

    async def accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = cast(asyncio.Task[None], asyncio.current_task())
        self.running.add(task)
        try:
            await self.serve(Ciphered(SSL.Connection(self.context(), None), reader, writer))
        except (SSL.Error, OSError, TimeoutError) as error:
            log.info("connection from %s ended: %s", writer.get_extra_info("peername"), said(error))
        except asyncio.CancelledError:
            pass
        finally:
            self.running.discard(task)
            with suppress(OSError):
                writer.close()

    async def serve(self, outside: Ciphered) -> None:
        """The whole life of one connection."""
        if self.strangers >= STRANGERS:
            return
        tasks: list[asyncio.Task[Any]] = []
        try:
            peer = await self.meet(outside, tasks)
            if peer.entered.is_set():
                # Either side's end is the end of both.
                await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def meet(self, outside: Ciphered, tasks: list[asyncio.Task[Any]]) -> Peer:
        """Shake hands, start to pass bytes on, and wait until the other side is let in or has had its time."""
        self.strangers += 1
        try:
            peer = Peer(await asyncio.wait_for(outside.shake_hands(), HANDSHAKE_SECONDS), outside.address)
            ours, theirs = socket.socketpair()
            loop = asyncio.get_running_loop()
            transport, _ = await loop.connect_accepted_socket(self.server, theirs)
            self.peers[transport] = peer
            reader, writer = await asyncio.open_connection(sock=ours)
            tasks += [asyncio.create_task(work) for work in (outside.copy_in(writer), outside.copy_out(reader))]
            entered = asyncio.create_task(peer.entered.wait())
            try:
                await asyncio.wait([*tasks, entered], timeout=ENTER_SECONDS, return_when=asyncio.FIRST_COMPLETED)
            finally:
                entered.cancel()
            return peer
        finally:
            self.strangers -= 1


class Ciphered:
    """One TLS connection over a pair of asyncio streams."""

    def __init__(self, tls: SSL.Connection, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.tls, self.reader, self.writer = tls, reader, writer
        self.address = str((writer.get_extra_info("peername") or ("unknown",))[0])

    async def shake_hands(self) -> Certificates:
        """The certificates of the other side, its own first; none if it showed none."""
        self.tls.set_accept_state()
        while True:
            try:
                self.tls.do_handshake()
                break
            except SSL.WantReadError:
                await self.flush()
                await self.fill()
            except SSL.Error:
                await self.flush()  # the alert that says why
                raise
        await self.flush()
        own = self.tls.get_peer_certificate(as_cryptography=True)
        if own is None:
            return ()
        others = self.tls.get_peer_cert_chain(as_cryptography=True) or []
        return (own, *(item for item in others if item != own))

    async def fill(self) -> None:
        """Hand what has come to TLS. Raises OSError at the end."""
        data = await self.reader.read(PIECE)
        if not data:
            raise ConnectionResetError("the other side has closed")
        self.tls.bio_write(data)

    async def flush(self) -> None:
        """Send what TLS has ready."""
        with suppress(SSL.WantReadError):
            while data := self.tls.bio_read(PIECE):
                self.writer.write(data)
        await self.writer.drain()

    async def copy_in(self, inside: asyncio.StreamWriter) -> None:
        """Pass on what the other side says, until it says no more."""
        try:
            while True:
                try:
                    while data := self.tls.recv(PIECE):
                        inside.write(data)
                    return
                except SSL.WantReadError:
                    await inside.drain()
                    await self.flush()  # answers of TLS itself, such as a new key
                    await self.fill()
                except SSL.ZeroReturnError:
                    return
        finally:
            inside.close()

    async def copy_out(self, inside: asyncio.StreamReader) -> None:
        """Pass on what our side says."""
        while data := await inside.read(PIECE):
            self.tls.sendall(data)
            await self.flush()
        self.tls.shutdown()
        await self.flush()


def context_of(certificate: Path, key: Path) -> SSL.Context:
    """TLS 1.2 or newer, without resumption: each connection shows its certificate anew."""
    context = SSL.Context(SSL.TLS_SERVER_METHOD)
    context.set_min_proto_version(SSL.TLS1_2_VERSION)
    context.set_session_cache_mode(SSL.SESS_CACHE_OFF)
    context.set_options(SSL.OP_NO_TICKET | SSL.OP_NO_COMPRESSION | SSL.OP_NO_RENEGOTIATION)
    context.use_certificate_chain_file(str(certificate))
    context.use_privatekey_file(str(key))
    context.check_privatekey()
    # Any certificate will do here: OpenSSL still proves that the other side has its key.
    context.set_verify(SSL.VERIFY_PEER, lambda *_: True)
    return context


def said(error: BaseException) -> str:
    """An error of OpenSSL without its list of tuples."""
    if isinstance(error, SSL.Error) and error.args and isinstance(error.args[0], list):
        return "; ".join(str(item[-1]) for item in error.args[0])
    return str(error) or type(error).__name__
