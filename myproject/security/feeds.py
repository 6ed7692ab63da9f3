"""Addresses of feeds that are for one person: what feed readers have instead of a login.

An address holds a random token, whose hash is a row: it can be ended, it is in no copy of the
database, and it opens nothing but what is made to be opened by it.
"""

from __future__ import annotations

import datetime as dt
import secrets

from sqlalchemy import bindparam, delete, select
from sqlalchemy.orm import Session

from myproject.security.audit import Event, record
from myproject.security.identity import Identity
from myproject.security.logins import TOKEN_BYTES, hash_of
from myproject.security.models import FeedToken, Membership, Preference, User
from myproject.security.preferences import COLUMNS, preferences_of
from myproject.tree.actor import Actor

#: No login: what is shown to this identity proves nothing elsewhere.
NO_LOGIN = 0


def make_feed_token(session: Session, user: User, actor: Actor) -> str:
    """Return a new token for a user's feeds; the one before stops working."""
    token = secrets.token_urlsafe(TOKEN_BYTES)
    # Two forms sent at once must not both find that there is none.
    session.get_one(User, user.id, with_for_update=True)
    session.execute(delete(FeedToken).where(FeedToken.user_id == user.id))
    session.add(FeedToken(user_id=user.id, token_hash=hash_of(token)))
    record(session, Event.FEED_MADE, actor, subject=user)
    session.flush()
    return token


def end_feed_token(session: Session, user: User, actor: Actor) -> bool:
    """Have a user's token open nothing any more; return whether there was one."""
    ended = delete(FeedToken).where(FeedToken.user_id == user.id)
    if session.execute(ended.returning(FeedToken.user_id)).one_or_none() is None:
        return False
    record(session, Event.FEED_ENDED, actor, subject=user)
    return True


def feed_token_made_at(session: Session, user_id: int) -> dt.datetime | None:
    """Return when a user's token was made; None where there is none."""
    return session.scalar(select(FeedToken.created_at).where(FeedToken.user_id == user_id))


_OWNER = (
    select(User.id, User.name, User.title, *COLUMNS, Membership.group_id)
    .join_from(FeedToken, User, User.id == FeedToken.user_id)
    .outerjoin(Preference, Preference.user_id == User.id)
    .outerjoin(Membership, Membership.user_id == User.id)
    .where(FeedToken.token_hash == bindparam("token_hash"), User.active)
)


def feed_owner(session: Session, token: str) -> Identity | None:
    """Return whose token this is; None where it is no longer good. One statement."""
    rows = session.connection().execute(_OWNER, {"token_hash": hash_of(token)}).all()
    if not rows:
        return None
    user_id, name, title, *chosen, _ = rows[0]
    groups = frozenset(row[-1] for row in rows if row[-1] is not None)
    return Identity(user_id, name, title, NO_LOGIN, groups, preferences_of(chosen))
