"""Fixtures of the tests of the wire."""

import asyncio
import threading

import pytest
from aiohttp import web

from bioinstruct_dagster.teacher.wire.dialect import PATHS, Dialect
from bioinstruct_dagster_tests.teacher.wire.exchanges import complete

PROXY_VARIABLES = ("http_proxy", "https_proxy", "all_proxy", "no_proxy")


@pytest.fixture(autouse=True)
def no_proxies(monkeypatch):
    """No proxy of the developer's shell."""
    for name in PROXY_VARIABLES:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    monkeypatch.delenv("REQUEST_METHOD", raising=False)


@pytest.fixture
def answered(serve, requests_of):
    """What becomes of one request to a server with this one answer, by either API."""

    def send(answer, *, api="chat", **changed):
        async def give(_):
            return answer() if callable(answer) else answer

        application = web.Application()
        application.router.add_post(f"/v1{PATHS[api]}", give)
        url = serve(application).url
        (reply,) = complete(requests_of(1)[0], url, dialect=Dialect(api=api), **changed)
        return reply

    return send


@pytest.fixture
def listen():
    """Serve an application as it is, also over TLS; the server's port."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    runners = []

    async def start(application, context):
        runner = web.AppRunner(application, access_log=None)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=context).start()
        runners.append(runner)
        return runner.addresses[0][1]

    yield lambda application, context=None: asyncio.run_coroutine_threadsafe(
        start(application, context), loop
    ).result(60)
    for runner in runners:
        asyncio.run_coroutine_threadsafe(runner.cleanup(), loop).result(60)
    loop.call_soon_threadsafe(loop.stop)
    thread.join(60)
    loop.close()
