"""Certificates: checked against the bundle that was given, or not at all where the user says so."""

from __future__ import annotations

import http.server
import re
import shutil
import ssl
import subprocess
import threading
from typing import TYPE_CHECKING

import pytest
from packaging.utils import canonicalize_name

from crossdeps.config.index_options import IndexOptions
from crossdeps.errors import IndexUnreachableError
from crossdeps.index.client import open_index

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.subprocess
FOO = canonicalize_name("foo")


class _Page(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        body = b'<a href="foo-1.0-py3-none-any.whl">foo</a>'
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its name upstream
        """Say nothing."""


class _Server(http.server.ThreadingHTTPServer):
    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing of failed handshakes."""


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    """A certificate for 127.0.0.1 that nobody else vouches for; its key is beside it."""
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("openssl isn't installed")
    place = tmp_path / "certificate.pem"
    command = f"req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=test -keyout {tmp_path}/key.pem"
    subprocess.run(
        [openssl, *command.split(), "-out", str(place), "-addext", "subjectAltName=IP:127.0.0.1"],
        check=True,
        capture_output=True,
    )
    return place


@pytest.fixture
def url(certificate: Path) -> Iterator[str]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, certificate.with_name("key.pem"))
    with _Server(("127.0.0.1", 0), _Page) as server:
        server.socket = context.wrap_socket(server.socket, server_side=True)
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"https://127.0.0.1:{server.server_address[1]}/simple/"
        server.shutdown()
        thread.join()


def test_a_certificate_that_nobody_vouches_for_is_refused_at_once(url: str) -> None:
    index = open_index(IndexOptions(index_url=url))
    with index, pytest.raises(IndexUnreachableError, match="TLS") as caught:
        index.page(FOO)
    assert "--cert" in (caught.value.hint or "")
    assert "attempts" not in caught.value.message


def test_a_bundle_that_vouches_for_it_is_enough(url: str, certificate: Path) -> None:
    with open_index(IndexOptions(index_url=url, cert=str(certificate))) as index:
        assert len(index.page(FOO).files) == 1


def test_an_expired_certificate_or_a_wrong_clock_is_one_line(
    tmp_path: Path, certificate: Path
) -> None:
    """The clock of a container or a fresh machine may be years off."""
    key = certificate.with_name("key.pem")
    for name in ("index.txt", "serial"):
        (tmp_path / name).write_text("01\n" if name == "serial" else "")
    (tmp_path / "ca.cnf").write_text(
        f"[ca]\ndefault_ca=x\n[x]\ndatabase={tmp_path}/index.txt\nserial={tmp_path}/serial\n"
        f"new_certs_dir={tmp_path}\ndefault_md=sha256\npolicy=p\nx509_extensions=e\n"
        "[p]\ncommonName=supplied\n[e]\nsubjectAltName=IP:127.0.0.1\n"
        "[req]\ndistinguished_name=d\n[d]\n"
    )
    config = tmp_path / "ca.cnf"
    request, old = tmp_path / "request.pem", tmp_path / "old.pem"
    dates = "-startdate 20200101000000Z -enddate 20210101000000Z"
    for command in (
        f"req -new -key {key} -subj /CN=test -config {config} -out {request}",
        f"ca -batch -selfsign -config {config} -keyfile {key} -in {request} -out {old} {dates}",
    ):
        subprocess.run(["openssl", *command.split()], check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(old, key)
    with _Server(("127.0.0.1", 0), _Page) as server:
        server.socket = context.wrap_socket(server.socket, server_side=True)
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        address = f"https://127.0.0.1:{server.server_address[1]}/simple/"
        index = open_index(IndexOptions(index_url=address, cert=str(old)))
        with index, pytest.raises(IndexUnreachableError) as caught:
            index.page(FOO)
        server.shutdown()
        thread.join()
    assert re.search(
        r"the certificate has expired, or the clock of this machine is wrong: it says \d{4}-",
        caught.value.message,
    )


def test_a_client_certificate_that_cannot_be_used_is_named(
    url: str, certificate: Path, tmp_path: Path
) -> None:
    client = tmp_path / "client.pem"
    client.write_text("no certificate")
    options = IndexOptions(index_url=url, cert=str(certificate), client_cert=str(client))
    with open_index(options) as index, pytest.raises(IndexUnreachableError) as caught:
        index.page(FOO)
    assert f"client certificate {client}" in caught.value.context
    assert "--client-cert" in (caught.value.hint or "")


def test_the_proxy_that_refuses_is_named_without_its_login() -> None:
    proxy = "http://me:s3cret@127.0.0.1:9"
    options = IndexOptions(
        index_url="https://index.invalid/simple/", proxies={"https": proxy}, retries=0
    )
    with open_index(options) as index, pytest.raises(IndexUnreachableError) as caught:
        index.page(FOO)
    assert "the proxy refused" in caught.value.message
    assert any("127.0.0.1:9" in line for line in caught.value.context)
    assert "s3cret" not in str(caught.value)


@pytest.mark.parametrize("with_port", [True, False])
def test_a_trusted_host_is_not_checked(url: str, with_port: bool) -> None:
    """Quietly: the user asked for it."""
    host = url.split("/")[2]
    trusted = host if with_port else host.partition(":")[0]
    with open_index(IndexOptions(index_url=url, trusted_hosts=(trusted,))) as index:
        assert len(index.page(FOO).files) == 1


@pytest.mark.parametrize("content", [None, "", "no certificate"])
def test_a_bundle_that_can_not_be_used_is_told(
    url: str, tmp_path: Path, content: str | None
) -> None:
    bundle = tmp_path / "bundle.pem"
    if content is not None:
        bundle.write_text(content)
    index = open_index(IndexOptions(index_url=url, cert=str(bundle)))
    with index, pytest.raises(IndexUnreachableError) as caught:
        index.page(FOO)
    assert str(bundle) in str(caught.value)


def test_certificates_are_read_once_for_all_connections(
    url: str, certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Reading a bundle takes longer than the rest of a handshake."""
    read = []
    load = ssl.SSLContext.load_verify_locations

    def count(context: ssl.SSLContext, *args: object, **kwargs: object) -> None:
        read.append(args or kwargs)
        load(context, *args, **kwargs)  # type: ignore[arg-type]

    monkeypatch.setattr(ssl.SSLContext, "load_verify_locations", count)
    names = [canonicalize_name(f"foo{number}") for number in range(6)]
    with open_index(IndexOptions(index_url=url, cert=str(certificate))) as index:
        index.prefetch(names)
        for name in names:
            index.page(name)
    assert len(read) == 1


def test_a_name_that_the_certificate_does_not_state_is_refused(url: str, certificate: Path) -> None:
    """The one context checks host names for every connection."""
    options = IndexOptions(index_url=url.replace("127.0.0.1", "localhost"), cert=str(certificate))
    with open_index(options) as index, pytest.raises(IndexUnreachableError, match="TLS"):
        index.page(FOO)
