"""Settings: declaring, reading, precedence, secrets, and messages an operator can act upon."""

import pickle
import traceback
from collections.abc import Callable
from datetime import timedelta
from typing import Annotated, Any, Literal
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import AfterValidator, Field
from sqlalchemy.engine import make_url

from myproject.setting_types import (
    Duration,
    Server,
    address_problem,
    database_url_problem,
    hide_password,
    origin_problem,
    read_server,
)
from myproject.settings import CORE, Setting, Settings, SettingsError, environment_name

INI = "development.ini"
URL = "sqlite:///site.sqlite"
TOKEN = Setting("myproject.token", str, "", "A token.", secret=True)


def load(ini: dict[str, str] | None = None, /, **environ: str) -> Settings:
    """Load the core settings; a database URL is always there unless the test gives one."""
    return Settings.load({"sqlalchemy.url": URL} | (ini or {}), environ, INI)


def bare(*declarations: Setting, ini: Any = None, environ: Any = None) -> Settings:
    """Load nothing but the settings of the test."""
    return Settings.load(ini or {}, environ or {}, INI, declarations)


def value_of(declared: Any, text: str) -> Any:
    setting = Setting("myproject.x", declared, None, "Help.", required=True)
    return bare(setting, ini={"myproject.x": text})["myproject.x"]


def problem_of(call: Any, *args: Any, **kwargs: Any) -> str:
    """Return the only problem a call complains about."""
    with pytest.raises(SettingsError) as caught:
        call(*args, **kwargs)
    (problem,) = caught.value.problems
    return problem


def shown(settings: Settings, key: str) -> tuple[str, str]:
    (found,) = [effective for effective in settings.explain() if effective.key == key]
    return found.value, found.source


# -- the core settings ----------------------------------------------------------------------------


def test_core_defaults():
    assert load().as_dict() == {
        "sqlalchemy.url": URL,
        "myproject.trash_days": 30,
        "myproject.preview_lifetime": timedelta(days=7),
        "sqlalchemy.pool_size": 5,
        "sqlalchemy.max_overflow": 10,
        "sqlalchemy.pool_timeout": 30,
        "sqlalchemy.echo": False,
        "myproject.site_title": "My site",
        "myproject.locale": "en",
        "myproject.time_zone": "UTC",
        "myproject.addons": (),
        "myproject.development": False,
        "myproject.session_secret": "",
        "myproject.login_lifetime": timedelta(days=14),
        "myproject.link_lifetime": timedelta(days=1),
        "myproject.private_pages": "sign-in",
        "myproject.roles": {},
        "myproject.listing_size": 50,
        "myproject.max_form_size": 5_000_000,
        "myproject.transliterate": True,
        "myproject.text_limit": 2_000_000,
        "myproject.auto_migrate": False,
        "myproject.reload_templates": False,
        "myproject.virtual_root_header": False,
        "myproject.request_id_header": "",
        "myproject.retry_attempts": 3,
        "myproject.canonical_host": "",
        "myproject.password_length": 10,
        "myproject.argon2_time_cost": 3,
        "myproject.argon2_memory_cost": 65536,
        "myproject.argon2_parallelism": 4,
        "myproject.limits_storage": "memory://",
        "myproject.sign_in_limit_account": "10 per 15 minutes",
        "myproject.sign_in_limit_address": "100 per 15 minutes",
        "myproject.mail": "",
        "myproject.mail_from": "myproject@localhost",
        "myproject.https": True,
        "myproject.hsts": timedelta(days=365),
        "myproject.trusted_proxies": (),
        "myproject.forwarded_headers": (
            "x-forwarded-for",
            "x-forwarded-host",
            "x-forwarded-proto",
        ),
        "myproject.hosts": (),
    }


@pytest.mark.parametrize("setting", CORE, ids=lambda setting: setting.key)
def test_core_help_is_a_plain_sentence(setting: Setting):
    assert setting.help.endswith(".")
    assert setting.help[0].isupper()


