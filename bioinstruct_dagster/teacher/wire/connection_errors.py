"""Errors of a connection, in words: certificates, proxies and addresses that don't work.

Belongs here: which failed connection no repetition mends, and its message. Does not: error statuses
of the server (error_bodies).
"""

import asyncio
import os
import socket
import ssl
from typing import TYPE_CHECKING

from bioinstruct_dagster.teacher.errors import TeacherError, UnreachedServerError
from bioinstruct_dagster.teacher.wire.addresses import ServerAddress
from bioinstruct_dagster.teacher.wire.proxies import Proxy

if TYPE_CHECKING:
    import aiohttp

PROXY_LOGIN_REQUIRED = 407
_SERVER_ERROR = 500
_HANDSHAKE_SECONDS = 10.0
_BROKEN = "the connection closed before the whole reply had come"
_MOST_CAUSES = 6  # that libraries put around the error of the system


class UnusableConnectionError(TeacherError, UnreachedServerError):
    """No request can reach the server with these settings. Nothing was sent, and nothing billed."""


def connection_error(
    error: "aiohttp.ClientConnectionError | aiohttp.ClientHttpProxyError",
    address: ServerAddress,
    proxy: Proxy | None,
) -> UnreachedServerError:
    """The error of a connection that could not be opened."""
    import aiohttp

    if isinstance(error, aiohttp.ClientConnectorCertificateError):
        return UnusableConnectionError(_certificate_message(error, address))
    if isinstance(error, aiohttp.ClientSSLError):
        reason = getattr(error.os_error, "reason", None)
        if reason in {"WRONG_VERSION_NUMBER", "RECORD_LAYER_FAILURE", "HTTP_REQUEST"}:
            return UnusableConnectionError(
                f"The server at {address.base} answers without TLS. If it is your own server, "
                "write http:// in place of https:// in OPENAI_BASE_URL."
            )
    if proxy and isinstance(error, aiohttp.ClientHttpProxyError):
        return proxy_error(error.status, address, proxy)
    if proxy:
        return UnreachedServerError(
            f"The proxy {proxy.shown} of {proxy.variable} does not lead to {address.host} "
            f"({unreached_words(error)}). Check {proxy.variable}, or add {address.host} to "
            "NO_PROXY, so that the teacher is reached directly."
        )
    return UnreachedServerError(f"{unreached_words(error)} ({address.base})")


def unreached_words(error: BaseException) -> str:
    """Why no connection came about, in words, whatever library says it."""
    cause: BaseException | None = error
    for _ in range(_MOST_CAUSES):
        cause = getattr(cause, "os_error", None) or cause  # aiohttp's own says less
        if cause is None:
            break
        if isinstance(cause, socket.gaierror):
            return "the host's name can't be looked up"
        if isinstance(cause, TimeoutError) or "Timeout" in type(cause).__name__:
            return "the connection was not accepted in time"
        if isinstance(cause, ConnectionRefusedError):
            return "the connection was refused: no server listens at this port"
        if isinstance(cause, ssl.SSLError):
            return f"the TLS handshake failed: {cause.reason or 'no reason was given'}"
        if isinstance(cause, OSError) and (words := _system_words(cause)):
            return f"no connection: {words}"
        cause = cause.__cause__ or cause.__context__
    return "the connection could not be opened"


def broken_words(error: Exception, seconds: float) -> str:
    """Why no complete reply came over an open connection, in words.

    Args:
        error: of the HTTP client.
        seconds: for which a reply was waited.
    """
    import aiohttp
    from aiohttp.http_exceptions import ContentEncodingError

    if isinstance(error, OSError) and not isinstance(error, TimeoutError):
        words = _system_words(error)
        return f"the connection broke: {words}" if words else _BROKEN
    if isinstance(error.__cause__, ContentEncodingError):
        return "the reply can't be unpacked: it is not packed as its Content-Encoding says"
    known = {
        TimeoutError: f"no reply within {seconds:,.0f} seconds",
        aiohttp.ServerDisconnectedError: "the server closed the connection without a reply",
        aiohttp.ClientResponseError: "the server's answer is no valid HTTP",
    }
    return next((words for kind, words in known.items() if isinstance(error, kind)), _BROKEN)


def _system_words(error: OSError) -> str:
    """The system's words for an error, without the library's around them."""
    return os.strerror(error.errno) if error.errno and error.errno > 0 else ""


def proxy_error(status: int, address: ServerAddress, proxy: Proxy) -> UnreachedServerError:
    """The error of a proxy that answers with this status in place of the server."""
    message = f"The proxy {proxy.shown} of {proxy.variable} answers HTTP {status}"
    direct = f"or add {address.host} to NO_PROXY, so that the teacher is reached directly"
    if status == PROXY_LOGIN_REQUIRED:
        return UnusableConnectionError(
            f"{message}: it asks for a user name and a password. Write them into "
            f"{proxy.variable} (http://user:password@host:port), {direct}."
        )
    if status < _SERVER_ERROR:
        return UnusableConnectionError(
            f"{message}: it does not connect to {address.host}. Check {proxy.variable}, {direct}."
        )
    return UnreachedServerError(f"{message}. Check {proxy.variable}, {direct}.")


async def speaks_tls(address: ServerAddress) -> bool:
    """Whether a server whose address begins with http:// completes a handshake of TLS.

    Such a server closes a connection without TLS and says no word. Nothing but the handshake is
    sent, so the certificate need not be trusted.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    try:
        async with asyncio.timeout(_HANDSHAKE_SECONDS):
            _, writer = await asyncio.open_connection(address.host, address.port or 80, ssl=context)
    except (OSError, TimeoutError):
        return False
    writer.close()
    return True


def tls_needed_error(address: ServerAddress) -> UnusableConnectionError:
    """The error that the server takes requests only over TLS."""
    return UnusableConnectionError(
        f"The server at {address.base} takes requests only over TLS. Write https:// in place of "
        "http:// in OPENAI_BASE_URL."
    )


def _certificate_message(
    error: "aiohttp.ClientConnectorCertificateError", address: ServerAddress
) -> str:
    cause = error.certificate_error
    reason = cause.verify_message if isinstance(cause, ssl.SSLCertVerificationError) else str(cause)
    return (
        f"The certificate of {address.base} is not trusted: {reason}. If you trust this server, "
        "set SSL_CERT_FILE to a PEM file with the certificate of its authority. If the certificate "
        "names another host, use that host in OPENAI_BASE_URL."
    )
