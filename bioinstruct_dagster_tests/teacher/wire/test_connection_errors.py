"""Connections that fail or break: each error has words, and the names of no library's classes."""

import asyncio
import socket
import threading

import pytest
from aiohttp import web

from bioinstruct_dagster.teacher.errors import LostReplyError, UnreachedServerError, described
from bioinstruct_dagster.teacher.wire import client
from bioinstruct_dagster_tests.teacher.wire.exchanges import complete

CUT_SHORT = b"HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n{"
CHUNK_SHORT = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n{\r\n"
NOT_PACKED = b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 12\r\n\r\nnot gzip at."


@pytest.fixture
def says():
    """Answer each connection with these bytes and close it; the address."""
    listener = socket.create_server(("127.0.0.1", 0))

    def serve(answer):
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            with connection:
                connection.recv(1_000_000)
                connection.sendall(answer)

    def start(answer):
        threading.Thread(target=serve, args=(answer,), daemon=True).start()
        return f"http://127.0.0.1:{listener.getsockname()[1]}/v1"

    yield start
    listener.shutdown(socket.SHUT_RDWR)
    listener.close()


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (CUT_SHORT, "the connection closed before the whole reply had come"),
        (CHUNK_SHORT, "the connection closed before the whole reply had come"),
        (NOT_PACKED, "it is not packed as its Content-Encoding says"),
        (b"no HTTP\r\n\r\n", "the server's answer is no valid HTTP"),
        (b"", "the server closed the connection without a reply"),
    ],
)
def test_a_connection_that_breaks_is_told_in_words(says, requests_of, answer, words):
    with pytest.raises(LostReplyError) as caught:
        complete(requests_of(1)[0], says(answer))
    told = described(caught.value)
    assert told.endswith(words)
    for word in ("Error", "400", "message", "<"):
        assert word not in told


def test_a_wait_without_a_reply_names_its_seconds(serve, requests_of, monkeypatch):
    async def answer(_):
        await asyncio.sleep(60)
        return web.Response()

    monkeypatch.setattr(client, "TIMEOUT_SECONDS", 1.0)
    with pytest.raises(LostReplyError, match="no reply within 1 seconds"):
        complete(requests_of(1)[0], serve(answer).url)


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("http://127.0.0.1:9/v1", "no server listens at this port (http://127.0.0.1:9/v1)"),
        ("http://nowhere.invalid/v1", "name can't be looked up (http://nowhere.invalid/v1)"),
    ],
)
def test_a_connection_that_never_opens_is_told_in_words(requests_of, url, words):
    with pytest.raises(UnreachedServerError) as caught:
        complete(requests_of(1)[0], url)
    told = described(caught.value)
    assert words in told
    assert "Error" not in told
    assert "Errno" not in told
