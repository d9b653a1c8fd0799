"""The cluster's certificates."""

from __future__ import annotations

import socket
import ssl
import stat
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address

import pytest
from cryptography import x509

from cluster.accounts import pki
from cluster.accounts.pki import CertificateAuthority


@pytest.fixture
def ca(tmp_path):
    return CertificateAuthority(tmp_path / "pki")


def test_everything_is_for_us_alone(ca):
    ca.serving_files()
    files = sorted(path.name for path in ca.directory.iterdir())
    assert files == ["apiserver.crt", "apiserver.key", "ca.crt", "ca.key"]
    assert all(stat.S_IMODE(path.stat().st_mode) == 0o600 for path in ca.directory.iterdir())
    assert stat.S_IMODE(ca.directory.stat().st_mode) == 0o700


def test_the_ca_is_founded_once(ca):
    assert CertificateAuthority(ca.directory).pem == ca.pem


def names_of(path):
    certificate = x509.load_pem_x509_certificate(path.read_bytes())
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    return names.get_values_for_type(x509.DNSName), names.get_values_for_type(x509.IPAddress)


def test_the_serving_certificate_names_every_way_here(ca):
    names, addresses = names_of(ca.serving_files(["cluster.example", "192.0.2.7", "[2001:db8::1]"]).certificate)
    assert {
        "localhost",
        "kubernetes",
        "kubernetes.default.svc",
        "cluster.example",
        socket.gethostname().lower(),
    } <= set(names)
    assert {str(a) for a in addresses} == {"127.0.0.1", "::1", "10.96.0.1", "192.0.2.7", "2001:db8::1"}


def test_it_is_issued_anew_only_where_it_must_be(ca, monkeypatch):
    first = ca.serving_files().certificate.read_bytes()
    assert ca.serving_files().certificate.read_bytes() == first
    second = ca.serving_files(["new.example"]).certificate.read_bytes()
    assert second != first
    # Fewer names than it has is fine.
    assert ca.serving_files().certificate.read_bytes() == second
    (ca.directory / "ca.crt").unlink()
    other = CertificateAuthority(ca.directory)
    third = other.serving_files().certificate.read_bytes()
    assert third != second
    pki.write_private(ca.directory / "apiserver.key", pki.key_pem(pki.load_key(ca.directory / "ca.key")))
    fourth = other.serving_files().certificate.read_bytes()
    assert fourth != third
    monkeypatch.setattr(pki, "RENEW_BEFORE", timedelta(days=400))
    assert other.serving_files().certificate.read_bytes() != fourth


def test_a_handshake_with_it_succeeds_both_ways(ca, tmp_path):
    files = ca.serving_files()
    certificate, key = ca.issue_client("jane", ["devs"])
    (tmp_path / "client.pem").write_bytes(certificate + key)
    server = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=files.ca)
    server.load_cert_chain(files.certificate, files.key)
    server.verify_mode = ssl.CERT_REQUIRED
    client = ssl.create_default_context(cafile=files.ca)
    client.load_cert_chain(tmp_path / "client.pem")
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    ends = [
        client.wrap_bio(to_client, to_server, server_hostname="127.0.0.1"),
        server.wrap_bio(to_server, to_client, server_side=True),
    ]
    waiting = set(ends)
    for _ in range(10):
        for end in list(waiting):
            try:
                end.do_handshake()
                waiting.discard(end)
            except ssl.SSLWantReadError:
                continue
    assert not waiting
    name, groups, begins, ends_at = pki.user_of_certificate(ends[1].getpeercert(binary_form=True))
    assert (name, groups) == ("jane", ("devs",))
    assert begins < datetime.now(UTC) < ends_at


def test_a_client_certificate_cannot_serve(ca):
    certificate = x509.load_pem_x509_certificate(ca.issue_client("jane", ["a", "b"])[0])
    usage = certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert list(usage) == [x509.oid.ExtendedKeyUsageOID.CLIENT_AUTH]
    assert not certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    certificate.verify_directly_issued_by(ca.certificate)


def test_addresses_and_names_are_told_apart():
    assert pki._general_name("10.0.0.1") == x509.IPAddress(ip_address("10.0.0.1"))
    assert pki._general_name("example.org") == x509.DNSName("example.org")
