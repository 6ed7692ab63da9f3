"""The session: a signed cookie that holds a login's token, a CSRF token and messages to show.

Nothing in it is secret from its owner but the token, and nothing is trusted that is not signed.
What it says of a login counts only while the login's row exists.
"""

from __future__ import annotations

import secrets
from typing import Any

from pyramid.config import Configurator
from pyramid.session import SignedCookieSessionFactory

from myproject.exceptions import ConfigurationProblem
from myproject.registry import registry_of
from myproject.security.seals import seal_key
from myproject.settings import Settings

#: Bytes of a good secret; and characters that any secret must have.
SECRET_BYTES = 32
SECRET_LENGTH = 32

#: What the ini files of a fresh checkout say, and what people write in a hurry.
SAMPLES = ("sample", "changeme", "change-me", "secret", "development", "example", "insecure")


def secret_problem(secret: str) -> str | None:
    """Return what is wrong with a secret that is to be used in production."""
    new = secrets.token_urlsafe(SECRET_BYTES)
    advice = f"Here is a random one that nobody has seen: {new}"
    if not secret:
        return f"is missing. {advice}"
    if any(sample in secret.casefold() for sample in SAMPLES):
        return f"is a sample that everybody knows. {advice}"
    if len(secret) < SECRET_LENGTH:
        return f"must have at least {SECRET_LENGTH} characters. {advice}"
    if len(set(secret)) < 8:
        return f"has too few different characters. {advice}"
    return None


def cookie_name(settings: Settings) -> str:
    """Return the name of the cookie. The prefix has browsers refuse it from anybody but this very
    host, over HTTPS."""
    return "__Host-session" if settings["myproject.https"] else "session"


def includeme(config: Configurator) -> None:
    """Set the session factory, and demand a CSRF token of every unsafe request."""
    registry = registry_of(config)
    settings = registry.declared_settings
    registry.session_cookie = cookie_name(settings)
    secret = settings["myproject.session_secret"]
    if settings["myproject.development"]:
        secret = secret or secrets.token_urlsafe(SECRET_BYTES)
    elif problem := secret_problem(secret):
        raise ConfigurationProblem(f"myproject.session_secret: {problem}")
    registry.seal_key = seal_key(secret)
    factory: Any = SignedCookieSessionFactory(
        secret,
        salt="myproject.session.",
        cookie_name=cookie_name(settings),
        max_age=int(settings["myproject.login_lifetime"].total_seconds()),
        secure=settings["myproject.https"],
        httponly=True,
        samesite="Lax",
        # Logins have an end of their own, in the database.
        timeout=None,  # pyright: ignore[reportArgumentType] - documented so
        reissue_time=None,  # pyright: ignore[reportArgumentType]
    )
    config.set_session_factory(factory)
    config.set_default_csrf_options(require_csrf=True)
