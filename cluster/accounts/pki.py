"""The cluster's own certificate authority, in DATA_DIR/pki: ca.crt and ca.key, the API server's certificate, client certificates.

Everything is made at first start, readable by us alone, and the serving certificate again when it is about to expire, when
the names it is to serve change, or when the CA is another one. EC P-256: a handshake costs a tenth of RSA's.
"""

from __future__ import annotations

import ipaddress
import os
import socket
import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.types import CertificatePublicKeyTypes
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

PrivateKey = ec.EllipticCurvePrivateKey
NAMES = (
    "localhost",
    "kubernetes",
    "kubernetes.default",
    "kubernetes.default.svc",
    "kubernetes.default.svc.cluster.local",
)
ADDRESSES = ("127.0.0.1", "::1", "10.96.0.1")
CA_LIFE = timedelta(days=3650)
CERTIFICATE_LIFE = timedelta(days=365)
RENEW_BEFORE = timedelta(days=30)
_SKEW = timedelta(minutes=5)
EXTENDED_USAGES = {
    "any": ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE,
    "server auth": ExtendedKeyUsageOID.SERVER_AUTH,
    "client auth": ExtendedKeyUsageOID.CLIENT_AUTH,
    "code signing": ExtendedKeyUsageOID.CODE_SIGNING,
    "email protection": ExtendedKeyUsageOID.EMAIL_PROTECTION,
    "s/mime": ExtendedKeyUsageOID.EMAIL_PROTECTION,
    "timestamping": ExtendedKeyUsageOID.TIME_STAMPING,
    "ocsp signing": ExtendedKeyUsageOID.OCSP_SIGNING,
}


@dataclass(frozen=True, slots=True)
class ServingFiles:
    """What a TLS listener needs to know."""

    certificate: Path
    key: Path
    ca: Path


class CertificateAuthority:
    """Signs. `CertificateAuthority(directory)` loads the one that is there or founds a new one."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        key_path, certificate_path = directory / "ca.key", directory / "ca.crt"
        if not (key_path.exists() and certificate_path.exists()):
            key = ec.generate_private_key(ec.SECP256R1())
            write_private(key_path, key_pem(key))
            write_private(certificate_path, _found(key).public_bytes(serialization.Encoding.PEM))
        self.key = load_key(key_path)
        self.pem = certificate_path.read_bytes()
        self.certificate = x509.load_pem_x509_certificate(self.pem)

    def issue_client(
        self, name: str, groups: Iterable[str] = (), life: timedelta = CERTIFICATE_LIFE
    ) -> tuple[bytes, bytes]:
        """(certificate, key) in PEM for a Kubernetes user: CN is the user, each O a group."""
        key = ec.generate_private_key(ec.SECP256R1())
        organizations = [x509.NameAttribute(NameOID.ORGANIZATION_NAME, group) for group in groups]
        subject = x509.Name([*organizations, x509.NameAttribute(NameOID.COMMON_NAME, name)])
        certificate = self._sign(key, subject, life, ExtendedKeyUsageOID.CLIENT_AUTH)
        return certificate.public_bytes(serialization.Encoding.PEM), key_pem(key)

    def sign_request(self, request: bytes, usages: Iterable[str], seconds: float | None = None) -> bytes:
        """The certificate (PEM) for a certificate signing request (PEM), for these usages as Kubernetes names them."""
        wanted = x509.load_pem_x509_csr(request)
        if not wanted.is_signature_valid:
            raise ValueError("the signature of the request is not valid")
        life = min(timedelta(seconds=seconds), CERTIFICATE_LIFE) if seconds else CERTIFICATE_LIFE
        usages = set(usages)
        extended = [oid for usage, oid in EXTENDED_USAGES.items() if usage in usages]
        builder = self._certificate(wanted.public_key(), wanted.subject, life)
        # An empty list of key usages would make the certificate good for nothing.
        if usages - set(EXTENDED_USAGES):
            builder = builder.add_extension(_key_usage_of(usages), critical=True)
        if extended:
            builder = builder.add_extension(x509.ExtendedKeyUsage(extended), critical=False)
        for extension in wanted.extensions:
            if isinstance(extension.value, x509.SubjectAlternativeName):
                builder = builder.add_extension(extension.value, critical=extension.critical)
        return builder.sign(self.key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)

    def serving_files(self, extra_names: Iterable[str] = ()) -> ServingFiles:
        """The API server's certificate, issued anew where the one on disk will not do."""
        files = ServingFiles(
            self.directory / "apiserver.crt", self.directory / "apiserver.key", self.directory / "ca.crt"
        )
        names = serving_names(extra_names)
        if not self._will_do(files, names):
            key = ec.generate_private_key(ec.SECP256R1())
            subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "kube-apiserver")])
            certificate = self._sign(key, subject, CERTIFICATE_LIFE, ExtendedKeyUsageOID.SERVER_AUTH, names)
            write_private(files.key, key_pem(key))
            write_private(files.certificate, certificate.public_bytes(serialization.Encoding.PEM))
        return files

    def _will_do(self, files: ServingFiles, names: Iterable[str]) -> bool:
        if not (files.certificate.exists() and files.key.exists()):
            return False
        certificate = x509.load_pem_x509_certificate(files.certificate.read_bytes())
        if certificate.not_valid_after_utc - datetime.now(UTC) < RENEW_BEFORE:
            return False
        if certificate.public_key() != load_key(files.key).public_key():
            return False
        try:
            certificate.verify_directly_issued_by(self.certificate)
        except Exception:  # the CA is another one: whatever the library calls that, we sign anew
            return False
        held = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        return {_general_name(name) for name in names} <= set(held)

    def _certificate(
        self, key: CertificatePublicKeyTypes, subject: x509.Name, life: timedelta
    ) -> x509.CertificateBuilder:
        """A certificate that is good from now on, and for nothing yet."""
        now = datetime.now(UTC)
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self.certificate.subject)
            .public_key(key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - _SKEW)
            .not_valid_after(min(now + life, self.certificate.not_valid_after_utc))
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(self.key.public_key()), critical=False)
        )

    def _sign(
        self,
        key: PrivateKey,
        subject: x509.Name,
        life: timedelta,
        usage: x509.ObjectIdentifier,
        names: Iterable[str] = (),
    ) -> x509.Certificate:
        builder = (
            self._certificate(key.public_key(), subject, life)
            .add_extension(_key_usage(signs_certificates=False), critical=True)
            .add_extension(x509.ExtendedKeyUsage([usage]), critical=False)
        )
        if names:
            alternatives = x509.SubjectAlternativeName([_general_name(name) for name in names])
            builder = builder.add_extension(alternatives, critical=False)
        return builder.sign(self.key, hashes.SHA256())