@pytest.mark.parametrize(
    ("key", "text", "expected"),
    [
        ("sqlalchemy.pool_size", "0", "must be a whole number, 1 or more"),
        ("sqlalchemy.max_overflow", "-1", "must be a whole number, 0 or more"),
        ("sqlalchemy.pool_timeout", "0", "must be a whole number, 1 or more"),
        ("sqlalchemy.echo", "perhaps", "must be true or false"),
        ("myproject.locale", "../x", "must be a language code such as en or pt_BR"),
        (
            "myproject.time_zone",
            "Europe/Berln",
            "must be the name of a time zone of the IANA's database; did you mean Europe/Berlin?",
        ),
        (
            "myproject.time_zone",
            "../../etc/passwd",
            "must be the name of a time zone of the IANA's database, such as Europe/Berlin or UTC",
        ),
        ("myproject.listing_size", "many", "must be a whole number from 1 to 500"),
        ("myproject.listing_size", "0", "must be a whole number from 1 to 500"),
        ("myproject.listing_size", "501", "must be a whole number from 1 to 500"),
        ("myproject.listing_size", "", "must be a whole number from 1 to 500"),
        ("myproject.retry_attempts", "11", "must be a whole number from 1 to 10"),
        (
            "myproject.request_id_header",
            "X Id:",
            "must be the name of a header such as X-Request-Id, or empty",
        ),
        (
            "myproject.addons",
            "mysite.shop my.site-two",
            "must be a list separated by spaces, commas or new lines, "
            "each item the name of an add-on such as search, or the dotted name of a package",
        ),
        (
            "myproject.canonical_host",
            "example.org",
            "must be http:// or https:// and a host, without a path or a slash at the end, "
            "such as https://example.org",
        ),
        ("myproject.password_length", "7", "must be a whole number from 8 to 128"),
        (
            "myproject.sign_in_limit_account",
            "0 per minute",
            "must be a number of attempts and a time such as 10 per 15 minutes",
        ),
        (
            "myproject.sign_in_limit_address",
            "10 per minute; 50 per hour",
            "must be a number of attempts and a time such as 10 per 15 minutes",
        ),
        (
            "myproject.mail_from",
            "Site <site@example.org>",
            "must be a mail address such as name@example.org",
        ),
    ],
)
def test_core_value_refused(key: str, text: str, expected: str):
    assert problem_of(load, {key: text}) == f"{key} = {text!r} ({INI}): {expected}"


@pytest.mark.parametrize(
    ("key", "text", "value"),
    [
        ("myproject.listing_size", "500", 500),
        ("myproject.listing_size", " 1 ", 1),
        ("myproject.auto_migrate", "yes", True),
        ("myproject.auto_migrate", "Off", False),
        ("myproject.locale", "pt_BR", "pt_BR"),
        ("myproject.time_zone", "America/Argentina/Ushuaia", "America/Argentina/Ushuaia"),
        ("myproject.request_id_header", "X-Request-Id", "X-Request-Id"),
        ("myproject.addons", "", ()),
        ("myproject.addons", "\n  a.b\n  c, d,e\n", ("a.b", "c", "d", "e")),
        ("myproject.site_title", "Ärger & Söhne", "Ärger & Söhne"),
        ("myproject.sign_in_limit_account", "5 per hour", "5 per hour"),
        ("myproject.mail_from", "no-reply@example.org", "no-reply@example.org"),
    ],
)
def test_core_value_accepted(key: str, text: str, value: object):
    assert load({key: text})[key] == value


# -- proxies and hosts ----------------------------------------------------------------------------

PROXIES = (
    "must be a list separated by spaces, commas or new lines, each item an IP address, a network "
    "such as 10.0.0.0/8, or localhost for a proxy on a Unix socket"
)


@pytest.mark.parametrize(
    ("key", "text", "displayed"),
    [
        (
            "myproject.trusted_proxies",
            "127.0.0.1 ::1, 10.0.0.0/8\nfd00::/8 localhost",
            "127.0.0.1/32, ::1/128, 10.0.0.0/8, fd00::/8, localhost",
        ),
        ("myproject.trusted_proxies", "", ""),
        ("myproject.forwarded_headers", "X-Forwarded-For", "x-forwarded-for"),
        ("myproject.forwarded_headers", "Forwarded", "forwarded"),
        ("myproject.forwarded_headers", "", ""),
        (
            "myproject.hosts",
            "Example.ORG. .example.net my_host:080 [2001:DB8::1]:8080 192.0.2.1",
            "example.org, .example.net, my_host:80, [2001:db8::1]:8080, 192.0.2.1",
        ),
        ("myproject.hosts", "xn--bcher-kva.example", "xn--bcher-kva.example"),
        ("myproject.hsts", "0", "0:00:00"),
    ],
)
def test_proxies_and_hosts_accepted(key: str, text: str, displayed: str):
    assert shown(load({key: text}), key) == (displayed, INI)


@pytest.mark.parametrize(
    ("key", "text", "expected"),
    [
        ("myproject.https", "perhaps", "must be true or false"),
        ("myproject.hsts", "long", "must be a length of time such as 30s, 5m, 2h or 7d"),
        ("myproject.hsts", "-PT5S", "must be a length of time such as 30s, 5m, 2h or 7d"),
        *(
            ("myproject.trusted_proxies", text, PROXIES)
            for text in ("nginx", "*", "10.0.0.1/8", "10.0.0", "127.0.0.1:80", "[::1]", "1")
        ),
        (
            "myproject.forwarded_headers",
            "x-forwarded-for x-real-ip",
            "must be a list separated by spaces, commas or new lines, each item one of "
            "x-forwarded-for, x-forwarded-host, x-forwarded-proto, x-forwarded-port, forwarded",
        ),
        (
            "myproject.forwarded_headers",
            "forwarded x-forwarded-for",
            "must name either forwarded or headers that begin with x-forwarded-, and not both: a "
            "proxy that sets the ones passes on what anybody wrote into the others",
        ),
    ],
)
def test_proxies_refused(key: str, text: str, expected: str):
    assert problem_of(load, {key: text}) == f"{key} = {text!r} ({INI}): {expected}"


