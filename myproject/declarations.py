"""Which settings there are: how one is declared, what types and checks it may have, and the core's.

Any type that pydantic can validate will do; the types below are those pydantic does not have.
Where a value comes from, and which one wins, is decided in `settings`.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from importlib.util import find_spec
from typing import Annotated, Any, Literal, NamedTuple, get_args, get_origin
from urllib.parse import unquote, urlsplit

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    IPvAnyNetwork,
    TypeAdapter,
    ValidationError,
)
from pydantic.errors import PydanticUserError
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, NoSuchModuleError

# -- declaring -----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Setting:
    """One setting, as it is declared.

    :param key: its name in the ini file, such as `myproject.site_title`.
    :param type: any type pydantic can validate. Give choices as a `Literal` of strings, limits as
        `Annotated[int, Field(ge=1)]`; a `Field(description=...)` is used to say what is expected.
    :param default: the value if nobody gives one; it has to pass the same validation.
    :param help: one or two plain sentences for operators.
    :param secret: the value is never shown, and may come from a file named by `<key>_file`.
    :param required: there is no default; somebody has to give a value that is not empty.
    :param check: gets the typed value, returns what is wrong with it or None. The text follows
        the key ("must be ...") and must not quote a secret.
    :param show: for a secret of which a part may be shown: returns that part for display.
    """

    key: str
    type: Any
    default: Any
    help: str
    secret: bool = False
    required: bool = False
    check: Callable[[Any], str | None] | None = None
    show: Callable[[Any], str] | None = None

    @property
    def file_key(self) -> str:
        """The key under which a secret's file is named."""
        return f"{self.key}_file"

    @property
    def all_keys(self) -> tuple[str, ...]:
        """All ini keys this setting answers to."""
        return (self.key, self.file_key) if self.secret else (self.key,)


# -- reading text ---------------------------------------------------------------------------------


def parse(declared: Any, value: Any, *, quotable: bool = True) -> Any:
    """Turn what an operator wrote into a typed value.

    :param declared: a type as pydantic understands it. Text for a list, tuple or set is split
        at spaces, commas and new lines first.
    :param value: the text, or a value that already has the type, such as a default.
    :param quotable: false if the message must not repeat any of the value.
    :raises ValueError: with what was expected, in words for an operator.
    """
    if isinstance(value, str) and _is_collection(declared):
        value = [part for part in re.split(r"[\s,]+", value) if part]
    adapter = TypeAdapter(declared)
    try:
        return adapter.validate_python(value)
    except ValidationError as error:
        raise ValueError(_refusal(adapter, error, quotable)) from None


def _refusal(adapter: TypeAdapter[Any], error: ValidationError, quotable: bool) -> str:
    first = error.errors()[0]
    expected = _expectation(adapter)
    # A validator of the type's author knows more than the schema does, but may quote the value.
    by_author = first["type"] in ("value_error", "assertion_error")
    if quotable and (by_author or not expected):
        message = first["msg"].removeprefix("Value error, ").removeprefix("Assertion failed, ")
        return f"is not accepted: {message}"
    return f"must be {expected}" if expected else "is not accepted"


def _is_collection(declared: Any) -> bool:
    if get_origin(declared) is Annotated:
        declared = get_args(declared)[0]
    return (get_origin(declared) or declared) in (list, tuple, set, frozenset)


# -- saying what is expected ----------------------------------------------------------------------


def _expectation(adapter: TypeAdapter[Any]) -> str | None:
    # The words come from the type and not from pydantic's message: "a whole number from 1 to
    # 500" helps whoever wrote "many" more than "unable to parse string as an integer", and the
    # type cannot repeat a secret.
    try:
        return _describe(adapter.json_schema())
    except PydanticUserError:
        return None


def _describe(schema: Mapping[str, Any]) -> str | None:
    """Say what a JSON schema accepts, or nothing if it says more than we have words for."""
    if "description" in schema:
        return schema["description"]
    if "const" in schema:
        return str(schema["const"])
    if "enum" in schema:
        return "one of " + ", ".join(map(str, schema["enum"]))
    if "anyOf" in schema:
        parts = [_describe(part) for part in schema["anyOf"] if part.get("type") != "null"]
        return " or ".join(part for part in parts if part) if all(parts) else None
    write = _WORDS.get(schema.get("type", ""))
    return write(schema) if write else None


