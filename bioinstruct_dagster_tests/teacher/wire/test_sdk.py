"""The SDK's client asks the same address as we do, with the same headers, query and proxy."""

import pytest
from aiohttp import web
from openai import APIStatusError

from bioinstruct_dagster.teacher.errors import TeacherError
from bioinstruct_dagster.teacher.wire.endpoint import Endpoint
from bioinstruct_dagster.teacher.wire.sdk import request_headers, sdk_client
from bioinstruct_dagster_tests.teacher.wire.exchanges import KEY

LIST = {"object": "list", "data": [], "has_more": False}


@pytest.fixture
def files(listen):
    """A server of files: its address, and what it was asked."""
    seen = []

    async def answer(request):
        seen.append(request)
        if request.path.startswith("/moved"):
            return web.Response(status=307, headers={"location": "/v1/files"})
        return web.json_response(LIST)

    application = web.Application()
    application.router.add_route("*", "/{rest:.*}", answer)
    return f"http://127.0.0.1:{listen(application)}", seen


def test_files_are_asked_for_with_the_query_and_the_key(files):
    host, seen = files
    with sdk_client(Endpoint(f"{host}/openai?api-version=2024-10-21", KEY, False)) as client:
        client.files.list()
    [request] = seen
    assert request.path == "/openai/files"
    assert request.query["api-version"] == "2024-10-21"
    assert (request.headers["api-key"], request.headers["authorization"]) == (KEY, f"Bearer {KEY}")


def test_the_environment_sends_files_nowhere_else(files, monkeypatch):
    host, seen = files
    monkeypatch.setenv("ALL_PROXY", "socks5://x")
    monkeypatch.setenv("OPENAI_BASE_URL", "http://127.0.0.1:9/v1")
    with sdk_client(Endpoint(f"{host}/v1", KEY, False)) as client:
        client.files.list()
    assert len(seen) == 1
    with pytest.raises(TeacherError, match="ALL_PROXY"):
        sdk_client(Endpoint("http://far.example/v1", KEY, False))


def test_a_redirect_does_not_carry_the_key_elsewhere(files):
    host, seen = files
    with (
        sdk_client(Endpoint(f"{host}/moved", KEY, False)) as client,
        pytest.raises(APIStatusError) as caught,
    ):
        client.with_options(max_retries=0).files.list()
    assert caught.value.status_code == 307
    assert [request.path for request in seen] == ["/moved/files"]


def test_azure_gets_the_key_in_one_header():
    headers = request_headers(Endpoint("https://x.openai.azure.com/openai/v1", KEY, False))
    assert headers["api-key"] == KEY
    assert "Authorization" not in headers
    sdk_client(Endpoint("https://x.openai.azure.com/openai/v1", KEY, False)).close()
    usual = request_headers(Endpoint(None, KEY, False))
    assert usual["Authorization"] == f"Bearer {KEY}"
    assert usual["Content-Type"] == "application/json"
