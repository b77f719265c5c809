"""The client: sends one request over HTTP and reads its reply.

Authentication, headers, address, files and batches come from the SDK. Only the request for a
completion goes directly to aiohttp, which the SDK's own fast transport uses too. The reason is
speed: the SDK takes 1,100 to 1,400 µs of CPU for a request, because it builds and checks models of
the request; this client takes about 150 µs. Belongs here: one request and its answer. Does not: the
form of an answer (reply_body, error_bodies), when a request is sent (flow.sending) or sent again
(flow.retries).
"""

import resource
from collections.abc import Mapping
from dataclasses import replace
from types import TracebackType
from typing import TYPE_CHECKING, Self

from bioinstruct_dagster.settings import Service
from bioinstruct_dagster.store.fingerprints import json_bytes
from bioinstruct_dagster.teacher.errors import (
    LostReplyError,
    OversizedReplyError,
    StatusError,
    TeacherError,
    UnreachedServerError,
    unsendable_key_error,
)
from bioinstruct_dagster.teacher.requests import TeacherRequest
from bioinstruct_dagster.teacher.wire.addresses import redirect_advice
from bioinstruct_dagster.teacher.wire.connection_errors import (
    PROXY_LOGIN_REQUIRED,
    UnusableConnectionError,
    broken_words,
    connection_error,
    proxy_error,
    speaks_tls,
    tls_needed_error,
)
from bioinstruct_dagster.teacher.wire.dialect import PATHS, Dialect
from bioinstruct_dagster.teacher.wire.endpoint import Endpoint
from bioinstruct_dagster.teacher.wire.error_bodies import status_error
from bioinstruct_dagster.teacher.wire.reply import TeacherReply
from bioinstruct_dagster.teacher.wire.reply_body import read_reply
from bioinstruct_dagster.teacher.wire.sdk import proxy_of, request_headers, tls_context_of

if TYPE_CHECKING:
    import aiohttp

TIMEOUT_SECONDS = 300.0
FLEX_TIMEOUT_SECONDS = 900.0  # OpenAI's guide to flex processing recommends 15 minutes
CONNECT_SECONDS = 10.0
KEEPALIVE_SECONDS = 60.0
_MESSAGE_CHARACTERS = 1_000  # a server names the refused parameter anywhere in its message
# No honest reply is larger. A reply of 128,000 tokens takes 40 MB as a stream, which repeats some
# 300 bytes for each token, and 1 MB as one text.
MAX_BODY_BYTES = 64 * 10**6
_MAX_ERROR_BYTES = 10**6
_OVERSIZED = (
    f"The reply has more than {MAX_BODY_BYTES // 10**6} MB, and no end came. The rest was not "
    "read. Check the server and the gateways before it."
)
_OTHER_FILES = 256  # of the store, logs and libraries
SUCCESS_STATUSES = range(200, 300)
_REDIRECT_STATUSES = range(300, 400)

# Prefixes of the headers of a reply that are read.
_USED_HEADERS = ("x-ratelimit-", "retry-after", "x-request-id", "x-should-retry", "date")


