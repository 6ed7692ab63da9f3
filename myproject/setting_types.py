"""The types of settings that pydantic does not have, and what is wrong with a value of theirs.

A `..._problem` function gets a value and says what is wrong with it, or None; it never repeats a
secret.
"""

import re
from dataclasses import dataclass, field
from datetime import timedelta
from importlib.util import find_spec
from typing import Annotated, Any, Literal, NamedTuple
from urllib.parse import unquote, urlsplit

from pydantic import AfterValidator, BeforeValidator, Field, IPvAnyNetwork
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, NoSuchModuleError

# -- durations ------------------------------------------------------------------------------------

_UNITS = {"": "seconds", "s": "seconds", "m": "minutes", "h": "hours", "d": "days"}


def _read_duration(value: Any) -> Any:
    match = (
        re.fullmatch(r"(\d{1,9})\s*([smhd]?)", value.strip()) if isinstance(value, str) else None
    )
    # Anything else is a timedelta already, or left for pydantic to read or refuse.
    return timedelta(**{_UNITS[match[2]]: int(match[1])}) if match else value


Duration = Annotated[
    timedelta,
    BeforeValidator(_read_duration),
    Field(description="a length of time such as 30s, 5m, 2h or 7d"),
]
"""A `timedelta`, written `30s`, `5m`, `2h` or `7d`; a bare number is seconds."""


# -- names ----------------------------------------------------------------------------------------

AddonName = Annotated[
    str,
    Field(
        pattern=r"^[A-Za-z_][\w-]*(\.[A-Za-z_]\w*)*$",
        description="the name of an add-on such as search, or the dotted name of a package",
    ),
]
HeaderName = Annotated[
    str,
    Field(
        pattern=r"^[A-Za-z0-9-]*$",
        description="the name of a header such as X-Request-Id, or empty",
    ),
]
LocaleName = Annotated[
    str,
    Field(
        pattern=r"^[a-z]{2,3}([_-][A-Za-z0-9]+)*$",
        description="a language code such as en or pt_BR",
    ),
]


# -- roles ----------------------------------------------------------------------------------------