@pytest.mark.parametrize(
    "text",
    [
        "*",
        ".",
        "*.example.org",
        "https://example.org",
        "example.org/path",
        "user@example.org",
        "example.org:",
        "example.org:0",
        "example.org:65536",
        "example..org",
        "-example.org",
        "..example.org",
        ".[::1]",
        "::1",
        "bücher.example",
        "\u212a.example",
        "x" * 261,
    ],
)
def test_hosts_refused(text: str):
    problem = problem_of(load, {"myproject.hosts": f"example.org {text}"})
    assert f"is not accepted: {text!r} must be a name such as example.org, " in problem


# -- other servers --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("key", "url", "displayed"),
    [
        ("myproject.mail", "", ""),
        ("myproject.mail", "console:", "console:"),
        ("myproject.mail", "smtp://localhost", "smtp://localhost"),
        ("myproject.mail", "smtps://[::1]:465", "smtps://[::1]:465"),
        (
            "myproject.mail",
            "smtp+starttls://me%40example.org:p%40ss@mail.example.org:587",
            "smtp+starttls://me%40example.org:***@mail.example.org:587",
        ),
        ("myproject.limits_storage", "memory://", "memory://"),
        ("myproject.limits_storage", "redis://localhost", "redis://localhost"),
        ("myproject.limits_storage", "redis://:s3cret@redis:6379/0", "redis://:***@redis:6379/0"),
    ],
)
def test_server_accepted_and_shown(key: str, url: str, displayed: str):
    settings = load({key: url})
    assert settings[key] == url
    assert shown(settings, key) == (displayed, INI)


@pytest.mark.parametrize(
    ("key", "url"),
    [
        ("myproject.mail", "console"),
        ("myproject.mail", "mail.example.org"),
        ("myproject.mail", "SMTP://mail.example.org"),
        ("myproject.mail", "smtp://"),
        ("myproject.mail", "smtp://mail.example.org/inbox"),
        ("myproject.mail", "smtp://mail.example.org:65536"),
        ("myproject.mail", "smtp://mail.example.org:0"),
        ("myproject.mail", "smtp://me:s3cret@x@mail.example.org"),
        ("myproject.mail", "smtp://me:s3cret/x@mail.example.org"),
        ("myproject.mail", "smtp://me:s3cret#x@mail.example.org"),
        ("myproject.mail", "smtp://me@mail.example.org"),
        ("myproject.mail", "smtp://:s3cret@mail.example.org"),
        ("myproject.limits_storage", ""),
        ("myproject.limits_storage", "memory"),
        ("myproject.limits_storage", "memory://x"),
        ("myproject.limits_storage", "memcached://s3cret@localhost"),
        ("myproject.limits_storage", "redis://"),
        ("myproject.limits_storage", "redis://localhost/zero"),
        ("myproject.limits_storage", "redis://localhost/0?socket_timeout=100"),
        ("myproject.limits_storage", "redis://:s3cret@x@localhost"),
    ],
)
def test_server_refused_without_its_password(key: str, url: str):
    problem = problem_of(load, {key: url})
    assert problem.startswith(f"{key} ({INI}): must ")
    assert "s3cret" not in problem


def test_redis_needs_its_package(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("myproject.setting_types.find_spec", lambda name: None)
    problem = problem_of(load, {"myproject.limits_storage": "redis://localhost"})
    assert problem.endswith("pip install myproject[redis]")
    assert load()["myproject.limits_storage"] == "memory://"


def test_server_is_read():
    server = read_server("smtp+starttls://me%40example.org:p%40%2Fss@[2001:db8::1]:587/")
    assert server == Server("smtp+starttls", "2001:db8::1", 587, "me@example.org", "p@/ss", "/")
    assert "p@/ss" not in repr(server)
    assert read_server("smtps://mail") == Server("smtps", "mail", None, "", "", "")


@pytest.mark.parametrize(
    ("address", "fits"),
    [
        ("a@b", True),
        ("first.last+tag@mail.example.org", True),
        ("o'neill@xn--bcher-kva.example", True),
        ("a" * 64 + "@example.org", True),
        ("a" * 65 + "@example.org", False),
        ("a@" + ".".join(["b" * 63] * 4), False),
        ("", False),
        ("a", False),
        ("@b", False),
        ("a@", False),
        ("a@b@c", False),
        ("a b@c", False),
        ("a..b@c", False),
        (".a@c", False),
        ("a@-c", False),
        ("a@b, c@d", False),
        ("a@b\nBcc: c@d", False),
        ("a@b\n", False),
        ("ä@example.org", False),
        ('"a b"@c', False),
    ],
)
def test_address(address: str, fits: bool):
    assert (address_problem(address) is None) is fits


# -- types ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("declared", "text", "value"),
    [
        (list[int], "1, 2\n3", [1, 2, 3]),
        (Annotated[list[str], Field(max_length=2)], "a b", ["a", "b"]),
        (frozenset[str], "a,b,a", frozenset("ab")),
        (list, "a b", ["a", "b"]),
        (Literal["a", "b"], "b", "b"),
        (int | None, "3", 3),
        (Duration, "30", timedelta(seconds=30)),
        (Duration, "5m", timedelta(minutes=5)),
        (Duration, "2 h", timedelta(hours=2)),
        (Duration, "7d", timedelta(days=7)),
        (Duration, "PT90S", timedelta(seconds=90)),
    ],
)
def test_type_reads(declared: Any, text: str, value: object):
    assert value_of(declared, text) == value


