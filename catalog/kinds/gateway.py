"""The shape of a plane's gateways: where traffic enters and leaves, and on which listeners."""

from __future__ import annotations

from catalog.kinds.container import port
from catalog.kinds.schema import Schema, obj, string


def gateway() -> Schema:
    """Gateways for traffic in both directions; an Environment overrides its plane's with the same shape."""
    return obj({"ingress": gateway_network(), "egress": gateway_network()})


def gateway_network() -> Schema:
    """The gateways of one direction: to the outside and within the company."""
    return obj({"external": gateway_endpoint(), "internal": gateway_endpoint()})


def gateway_endpoint() -> Schema:
    """One Gateway object and its listeners."""
    listener = obj({"listenerName": string(), "port!": port(), "host!": string()})
    return obj({"name!": string(), "namespace!": string(), "http": listener, "https": listener, "tls": listener})
