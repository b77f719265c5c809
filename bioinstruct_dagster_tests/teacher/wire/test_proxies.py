"""Proxies of the environment: used on purpose, named when they fail, never for this machine."""

import os
import subprocess
import sys

import pytest
from aiohttp import web

from bioinstruct_dagster.settings import Settings
from bioinstruct_dagster.store.database import Store
from bioinstruct_dagster.teacher.errors import TeacherError, UnreachedServerError
from bioinstruct_dagster.teacher.rounds import ask
from bioinstruct_dagster.teacher.session import open_session
from bioinstruct_dagster.teacher.wire.addresses import read_address
from bioinstruct_dagster.teacher.wire.connection_errors import UnusableConnectionError
from bioinstruct_dagster.teacher.wire.proxies import proxy_for
from bioinstruct_dagster_tests.teacher.wire.exchanges import KEY, complete

FAR = "http://teacher.invalid:8000/v1"
PASSWORD = "hunter2-hunter2"  # noqa: S105


@pytest.fixture
def proxy(listen, reply):
    """A proxy that answers in place of every server: its address, and what it was asked."""

    def start(status=200):
        seen = []

        async def answer(request: web.Request) -> web.Response:
            seen.append((str(request.url), request.headers.get("proxy-authorization")))
            return reply("by the proxy") if status == 200 else web.Response(status=status)

        application = web.Application()
        application.router.add_route("*", "/{rest:.*}", answer)

        @web.middleware
        async def always(request, handler):
            return await answer(request)  # CONNECT names no path

        application.middlewares.append(always)
        return f"http://127.0.0.1:{listen(application)}", seen

    return start


@pytest.mark.parametrize("variable", ["http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"])
def test_the_environments_proxy_is_used_except_for_no_proxy(
    proxy, requests_of, monkeypatch, variable
):
    address, seen = proxy()
    monkeypatch.setenv(variable, address.replace("//", f"//me:{PASSWORD}@"))
    (request,) = requests_of(1)
    (answer,) = complete(request, FAR)
    assert answer.content == "by the proxy"
    [(url, login)] = seen
    assert url == "http://teacher.invalid:8000/v1/chat/completions"
    assert login.startswith("Basic ")
    for named in ("teacher.invalid", "*", "teacher.invalid:8000", "x, .invalid"):
        monkeypatch.setenv("no_proxy", named)
        with pytest.raises(UnreachedServerError, match=r"teacher\.invalid"):
            complete(request, FAR)
    assert len(seen) == 1


@pytest.mark.parametrize("value", ["socks5://127.0.0.1:1", "http://127.0.0.1:1", "nonsense proxy"])
def test_a_server_on_this_machine_is_reached_directly(
    serve, requests_of, reply, monkeypatch, value
):
    async def answer(_):
        return reply("directly")

    for name in ("ALL_PROXY", "HTTP_PROXY", "HTTPS_PROXY", "all_proxy", "http_proxy"):
        monkeypatch.setenv(name, value)
    url = serve(answer).url
    for address in (url, url.replace("127.0.0.1", "localhost")):
        (answered,) = complete(requests_of(1)[0], address)
        assert answered.content == "directly"


def test_the_embedded_teacher_needs_no_proxy_that_works(tmp_path, monkeypatch, requests_of):
    monkeypatch.setenv("ALL_PROXY", "socks5://x")
    for service in ("online", "batch"):
        settings = Settings.of(data_dir=tmp_path / service, service=service)
        store = Store(settings.store.path)
        with open_session(settings, store, lambda _: None) as session:
            tally = ask(session, requests_of(2))
        assert tally.asked + tally.pending == 2