def serving_names(extra: Iterable[str] = ()) -> tuple[str, ...]:
    """Every name and address under which clients may reach the API server."""
    own = [socket.gethostname().lower()]
    return tuple(dict.fromkeys([*NAMES, *own, *ADDRESSES, *(name.strip("[]") for name in extra if name)]))


def user_of_certificate(der: bytes) -> tuple[str, tuple[str, ...], datetime, datetime]:
    """(CN, organizations, valid from, valid until) of a certificate that the listener has verified."""
    certificate = x509.load_der_x509_certificate(der)
    names = certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    groups = certificate.subject.get_attributes_for_oid(NameOID.ORGANIZATION_NAME)
    return (
        _text(names[0].value) if names else "",
        tuple(_text(group.value) for group in groups),
        certificate.not_valid_before_utc,
        certificate.not_valid_after_utc,
    )


def write_private(path: Path, content: bytes) -> None:
    """Write a file that nobody else can read, whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    temporary = path.with_name(f".{path.name}.{uuid.uuid4().hex}")
    with open(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(content)
    os.replace(temporary, path)


def key_pem(key: PrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def load_key(path: Path) -> PrivateKey:
    key = serialization.load_pem_private_key(path.read_bytes(), password=None)
    if not isinstance(key, PrivateKey):
        raise ValueError(f"{path.name} is not an elliptic curve key")
    return key


def _found(key: PrivateKey) -> x509.Certificate:
    now = datetime.now(UTC)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "kubernetes")])
    return (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _SKEW)
        .not_valid_after(now + CA_LIFE)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(_key_usage(signs_certificates=True), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )


def _key_usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        encipher_only=False,
        decipher_only=False,
    )


def _key_usage_of(usages: set[str]) -> x509.KeyUsage:
    """The key usages among Kubernetes' names of usages."""
    agreement = "key agreement" in usages
    return x509.KeyUsage(
        digital_signature="digital signature" in usages or "signing" in usages,
        content_commitment="content commitment" in usages,
        key_encipherment="key encipherment" in usages,
        data_encipherment="data encipherment" in usages,
        key_agreement=agreement,
        key_cert_sign="cert sign" in usages,
        crl_sign="crl sign" in usages,
        encipher_only=agreement and "encipher only" in usages,
        decipher_only=agreement and "decipher only" in usages,
    )


def _general_name(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _text(value: str | bytes) -> str:
    return value.decode() if isinstance(value, bytes) else value
