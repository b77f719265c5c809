"""Sending a reply, and the ways in which a connection spoils a good one.

Belongs here: what happens on the socket. Does not: which request meets which fault (faults).
"""

import asyncio
import socket
import struct
from collections.abc import Mapping

from aiohttp import web

_PIECES = 20  # in which a slow body comes
_JSON = "application/json"


def respond(status: int, body: bytes, headers: Mapping[str, str] | None = None) -> web.Response:
    """A JSON reply."""
    return web.Response(
        body=body, status=status, headers=headers, content_type=_JSON, charset="utf-8"
    )


async def deliver(
    request: web.Request,
    body: bytes,
    headers: Mapping[str, str],
    *,
    fault: str | None,
    slow_seconds: float,
) -> web.StreamResponse:
    """Send a successful reply, with the fault of the transport it is to meet."""
    if fault == "truncated_json":
        return respond(200, body[: len(body) // 2], headers)
    if fault == "reset":
        return await _pieces(request, body[: len(body) // 2], headers, len(body), None)
    if fault == "slow":
        return await _pieces(request, body, headers, len(body), slow_seconds)
    return respond(200, body, headers)


async def _pieces(
    request: web.Request,
    sent: bytes,
    headers: Mapping[str, str],
    announced: int,
    seconds: float | None,
) -> web.StreamResponse:
    """Send what is to be sent of the announced bytes: over so many seconds, or up to a reset."""
    response = web.StreamResponse(headers=headers)
    response.content_type = _JSON
    response.content_length = announced
    try:
        await response.prepare(request)
        if seconds is None:
            await response.write(sent)
            _reset(request)
            return response
        size = -(-len(sent) // _PIECES)
        for start in range(0, len(sent), size):
            await response.write(sent[start : start + size])
            await asyncio.sleep(seconds / _PIECES)
    except ConnectionError:
        pass  # the client gave up, which is what a slow body is for
    return response


def _reset(request: web.Request) -> None:
    transport = request.transport
    if transport is None:
        return
    # Without lingering, closing sends a reset (RST) in place of an orderly end (FIN).
    connection = transport.get_extra_info("socket")
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    transport.abort()