def _even(value: int) -> int:
    if value % 2:
        raise ValueError("three is odd")
    return value


@pytest.mark.parametrize(
    ("declared", "text", "expected"),
    [
        (Literal["a", "b"], "c", "must be one of a, b"),
        (Literal["a"], "c", "must be a"),
        (int | None, "x", "must be a whole number"),
        (int | bool, "x", "must be a whole number or true or false"),
        (float, "x", "must be a number"),
        (Annotated[float, Field(gt=0, lt=1)], "1", "must be a number, more than 0 and less than 1"),
        (Annotated[int, Field(le=9)], "10", "must be a whole number, 9 or less"),
        (Annotated[str, Field(min_length=1)], "", "must be text that is not empty"),
        (Annotated[str, Field(min_length=8)], "x", "must be text of at least 8 characters"),
        (Annotated[str, Field(max_length=2)], "xyz", "must be text of at most 2 characters"),
        (
            Annotated[str, Field(min_length=1, max_length=2)],
            "xyz",
            "must be text of 1 to 2 characters",
        ),
        (Duration, "soon", "must be a length of time such as 30s, 5m, 2h or 7d"),
        (Annotated[int, Field(description="a port")], "x", "must be a port"),
        (
            Annotated[str, Field(pattern="^a$")],
            "x",
            "is not accepted: String should match pattern '^a$'",
        ),
        (
            Annotated[int, AfterValidator(_even)],
            "3",
            "is not accepted: three is odd",
        ),
        (
            list[Annotated[str, Field(pattern="^a$")]],
            "b",
            "is not accepted: String should match pattern '^a$'",
        ),
        (Callable[[], None], "x", "is not accepted: Input should be callable"),
    ],
)
def test_type_says_what_it_expects(declared: Any, text: str, expected: str):
    setting = Setting("myproject.x", declared, "", "Help.")
    problem = problem_of(bare, setting, ini={"myproject.x": text})
    assert problem == f"myproject.x = {text!r} ({INI}): {expected}"


def test_default_has_to_fit_its_own_declaration():
    setting = Setting("myproject.x", int, "many", "Help.")
    assert problem_of(bare, setting) == "myproject.x = 'many' (default): must be a whole number"


def test_check_gets_the_typed_value_and_its_words_are_used():
    odd = Setting("myproject.x", int, 2, "Help.", check=lambda v: "must be even" if v % 2 else None)
    assert bare(odd, ini={"myproject.x": "4"})["myproject.x"] == 4
    problem = problem_of(bare, odd, ini={"myproject.x": "3"})
    assert problem == f"myproject.x = '3' ({INI}): must be even"


# -- where values come from -----------------------------------------------------------------------

TITLE, TITLE_VARIABLE = "myproject.site_title", "MYPROJECT__SITE_TITLE"


@pytest.mark.parametrize(
    ("ini", "environ", "value", "source"),
    [
        ({}, {}, "My site", "default"),
        ({TITLE: "Ini"}, {}, "Ini", INI),
        ({}, {TITLE_VARIABLE: "Env"}, "Env", f"environment {TITLE_VARIABLE}"),
        ({TITLE: "Ini"}, {TITLE_VARIABLE: "Env"}, "Env", f"environment {TITLE_VARIABLE}"),
        ({TITLE: "Ini"}, {TITLE_VARIABLE: ""}, "", f"environment {TITLE_VARIABLE}"),
    ],
)
def test_precedence(ini: dict[str, str], environ: dict[str, str], value: str, source: str):
    settings = load(ini, **environ)
    assert settings[TITLE] == value
    assert shown(settings, TITLE) == (value, source)


@pytest.mark.parametrize(
    ("key", "name"),
    [
        ("sqlalchemy.url", "MYPROJECT__SQLALCHEMY__URL"),
        ("myproject.site_title", "MYPROJECT__SITE_TITLE"),
        ("myproject.shop.currency", "MYPROJECT__SHOP__CURRENCY"),
        ("pyramid.debug_notfound", "MYPROJECT__PYRAMID__DEBUG_NOTFOUND"),
    ],
)
def test_environment_name(key: str, name: str):
    assert environment_name(key) == name


def test_message_names_the_variable_a_bad_value_came_from():
    problem = problem_of(load, MYPROJECT__LISTING_SIZE="many")
    assert problem == (
        "myproject.listing_size = 'many' (environment MYPROJECT__LISTING_SIZE): "
        "must be a whole number from 1 to 500"
    )


