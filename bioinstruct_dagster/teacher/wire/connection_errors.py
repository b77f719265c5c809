"""Errors of a connection, in words: certificates, proxies and addresses that don't work.

Belongs here: which failed connection no repetition mends, and its message. Does not: error statuses
of the server (error_bodies).
"""

import asyncio
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
            f"({type(error).__name__}: {error}). Check {proxy.variable}, or add {address.host} to "
            "NO_PROXY, so that the teacher is reached directly."
        )
    return UnreachedServerError(f"{type(error).__name__}: {error}")


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
