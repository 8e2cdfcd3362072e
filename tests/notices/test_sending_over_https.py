"""A certificate that nobody vouches for ends the sending before anything is told."""

import datetime
import ipaddress
import socket
import ssl

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from portal.notices import posting
from portal.notices.message import Unreached
from tests.notices.receivers import Receiver, listening


def a_certificate(folder, host: str):
    """(its file, the server's context) of a certificate for `host` that signs itself."""
    key, now = ec.generate_private_key(ec.SECP256R1()), datetime.datetime.now(datetime.UTC)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, host)])
    named = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address(host))])
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(named, critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    plain = serialization.NoEncryption()
    kind = serialization.PrivateFormat.PKCS8
    (folder / "key").write_bytes(key.private_bytes(serialization.Encoding.PEM, kind, plain))
    (folder / "cert").write_bytes(made.public_bytes(serialization.Encoding.PEM))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "cert", folder / "key")
    return folder / "cert", context


def post(receiver: Receiver):
    return posting.post(f"https://127.0.0.1:{receiver.port}/in", b"{}", {})


@pytest.mark.parametrize(
    ("host", "trusted", "arrives"),
    [("127.0.0.1", True, True), ("127.0.0.1", False, False), ("127.0.0.2", True, False)],
    ids=["vouched for", "vouched for by nobody", "another host's"],
)
def test_only_a_good_certificate_gets_the_message(tmp_path, monkeypatch, host, trusted, arrives):
    file, context = a_certificate(tmp_path, host)
    if trusted:
        monkeypatch.setenv("SSL_CERT_FILE", str(file))
    with listening(Receiver(), tls=context) as receiver:
        if arrives:
            assert post(receiver).status == 200
        else:
            with pytest.raises(Unreached, match="SSLCertVerificationError"):
                post(receiver)
        assert len(receiver.posts) == arrives


def test_a_handshake_that_never_ends_is_cut_off(monkeypatch):
    monkeypatch.setattr(posting, "WHOLE", 0.2)
    silent = socket.create_server(("127.0.0.1", 0))
    with silent, pytest.raises(Unreached, match="in time"):
        post(Receiver(port=silent.getsockname()[1]))
