"""The settings of the core: name, type, default and meaning of each."""

from datetime import timedelta
from typing import Annotated, Literal

from pydantic import Field

from myproject.declarations import Setting
from myproject.setting_types import (
    AddonName,
    DatabaseUrl,
    Duration,
    ForwardedHeader,
    HeaderName,
    HostName,
    LocaleName,
    Proxy,
    Rate,
    RoleLines,
    address_problem,
    database_url_problem,
    forwarded_headers_problem,
    hide_password,
    limits_storage_problem,
    mail_problem,
    origin_problem,
)
from myproject.zones import UTC, time_zone_problem

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
        "myproject.time_zone",
        str,
        UTC,
        "The time zone in which times are shown to people who have not chosen one, by its IANA "
        "name such as Europe/Berlin. Times are stored in UTC whatever it is.",
        check=time_zone_problem,
    ),
    Setting(
        "myproject.addons",
        tuple[AddonName, ...],
        (),
        "The add-ons that are switched on: names that `myproject addons` lists, or dotted names of "
        "Python packages.",
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
        "myproject.text_limit",
        Annotated[int, Field(ge=10_000)],
        2_000_000,
        "How many characters the text of one page may have.",
    ),
    Setting(
        "myproject.max_form_size",
        Annotated[int, Field(ge=100_000)],
        5_000_000,
        "How many bytes a form may have when it is sent. One that has more is shown again with "
        "what was typed; one of more than four times as many is not even read.",
    ),
    Setting(
        "myproject.transliterate",
        bool,
        True,
        "Suggest names in the letters a to z, whatever the script of the title. Switched off, "
        "letters of every script are kept.",
    ),
    Setting(
        "myproject.trash_days",
        Annotated[int, Field(ge=0, le=36_500)],
        30,
        "How many days a deleted page stays in the trash before a job deletes it for good; 0 keeps "
        "it until somebody does.",
    ),
    Setting(
        "myproject.preview_lifetime",
        Annotated[Duration, Field(ge=timedelta(days=1), le=timedelta(days=365))],
        timedelta(days=7),
        "How long a preview link works unless whoever makes it chooses something else; whole days.",
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