def test_keys_of_other_packages_pass_as_text_and_can_be_overridden():
    settings = load(
        {"pyramid.debug_notfound": "false", "tm.annotate_user": "no", "plain": "x"},
        MYPROJECT__PYRAMID__DEBUG_NOTFOUND="true",
        PATH="/bin",
    )
    settings.check_unknown()
    assert settings["pyramid.debug_notfound"] == "true"
    assert settings.as_dict()["tm.annotate_user"] == "no"
    assert settings["plain"] == "x"
    assert "PATH" not in settings
    assert "pyramid.debug_notfound" not in {effective.key for effective in settings.explain()}


def test_settings_is_a_mapping_of_what_is_declared():
    settings = load({"myproject.unheard": "1"})
    assert dict(settings) == settings.as_dict()
    assert len(settings) == len(CORE)
    assert settings.get("myproject.unheard") is None
    with pytest.raises(KeyError):
        settings["myproject.unheard"]


def test_two_settings_are_independent():
    names = Setting("myproject.names", list[str], [], "Help.")
    one, two = bare(names), bare(names, ini={"plain": "x"})
    one["myproject.names"].append("changed")
    one.as_dict()["plain"] = "changed"
    one.declare(TOKEN, "shop")
    assert two.as_dict() == {"myproject.names": [], "plain": "x"}
    assert names.default == []


def test_later_changes_of_the_sources_have_no_effect():
    ini, environ = {"plain": "x"}, {"MYPROJECT__TOKEN": "before"}
    settings = bare(ini=ini, environ=environ)
    ini["plain"], environ["MYPROJECT__TOKEN"] = "changed", "changed"
    assert settings.declare(TOKEN, "shop") == "before"
    assert settings["plain"] == "x"


# -- everything that is wrong, at once ------------------------------------------------------------


def test_all_problems_at_once():
    with pytest.raises(SettingsError) as caught:
        Settings.load(
            {"myproject.listing_size": "many", "myproject.canonical_host": "x"},
            {"MYPROJECT__SQLALCHEMY__ECHO": "perhaps"},
            INI,
        )
    problems = caught.value.problems
    assert [problem.split()[0] for problem in problems] == [
        "sqlalchemy.url",
        "sqlalchemy.echo",
        "myproject.listing_size",
        "myproject.canonical_host",
    ]
    assert str(caught.value).splitlines() == list(problems)


def test_error_survives_pickling():
    error = pickle.loads(pickle.dumps(SettingsError("one", "two")))
    assert error.problems == ("one", "two")


MISSING = (
    f"sqlalchemy.url is missing: set it in {INI} or as MYPROJECT__SQLALCHEMY__URL, "
    "or name a file that holds it as sqlalchemy.url_file"
)


@pytest.mark.parametrize(
    ("ini", "environ", "problem"),
    [
        ({}, {}, MISSING),
        ({"sqlalchemy.ulr": URL}, {}, f"{MISSING} (is sqlalchemy.ulr a misspelling of it?)"),
        (
            {},
            {"MYPROJECT__SQLALCHEMY_URL": URL},
            f"{MISSING} (is MYPROJECT__SQLALCHEMY_URL a misspelling of it?)",
        ),
        ({"sqlalchemy.url": " "}, {}, f"sqlalchemy.url ({INI}): must not be empty"),
    ],
)
def test_required(ini: dict[str, str], environ: dict[str, str], problem: str):
    assert problem_of(Settings.load, ini, environ, INI) == problem


# -- unknown keys ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("key", "meant"),
    [
        ("myproject.site_titel", "myproject.site_title"),
        ("myproject.pool_size", "sqlalchemy.pool_size"),
        ("myproject.Site_Title", "myproject.site_title"),
        ("myproject.site_title_file", "myproject.site_title"),
        ("sqlalchemy.url_fil", "sqlalchemy.url_file"),
        ("sqlalchemy.xyzzy", None),
    ],
)
def test_unknown_ini_key(key: str, meant: str | None):
    problem = problem_of(load({key: "x"}).check_unknown)
    hint = f"; did you mean {meant}?" if meant else ""
    assert problem == f"{key} ({INI}): there is no such setting{hint}"


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("MYPROJECT__SITE_TITEL", "MYPROJECT__SITE_TITLE"),
        ("MYPROJECT__MYPROJECT__SITE_TITLE", "MYPROJECT__SITE_TITLE"),
        ("MYPROJECT__site_title", "MYPROJECT__SITE_TITLE"),
        ("MYPROJECT__SQLALCHEMY_URL", "MYPROJECT__SQLALCHEMY__URL"),
        ("MYPROJECT__PYRAMID__DEBUG_NOTFUOND", "MYPROJECT__PYRAMID__DEBUG_NOTFOUND"),
        ("MYPROJECT__QWXZ", None),
    ],
)
def test_unknown_variable(name: str, meant: str | None):
    settings = load({"pyramid.debug_notfound": "true"}, **{name: "x"})
    hint = f"; did you mean {meant}?" if meant else ""
    problem = problem_of(settings.check_unknown)
    assert problem == f"{name} (environment): there is no such setting{hint}"


