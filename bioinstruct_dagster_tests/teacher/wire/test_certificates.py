"""TLS with a server of the tests' own: certificates that are trusted, and those that are not."""

import shutil
import ssl
import subprocess

import pytest
from aiohttp import web

from bioinstruct_dagster.settings import Settings
from bioinstruct_dagster.store.database import Store
from bioinstruct_dagster.teacher.errors import TeacherError
from bioinstruct_dagster.teacher.rounds import ask
from bioinstruct_dagster.teacher.session import open_session
from bioinstruct_dagster.teacher.terms import Terms
from bioinstruct_dagster.teacher.wire.connection_errors import UnusableConnectionError
from bioinstruct_dagster.teacher.wire.endpoint import Endpoint
from bioinstruct_dagster.teacher.wire.sdk import sdk_client
from bioinstruct_dagster_tests.teacher.sessions import session_of
from bioinstruct_dagster_tests.teacher.wire.exchanges import KEY, complete

FAR = "https://teacher.invalid/v1"


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    """A certificate for localhost that signs itself, and its key."""
    if not shutil.which("openssl"):
        pytest.skip("openssl is not installed, so no certificate can be made")
    folder = tmp_path_factory.mktemp("certificate")
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2",
         "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost",
         "-keyout", folder / "key.pem", "-out", folder / "certificate.pem"],
        check=True, capture_output=True,
    )  # fmt: skip
    return folder / "certificate.pem", folder / "key.pem"


@pytest.fixture
def tls_server(certificate, reply, listen):
    """A server that answers over TLS: its port, and the number of its answers."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*certificate)
    answers = []

    async def answer(_):
        answers.append(1)
        return reply("over TLS")

    async def files(_):
        return web.json_response({"object": "list", "data": [], "has_more": False})

    application = web.Application()
    application.router.add_post("/v1/chat/completions", answer)
    application.router.add_get("/v1/files", files)
    return listen(application, context), answers


@pytest.fixture(autouse=True)
def no_certificates(monkeypatch):
    for name in ("SSL_CERT_FILE", "SSL_CERT_DIR"):
        monkeypatch.delenv(name, raising=False)


def test_a_certificate_that_ssl_cert_file_names_is_trusted(
    tls_server, certificate, requests_of, monkeypatch
):
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate[0]))
    url = f"https://localhost:{tls_server[0]}/v1"
    (answered,) = complete(requests_of(1)[0], url)
    assert answered.content == "over TLS"
    with sdk_client(Endpoint(url, KEY, rehearsal=False)) as client:
        assert client.files.list().data == []


def test_a_certificate_that_nobody_trusts_ends_the_run_at_once(tls_server, requests_of, store):
    port, answers = tls_server
    url = f"https://localhost:{port}/v1"
    with pytest.raises(UnusableConnectionError, match=r"self-signed.*SSL_CERT_FILE"):
        complete(requests_of(1)[0], url)
    session = session_of(
        Endpoint(url, KEY, rehearsal=False), store, terms=Terms(concurrency=1, max_tokens=10**6)
    )
    with pytest.raises(TeacherError, match=r"self-signed.*SSL_CERT_FILE"):
        ask(session, requests_of(3))
    assert store.rows("select * from spend") == []
    assert answers == []


def test_the_probe_says_so_too(tls_server, tmp_path):
    settings = Settings.of(
        teacher="openai",
        openai_api_key=KEY,
        openai_base_url=f"https://localhost:{tls_server[0]}/v1",
        data_dir=tmp_path / "data",
    )
    with (
        pytest.raises(TeacherError, match=r"self-signed.*SSL_CERT_FILE"),
        open_session(settings, Store(settings.store.path), lambda _: None),
    ):
        pass


def test_a_certificate_of_another_host_is_not_trusted(
    tls_server, certificate, requests_of, monkeypatch
):
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate[0]))
    with pytest.raises(UnusableConnectionError, match=r"127\.0\.0\.1.*names another host"):
        complete(requests_of(1)[0], f"https://127.0.0.1:{tls_server[0]}/v1")


def test_https_for_a_server_without_tls_is_named(serve, requests_of, reply):
    async def answer(_):
        return reply()

    url = serve(answer).url.replace("http:", "https:")
    with pytest.raises(UnusableConnectionError, match=r"without TLS.*write http://"):
        complete(requests_of(1)[0], url)


@pytest.mark.parametrize(
    ("variable", "make", "said"),
    [
        ("SSL_CERT_FILE", lambda path: None, "does not exist"),
        ("SSL_CERT_FILE", lambda path: path.mkdir(), "does not exist or is no file"),
        ("SSL_CERT_FILE", lambda path: path.write_text(""), "holds no certificate"),
        ("SSL_CERT_FILE", lambda path: path.write_text("text"), "holds no certificate"),
        ("SSL_CERT_DIR", lambda path: None, "can't be listed"),
        ("SSL_CERT_DIR", lambda path: path.write_text("text"), "can't be listed"),
        ("SSL_CERT_DIR", lambda path: path.mkdir(), "holds no certificate"),
    ],
)
def test_certificates_that_are_not_there_are_named(
    requests_of, tmp_path, monkeypatch, variable, make, said
):
    path = tmp_path / "certificates"
    make(path)
    monkeypatch.setenv(variable, str(path))
    with pytest.raises(TeacherError, match=f"^{variable} names .*{said}"):
        complete(requests_of(1)[0], FAR)
    with pytest.raises(TeacherError, match=f"^{variable} names .*{said}"):
        sdk_client(Endpoint(FAR, KEY, rehearsal=False))


def test_a_folder_of_certificates_is_trusted(tls_server, certificate, requests_of, tmp_path,
                                             monkeypatch):  # fmt: skip
    shutil.copy(certificate[0], tmp_path / "mine.pem")
    subprocess.run(["openssl", "rehash", tmp_path], check=True, capture_output=True)
    monkeypatch.setenv("SSL_CERT_DIR", str(tmp_path))
    (answered,) = complete(requests_of(1)[0], f"https://localhost:{tls_server[0]}/v1")
    assert answered.content == "over TLS"


def test_without_tls_no_certificates_are_read(serve, requests_of, reply, monkeypatch):
    async def answer(_):
        return reply("plainly")

    monkeypatch.setenv("SSL_CERT_FILE", "/nowhere")
    (answered,) = complete(requests_of(1)[0], serve(answer).url)
    assert answered.content == "plainly"


def test_http_for_a_server_with_tls_is_named(tls_server, requests_of):
    with pytest.raises(UnusableConnectionError, match=r"only over TLS.*https://"):
        complete(requests_of(1)[0], f"http://localhost:{tls_server[0]}/v1")