def _describe_number(noun: str, schema: Mapping[str, Any]) -> str:
    low, high = schema.get("minimum"), schema.get("maximum")
    if low is not None and high is not None:
        return f"{noun} from {low} to {high}"
    limits = [
        words.format(schema[limit])
        for limit, words in {
            "minimum": "{} or more",
            "exclusiveMinimum": "more than {}",
            "maximum": "{} or less",
            "exclusiveMaximum": "less than {}",
        }.items()
        if limit in schema
    ]
    return f"{noun}, {' and '.join(limits)}" if limits else noun


def _describe_text(schema: Mapping[str, Any]) -> str | None:
    if "format" in schema or "pattern" in schema:
        return None
    short, long = schema.get("minLength"), schema.get("maxLength")
    if short and long:
        return f"text of {short} to {long} characters"
    if short:
        return f"text of at least {short} characters" if short > 1 else "text that is not empty"
    return f"text of at most {long} characters" if long else "text"


def _describe_list(schema: Mapping[str, Any]) -> str | None:
    item = _describe(schema.get("items", {}))
    return item and f"a list separated by spaces, commas or new lines, each item {item}"


_WORDS = {
    "boolean": lambda schema: "true or false",
    "integer": partial(_describe_number, "a whole number"),
    "number": partial(_describe_number, "a number"),
    "string": _describe_text,
    "array": _describe_list,
}


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

