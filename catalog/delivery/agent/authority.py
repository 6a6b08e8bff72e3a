"""Certificates for agents and for the gateway itself, where the operator brings none.

Each authority signs what it is made for and is forgotten: no key that could let in another agent is kept anywhere.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

BACKDATED = timedelta(minutes=5)
"""Clocks differ."""
RENEW_BEFORE = timedelta(days=30)
GATEWAY_LIFE = timedelta(days=825)


@dataclass(frozen=True, slots=True)
class Signed:
    """A certificate, its key and the authority that signed it, all PEM."""

    certificate: str
    key: str
    authority: str


def sign_client(name: str, life: timedelta) -> Signed:
    """A certificate for an agent, by an authority of its own."""
    return sign(name, life, [ExtendedKeyUsageOID.CLIENT_AUTH], ())


def sign_server(hosts: Sequence[str], life: timedelta = GATEWAY_LIFE) -> Signed:
    """A certificate for the gateway under these names and addresses."""
    return sign("cluster-gateway", life, [ExtendedKeyUsageOID.SERVER_AUTH], hosts)


def sign_both(hosts: Sequence[str], life: timedelta) -> Signed:
    """A certificate for processes that serve and ask each other."""
    return sign("stagecraft", life, [ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH], hosts)


def sign(name: str, life: timedelta, usage: Sequence[x509.ObjectIdentifier], hosts: Sequence[str]) -> Signed:
    start = datetime.now(UTC) - BACKDATED
    authority_key, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    authority_name, subject = common_name(f"{name}-authority"), common_name(name)
    identifier = x509.SubjectKeyIdentifier.from_public_key(authority_key.public_key())
    authority = (
        builder(authority_name, authority_name, authority_key, start, life)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(signing_only(), critical=True)
        .add_extension(identifier, critical=False)
        .sign(authority_key, hashes.SHA256())
    )
    made = (
        builder(subject, authority_name, key, start, life)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.ExtendedKeyUsage(usage), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(identifier), critical=False
        )
    )  # fmt: skip
    if hosts:
        made = made.add_extension(x509.SubjectAlternativeName([host_name(host) for host in hosts]), critical=False)
    certificate = made.sign(authority_key, hashes.SHA256())
    return Signed(pem(certificate), key_pem(key), pem(authority))


def builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey, start: datetime, life: timedelta
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(start)
        .not_valid_after(start + life)
    )


def common_name(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name[:64])])


def host_name(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ip_address(host.strip("[]")))
    except ValueError:
        return x509.DNSName(host)


def signing_only() -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=False, content_commitment=False, key_encipherment=False, data_encipherment=False,
        key_agreement=False, key_cert_sign=True, crl_sign=True, encipher_only=False, decipher_only=False,
    )  # fmt: skip


def pem(certificate: x509.Certificate) -> str:
    return certificate.public_bytes(serialization.Encoding.PEM).decode()


def key_pem(key: ec.EllipticCurvePrivateKey) -> str:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()


@dataclass(frozen=True, slots=True)
class Files:
    """The gateway's certificate and key, and the authority that agents have to know."""

    certificate: Path
    key: Path
    authority: Path


def own_files(directory: Path, hosts: Sequence[str]) -> Files:
    """The gateway's own certificate, made when there is none, when it ends soon or when it lacks a host."""
    files = Files(directory / "gateway.crt", directory / "gateway.key", directory / "authority.crt")
    if not is_usable(files, hosts):
        directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        made = sign_server(hosts)
        write_private(files.key, made.key)
        files.certificate.write_text(made.certificate)
        files.authority.write_text(made.authority)
    return files


def is_usable(files: Files, hosts: Sequence[str]) -> bool:
    try:
        held = x509.load_pem_x509_certificate(files.certificate.read_bytes())
        names = held.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except (OSError, ValueError, x509.ExtensionNotFound):
        return False
    is_lasting = held.not_valid_after_utc - datetime.now(UTC) > RENEW_BEFORE
    return (
        is_lasting and files.key.exists() and files.authority.exists() and {host_name(h) for h in hosts} <= set(names)
    )


def write_private(path: Path, text: str) -> None:
    """A file that only its owner reads, from its first byte on."""
    path.touch(mode=0o600)
    path.chmod(0o600)
    path.write_text(text)
