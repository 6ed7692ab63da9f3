"""Preview links: what comes next of a page, shown to people without an account.

A link is a random token and its signature, made with the site's secret; its row has no more than a
hash of it. So nobody can make one up, and nobody who reads the database can use one.

A link is as good as the right of whoever has made it to see what it shows: it works as long as
they have an account that is not locked, and may see drafts there.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import hmac
import secrets
from collections.abc import Iterable, Sequence

from sqlalchemy import ForeignKey, String, delete, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from myproject.db.base import Base, Id, UTCDateTime, utcnow
from myproject.db.transaction import mark_changed
from myproject.security.access import ANONYMOUS, Access
from myproject.security.identity import load_people
from myproject.security.permissions import Permission
from myproject.tree.actor import Actor
from myproject.tree.node import Node

#: Characters of a label at most.
LONGEST_LABEL = 200

#: How long the row of a link is kept after it has expired.
KEPT = dt.timedelta(days=30)

_BYTES, _LONGEST = 32, 200


class PreviewLink(Base):
    """A link that shows the newest version of one page, until it expires or is revoked."""

    __tablename__ = "preview_link"

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    node_id: Mapped[int] = mapped_column(Id, ForeignKey("node.id", ondelete="CASCADE"), index=True)
    #: For whom it is, or what for, in the words of whoever made it.
    label: Mapped[str] = mapped_column(String(LONGEST_LABEL), default="")
    created_at: Mapped[dt.datetime] = mapped_column(UTCDateTime, default=utcnow)
    created_by_id: Mapped[int | None] = mapped_column(Id)
    created_by: Mapped[str] = mapped_column(String(200), default="")
    expires_at: Mapped[dt.datetime] = mapped_column(UTCDateTime)
    revoked_at: Mapped[dt.datetime | None] = mapped_column(UTCDateTime)

    @property
    def has_expired(self) -> bool:
        """Whether its time is over."""
        return self.expires_at <= utcnow()

    @property
    def works(self) -> bool:
        """Whether it shows the page, as long as whoever has made it may see that."""
        return self.revoked_at is None and not self.has_expired


def make_preview_link(
    session: Session,
    key: bytes,
    node_id: int,
    actor: Actor,
    lifetime: dt.timedelta,
    label: str = "",
) -> str:
    """Return the token of a new link; the only time that anybody is told it.

    :param key: signs it.
    """
    old = (PreviewLink.node_id == node_id) & (PreviewLink.expires_at <= utcnow() - KEPT)
    session.execute(delete(PreviewLink).where(old))
    said = secrets.token_urlsafe(_BYTES)
    token = f"{said}.{_signature(key, said)}"
    session.add(
        PreviewLink(
            token_hash=_hash_of(token),
            node_id=node_id,
            label=label[:LONGEST_LABEL],
            created_by_id=actor.id,
            created_by=actor.name[:200],
            expires_at=utcnow() + lifetime,
        )
    )
    session.flush()
    return token


def find_preview_link(session: Session, key: bytes, token: str) -> PreviewLink | None:
    """Return the link of a token, whether it still works or not; None where there is none.

    One statement, and none for a token that was not made here.
    """
    said, _, signature = token[:_LONGEST].rpartition(".")
    if not hmac.compare_digest(signature.encode(), _signature(key, said).encode()):
        return None
    query = select(PreviewLink).where(PreviewLink.token_hash == _hash_of(token))
    return session.scalars(query).one_or_none()


def load_makers(session: Session, links: Iterable[PreviewLink]) -> dict[int | None, frozenset[int]]:
    """Return user -> the principals that whoever has made links is now; one statement at most.

    Users who are gone or locked out are left out. None is whoever was not signed in.
    """
    wanted = {link.created_by_id for link in links}
    makers: dict[int | None, frozenset[int]] = {None: ANONYMOUS} if None in wanted else {}
    makers |= load_people(session, (each for each in wanted if each is not None))
    return makers


def may_show(access: Access, node: Node) -> bool:
    """Whether somebody who may do this may see, and so show, what readers do not see of a node.

    :param node: one whose lineage is loaded.
    """
    if not {Permission.VIEW, Permission.VIEW_DRAFTS} <= access.at(node.boundary_id):
        return False
    place = node.parent
    while place is not None:
        if not access.visibility.leads_through(place.boundary_id, place.seen_state):
            return False
        place = place.parent
    return True


def load_preview_links(session: Session, node_id: int) -> Sequence[PreviewLink]:
    """Return the links of a page, the newest first."""
    query = select(PreviewLink).where(PreviewLink.node_id == node_id)
    return session.scalars(query.order_by(PreviewLink.id.desc())).all()


def revoke_preview_link(session: Session, node_id: int, link_id: int) -> bool:
    """Have a link of a page show nothing any more.

    :returns: whether it did until now.
    """
    query = select(PreviewLink).where(PreviewLink.node_id == node_id, PreviewLink.id == link_id)
    link = session.scalars(query.with_for_update()).one_or_none()
    if link is None or not link.works:
        return False
    link.revoked_at = utcnow()
    session.flush()
    mark_changed(session)
    return True


def _hash_of(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def _signature(key: bytes, said: str) -> str:
    # Of its own kind: nothing else that is signed with this key can be taken for a link.
    return hmac.new(key, b"preview-link." + said.encode(), hashlib.sha256).hexdigest()[:32]