DottedName = Annotated[
    str,
    Field(
        pattern=r"^[A-Za-z_]\w*(\.[A-Za-z_]\w*)*$",
        description="the dotted name of a Python package such as mysite.shop",
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


# -- the settings of the core ---------------------------------------------------------------------

CORE: tuple[Setting, ...] = (
    Setting(
        "sqlalchemy.url",
        DatabaseUrl,
        None,
        "Where the database is: sqlite:///path/to/file or postgresql://user:password@host/name.",
        secret=True,
        required=True,
        check=database_url_problem,
        show=hide_password,
    ),
    Setting(
        "sqlalchemy.pool_size",
        Annotated[int, Field(ge=1)],
        5,
        "How many database connections each process keeps open.",
    ),
    Setting(
        "sqlalchemy.max_overflow",
        Annotated[int, Field(ge=0)],
        10,
        "How many more connections a process may open for a short time when all are busy.",
    ),
    Setting(
        "sqlalchemy.pool_timeout",
        Annotated[int, Field(ge=1)],
        30,
        "How many seconds a request waits for a free connection before it fails.",
    ),
    Setting(
        "sqlalchemy.echo",
        bool,
        False,
        "Write every database statement to the log. For development; the log may hold content.",
    ),
    Setting(
        "myproject.site_title",
        str,
        "My site",
        "The name of the site, shown at the top of every page.",
    ),
    Setting(
        "myproject.locale",
        LocaleName,
        "en",
        "The language of the screens for people who have not chosen one.",
    ),
    Setting(
        "myproject.addons",
        tuple[DottedName, ...],
        (),
        "The add-ons that are switched on, by dotted name.",
    ),
    Setting(
        "myproject.development",
        bool,
        False,
        "This is somebody's own machine: sample secrets are accepted, and links in mail lead to "
        "the host that was asked. Never switch it on where others can reach the site.",
    ),
    Setting(
        "myproject.session_secret",
        str,
        "",
        "Signs the cookies of sessions: at least 32 characters that nobody can guess. Whoever "
        "changes it signs everybody out.",
        secret=True,
    ),
    Setting(
        "myproject.login_lifetime",
        Duration,
        "14d",
        "How long somebody stays signed in.",
    ),
    Setting(
        "myproject.link_lifetime",
        Duration,
        "24h",
        "How long a one-time link to choose a password works.",
    ),
    Setting(
        "myproject.private_pages",
        Literal["sign-in", "not-found"],
        "sign-in",
        "What an anonymous visitor gets for a private page: the way to sign in, or the same as "
        "for a page that does not exist.",
    ),
    Setting(
        "myproject.roles",
        RoleLines,
        {},
        "What roles let people do, a line each: NAME = permission permission ... Known roles get "
        "these in addition to what they have, other names are new roles.",
    ),
    Setting(
        "myproject.listing_size",
        Annotated[int, Field(ge=1, le=500)],
        50,
        "How many children one page of a listing shows.",
    ),
    Setting(
        "myproject.auto_migrate",
        bool,
        False,
        "Bring the database up to date at start. Leave it off where several processes start.",
    ),
    Setting(
        "myproject.reload_templates",
        bool,
        False,
        "Notice changed templates without a restart. For development; it costs time.",
    ),
    Setting(
        "myproject.virtual_root_header",
        bool,
        False,
        "Honour the header X-Vhm-Root, which serves a part of the tree as a site of its own. "
        "Only trusted proxies can send it, and they have to set it or remove it.",
    ),
    Setting(
        "myproject.request_id_header",
        HeaderName,
        "",
        "The header from which a request's id is taken if a trusted proxy sent it; if empty, "
        "every request gets an id of our own.",
    ),
    Setting(
        "myproject.retry_attempts",
        Annotated[int, Field(ge=1, le=10)],
        3,
        "How often a request is tried before a conflict in the database becomes an error.",
    ),
    Setting(
        "myproject.canonical_host",
        str,
        "",
        "The address search engines shall know, such as https://example.org. If empty, canonical "
        "links use the host of the request.",
        check=origin_problem,
    ),
    Setting(
        "myproject.password_length",
        Annotated[int, Field(ge=8, le=128)],
        10,
        "How many characters a new password has at least. Length is all that is asked of one.",
    ),
    # Low-memory parameters of RFC 9106.
    Setting(
        "myproject.argon2_time_cost",
        Annotated[int, Field(ge=1, le=100)],
        3,
        "How many rounds one check of a password takes. Changed, stored passwords follow one by "
        "one when their owners sign in.",
    ),
    Setting(
        "myproject.argon2_memory_cost",
        Annotated[int, Field(ge=8, le=4_194_304)],
        65536,
        "How much memory one check of a password takes, in KiB; at least 8 for each thread.",
    ),
    Setting(
        "myproject.argon2_parallelism",
        Annotated[int, Field(ge=1, le=64)],
        4,
        "How many threads one check of a password takes.",
    ),
    Setting(
        "myproject.limits_storage",
        str,
        "memory://",
        "Where attempts to sign in are counted: memory://, each process for itself, or "
        "redis://user:password@host:6379/0 for all processes together.",
        secret=True,
        check=limits_storage_problem,
        show=hide_password,
    ),
    Setting(
        "myproject.sign_in_limit_account",
        Rate,
        "10 per 15 minutes",
        "How often somebody may try to sign in to one account.",
    ),
    Setting(
        "myproject.sign_in_limit_address",
        Rate,
        "100 per 15 minutes",
        "How often somebody may try to sign in from one address, whatever the account.",
    ),
    Setting(
        "myproject.mail",
        str,
        "",
        "The mail server, as smtp://user:password@host:25, smtp+starttls://...:587 or "
        "smtps://...:465. console: prints mail instead of sending it; empty means no mail.",
        secret=True,
        check=mail_problem,
        show=hide_password,
    ),
    Setting(
        "myproject.mail_from",
        str,
        "myproject@localhost",
        "The address that mail comes from.",
        check=address_problem,
    ),
    Setting(
        "myproject.https",
        bool,
        True,
        "Readers reach the site over HTTPS: cookies are Secure, and browsers are told to use "
        "nothing else (HSTS).",
    ),
    Setting(
        "myproject.hsts",
        Annotated[Duration, Field(ge=timedelta(0))],
        timedelta(days=365),
        "How long browsers remember to use nothing but HTTPS; 0 tells them nothing.",
    ),
    Setting(
        "myproject.trusted_proxies",
        tuple[Proxy, ...],
        (),
        "The addresses of proxies whose forwarded headers are believed. Everybody else's are "
        "ignored.",
    ),
    Setting(
        "myproject.forwarded_headers",
        tuple[ForwardedHeader, ...],
        ("x-forwarded-for", "x-forwarded-host", "x-forwarded-proto"),
        "The headers that trusted proxies set or remove. Name no other: a proxy that does not "
        "know a header passes on what anybody wrote.",
        check=forwarded_headers_problem,
    ),
    Setting(
        "myproject.hosts",
        tuple[HostName, ...],
        (),
        "The names that the site answers to, such as example.org or .example.org for all below "
        "it as well. If empty, it answers to every name.",
    ),
)
