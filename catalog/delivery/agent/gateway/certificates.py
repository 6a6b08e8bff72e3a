"""Whether an agent's certificate is one of a plane's: signed by its authority, for clients, and valid today.

Each plane's authority is judged alone. As in OpenChoreo the common name says nothing, any certificate of the bundle is
an anchor (a self-signed one is its own authority), and intermediates may come with the connection.
"""

from __future__ import annotations

from collections.abc import Sequence

from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID, ExtensionOID
from OpenSSL import crypto

LONGEST_BUNDLE = 256 * 1024


class NotTrusted(Exception):
    """The certificate is not of this plane; the text says why."""


def require_signed(certificates: Sequence[x509.Certificate], bundle: str) -> None:
    """Raise `NotTrusted` unless the first certificate was signed, for clients, by one of the bundle (PEM)."""
    if not certificates:
        raise NotTrusted("no client certificate presented")
    own, *between = certificates
    try:
        usage = own.extensions.get_extension_for_oid(ExtensionOID.EXTENDED_KEY_USAGE).value
    except x509.ExtensionNotFound:
        usage = None
    except ValueError as error:
        raise NotTrusted(f"the certificate cannot be read: {error}") from None
    if isinstance(usage, x509.ExtendedKeyUsage) and not {
        ExtendedKeyUsageOID.CLIENT_AUTH,
        ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE,
    } & set(usage):
        raise NotTrusted("the certificate is not for clients (extended key usage)")
    store = crypto.X509Store()
    store.set_flags(crypto.X509StoreFlags.PARTIAL_CHAIN)
    for authority in authorities_in(bundle):
        store.add_cert(crypto.X509.from_cryptography(authority))
    chain = [crypto.X509.from_cryptography(item) for item in between]
    try:
        crypto.X509StoreContext(store, crypto.X509.from_cryptography(own), chain).verify_certificate()
    except crypto.X509StoreContextError as error:
        raise NotTrusted(str(error.args[0] if error.args else error)) from None


def authorities_in(bundle: str) -> list[x509.Certificate]:
    """The certificates of a PEM bundle. Raises `NotTrusted`."""
    if not bundle.strip():
        raise NotTrusted("the plane names no certificate authority in spec.clusterAgent.clientCA")
    if len(bundle) > LONGEST_BUNDLE:
        raise NotTrusted("the plane's clientCA is too long")
    try:
        return x509.load_pem_x509_certificates(bundle.encode())
    except ValueError as error:
        raise NotTrusted(f"the plane's clientCA holds no certificate in PEM: {error}") from None