def test_everything_unknown_is_reported_at_once():
    settings = load({"myproject.a": "", "sqlalchemy.b": ""}, MYPROJECT__C="")
    with pytest.raises(SettingsError) as caught:
        settings.check_unknown()
    assert len(caught.value.problems) == 3


def test_nothing_unknown():
    load({"tm.attempts": "3"}, MYPROJECT__SITE_TITLE="x", MYPROJECT_OTHER="x").check_unknown()


# -- add-ons --------------------------------------------------------------------------------------

CURRENCY = Setting("myproject.shop.currency", Literal["EUR", "CHF"], "EUR", "What shops ask for.")


def test_declare_gives_the_value_at_once_and_makes_the_key_known():
    settings = load({CURRENCY.key: "CHF"})
    assert settings.declare(CURRENCY, "mysite.shop") == "CHF"
    assert settings[CURRENCY.key] == "CHF"
    assert shown(settings, CURRENCY.key) == ("CHF", INI)
    settings.check_unknown()


def test_declare_refuses_a_bad_value_but_knows_the_key():
    settings = load({CURRENCY.key: "USD"})
    problem = problem_of(settings.declare, CURRENCY, "mysite.shop")
    assert problem == f"{CURRENCY.key} = 'USD' ({INI}): must be one of EUR, CHF"
    assert CURRENCY.key not in settings
    assert CURRENCY.key not in {effective.key for effective in settings.explain()}
    settings.check_unknown()


def test_declare_can_take_a_key_outside_our_prefixes():
    stock = Setting("shop.stock", int, 1, "Help.")
    settings = load({"shop.stock": "7"})
    assert settings["shop.stock"] == "7"
    settings.declare(stock, "shop")
    assert settings["shop.stock"] == 7


def test_declaring_twice_names_both_owners_and_changes_nothing():
    settings = load()
    settings.declare(CURRENCY, "mysite.shop")
    again = Setting(CURRENCY.key, str, "other", "Help.")
    problem = problem_of(settings.declare, again, "mysite.bazaar")
    assert problem == (
        f"{CURRENCY.key} is declared twice, by mysite.shop and by mysite.bazaar: rename one"
    )
    assert settings[CURRENCY.key] == "EUR"
    settings.declare(TOKEN, "mysite.shop")
    again = Setting(TOKEN.file_key, str, "", "Help.")
    assert "myproject.token_file is declared twice" in problem_of(settings.declare, again, "x")
    again = Setting("myproject.site_title", str, "", "Help.")
    assert "by myproject and by shop" in problem_of(settings.declare, again, "shop")


@pytest.mark.parametrize("key", ["token", "token_file", "myproject.TOKEN"])
def test_keys_may_not_share_an_environment_variable(key: str):
    settings = bare(TOKEN)
    problem = problem_of(settings.declare, Setting(key, str, "", "Help."), "shop")
    assert environment_name(key) in problem
    assert "declared by shop" in problem
    assert "declared by myproject" in problem


# -- secrets --------------------------------------------------------------------------------------

SECRET = "s3cr3t-Horse"


@pytest.fixture
def secret_file(tmp_path):
    path = tmp_path / "token"
    path.write_text(f"{SECRET}\n")
    return path


@pytest.mark.parametrize("text", [SECRET, f"{SECRET}\n", f"{SECRET}\r\n"])
def test_secret_file(secret_file, text: str):
    secret_file.write_bytes(text.encode())
    settings = bare(TOKEN, ini={"myproject.token_file": str(secret_file)})
    settings.check_unknown()
    assert settings.as_dict() == {"myproject.token": SECRET}
    assert shown(settings, "myproject.token") == ("********", f"file {secret_file}")


def test_only_the_last_newline_of_a_secret_file_goes(secret_file):
    secret_file.write_text(f" {SECRET} \n\n")
    settings = bare(TOKEN, ini={"myproject.token_file": str(secret_file)})
    assert settings["myproject.token"] == f" {SECRET} \n"


def test_secret_file_of_a_foreign_prefix_is_not_passed_on(secret_file):
    settings = bare(ini={"shop.token_file": str(secret_file)})
    settings.declare(Setting("shop.token", str, "", "Help.", secret=True), "shop")
    assert settings.as_dict() == {"shop.token": SECRET}


def test_environment_wins_whether_by_value_or_by_file(secret_file):
    path = str(secret_file)
    by_value = bare(
        TOKEN, ini={"myproject.token_file": path}, environ={"MYPROJECT__TOKEN": "direct"}
    )
    by_file = bare(
        TOKEN, ini={"myproject.token": "direct"}, environ={"MYPROJECT__TOKEN_FILE": path}
    )
    assert by_value["myproject.token"] == "direct"
    assert by_file["myproject.token"] == SECRET