@pytest.mark.slow  # test_the_embedded_teacher_needs_no_proxy_that_works is the quick one
def test_the_demo_runs_with_a_proxy_that_can_not_be_used(environment):
    environment |= {"ALL_PROXY": "socks5://x", "HTTPS_PROXY": "socks5h://x:1"}
    source = """
from bioinstruct_dagster.definitions import build_defs
from bioinstruct_dagster.settings import load_settings
job = build_defs(load_settings()).resolve_job_def("data_set")
assert job.execute_in_process().success
"""
    done = subprocess.run(
        [sys.executable, "-c", source], env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[-3_000:]


@pytest.mark.parametrize("variable", ["HTTP_PROXY", "ALL_PROXY"])
@pytest.mark.parametrize(
    "value",
    [
        f"socks5://me:{PASSWORD}@proxy.example:1080", f"socks4a://{PASSWORD}@proxy.example",
        "socks://proxy.example", "ftp://proxy.example", "http://", "http://proxy.example:x",
        "http://[half", "a proxy", "://",
    ],
)  # fmt: skip
def test_a_proxy_that_can_not_be_used_is_refused_by_its_variable(
    requests_of, monkeypatch, variable, value
):
    monkeypatch.setenv(variable, value)
    with pytest.raises(TeacherError, match=rf"^{variable} .*NO_PROXY") as caught:
        complete(requests_of(1)[0], FAR)
    assert PASSWORD not in str(caught.value)
    assert "teacher.invalid" in str(caught.value)


def test_a_proxy_that_asks_for_a_login_is_named(proxy, requests_of, monkeypatch):
    address, _ = proxy(407)
    monkeypatch.setenv("HTTP_PROXY", address)
    monkeypatch.setenv("HTTPS_PROXY", address)
    for url in (FAR, FAR.replace("http:", "https:")):
        with pytest.raises(UnusableConnectionError, match=r"407.*user name") as caught:
            complete(requests_of(1)[0], url)
        assert address in str(caught.value)
        assert KEY not in str(caught.value)


@pytest.mark.parametrize(("status", "error"), [(403, UnusableConnectionError),
                                               (503, UnreachedServerError)])  # fmt: skip
def test_a_proxy_that_does_not_connect_is_named(proxy, requests_of, monkeypatch, status, error):
    address, _ = proxy(status)
    monkeypatch.setenv("HTTPS_PROXY", address)
    with pytest.raises(error, match=f"HTTPS_PROXY answers HTTP {status}"):
        complete(requests_of(1)[0], FAR.replace("http:", "https:"))


@pytest.mark.parametrize("url", [FAR, FAR.replace("http:", "https:")])
def test_a_proxy_that_is_not_there_is_named(requests_of, monkeypatch, url):
    monkeypatch.setenv("ALL_PROXY", f"http://me:{PASSWORD}@127.0.0.1:9")
    with pytest.raises(UnreachedServerError, match=r"127\.0\.0\.1:9 of ALL_PROXY") as caught:
        complete(requests_of(1)[0], url)
    assert PASSWORD not in str(caught.value)


@pytest.mark.parametrize(
    ("environment", "url"),
    [
        ({}, None),
        ({"HTTPS_PROXY": "http://a:1"}, "http://a:1"),
        ({"HTTPS_PROXY": "a:1"}, "http://a:1"),
        ({"https_proxy": "http://a:1", "HTTPS_PROXY": "socks5://b"}, "http://a:1"),
        ({"HTTPS_PROXY": "http://a:1", "ALL_PROXY": "socks5://b"}, "http://a:1"),
        ({"HTTP_PROXY": "socks5://b"}, None),
        ({"HTTPS_PROXY": " ", "ALL_PROXY": "https://c"}, "https://c"),
        ({"ALL_PROXY": "http://a:1", "NO_PROXY": "api.example"}, None),
        ({"ALL_PROXY": "http://a:1", "NO_PROXY": "EXAMPLE"}, None),
        ({"ALL_PROXY": "http://a:1", "NO_PROXY": "*.example"}, None),
        ({"ALL_PROXY": "http://a:1", "NO_PROXY": "api.example:443"}, None),
        ({"ALL_PROXY": "http://a:1", "NO_PROXY": "api.example:80"}, "http://a:1"),
        ({"ALL_PROXY": "http://a:1", "NO_PROXY": "pi.example,10.0.0.0/8"}, "http://a:1"),
        ({"ALL_PROXY": "http://a:1", "NO_PROXY": ","}, "http://a:1"),
    ],
)
def test_the_variable_that_counts_is_the_first_that_curl_would_take(environment, url):
    found = proxy_for(read_address("https://api.example/v1"), environment)
    assert (found.url if found else None) == url


@pytest.mark.parametrize(
    ("no_proxy", "host", "direct"),
    [
        ("10.0.0.0/8", "10.1.2.3", True), ("10.0.0.0/8", "11.1.2.3", False),
        ("10.1.2.3", "10.1.2.3", True), ("fd00::/8", "[fd00::1]", True),
        ("[fd00::1]:443", "[fd00::1]", True), ("fd00::1", "[fd00::2]", False),
    ],
)  # fmt: skip
def test_no_proxy_names_networks_too(no_proxy, host, direct):
    environment = {"ALL_PROXY": "http://a:1", "NO_PROXY": no_proxy}
    assert (proxy_for(read_address(f"https://{host}/v1"), environment) is None) is direct


def test_a_header_of_a_web_request_is_no_proxy():
    environment = {"HTTP_PROXY": "http://a:1", "REQUEST_METHOD": "GET"}
    assert proxy_for(read_address("http://far.example/v1"), environment) is None
    assert "REQUEST_METHOD" not in os.environ
