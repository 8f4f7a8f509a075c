"""TLS, and what is refused of it."""

import datetime
import ssl
from ipaddress import ip_address

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from integration.egress.peers import LOOPBACK, OK, Peer, always, answering, fails, redirect, serving

from onward.egress.client import HttpClient
from onward.egress.guard import Guard
from onward.egress.http import Request


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    """A self-signed certificate for 127.0.0.1 and right.example: (server context, path of the authority)."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "right.example")])
    now = datetime.datetime.now(datetime.UTC)
    names = [x509.DNSName("right.example"), x509.IPAddress(ip_address("127.0.0.1"))]
    cert = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    folder = tmp_path_factory.mktemp("tls")
    path = folder / "both.pem"
    path.write_bytes(
        cert.public_bytes(serialization.Encoding.PEM)
        + key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(path)
    return context, path


async def test_a_self_signed_certificate_is_refused_for_good(client, certificate):
    async with serving(always(OK), tls=certificate[0]) as server:
        error = await fails(client, "TLS", server.url(scheme="https"))
        assert not error.retryable


async def test_tls_with_a_trusted_certificate_and_only_for_its_names(certificate):
    trusting = ssl.create_default_context(cafile=str(certificate[1]))
    client = HttpClient(Guard(LOOPBACK), tls=trusting, lookup=answering(["127.0.0.1"]))
    async with serving(always(OK), tls=certificate[0]) as server:
        for host in ("127.0.0.1", "right.example", "RIGHT.example."):
            for _ in range(2):
                response = await client.send(
                    Request(url=server.url(host=host, scheme="https"), body=b"x" * 200_000)
                )
                assert response.body == b"ok"
        assert server.connections == 2
        await fails(client, "TLS", server.url(host="wrong.example", scheme="https"))
    await client.close()


async def test_plain_http_behind_https_is_no_certificate_matter(client):
    async def speak(peer: Peer) -> None:
        await peer.reader.read(1)
        await peer.say(b"HTTP/1.1 400 Bad Request\r\n\r\n")

    async with serving(speak) as server:
        assert (await fails(client, "ECONNABORTED", server.url(scheme="https"))).retryable


async def test_a_redirect_never_leaves_tls(certificate):
    trusting = ssl.create_default_context(cafile=str(certificate[1]))
    client = HttpClient(Guard(LOOPBACK), tls=trusting)
    async with (
        serving(always(OK)) as plain,
        serving(always(redirect(308, plain.url())), tls=certificate[0]) as server,
    ):
        await fails(client, "INVALID_URL", server.url(scheme="https"))
        assert plain.connections == 0
    await client.close()