@pytest.mark.parametrize(
    ("given", "first", "second"),
    [
        ({"ini": {"myproject.token": SECRET, "myproject.token_file": "x"}}, INI, INI),
        (
            {"environ": {"MYPROJECT__TOKEN": SECRET, "MYPROJECT__TOKEN_FILE": "x"}},
            "environment MYPROJECT__TOKEN",
            "environment MYPROJECT__TOKEN_FILE",
        ),
    ],
)
def test_secret_given_twice(given: dict[str, Any], first: str, second: str):
    assert problem_of(bare, TOKEN, **given) == (
        f"myproject.token is given twice, as a value ({first}) and as a file ({second}): remove one"
    )


def test_secret_file_missing(tmp_path):
    path = str(tmp_path / "nowhere")
    problem = problem_of(bare, TOKEN, ini={"myproject.token_file": path})
    expected = "cannot be read: No such file or directory"
    assert problem == f"myproject.token_file = {path!r} ({INI}): {expected}"


def test_secret_file_is_a_directory(tmp_path):
    problem = problem_of(bare, TOKEN, environ={"MYPROJECT__TOKEN_FILE": str(tmp_path)})
    assert problem.startswith(f"myproject.token_file = {str(tmp_path)!r} (environment MYPROJECT__T")
    assert "cannot be read" in problem


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"", "the file is empty"),
        (b"\n", "the file is empty"),
        (b"\xff\xfe", "cannot be read: not UTF-8 text"),
    ],
)
def test_secret_file_useless(secret_file, content: bytes, expected: str):
    secret_file.write_bytes(content)
    problem = problem_of(bare, TOKEN, ini={"myproject.token_file": str(secret_file)})
    assert problem == f"myproject.token_file = {str(secret_file)!r} ({INI}): {expected}"


def test_a_url_given_for_its_file_is_not_repeated():
    problem = problem_of(
        Settings.load, {"sqlalchemy.url_file": f"postgresql://u:{SECRET}@h/d"}, {}, INI
    )
    assert problem == f"sqlalchemy.url_file ({INI}): must be the path of a file, not a URL"


def test_bad_value_from_a_file_names_the_file(secret_file):
    problem = problem_of(Settings.load, {"sqlalchemy.url_file": str(secret_file)}, {}, INI)
    assert problem.startswith(f"sqlalchemy.url (file {secret_file}): must be a database URL")


def _quoting_check(value: object) -> str:
    return f"must not be {value!r} or {value}"


def _quoting_validator(value: str) -> str:
    raise ValueError(f"{value} is bad")


@pytest.mark.parametrize(
    "setting",
    [
        Setting("myproject.x", int, None, "Help.", secret=True),
        Setting("myproject.x", Annotated[str, Field(pattern="^$")], "", "Help.", secret=True),
        Setting(
            "myproject.x",
            Annotated[str, AfterValidator(_quoting_validator), Field(pattern=".")],
            "",
            "Help.",
            secret=True,
        ),
        Setting("myproject.x", str, "", "Help.", secret=True, check=_quoting_check),
    ],
)
def test_no_message_and_no_traceback_repeats_a_secret(setting: Setting):
    with pytest.raises(SettingsError) as caught:
        bare(setting, ini={"myproject.x": SECRET})
    problem = str(caught.value)
    assert problem.startswith(f"myproject.x ({INI}): ")
    assert caught.value.__context__ is None
    assert SECRET not in "".join(traceback.format_exception(caught.value))


def test_settings_do_not_show_secrets_by_accident():
    settings = load(
        {"sqlalchemy.url": f"postgresql://me:{SECRET}@db/site"}, MYPROJECT__TOKEN=SECRET
    )
    settings.declare(TOKEN, "shop")
    assert SECRET not in repr(settings) + str(settings) + repr(settings.explain())
    url = "postgresql+psycopg://me:***@db/site"
    assert shown(settings, "sqlalchemy.url") == (url, INI)


def test_secret_that_is_not_set_shows_as_empty():
    assert shown(bare(TOKEN), "myproject.token") == ("", "default")


# -- explain --------------------------------------------------------------------------------------


def test_explain_is_sorted_and_written_as_in_an_ini_file():
    settings = load({"myproject.addons": "a b", "sqlalchemy.echo": "1"})
    explained = settings.explain()
    assert [effective.key for effective in explained] == sorted(s.key for s in CORE)
    assert shown(settings, "myproject.addons") == ("a, b", INI)
    assert shown(settings, "sqlalchemy.echo") == ("true", INI)
    assert shown(settings, "myproject.listing_size") == ("50", "default")
    assert {e.key: e.help for e in explained} == {s.key: s.help for s in CORE}


