"""Addresses of servers: reads OPENAI_BASE_URL, and builds the addresses of the API from it.

Belongs here: the parts of an address, and refusing an address in words. Does not: the key
(endpoint), or how the address is reached (proxies, certificates).
"""

from dataclasses import dataclass
from functools import cache
from ipaddress import ip_address
from urllib.parse import SplitResult, urljoin, urlsplit

from bioinstruct_dagster.teacher.errors import TeacherError

OPENAI_BASE_URL = "https://api.openai.com/v1"
_EXAMPLE = "an address such as http://localhost:8000/v1"
# Users copy the whole address of a request. The API's paths are appended to what stands before.
_API_PATHS = ("/chat/completions", "/responses", "/completions")
_AZURE_HOSTS = (
    ".openai.azure.com",
    ".openai.azure.us",
    ".openai.azure.cn",
    ".cognitiveservices.azure.com",
    ".services.ai.azure.com",
)


@dataclass(frozen=True)
class ServerAddress:
    """The address of a server's API.

    Attributes:
        base: scheme, host, port and path, without credentials and query.
        host: the host.
        port: the port; None if the address names none.
        scheme: `http` or `https`.
        query: what stands behind the question mark, such as Azure's `api-version`.
    """

    base: str
    host: str
    port: int | None
    scheme: str
    query: str

    def url(self, path: str) -> str:
        """The address of a path of the API. The query stands behind the path."""
        return f"{self.base}{path}?{self.query}" if self.query else self.base + path

    @property
    def is_local(self) -> bool:
        """Whether the server runs on this machine."""
        return is_local(self.host)

    @property
    def is_azure(self) -> bool:
        """Whether the host is one of Azure's."""
        return self.host.endswith(_AZURE_HOSTS)

    @property
    def has_api_version(self) -> bool:
        """Whether the query names an `api-version`, as Azure and gateways to it need."""
        return any(part.lower().startswith("api-version=") for part in self.query.split("&"))


@cache
def read_address(base_url: str | None) -> ServerAddress:
    """The parts of an address; OpenAI's own address if it is None.

    Raises:
        TeacherError: nothing can be sent to this address. The message names OPENAI_BASE_URL, and
            shows no user name, password or query.
    """
    text = (base_url or OPENAI_BASE_URL).strip()
    parts = _split(text)
    try:
        host, port = parts.hostname, parts.port
    except ValueError:
        raise _refusal("has a port that is no number from 1 to 65535") from None
    if not host:
        raise _refusal("names no host")
    if port == 0:
        raise _refusal("has a port that is no number from 1 to 65535")
    if parts.username is not None or parts.password is not None:
        raise TeacherError(
            "OPENAI_BASE_URL holds a user name or password. Delete the part up to the @, and put "
            "the server's key into OPENAI_API_KEY."
        )
    path = parts.path.rstrip("/")
    for ending in _API_PATHS:
        path = path.removesuffix(ending)
    shown_host = f"[{host}]" if ":" in host else host
    shown_port = f":{port}" if port else ""
    base = f"{parts.scheme}://{shown_host}{shown_port}{path}".rstrip("/")
    return ServerAddress(base, host, port, parts.scheme, parts.query)


def _split(text: str) -> SplitResult:
    if any(character.isspace() or not character.isprintable() for character in text):
        raise _refusal("holds a blank or a control character")
    scheme, separator, _ = text.partition("://")
    if not separator:
        raise _refusal("has no http:// or https:// at its beginning")
    if scheme.lower() not in {"http", "https"}:
        raise _refusal("begins with neither http:// nor https://")
    try:
        return urlsplit(text)
    except ValueError:
        raise _refusal("is no address") from None


def _refusal(fault: str) -> TeacherError:
    # The address is not repeated, because a malformed one may hold a password anywhere.
    return TeacherError(f"OPENAI_BASE_URL {fault}. Set it to {_EXAMPLE}.")


def is_local(host: str) -> bool:
    """Whether a host is this machine."""
    if host == "localhost" or host.endswith(".localhost") or host.startswith("127."):
        return True
    try:
        address = ip_address(host.partition("%")[0])
    except ValueError:
        return False
    mapped = getattr(address, "ipv4_mapped", None)
    return bool(address.is_loopback or address.is_unspecified or (mapped and mapped.is_loopback))


def redirect_advice(url: str, location: str) -> str:
    """The message of a redirect: its target's host and path, without credentials and query."""
    base = _redirect_base(url, location)
    if base is None:
        target, advice = "an address that it does not name", "the address at which the API answers"
    else:
        target, advice = base
    return (
        f"The server redirects to {target}. Set OPENAI_BASE_URL to {advice}. Redirects are not "
        "followed, because they would carry the key to another address."
    )


def _redirect_base(url: str, location: str) -> tuple[str, str] | None:
    """The target of a redirect, and the base address that a user can set in its place."""
    try:
        parts = urlsplit(urljoin(url, location))
        port = f":{parts.port}" if parts.port else ""
    except ValueError:
        return None
    if not location or not parts.hostname:
        return None
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    target = f"{parts.scheme}://{host}{port}{parts.path}"
    for ending in _API_PATHS:
        if target.rstrip("/").endswith(ending):
            return target, target.rstrip("/").removesuffix(ending)
    return target, "the address at which the API itself answers"