def _read_roles(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    roles: dict[str, list[str]] = {}
    for line in filter(str.strip, value.splitlines()):
        name, equals, permissions = line.partition("=")
        if not equals or not name.strip() or not permissions.split():
            raise ValueError(f"the line {line.strip()!r} is not NAME = permission permission ...")
        roles.setdefault(name.strip(), []).extend(permissions.replace(",", " ").split())
    return roles


RoleLines = Annotated[
    dict[str, list[str]],
    BeforeValidator(_read_roles),
    Field(description="a line for each role: NAME = permission permission ..."),
]
"""Roles and their permissions, one role a line."""


# -- database URLs --------------------------------------------------------------------------------

# Where SQLAlchemy sees the credentials: a password ends at the first "@".
_CREDENTIALS = r"[^:/]*(?::[^@]*)?@"


def _name_driver(value: str) -> str:
    return re.sub(r"^(postgres|postgresql)://", "postgresql+psycopg://", value)


DatabaseUrl = Annotated[
    str,
    AfterValidator(_name_driver),
    Field(description="a database URL such as sqlite:///var/site.sqlite"),
]
"""A database URL as text; `postgresql://` and `postgres://` are given our driver, psycopg."""


def database_url_problem(value: str) -> str | None:
    """Say why this is no URL of a database we can work with, without repeating any of it."""
    try:
        url = make_url(value)
        is_async = url.get_dialect().is_async
    except NoSuchModuleError:
        return "names a database or a driver that is not known; use sqlite:// or postgresql://"
    except (ArgumentError, ValueError):
        return "must be a database URL such as postgresql://user:password@host/database"
    if url.get_backend_name() not in ("sqlite", "postgresql"):
        return "must be the URL of a SQLite or a PostgreSQL database"
    if is_async:
        return "names an asynchronous driver; use sqlite:// or postgresql://"
    if url.get_backend_name() == "sqlite":
        return _in_memory_problem(url)
    # A password with a bare "@" would end early, and its rest be taken for the host and shown.
    if not re.fullmatch(rf"[^:/]+://({_CREDENTIALS})?[^@]*", value):
        return "has an @ or a / that must be percent-encoded (@ as %40, / as %2F)"
    return None


def _in_memory_problem(url: URL) -> str | None:
    in_memory = (
        url.database in (None, "", ":memory:")
        or url.database.startswith("file::memory:")
        or url.query.get("mode") == "memory"
    )
    if not in_memory:
        return None
    return (
        "must name a file such as sqlite:///var/site.sqlite: "
        "in memory, each connection would see its own empty database"
    )


def hide_password(value: str) -> str:
    """Show a database URL with `***` in place of its password, and all else as it is."""
    value = re.sub(r"^([^:/]+://[^:/]*:)[^@]*@", r"\1***@", value)
    return re.sub(r"(?i)([?&][^=&]*password=)[^&]*", r"\1***", value)


# -- origins --------------------------------------------------------------------------------------

_LABEL = r"[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?"
_ORIGIN = re.compile(
    rf"https?://({_LABEL}(\.{_LABEL})*|\[[0-9a-f:.]+\])(:\d+)?", re.ASCII | re.IGNORECASE
)


def origin_problem(value: str) -> str | None:
    """Say why this is no absolute origin (RFC 6454: scheme, host and port); empty is fine."""
    expected = (
        "must be http:// or https:// and a host, without a path or a slash at the end, "
        "such as https://example.org"
    )
    if not value:
        return None
    try:
        # `urlsplit` alone would forgive too much, but it knows ports and IPv6 addresses.
        fits = _ORIGIN.fullmatch(value) and urlsplit(value).port != 0
    except ValueError:
        fits = False
    return None if fits else expected


# -- other servers --------------------------------------------------------------------------------


@dataclass(frozen=True)
class Server:
    """A server of mail or counts, as its URL names it; what the URL leaves out is empty or None."""

    scheme: str
    host: str
    port: int | None
    user: str
    password: str = field(repr=False)
    path: str


_SERVER = re.compile(
    r"(?P<scheme>[a-z+]+)://"
    r"((?P<user>[^:@/?#\s]*)(:(?P<password>[^@/?#\s]*))?@)?"
    rf"(?P<host>{_LABEL}(\.{_LABEL})*|\[[0-9a-f:.]+\])(:(?P<port>\d{{1,5}}))?"
    r"(?P<path>/[^?#\s]*)?",
    re.ASCII | re.IGNORECASE,
)


def read_server(value: str) -> Server | None:
    """Read ``scheme://user:password@host:port/path``, or return None if it is none.

    User and password are percent-decoded, and an IPv6 address comes without its brackets.
    """
    match = _SERVER.fullmatch(value)
    if not match:
        return None
    part = match.groupdict(default="")
    port = int(part["port"]) if part["port"] else None
    if port is not None and not 0 < port < 65536:
        return None
    user, password = unquote(part["user"]), unquote(part["password"])
    host = part["host"].strip("[]")
    return Server(part["scheme"], host, port, user, password, part["path"])


_ENCODE = "in a password, @, /, ? and # must be written as %40, %2F, %3F and %23"


def limits_storage_problem(value: str) -> str | None:
    """Say why attempts cannot be counted there, without repeating any of the URL."""
    if value == "memory://":
        return None
    server = read_server(value)
    if not server or server.scheme != "redis" or not re.fullmatch(r"(/\d*)?", server.path):
        return f"must be memory:// or a URL such as redis://user:password@host:6379/0; {_ENCODE}"
    if find_spec("redis") is None:
        return "needs a Python package that is not installed; pip install myproject[redis]"
    return None


def mail_problem(value: str) -> str | None:
    """Say why mail cannot be sent that way, without repeating any of the URL."""
    if value in ("", "console:"):
        return None
    server = read_server(value)
    if (
        not server
        or server.scheme not in ("smtp", "smtp+starttls", "smtps")
        or server.path not in ("", "/")
    ):
        return (
            "must be empty, console: or the URL of a mail server such as "
            f"smtp+starttls://user:password@host:587; {_ENCODE}"
        )
    if bool(server.user) != bool(server.password):
        return "must have both a user and a password, or neither"
    return None


# -- mail addresses -------------------------------------------------------------------------------

_ATOM = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
_MAIL_LABEL = r"[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_ADDRESS = re.compile(
    rf"(?=.{{1,64}}@){_ATOM}(\.{_ATOM})*@{_MAIL_LABEL}(\.{_MAIL_LABEL})*", re.ASCII
)


