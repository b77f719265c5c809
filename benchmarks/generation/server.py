"""The endpoint for all clients: a fast chat completions server in its own process.

HTTP is written by hand on an asyncio protocol and costs some 40 microseconds of CPU a request, so
the server is never the bottleneck. The server identifies a request by the number in its prompt
(`prompts.py`), because clients wrap a prompt in different bodies. Belongs here: HTTP. Does not: the
arithmetic of limits (`buckets.py`) or counting (`ledger.py`).

`python -m benchmarks.generation.server` prints its port and ends when its standard input ends.
POST /reset with `Options` as JSON starts a measurement, and GET /ledger reads its counts.
"""

import asyncio
import hashlib
import json
import re
import sys
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from benchmarks.generation.buckets import Limit
from benchmarks.generation.ledger import Ledger
from benchmarks.generation.prompts import MODEL, WARM_UP, answer_to

_NUMBER = re.compile(rb"Request (\d{6})")
_LENGTH = re.compile(rb"content-length:\s*(\d+)", re.IGNORECASE)
_HEAD_END = b"\r\n\r\n"
_NO_NUMBER = b"probe"
_WARM_UP = WARM_UP.encode()
SNAPSHOT = f"{MODEL}-2024-07-18"


@dataclass(frozen=True)
class Options:
    """How the server behaves in one measurement.

    The limits as set here can't be reached, but are there, since a hosted endpoint always names
    some and curator crawls where none is named. `faults` maps `reset` (the answer is computed and
    billed, and the connection breaks in the middle of it) and `server_error` to their shares.
    `jitter` is the share by which a latency may be shorter or longer, so that a hundred requests
    that left together don't come back as one wave.
    """

    latency: float = 0.05
    jitter: float = 0.0
    rpm: int = 6_000_000
    tpm: int = 6_000_000_000
    prompt_tokens: int = 600
    answer_tokens: int = 220
    answer_bytes: int = 900
    faults: Mapping[str, float] = field(default_factory=dict)
    fault_seed: int = 0


class Endpoint:
    """One measurement's state, shared by all connections."""

    def __init__(self, options: Options) -> None:
        self.options = options
        self.ledger = Ledger()
        self.limits = [
            (Limit("requests", options.rpm), 1),
            (Limit("tokens", options.tpm), options.prompt_tokens + options.answer_tokens),
        ]
        self._tries: dict[bytes, int] = {}
        self._served = 0

    def fault(self, request: bytes) -> str | None:
        """The fault of this attempt, the same in every run of the same seed."""
        if not self.options.faults:
            return None
        attempt = self._tries[request] = self._tries.get(request, 0) + 1
        place = _drawn(b"fault %d %s %d" % (self.options.fault_seed, request, attempt))
        for name, share in self.options.faults.items():
            if place < share:
                return name
            place -= share
        return None

    def latency(self, request: bytes) -> float:
        """How long this request's answer takes, the same each time."""
        if not self.options.jitter:
            return self.options.latency
        place = _drawn(b"latency " + request)
        return self.options.latency * (1 + self.options.jitter * (2 * place - 1))

    def wait(self, now: float) -> tuple[float, str]:
        """Seconds until the next request is admitted, and the limit that it waits for."""
        waits = [(limit.wait(amount, now), limit.kind) for limit, amount in self.limits]
        return max(waits)

    def admit(self, now: float) -> None:
        """Debit one request."""
        for limit, amount in self.limits:
            limit.take(amount)
        self.ledger.admit(now)

    def headers(self) -> str:
        """The rate-limit headers as they stand."""
        return "".join(limit.headers() for limit, _ in self.limits)

    def completion(self, request: bytes) -> bytes:
        """The body of an answer."""
        self._served += 1
        options = self.options
        content = json.dumps(answer_to(request.decode(), options.answer_bytes))
        return (
            f'{{"id":"chatcmpl-{self._served:09d}","object":"chat.completion","created":1754000000,'
            f'"model":"{SNAPSHOT}","choices":[{{"index":0,"message":{{"role":"assistant",'
            f'"content":{content},"refusal":null}},"logprobs":null,"finish_reason":"stop"}}],'
            f'"usage":{{"prompt_tokens":{options.prompt_tokens},'
            f'"completion_tokens":{options.answer_tokens},'
            f'"total_tokens":{options.prompt_tokens + options.answer_tokens}}},'
            '"service_tier":"default","system_fingerprint":"fp_benchmark"}'
        ).encode()


class Server:
    """Holds the current `Endpoint`. A request of an earlier endpoint ends in that one's ledger."""

    def __init__(self) -> None:
        self.endpoint = Endpoint(Options())

    def reset(self, body: bytes) -> None:
        """Start a measurement."""
        self.endpoint = Endpoint(Options(**json.loads(body or b"{}")))


