"""Signing in and out: attempts, logins, and one-time links that let one choose a password.

A login is a random token in the person's signed cookie and its hash in a row; deleting the row
signs out, wherever the cookie is. A one-time link is made likewise. Neither can be read out of a
copy of the database.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import secrets
from collections.abc import Sequence
from typing import NamedTuple

from sqlalchemy import bindparam, delete, or_, select
from sqlalchemy.orm import Session

from myproject.db.base import utcnow
from myproject.exceptions import LinkExpired, SignInRefused, TooManyAttempts
from myproject.security.audit import Event, record
from myproject.security.identity import Identity
from myproject.security.limits import SignInLimits
from myproject.security.models import Login, Membership, OneTimeLink, Preference, User
from myproject.security.names import normalize_account
from myproject.security.passwords import Passwords
from myproject.security.preferences import COLUMNS, preferences_of
from myproject.tree.actor import Actor

TOKEN_BYTES = 32


def hash_of(token: str) -> str:
    """Return what is stored of a token. It is random and long, so a plain hash is enough."""
    return hashlib.sha256(token.encode()).hexdigest()


def find_user(session: Session, account: str) -> User | None:
    """Return the user with this name or mail address."""
    wanted = normalize_account(account)
    if not wanted:
        return None
    query = select(User).where(or_(User.name == wanted, User.email == wanted))
    # A name that looks like somebody else's address is not handed that person's account.
    found = session.scalars(query).all()
    return next((user for user in found if user.name == wanted), found[0] if found else None)


class Attempt(NamedTuple):
    """What came of a name and a password.

    :ivar user_id: the account that was named, if there is one.
    :ivar succeeded: whether the password is its own and it is switched on.
    :ivar new_hash: the password hashed with today's parameters, if they have changed.
    """

    user_id: int | None
    succeeded: bool
    new_hash: str | None = None


def attempt(
    session: Session,
    passwords: Passwords,
    limits: SignInLimits,
    account: str,
    password: str,
    address: str,
) -> Attempt:
    """Compare a name and a password with what is stored; nothing is written.

    Takes the same work whether the account or the password is wrong. Do it outside of a writing
    transaction: hashing takes long on purpose, and nobody else should wait for it.

    :param session: one that reads.
    :raises TooManyAttempts: before anything is compared.
    """
    user = find_user(session, account)
    # By one name: who may be called by a mail address, too, must not have twice the attempts.
    counted = account if user is None else user.name
    if wait := limits.allow(counted, address):
        raise TooManyAttempts(wait)
    stored = user.password_hash if user is not None and user.active else None
    if not passwords.verify(stored, password) or user is None or stored is None:
        return Attempt(None if user is None else user.id, succeeded=False)
    limits.succeeded(counted)
    new_hash = passwords.hash(password) if passwords.needs_rehash(stored) else None
    return Attempt(user.id, succeeded=True, new_hash=new_hash)


def record_failure(session: Session, account: str, tried: Attempt, address: str) -> None:
    """Record that an attempt to sign in failed."""
    user = None if tried.user_id is None else session.get(User, tried.user_id)
    named = Actor(None, normalize_account(account), address)
    record(session, Event.SIGN_IN_FAILED, named, subject=user)


def user_of(session: Session, tried: Attempt) -> User:
    """Return the user whom an attempt was about.

    :raises SignInRefused: when it failed, or the account was deleted or switched off meanwhile.
    """
    user = session.get(User, tried.user_id) if tried.succeeded else None
    if user is None or not user.active:
        raise SignInRefused
    if tried.new_hash is not None:
        user.password_hash = tried.new_hash
    return user


def start_login(
    session: Session, user: User, actor: Actor, agent: str, lifetime: dt.timedelta
) -> str:
    """Sign *user* in and return the token that proves it."""
    now = utcnow()
    token = secrets.token_urlsafe(TOKEN_BYTES)
    user.last_login_at = now
    # Old ones of this person are swept out by the way.
    session.execute(delete(Login).where(Login.user_id == user.id, Login.expires_at <= now))
    session.add(
        Login(
            user_id=user.id,
            token_hash=hash_of(token),
            expires_at=now + lifetime,
            address=actor.address[:60],
            agent=agent[:300],
        )
    )
    record(session, Event.SIGNED_IN, Actor(user.id, user.name, actor.address), subject=user)
    session.flush()
    return token


_IDENTITY = (
    select(Login.id, User.id, User.name, User.title, *COLUMNS, Membership.group_id)
    .join_from(Login, User, User.id == Login.user_id)
    .outerjoin(Preference, Preference.user_id == Login.user_id)
    .outerjoin(Membership, Membership.user_id == Login.user_id)
    .where(
        Login.token_hash == bindparam("token_hash"),
        Login.expires_at > bindparam("now", type_=Login.expires_at.type),
        User.active,
    )
)


def identify(session: Session, token: str) -> Identity | None:
    """Return whom a login's token belongs to, None when it is no longer good; one statement."""
    parameters = {"token_hash": hash_of(token), "now": utcnow()}
    rows = session.connection().execute(_IDENTITY, parameters).all()
    if not rows:
        return None
    login_id, user_id, name, title, *chosen, _ = rows[0]
    groups = frozenset(row[-1] for row in rows if row[-1] is not None)
    return Identity(user_id, name, title, login_id, groups, preferences_of(chosen))


def load_logins(session: Session, user_id: int) -> Sequence[Login]:
    """Return where a user is signed in, the newest first."""
    query = select(Login).where(Login.user_id == user_id, Login.expires_at > utcnow())
    return session.scalars(query.order_by(Login.id.desc())).all()


def revoke_logins(
    session: Session, user_id: int, *, login_id: int | None = None, keep: int | None = None
) -> int:
    """Sign a user out; return the number of logins that ended.

    :param login_id: only this one; everywhere when left out.
    :param keep: but this one.
    """
    query = delete(Login).where(Login.user_id == user_id)
    if login_id is not None:
        query = query.where(Login.id == login_id)
    if keep is not None:
        query = query.where(Login.id != keep)
    return len(session.execute(query.returning(Login.id)).all())


def make_link(session: Session, user: User, actor: Actor, lifetime: dt.timedelta) -> str:
    """Return the token of a new one-time link for *user*; earlier ones stop working."""
    token = secrets.token_urlsafe(TOKEN_BYTES)
    session.execute(delete(OneTimeLink).where(OneTimeLink.user_id == user.id))
    session.add(
        OneTimeLink(token_hash=hash_of(token), user_id=user.id, expires_at=utcnow() + lifetime)
    )
    record(session, Event.LINK_MADE, actor, subject=user)
    session.flush()
    return token


def open_link(session: Session, token: str) -> User:
    """Return the active user whom a one-time link belongs to, without using it up.

    :raises LinkExpired: when it was used, has expired or was never made.
    """
    query = (
        select(User)
        .join(OneTimeLink, OneTimeLink.user_id == User.id)
        .where(
            OneTimeLink.token_hash == hash_of(token), OneTimeLink.expires_at > utcnow(), User.active
        )
    )
    user = session.scalars(query).one_or_none()
    if user is None:
        raise LinkExpired
    return user


def use_link(session: Session, token: str) -> User:
    """Use a one-time link up and return its user; of two at once, one succeeds.

    :raises LinkExpired:
    """
    user = open_link(session, token)
    used = delete(OneTimeLink).where(OneTimeLink.token_hash == hash_of(token))
    if session.execute(used.returning(OneTimeLink.user_id)).one_or_none() is None:
        raise LinkExpired
    return user
