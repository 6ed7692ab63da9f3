"""Who is asking, and for which site: what is believed of headers that anybody can write.

Only the server knows who is at the other end of the connection. If that is a trusted proxy, its
word on the client is taken; from everybody else such headers are removed, so that nothing further
in can fall for them. In the end the environment says one thing only: REMOTE_ADDR is the client.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Mapping
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Any

from pyramid.httpexceptions import HTTPBadRequest
from pyramid.i18n import TranslationStringFactory
from pyramid.interfaces import VH_ROOT_KEY
from pyramid.response import Response
from waitress.proxy_headers import PROXY_HEADERS, MalformedProxyHeader, parse_proxy_headers

from myproject.setting_types import Host, read_host

log = logging.getLogger(__name__)

_ = TranslationStringFactory("myproject")

_FORWARDED = tuple(f"HTTP_{name}" for name in sorted(PROXY_HEADERS))
_DEFAULT_PORTS = {"http": "80", "https": "443"}
_PORT = re.compile("[0-9]{0,5}")
_WITH_PORT = re.compile(r"\[([^]]+)\]:([^]]+)")
_ABSOLUTE_FORM = re.compile(r"(?i)[a-z][a-z0-9+.-]*://([^/?#]*)")

#: Sets an environment right and returns None, or what is wrong with it, for the client.
Settle = Callable[[dict[str, Any]], str | None]


def environ_key(header: str) -> str:
    """Return the key of the WSGI environment that holds the request header *header*."""
    return "HTTP_" + header.upper().replace("-", "_")


def settler(settings: Mapping[str, Any]) -> Settle:
    """Return what to do with every environment, before anything is read from it."""
    is_trusted = trust(settings["myproject.trusted_proxies"])
    answers_to = host_check(settings["myproject.hosts"])
    believed = set(settings["myproject.forwarded_headers"])
    from_proxies = {*_FORWARDED, VH_ROOT_KEY}
    if settings["myproject.request_id_header"]:
        from_proxies.add(environ_key(settings["myproject.request_id_header"]))
    honour_virtual_root = settings["myproject.virtual_root_header"]

    def settle(environ: dict[str, Any]) -> str | None:
        if is_trusted(environ.get("REMOTE_ADDR", "")):
            if not honour_virtual_root:
                environ.pop(VH_ROOT_KEY, None)
            if not _believe(environ, believed):
                return _("A proxy on the way sent headers that cannot be understood.")
        else:
            for key in from_proxies:
                environ.pop(key, None)
        if not answers_to(environ):
            return _("This site does not answer to the name that you used.")
        return None

    return settle


def refusal(message: str, environ: dict[str, Any], router: Any) -> Response:
    """Return the page for a bad request, which nothing but that page gets to see."""
    error = HTTPBadRequest(message)
    with router.request_context(environ) as request:
        return request.invoke_exception_view((HTTPBadRequest, error, None))


# -- proxies --------------------------------------------------------------------------------------


def trust(proxies: tuple[Any, ...]) -> Callable[[str], bool]:
    """Return whether an address, as the server gives it, is one of these proxies."""
    networks = [proxy for proxy in proxies if not isinstance(proxy, str)]
    words = {proxy for proxy in proxies if isinstance(proxy, str)}

    # The few addresses that proxies have come back with every request.
    @lru_cache(maxsize=256)
    def is_trusted(peer: str) -> bool:
        if peer in words:
            return True
        address = _address(peer)
        return address is not None and any(address in network for network in networks)

    return is_trusted if proxies else lambda peer: False


def _address(text: str) -> IPv4Address | IPv6Address | None:
    try:
        address = ip_address(text)
    except ValueError:
        return None
    # How a socket for both families names an address of IPv4.
    return getattr(address, "ipv4_mapped", None) or address


def _believe(environ: dict[str, Any], believed: set[str]) -> bool:
    """Take a trusted proxy's word for the client; return false if it cannot be understood."""
    proxy = {name: environ.pop(name, None) for name in ("REMOTE_HOST", "REMOTE_PORT")}
    try:
        parse_proxy_headers(environ, 1, believed, log)
    except MalformedProxyHeader as error:
        log.warning("%s of a proxy: %s: %.200a", error.header, error.reason, error.value)
        return False
    except IndexError:
        log.warning("Headers of a proxy name a client without an address")
        return False
    if "REMOTE_HOST" not in environ:
        # No header named a client.
        environ.update({name: value for name, value in proxy.items() if value is not None})
    elif not _is_client(environ):
        log.warning("Headers of a proxy name no address: %.200a", environ["REMOTE_ADDR"])
        return False
    if not _PORT.fullmatch(environ.get("SERVER_PORT", "")):
        log.warning("Headers of a proxy name a port that is no number")
        return False
    # All has been said; what stays could be read once more, and differently.
    for key in _FORWARDED:
        environ.pop(key, None)
    return True


def _is_client(environ: dict[str, Any]) -> bool:
    """Whether the client that was named is an address; spell it in the one usual way."""
    named, port = environ["REMOTE_ADDR"], environ.pop("REMOTE_PORT", "")
    # Waitress leaves a port behind the brackets of an IPv6 address, and takes the end of
    # ::ffff:192.0.2.1 for one.
    if bracketed := _WITH_PORT.fullmatch(named):
        named, port = bracketed.groups()
    elif "." in port:
        named, port = f"{named}:{port}", ""
    address = _address(named)
    if address is None or not _PORT.fullmatch(port):
        return False
    environ["REMOTE_ADDR"] = environ["REMOTE_HOST"] = str(address)
    if port:
        environ["REMOTE_PORT"] = port
    return True


# -- hosts ----------------------------------------------------------------------------------------


def host_check(hosts: tuple[str, ...]) -> Callable[[Mapping[str, Any]], bool]:
    """Return whether an environment asks for one of *hosts*; without any, for a host at all."""
    exact = frozenset(host for host in hosts if not host.startswith("."))
    below = tuple(host for host in hosts if host.startswith("."))

    def is_one_of_ours(host: Host | None, scheme: str) -> bool:
        if host is None:
            return False
        name, port = host
        if name in exact or f".{name}".endswith(below):
            return True
        with_port = f"{name}:{port or _DEFAULT_PORTS.get(scheme, '')}"
        return with_port in exact or f".{with_port}".endswith(below)

    def answers_to(environ: Mapping[str, Any]) -> bool:
        sent = environ.get("HTTP_HOST")
        if not hosts:
            # HTTP/1.0 has no such header.
            return sent is None or read_host(sent) is not None
        scheme = environ["wsgi.url_scheme"]
        if not is_one_of_ours(read_host(sent or ""), scheme):
            return False
        # In its absolute form the request's target names a host, too (RFC 9112, section 3.2.2).
        absolute = _ABSOLUTE_FORM.match(environ.get("REQUEST_URI", ""))
        return absolute is None or is_one_of_ours(read_host(absolute[1]), scheme)

    return answers_to
