"""The client: sends one request over HTTP and reads its reply.

Authentication, headers, address, files and batches come from the SDK. Only the request for a
completion goes directly to aiohttp, which the SDK's own fast transport uses too. The reason is
speed: the SDK takes 1,100 to 1,400 µs of CPU for a request, because it builds and checks models of
the request; this client takes about 150 µs. Belongs here: the bodies, replies and errors of the
chat completions API and of the Responses API. Does not: when a request is sent (flow.sending) or
sent again (flow.retries).
"""

import resource
import ssl
from collections.abc import Mapping
from types import TracebackType
from typing import TYPE_CHECKING, Self

from bioinstruct_dagster.settings import Service
from bioinstruct_dagster.store.fingerprints import json_bytes, json_value
from bioinstruct_dagster.teacher.errors import (
    FATAL_CODES,
    LostReplyError,
    StatusError,
    TeacherError,
    UnreachedServerError,
    unsendable_key_error,
)
from bioinstruct_dagster.teacher.requests import TeacherRequest
from bioinstruct_dagster.teacher.wire.dialect import PATHS, Dialect
from bioinstruct_dagster.teacher.wire.endpoint import Endpoint
from bioinstruct_dagster.teacher.wire.reply_body import TeacherReply, read_body

if TYPE_CHECKING:
    import aiohttp
    from openai import AsyncOpenAI

TIMEOUT_SECONDS = 300.0
FLEX_TIMEOUT_SECONDS = 900.0  # OpenAI's guide to flex processing recommends 15 minutes
CONNECT_SECONDS = 10.0
KEEPALIVE_SECONDS = 60.0
_SHOWN_CHARACTERS = 300
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
        self._connections = connections
        self._seconds = FLEX_TIMEOUT_SECONDS if service == "flex" else TIMEOUT_SECONDS
        self.sdk: AsyncOpenAI
        self._session: aiohttp.ClientSession
        self._url: str

    async def __aenter__(self) -> Self:
        key = self._endpoint.api_key
        if not key.isascii() or not key.isprintable() or " " in key:
            raise unsendable_key_error()
        import aiohttp
        import httpx2
        from openai import AsyncOpenAI, Omit

        _allow_open_files(self._connections)
        # Only for the SDK's address and headers. It sends no request and needs no certificates.
        no_certificates = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        self.sdk = AsyncOpenAI(
            api_key=self._endpoint.api_key,
            base_url=self._endpoint.base_url,
            http_client=httpx2.AsyncClient(verify=no_certificates),
        )
        self._url = str(self.sdk.base_url).rstrip("/")
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(
                limit=self._connections,
                keepalive_timeout=KEEPALIVE_SECONDS,
                # The SDK's certificates, which follow SSL_CERT_FILE.
                ssl=httpx2.create_ssl_context() if self._url.startswith("https") else True,
            ),
            timeout=aiohttp.ClientTimeout(total=self._seconds, sock_connect=CONNECT_SECONDS),
            headers={
                name: value
                for name, value in {**self.sdk.default_headers, **self.sdk.auth_headers}.items()
                if not isinstance(value, Omit)
            },
            cookie_jar=aiohttp.DummyCookieJar(),
            # Not `trust_env`, which reads ~/.netrc again for each request.
            proxy=_proxy_for(self._url),
        )
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self._session.close()
        await self.sdk.close()

    async def complete(
        self, request: TeacherRequest, dialect: Dialect, service: Service = "online"
    ) -> TeacherReply:
        """Send one request and return its reply.

        Raises:
            StatusError: the server answered with an error status.
            LostReplyError: the request was sent, and no complete reply came.
            UnreachedServerError: the request never reached the server.
        """
        import aiohttp

        url = self._url + PATHS[dialect.api]
        try:
            async with self._session.post(
                url, data=json_bytes(dialect.body(request, service)), allow_redirects=False
            ) as response:
                body = self._endpoint.redacted_bytes(await response.read())
                headers = {
                    name.lower(): self._endpoint.redacted(value)
                    for name, value in response.headers.items()
                    if name.lower().startswith(_USED_HEADERS)
                }
                status, location = response.status, response.headers.get("location", "")
        except (
            aiohttp.ClientConnectorError,
            aiohttp.ConnectionTimeoutError,
            aiohttp.ClientHttpProxyError,
        ) as error:
            raise UnreachedServerError(self._description(error)) from None
        except (aiohttp.ClientError, TimeoutError) as error:
            raise LostReplyError(self._description(error)) from None
        if status in _REDIRECT_STATUSES:
            raise StatusError(status, _redirect_advice(url, location), headers=headers)
        if status not in SUCCESS_STATUSES:
            raise self._status_error(status, body, headers)
        try:
            return read_body(json_value(body), headers)
        except (ValueError, TypeError, LookupError, AttributeError, RecursionError) as error:
            message = f"The reply is no completion: {error!r}"
            raise LostReplyError(message[:_SHOWN_CHARACTERS]) from None

    def _description(self, error: Exception) -> str:
        return self._endpoint.redacted(f"{type(error).__name__}: {error}")

    def _status_error(self, status: int, body: bytes, headers: Mapping[str, str]) -> StatusError:
        try:
            error = json_value(body)["error"]
            message, code, param = (str(error["message"]), error.get("code"), error.get("param"))
            if not isinstance(code, str):
                code = error.get("type") if error.get("type") in FATAL_CODES else None
        except (ValueError, TypeError, LookupError, AttributeError, RecursionError):
            # The whole body: a cut through the key would leave a part that is not recognised.
            message, code, param = body.decode("utf-8", "replace"), None, None
        return StatusError(
            status,
            self._endpoint.redacted(message),
            code,
            param if isinstance(param, str) else None,
            headers,
        )


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


def _proxy_for(url: str) -> str | None:
    """The proxy that the environment (HTTPS_PROXY, NO_PROXY, …) names for an address."""
    from urllib.parse import urlsplit
    from urllib.request import getproxies, proxy_bypass

    parts = urlsplit(url)
    host = parts.netloc.rpartition("@")[2]  # NO_PROXY names hosts without a user
    return None if proxy_bypass(host) else getproxies().get(parts.scheme)


def _redirect_advice(url: str, location: str) -> str:
    """The message of a redirect: the host that it names, without credentials, path and query."""
    from urllib.parse import urljoin, urlsplit

    try:
        parts = urlsplit(urljoin(url, location))
        port = f":{parts.port}" if parts.port else ""
        host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname
        target = f"{parts.scheme}://{host}{port}" if location and host else None
    except ValueError:
        target = None
    return (
        f"The server redirects to {target or 'an address that it does not name'}. Set "
        "OPENAI_BASE_URL to the address at which the API itself answers. Redirects are not "
        "followed, because they would carry the key to another address."
    )
