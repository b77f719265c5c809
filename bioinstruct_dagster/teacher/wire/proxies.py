"""Proxies: which proxy of the environment a server is reached by.

Neither the SDK nor aiohttp reads the environment, so that a proxy is used on purpose and named when
it fails. Belongs here: HTTPS_PROXY, HTTP_PROXY, ALL_PROXY and NO_PROXY. Does not: connections
(client), or the error of a proxy that fails (connection_errors).
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from ipaddress import ip_address, ip_network
from urllib.parse import urlsplit

from bioinstruct_dagster.teacher.errors import TeacherError
from bioinstruct_dagster.teacher.wire.addresses import ServerAddress

_DEFAULT_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True)
class Proxy:
    """A proxy that the environment names.

    Attributes:
        url: its address, with user name and password if it needs them.
        variable: the environment variable that names it.
        shown: scheme, host and port, for messages.
    """

    url: str = field(repr=False)
    variable: str
    shown: str


def proxy_for(address: ServerAddress, environment: Mapping[str, str] | None = None) -> Proxy | None:
    """The proxy by which a server is reached, or None if it is reached directly.

    A server on this machine is always reached directly.

    Args:
        address: of the server.
        environment: the environment variables; None for those of this process.

    Raises:
        TeacherError: the variable that counts names a proxy that can't be used.
    """
    variables = os.environ if environment is None else environment
    if address.is_local or _is_excepted(address, _value(variables, "no_proxy")[1]):
        return None
    for name in (f"{address.scheme}_proxy", "all_proxy"):
        variable, value = _value(variables, name)
        if value:
            return _read_proxy(variable, value, address.host)
    return None


def _value(variables: Mapping[str, str], name: str) -> tuple[str, str]:
    """A variable and its value. The name in small letters comes first, as for curl."""
    for variable in (name, name.upper()):
        # A web server puts a request's header `Proxy` into HTTP_PROXY. It is not the user's.
        if variable == "HTTP_PROXY" and "REQUEST_METHOD" in variables:
            continue
        if variable in variables:
            return variable, variables[variable].strip()
    return name.upper(), ""


def _read_proxy(variable: str, value: str, host: str) -> Proxy:
    url = value if "://" in value else f"http://{value}"
    remedy = f"or add {host} to NO_PROXY, so that the teacher is reached directly"
    try:
        parts = urlsplit(url)
        port, proxy_host, scheme = parts.port, parts.hostname, parts.scheme.lower()
    except ValueError:
        port, proxy_host, scheme = None, None, ""
    if not proxy_host or any(character.isspace() for character in url):
        raise TeacherError(
            f"{variable} is no address of a proxy. Set it to an address such as "
            f"http://proxy.example:3128, {remedy}."
        )
    shown_host = f"[{proxy_host}]" if ":" in proxy_host else proxy_host
    shown = f"{scheme}://{shown_host}" + (f":{port}" if port else "")
    if scheme not in _DEFAULT_PORTS:
        raise TeacherError(
            f"{variable} names the proxy {shown}. Only proxies of the schemes http and https can "
            f"be used. Set {variable} to such a proxy, {remedy}."
        )
    return Proxy(url, variable, shown)


def _is_excepted(address: ServerAddress, no_proxy: str) -> bool:
    """Whether NO_PROXY names the server: by host, domain, host and port, network, or `*`."""
    port = address.port or _DEFAULT_PORTS[address.scheme]
    return any(
        _names(entry.lower(), address.host.lower(), port)
        for entry in no_proxy.replace(",", " ").split()
    )


def _names(entry: str, host: str, port: int) -> bool:
    if entry == "*":
        return True
    try:
        return ip_address(host) in ip_network(entry, strict=False)
    except ValueError:
        pass  # one of them is a name
    name, separator, number = entry.rpartition(":")
    if separator and number.isdigit() and (":" not in name or name.startswith("[")):
        if int(number) != port:
            return False
        entry = name
    entry = entry.strip("[]").removeprefix("*").removeprefix(".")
    return bool(entry) and (host == entry or host.endswith(f".{entry}"))
