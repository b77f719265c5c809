"""The SDK's client for files and batches, with our address, key, proxy and certificates.

Belongs here: opening the SDK's client so that it reads nothing from the environment by itself. Does
not: completions (client), or what is done with files and batches (batch_api).
"""

from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

from bioinstruct_dagster.teacher.wire.certificates import tls_context
from bioinstruct_dagster.teacher.wire.endpoint import Endpoint
from bioinstruct_dagster.teacher.wire.proxies import Proxy, proxy_for

if TYPE_CHECKING:
    import ssl

    from openai import OpenAI


def sdk_client(endpoint: Endpoint) -> "OpenAI":
    """The SDK's client for this server.

    Raises:
        TeacherError: the address, the proxy or the certificates can't be used.
    """
    from openai import DefaultHttpxClient, OpenAI

    proxy = proxy_of(endpoint)
    http_client = DefaultHttpxClient(
        trust_env=False,
        proxy=proxy.url if proxy else None,
        verify=tls_context_of(endpoint, proxy),
        # A redirect would carry the key to another address.
        follow_redirects=False,
    )
    return OpenAI(**sdk_settings(endpoint), http_client=http_client)


def sdk_settings(endpoint: Endpoint) -> dict[str, Any]:
    """The address, the key, the query and the headers, as the SDK takes them."""
    from openai import Omit

    headers: dict[str, Any] = {"Authorization": Omit(), **endpoint.authentication}
    return {
        "api_key": endpoint.api_key,
        "base_url": endpoint.address,
        "default_query": dict(parse_qsl(endpoint.parts.query, keep_blank_values=True)),
        "default_headers": headers,
    }


def request_headers(endpoint: Endpoint) -> dict[str, str]:
    """The headers of a request: those of the SDK, and those that carry the key."""
    import ssl

    import httpx2
    from openai import AsyncOpenAI, Omit

    # It sends no request, so it needs no certificates, and reading them would take long.
    unused = httpx2.AsyncClient(verify=ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT), trust_env=False)
    headers = AsyncOpenAI(**sdk_settings(endpoint), http_client=unused).default_headers
    return {name: value for name, value in headers.items() if not isinstance(value, Omit)}


def proxy_of(endpoint: Endpoint) -> Proxy | None:
    """The proxy by which a server is reached; never one for the embedded teacher."""
    return None if endpoint.rehearsal else proxy_for(endpoint.parts)


def tls_context_of(endpoint: Endpoint, proxy: Proxy | None) -> "ssl.SSLContext":
    """The context of connections to a server. Without TLS on the way, it holds no certificates."""
    import ssl

    if endpoint.parts.scheme == "https" or (proxy and proxy.url.startswith("https:")):
        return tls_context()
    return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