# -- checks ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "value"),
    [
        ("postgres://u@h/d", "postgresql+psycopg://u@h/d"),
        ("postgresql://u@h/d", "postgresql+psycopg://u@h/d"),
        ("postgresql+psycopg://u@h/d", "postgresql+psycopg://u@h/d"),
        ("postgresql+psycopg2://h/d", "postgresql+psycopg2://h/d"),
        ("postgresql:///d?host=/run/postgresql", "postgresql+psycopg:///d?host=/run/postgresql"),
        ("postgresql://u@corp:p%40x@h/d", "postgresql+psycopg://u@corp:p%40x@h/d"),
        ("sqlite:///var/site.sqlite", "sqlite:///var/site.sqlite"),
        ("sqlite:////srv/a@b.sqlite", "sqlite:////srv/a@b.sqlite"),
        ("sqlite+pysqlite:///x", "sqlite+pysqlite:///x"),
    ],
)
def test_database_url_accepted(given: str, value: str):
    assert load({"sqlalchemy.url": given})["sqlalchemy.url"] == value


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("sqlite://", "each connection would see its own empty database"),
        ("sqlite:///", "each connection would see its own empty database"),
        ("sqlite:///:memory:", "each connection would see its own empty database"),
        ("sqlite:///file::memory:?uri=true", "each connection would see its own empty database"),
        ("sqlite:///file:x?mode=memory&uri=true", "see its own empty database"),
        ("mysql://u:p@h/d", "must be the URL of a SQLite or a PostgreSQL database"),
        ("nosuch://h/d", "a database or a driver that is not known"),
        ("postgresql+nosuch://h/d", "a database or a driver that is not known"),
        ("postgresql+asyncpg://h/d", "asynchronous driver"),
        ("site.sqlite", "must be a database URL"),
        ("postgresql://u:p@h:port/d", "must be a database URL"),
        ("postgresql://u:p@ss@h/d", "percent-encoded"),
        ("postgresql://u/x:pass@h/d", "percent-encoded"),
        ("postgresql://u:p@s?s@h/d", "percent-encoded"),
    ],
)
def test_database_url_refused(value: str, expected: str):
    problem = problem_of(load, {"sqlalchemy.url": value})
    assert problem.startswith(f"sqlalchemy.url ({INI}): ")
    assert expected in problem


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("sqlite:///a:b@c", "sqlite:///a:b@c"),
        ("postgresql://u:pw@h:1/d?a=b", "postgresql://u:***@h:1/d?a=b"),
        ("postgresql://u@corp:pw@h/d", "postgresql://u@corp:***@h/d"),
        ("postgresql://:pw@h/d", "postgresql://:***@h/d"),
        ("postgresql://u:p/w?x@h/d", "postgresql://u:***@h/d"),
        ("postgresql://u@h:5432/d", "postgresql://u@h:5432/d"),
        ("postgresql://[::1]:5432/d", "postgresql://[::1]:5432/d"),
        ("postgresql://h/d?password=pw&a=b", "postgresql://h/d?password=***&a=b"),
        ("postgresql://h/d?a=b&sslpassword=pw", "postgresql://h/d?a=b&sslpassword=***"),
    ],
)
def test_hide_password(url: str, expected: str):
    assert hide_password(url) == expected


AWKWARD = st.text("aZ9@:/?#%&=+[]. \n", min_size=1, max_size=12)


@given(before=AWKWARD, after=AWKWARD, encode=st.booleans())
def test_no_part_of_a_password_is_ever_shown(before: str, after: str, encode: bool):
    # Whatever delimiters surround the marks: neither a message nor the display repeats one.
    password = f"FIRST{before}MIDDLE{after}LAST"
    password = quote(password, safe="") if encode else password
    url = f"postgresql://user:{password}@host/database"
    try:
        settings = load({"sqlalchemy.url": url})
    except SettingsError as error:
        assert not encode
        text = str(error)
    else:
        text = repr(settings.explain())
        assert make_url(settings["sqlalchemy.url"]).host == "host"
    assert not [mark for mark in ("FIRST", "MIDDLE", "LAST") if mark in text]


@given(st.text(max_size=30))
def test_database_url_check_never_fails_and_never_repeats(text: str):
    url = f"postgresql://{text}"
    problem = database_url_problem(url)
    assert problem is None or len(text) < 12 or text not in problem


@pytest.mark.parametrize(
    "value",
    [
        "",
        "https://example.org",
        "http://localhost:6543",
        "http://192.0.2.1",
        "https://[2001:db8::1]:8443",
        "https://xn--bcher-kva.example",
        "http://my_container",
    ],
)
def test_origin_accepted(value: str):
    assert origin_problem(value) is None


@pytest.mark.parametrize(
    "value",
    [
        "example.org",
        "//example.org",
        "ftp://example.org",
        "https://",
        "https://example.org/",
        "https://example.org/path",
        "https://example.org?q",
        "https://example.org#f",
        "https://user@example.org",
        "https://example.org:",
        "https://example.org:0",
        "https://example.org:65536",
        "https://exam\nple.org",
        "https://example.org\n",
        "https://example..org",
        "https://-example.org",
        "https://[::::]",
        "https://\u212a.example",
    ],
)
def test_origin_refused(value: str):
    assert origin_problem(value)