class TeacherClient:
    """Connections to one server, which are open while the context is open.

    Args:
        endpoint: the server's address and key.
        connections: the most requests in flight. In a smaller pool, requests would wait although
            the pacer counts them as sent.
        service: of the requests; replies take longer with flex.
    """

    def __init__(
        self, endpoint: Endpoint, *, connections: int = 16, service: Service = "online"
    ) -> None:
        self._endpoint = endpoint
        self._address = endpoint.parts
        self._proxy = proxy_of(endpoint)
        self._connections = connections
        self._answers = False  # whether the server is known to answer
        self._seconds = FLEX_TIMEOUT_SECONDS if service == "flex" else TIMEOUT_SECONDS
        self._session: aiohttp.ClientSession

    async def __aenter__(self) -> Self:
        key = self._endpoint.api_key
        if not key.isascii() or not key.isprintable() or " " in key:
            raise unsendable_key_error()
        import aiohttp

        _allow_open_files(self._connections)
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(
                limit=self._connections,
                keepalive_timeout=KEEPALIVE_SECONDS,
                ssl=tls_context_of(self._endpoint, self._proxy),
            ),
            timeout=aiohttp.ClientTimeout(total=self._seconds, sock_connect=CONNECT_SECONDS),
            headers=request_headers(self._endpoint),
            cookie_jar=aiohttp.DummyCookieJar(),
            # Not `trust_env`, which reads ~/.netrc again for each request.
            proxy=self._proxy.url if self._proxy else None,
        )
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self._session.close()

    async def complete(
        self, request: TeacherRequest, dialect: Dialect, service: Service = "online"
    ) -> TeacherReply:
        """Send one request and return its reply.

        Raises:
            StatusError: the server answered with an error status, with an error and no answer, or
                with a body without end.
            LostReplyError: the request was sent, and no complete reply came.
            UnreachedServerError: the request never reached the server.
            UnusableConnectionError: no request can reach the server with these settings.
        """
        import aiohttp

        url = self._address.url(PATHS[dialect.api])
        body = dialect.body(request, service)
        try:
            async with self._session.post(
                url, data=json_bytes(body), allow_redirects=False
            ) as response:
                data, is_whole = await _received(response)
                data = self._endpoint.redacted_bytes(data)
                headers = {
                    name.lower(): self._endpoint.redacted(value)
                    for name, value in response.headers.items()
                    if name.lower().startswith(_USED_HEADERS)
                }
                self._answers = True
                status, location = response.status, response.headers.get("location", "")
                content_type = response.headers.get("content-type", "").lower()
        except (
            aiohttp.ClientConnectorError,
            aiohttp.ConnectionTimeoutError,
            aiohttp.ClientHttpProxyError,
        ) as error:
            raise self._without_key(connection_error(error, self._address, self._proxy)) from None
        except (aiohttp.InvalidURL, UnicodeError):
            raise UnusableConnectionError(
                f"OPENAI_BASE_URL names the host {self._address.host!r}, which is no name of a "
                "host. Correct it."
            ) from None
        except (aiohttp.ClientError, TimeoutError) as error:
            if await self._needs_tls():
                raise tls_needed_error(self._address) from None
            words = broken_words(error, self._seconds)
            raise LostReplyError(self._endpoint.redacted(words)) from None
        if status in SUCCESS_STATUSES:
            if not is_whole:
                raise OversizedReplyError(status, _OVERSIZED, headers=headers)
            if not data.strip():
                raise LostReplyError(f"The server answered HTTP {status} without a body.")
            reply = self._read(data, headers, content_type)
            return reply.cut_at(body.get(dialect.sent_limit_name))
        if status in _REDIRECT_STATUSES:
            advice = self._endpoint.without_key(redirect_advice(url, location))
            raise StatusError(status, advice, headers=headers)
        if status == PROXY_LOGIN_REQUIRED and self._proxy:
            raise proxy_error(status, self._address, self._proxy)
        raise self._shown(status_error(status, data, headers))

    async def _needs_tls(self) -> bool:
        """Whether the server takes only TLS. It is asked only if it never answered."""
        if self._answers or self._proxy or self._address.scheme == "https":
            return False
        self._answers = not await speaks_tls(self._address)
        return not self._answers

    def _without_key(self, error: UnreachedServerError) -> UnreachedServerError:
        return type(error)(self._endpoint.without_key(str(error)))

    def _read(self, data: bytes, headers: Mapping[str, str], content_type: str) -> TeacherReply:
        try:
            reply = read_reply(data, headers, content_type)
        except StatusError as error:
            raise self._shown(error) from None
        secret = self._endpoint.secret
        if secret is None:
            return reply
        # A key that came in pieces, or with escapes, stands whole only in what was read.
        found = {
            name: text.replace(secret, "[key]")
            for name in ("content", "reasoning", "refusal", "body", "model", "finish_reason")
            if (text := getattr(reply, name)) and secret in text
        }
        return replace(reply, **found) if found else reply

    def _shown(self, error: StatusError) -> StatusError:
        """The error without the key, and with a message that can be shown."""
        # The key is replaced first. A cut through the key would leave a part of it.
        hide = self._endpoint.without_key
        error.message = hide(error.message)[:_MESSAGE_CHARACTERS]
        error.code = self._endpoint.redacted(error.code) if error.code else None
        error.param = self._endpoint.redacted(error.param) if error.param else None
        return error


async def _received(response: "aiohttp.ClientResponse") -> tuple[bytes, bool]:
    """The body, as far as it may come, and whether that is all of it."""
    limit = MAX_BODY_BYTES if response.status in SUCCESS_STATUSES else _MAX_ERROR_BYTES
    stated = response.content_length
    if stated is not None and stated <= limit and "content-encoding" not in response.headers:
        return await response.read(), True
    pieces, size = [], 0
    async for piece in response.content.iter_any():
        pieces.append(piece)
        size += len(piece)
        if size > limit:
            response.close()  # the rest is never read, so no other request can use the connection
            # Many such bodies may come at once, so none is copied.
            return b"" if limit == MAX_BODY_BYTES else b"".join(pieces)[:limit], False
    return b"".join(pieces), True


def _allow_open_files(connections: int) -> None:
    """Raise the process's limit of open files, so that each connection can have one."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    needed = connections + _OTHER_FILES
    if soft == resource.RLIM_INFINITY or soft >= needed:
        return
    if hard != resource.RLIM_INFINITY and hard < needed:
        raise TeacherError(
            f"BIOINSTRUCT_CONCURRENCY is {connections}, but this process may open no more than "
            f"{hard} files. Lower BIOINSTRUCT_CONCURRENCY, or raise the limit (ulimit -n)."
        )
    resource.setrlimit(resource.RLIMIT_NOFILE, (needed, hard))
