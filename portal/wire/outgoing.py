"""Requests to addresses that a user has set: webhooks, hosts of outside identity, anything that is not our own setting.

The name is resolved once, every address that it stands for must be public, and the connection goes to that very
address, so that no second answer of a name server counts (DNS rebinding). Each redirect passes the same gate. Only
http and https, no proxy from the environment, no password from a `.netrc`, and never more of a reply than was asked
for. Networks that are ours to reach are named in the setting `OUTGOING_PRIVATE_NETWORKS`.

    reply = fetch("POST", url, json={…})
"""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import requests
from django.conf import settings
from requests.adapters import HTTPAdapter

TIMEOUT = (5.0, 10.0)  # seconds to connect, and between two bytes
MAX_BYTES = 1024 * 1024
MAX_REDIRECTS = 3
Address = ipaddress.IPv4Address | ipaddress.IPv6Address
# Special by IANA's registries, and yet global to some versions of the standard library.
NEVER_PUBLIC = tuple(
    map(
        ipaddress.ip_network, ("192.0.0.0/24", "192.88.99.0/24", "64:ff9b:1::/48", "100::/64", "2001::/23", "fec0::/10")
    )
)


class Refused(requests.exceptions.InvalidURL):
    """The address may not be asked. The text names the reason, never what answered."""


@dataclass(frozen=True)
class Reply:
    """A reply, its body cut at the limit."""

    status: int
    headers: dict[str, str]
    body: bytes


def fetch(
    method: str, url: str, *, max_bytes: int = MAX_BYTES, networks: Iterable[str] = (), **arguments: Any
) -> Reply:
    """One guarded request; arguments as those of `requests`. `networks` are private ones that this request may reach,
    besides those of the settings. Raises `Refused` or another `requests` error."""
    with (
        guarded_session(networks) as session,
        session.request(method, url, stream=True, timeout=TIMEOUT, **arguments) as answer,
    ):
        body = answer.raw.read(max_bytes, decode_content=False)
        return Reply(answer.status_code, dict(answer.headers), body)


def guarded_session(networks: Iterable[str] = ()) -> requests.Session:
    """A session that reaches public addresses only. Other schemes than http and https have no adapter."""
    session = requests.Session()
    session.trust_env = False
    session.max_redirects = MAX_REDIRECTS
    session.adapters.clear()
    session.mount("https://", GuardedAdapter(networks))
    session.mount("http://", GuardedAdapter(networks))
    return session


class GuardedAdapter(HTTPAdapter):
    """Connects to the address that was checked, and to no other."""

    def __init__(self, networks: Iterable[str] = ()) -> None:
        super().__init__()
        self.networks = tuple(networks)

    def send(self, request: requests.PreparedRequest, *arguments: Any, **named: Any) -> requests.Response:
        # The connection goes to a number; the server shall still be asked for the name.
        request.headers.setdefault("Host", urlsplit(request.url or "").netloc.rpartition("@")[2])
        return super().send(request, *arguments, **named)

    def get_connection_with_tls_context(
        self, request: requests.PreparedRequest, verify: Any, proxies: Any = None, cert: Any = None
    ) -> Any:
        host, pool = self.build_connection_pool_key_attributes(request, verify, cert)
        name = str(host["host"]).strip("[]")
        if host["scheme"] == "https":
            # The certificate is checked against the name, not the number.
            pool |= {"server_hostname": name, "assert_hostname": name}
        host["host"] = str(checked_address(name, host.get("port"), self.networks))
        return self.poolmanager.connection_from_host(**host, pool_kwargs=pool)


def checked_address(name: str, port: int | None, networks: Iterable[str] = ()) -> Address:
    """The address of a host: the first of those that its name stands for, if all of them may be reached."""
    try:
        found = socket.getaddrinfo(name, port or 443, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        raise Refused(f"{name} is not known") from None
    addresses = [ipaddress.ip_address(str(entry[4][0]).partition("%")[0]) for entry in found]
    allowed = (*settings.OUTGOING_PRIVATE_NETWORKS, *networks)
    if not addresses or not all(may_be_reached(address, allowed) for address in addresses):
        raise Refused(f"{name} is not a public address")
    return addresses[0]


def may_be_reached(address: Address, networks: Iterable[str] | None = None) -> bool:
    """Whether an address is public, or in a network that the settings name."""
    inner = embedded(address)
    if inner is not None:
        return may_be_reached(inner, networks)
    if any(address in ipaddress.ip_network(network) for network in networks or settings.OUTGOING_PRIVATE_NETWORKS):
        return True
    if any(address in network for network in NEVER_PUBLIC):
        return False
    return address.is_global and not address.is_multicast and not address.is_reserved


def embedded(address: Address) -> ipaddress.IPv4Address | None:
    """The IPv4 address that an IPv6 address stands for: mapped, 6to4, or by NAT64."""
    if not isinstance(address, ipaddress.IPv6Address):
        return None
    if address in ipaddress.ip_network("64:ff9b::/96"):
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return address.ipv4_mapped or address.sixtofour
