"""Sending a reply, with or without a fault of the connection.

Belongs here: writing to the socket. Does not: which request meets which fault (faults).
"""

import asyncio
import socket
import struct
from collections.abc import Mapping

from aiohttp import web

_PIECE_COUNT = 20  # a slow body is sent in this many pieces
_JSON_TYPE = "application/json"


def respond(status: int, body: bytes, headers: Mapping[str, str] | None = None) -> web.Response:
    """A JSON reply."""
    return web.Response(
        body=body, status=status, headers=headers, content_type=_JSON_TYPE, charset="utf-8"
    )


async def deliver(
    request: web.Request,
    body: bytes,
    headers: Mapping[str, str],
    *,
    fault: str | None,
    slow_seconds: float,
) -> web.StreamResponse:
    """Send a successful reply, with the given fault of the transport."""
    if fault == "truncated_json":
        return respond(200, body[: len(body) // 2], headers)
    if fault == "reset":
        return await _send_in_pieces(request, body[: len(body) // 2], headers, len(body), None)
    if fault == "slow":
        return await _send_in_pieces(request, body, headers, len(body), slow_seconds)
    return respond(200, body, headers)


async def _send_in_pieces(
    request: web.Request,
    sent: bytes,
    headers: Mapping[str, str],
    announced: int,
    seconds: float | None,
) -> web.StreamResponse:
    """Send part of the announced bytes: over this many seconds, or at once and then a reset."""
    response = web.StreamResponse(headers=headers)
    response.content_type = _JSON_TYPE
    response.content_length = announced
    try:
        await response.prepare(request)
        if seconds is None:
            await response.write(sent)
            _reset(request)
            return response
        size = -(-len(sent) // _PIECE_COUNT)
        for start in range(0, len(sent), size):
            await response.write(sent[start : start + size])
            await asyncio.sleep(seconds / _PIECE_COUNT)
    except ConnectionError:
        pass  # the client gave up; a slow body is there to test that
    return response


def _reset(request: web.Request) -> None:
    transport = request.transport
    if transport is None:
        return
    # With a linger time of zero, closing sends a reset (RST) instead of an orderly end (FIN).
    connection = transport.get_extra_info("socket")
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    transport.abort()