def address_problem(value: str) -> str | None:
    """Say why this is no mail address; only a mail can tell whether somebody reads there.

    Other letters than ASCII's are refused: few mail servers take them before the @, and after it
    the domain can be written in its ``xn--`` form.
    """
    # 254 characters is what SMTP can carry (RFC 5321, with the brackets around the address).
    if len(value) <= 254 and _ADDRESS.fullmatch(value):
        return None
    return "must be a mail address such as name@example.org"


# -- limits ---------------------------------------------------------------------------------------

# The part of the notation of `limits` that has one meaning only.
Rate = Annotated[
    str,
    Field(
        pattern=r"^[1-9]\d{0,5} per ([1-9]\d{0,3} )?(second|minute|hour|day)s?$",
        description="a number of attempts and a time such as 10 per 15 minutes",
    ),
]
"""How often something may happen, written `10 per 15 minutes` or `100 per hour`."""


# -- proxies and hosts ----------------------------------------------------------------------------

Proxy = Annotated[
    IPvAnyNetwork | Literal["localhost"],
    Field(
        description="an IP address, a network such as 10.0.0.0/8, "
        "or localhost for a proxy on a Unix socket"
    ),
]
"""A network (an address is one of its own), or the word that Waitress has for a Unix socket."""


def _lower(value: Any) -> Any:
    return value.lower() if isinstance(value, str) else value


ForwardedHeader = Annotated[
    Literal[
        "x-forwarded-for", "x-forwarded-host", "x-forwarded-proto", "x-forwarded-port", "forwarded"
    ],
    BeforeValidator(_lower),
]


def forwarded_headers_problem(value: tuple[str, ...]) -> str | None:
    """Say why these cannot be believed together."""
    if "forwarded" in value and len(set(value)) > 1:
        return (
            "must name either forwarded or headers that begin with x-forwarded-, and not both: "
            "a proxy that sets the ones passes on what anybody wrote into the others"
        )
    return None


class Host(NamedTuple):
    """What a ``Host`` header says: the name in small letters, and the port or nothing."""

    name: str
    port: str


_HOST = re.compile(
    rf"(?P<name>{_LABEL}(?:\.{_LABEL})*|\[[0-9a-f:.]+\])(?:(?<!\])\.)?(?::(?P<port>[0-9]{{1,5}}))?",
    re.ASCII | re.IGNORECASE,
)
# A name of DNS has at most 253 characters; then come a dot, a colon and five digits.
_LONGEST_HOST = 260


def read_host(value: str) -> Host | None:
    """Read a host as a ``Host`` header names it, or return None if it is none."""
    match = _HOST.fullmatch(value) if len(value) <= _LONGEST_HOST else None
    if not match:
        return None
    port = match["port"] or ""
    if port and not 0 < int(port) < 65536:
        return None
    return Host(match["name"].lower(), port and str(int(port)))


def _normal_host(value: str) -> str:
    below = value.startswith(".")
    host = read_host(value[1:] if below else value)
    if not host or (below and host.name.startswith("[")):
        raise ValueError(
            f"{value!r} must be a name such as example.org, .example.org for all below it as "
            "well, or example.org:8080 for one port only; other letters in their xn-- form"
        )
    return "." * below + host.name + (f":{host.port}" if host.port else "")


HostName = Annotated[str, AfterValidator(_normal_host)]
"""A host name, with a dot in front for all below it, with a port if no other will do."""