class Connection(asyncio.Protocol):
    """One connection: requests one after another, as every HTTP/1.1 client sends them."""

    def __init__(self, server: Server, loop: asyncio.AbstractEventLoop) -> None:
        self._server = server
        self._loop = loop
        self._buffer = bytearray()
        self._transport: Any = None
        self._closing = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Called by asyncio."""
        self._transport = transport

    def connection_lost(self, _error: Exception | None) -> None:
        """Called by asyncio."""
        self._transport = None

    def data_received(self, data: bytes) -> None:
        """Called by asyncio."""
        self._buffer += data
        while self._one_request():
            pass

    def _one_request(self) -> bool:
        end = self._buffer.find(_HEAD_END)
        if end < 0:
            return False
        head = bytes(self._buffer[:end])
        length = _LENGTH.search(head)
        total = end + len(_HEAD_END) + (int(length[1]) if length else 0)
        if len(self._buffer) < total:
            return False
        body = bytes(self._buffer[end + len(_HEAD_END) : total])
        del self._buffer[:total]
        self._closing = b"connection: close" in head.lower()
        self._route(head.split(b"\r\n", 1)[0], body)
        return True

    def _route(self, line: bytes, body: bytes) -> None:
        if line.startswith(b"POST") and b"/chat/completions" in line:
            self._chat(body)
        elif line.startswith(b"GET /ledger"):
            self._send(200, json.dumps(self._server.endpoint.ledger.as_dict()).encode())
        elif line.startswith(b"POST /reset"):
            self._server.reset(body)
            self._send(200, json.dumps(asdict(self._server.endpoint.options)).encode())
        elif b"/models" in line:
            self._send(200, b'{"object":"list","data":[{"id":"gpt-4o-mini","object":"model"}]}')
        else:
            self._send(404, _error("Unknown address.", "invalid_request_error", None))

    def _chat(self, body: bytes) -> None:
        endpoint = self._server.endpoint
        number = _NUMBER.search(body)
        if number is None:
            # A client's look at limits or features, or its warm-up: answered, not measured.
            if _WARM_UP in body or b'"messages":[{' in body.replace(b" ", b""):
                self._send(200, endpoint.completion(_NO_NUMBER), endpoint.headers())
            else:
                message = _error("Empty input messages.", "invalid_request_error", None)
                self._send(400, message, endpoint.headers())
            return
        request, now = number[1], self._loop.time()
        wait, kind = endpoint.wait(now)
        if wait > 0:
            endpoint.ledger.refused += 1
            self._refuse(endpoint, wait, kind)
            return
        endpoint.admit(now)
        fault = endpoint.fault(request)
        finish: Callable[..., None] = {
            None: self._answer,
            "reset": self._answer_half,
            "server_error": self._fail,
        }[fault]
        self._loop.call_later(endpoint.latency(request), finish, endpoint, request)

    def _refuse(self, endpoint: Endpoint, wait: float, kind: str) -> None:
        milliseconds = max(1, round(wait * 1000))
        message = (
            f"Rate limit reached for {SNAPSHOT} in organization org-benchmark on {kind} per min. "
            f"Please try again in {milliseconds}ms."
        )
        headers = (
            f"retry-after-ms: {milliseconds}\r\nretry-after: {max(1, round(wait))}\r\n"
            + endpoint.headers()
        )
        self._send(429, _error(message, kind, "rate_limit_exceeded"), headers)

    def _billed(self, endpoint: Endpoint, request: bytes) -> bytes:
        ledger, options = endpoint.ledger, endpoint.options
        ledger.in_flight -= 1
        ledger.bill(request, options.prompt_tokens + options.answer_tokens)
        if self._transport is None:
            ledger.abandoned += 1  # its client is gone: paid for, and nobody to give it to
        return endpoint.completion(request)

    def _answer(self, endpoint: Endpoint, request: bytes) -> None:
        self._send(200, self._billed(endpoint, request), endpoint.headers())

    def _answer_half(self, endpoint: Endpoint, request: bytes) -> None:
        body = self._billed(endpoint, request)
        endpoint.ledger.resets += 1
        self._send(200, body, endpoint.headers(), cut=len(body) // 2)

    def _fail(self, endpoint: Endpoint, _request: bytes) -> None:
        endpoint.ledger.in_flight -= 1
        endpoint.ledger.errors += 1
        message = "The server had an error while processing your request."
        self._send(500, _error(message, "server_error", None), endpoint.headers())

    def _send(self, status: int, body: bytes, headers: str = "", *, cut: int | None = None) -> None:
        if self._transport is None:
            return
        close = "connection: close\r\n" if self._closing else ""
        head = (
            f"HTTP/1.1 {status} {_REASONS[status]}\r\ncontent-type: application/json\r\n"
            f"content-length: {len(body)}\r\nx-request-id: req_{id(body):x}\r\n{headers}{close}\r\n"
        )
        self._transport.write(head.encode() + body[:cut])
        if self._closing or cut is not None:
            self._transport.close()


_REASONS = {
    200: "OK",
    400: "Bad Request",
    404: "Not Found",
    429: "Too Many Requests",
    500: "Internal Server Error",
}


def _drawn(text: bytes) -> float:
    """A place in [0, 1) that depends on the text alone."""
    return int.from_bytes(hashlib.blake2b(text, digest_size=8).digest()) / 2**64


def _error(message: str, kind: str, code: str | None) -> bytes:
    error = {"message": message, "type": kind, "param": None, "code": code}
    return json.dumps({"error": error}).encode()


async def serve() -> None:
    """Serve until standard input ends, so that no server outlives the harness that started it."""
    loop = asyncio.get_running_loop()
    server = Server()
    listener = await loop.create_server(
        lambda: Connection(server, loop), "127.0.0.1", 0, backlog=4096
    )
    print(listener.sockets[0].getsockname()[1], flush=True)
    await loop.run_in_executor(None, sys.stdin.read)
    listener.close()


def main() -> None:
    """Serve on uvloop if it is installed, else on asyncio's own loop."""
    try:
        import uvloop
    except ImportError:
        asyncio.run(serve())
    else:
        uvloop.run(serve())


if __name__ == "__main__":
    main()
