"""Users and groups: the operations that make, change and end them.

They take an actor and no request, record what they do, and never leave a site without somebody
who can administer it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

from pyramid.i18n import TranslationStringFactory
from sqlalchemy import Select, delete, func, or_, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from myproject.exceptions import (
    InvalidValue,
    LastAdministrator,
    NotYourself,
    PrincipalGone,
    TooLong,
)
from myproject.security.audit import Event, record
from myproject.security.logins import revoke_logins
from myproject.security.models import (
    FeedToken,
    Grant,
    Group,
    Membership,
    OneTimeLink,
    Principal,
    User,
)
from myproject.security.names import (
    MAX_DESCRIPTION,
    account_name,
    display_title,
    email_address,
    normalize_account,
)
from myproject.security.passwords import Passwords, password_problem
from myproject.security.permissions import ADMINISTRATOR
from myproject.security.searching import escaped, matching
from myproject.tree.actor import Actor
from myproject.tree.node import ROOT_ID
from myproject.tree.site import SITE_ID, Site, count_access_revision

_ = TranslationStringFactory("myproject")


class Accounts:
    """The operations on users and groups within one session's transaction.

    :param session: a writing session.
    :param passwords: hashes passwords.
    :param actor: who does it, for the record.
    :param minimum: how long a password must be.
    """

    def __init__(
        self, session: Session, passwords: Passwords, actor: Actor, *, minimum: int
    ) -> None:
        self.session = session
        self.passwords = passwords
        self.actor = actor
        self.minimum = minimum

    # -- users ------------------------------------------------------------------------------------

    def user(self, user_id: int) -> User:
        """Return a user.

        :raises PrincipalGone:
        """
        user = self.session.get(User, user_id)
        if user is None:
            raise PrincipalGone(_("This user no longer exists."))
        return user

    def create_user(
        self, name: str, title: str = "", email: str = "", password: str | None = None
    ) -> User:
        """Make an account. Without a password its person needs a one-time link.

        :raises InvalidValue: also when the name or the address belongs to somebody else.
        """
        name = account_name(name)
        user = User(name=name, title=display_title(title, name), email=email_address(email))
        if password is not None:
            user.password_hash = self._hashed(user, password)
        with self._unique(user):
            self.session.add(user)
            self.session.flush()
        record(self.session, Event.USER_CREATED, self.actor, subject=user)
        return user

    def change_user(self, user: User, *, name: str, title: str, email: str) -> None:
        """Give a user another name, title or mail address.

        :raises InvalidValue:
        """
        name = account_name(name)
        new = {"name": name, "title": display_title(title, name), "email": email_address(email)}
        changed = [key for key, value in new.items() if getattr(user, key) != value]
        if not changed:
            return
        was = user.name
        with self._unique(user, **new):
            for key in changed:
                setattr(user, key, new[key])
            self.session.flush()
        details = {"fields": changed, **({"was": was} if "name" in changed else {})}
        record(self.session, Event.USER_CHANGED, self.actor, subject=user, **details)

    def set_password(self, user: User, password: str, *, keep_login: int | None = None) -> None:
        """Give a user another password; all their logins, links and
        addresses of feeds end.

        :param keep_login: the login that goes on, where somebody changes their own.
        :raises InvalidValue:
        """
        user.password_hash = self._hashed(user, password)
        revoke_logins(self.session, user.id, keep=keep_login)
        self._end_links(user)
        record(self.session, Event.PASSWORD_CHANGED, self.actor, subject=user)

    def _end_links(self, user: User) -> None:
        """End whatever opens something for a user without the password."""
        for links in (OneTimeLink, FeedToken):
            self.session.execute(delete(links).where(links.user_id == user.id))

    def disable_user(self, user: User) -> None:
        """Switch an account off: its person is signed out and cannot sign in.

        :raises NotYourself, LastAdministrator:
        """
        if user.id == self.actor.id:
            raise NotYourself(
                _("You cannot disable your own account. Have another administrator do it.")
            )
        if not user.active:
            return
        with keeping_an_administrator(self.session):
            user.active = False
        revoke_logins(self.session, user.id)
        self._end_links(user)
        record(self.session, Event.USER_DISABLED, self.actor, subject=user)

    def enable_user(self, user: User) -> None:
        """Switch an account on again."""
        if not user.active:
            user.active = True
            record(self.session, Event.USER_ENABLED, self.actor, subject=user)

    def delete_user(self, user: User) -> None:
        """Delete an account with its logins, memberships and grants; the record stays.

        :raises NotYourself, LastAdministrator:
        """
        if user.id == self.actor.id:
            raise NotYourself(
                _("You cannot delete your own account. Have another administrator do it.")
            )
        self._delete(user, Event.USER_DELETED)

    # -- groups -----------------------------------------------------------------------------------

    def group(self, group_id: int) -> Group:
        """Return a group.

        :raises PrincipalGone:
        """
        group = self.session.get(Group, group_id)
        if group is None:
            raise PrincipalGone(_("This group no longer exists."))
        return group

    def create_group(self, name: str, title: str = "", description: str = "") -> Group:
        """Make a group without members.

        :raises InvalidValue: also when there is one of this name.
        """
        name = account_name(name)
        group = Group(
            name=name, title=display_title(title, name), description=_description(description)
        )
        with self._unique(group):
            self.session.add(group)
            self.session.flush()
        record(self.session, Event.GROUP_CREATED, self.actor, subject=group)
        return group

    def change_group(self, group: Group, *, name: str, title: str, description: str) -> None:
        """Give a group another name, title or description.

        :raises InvalidValue:
        """
        name = account_name(name)
        new = {
            "name": name,
            "title": display_title(title, name),
            "description": _description(description),
        }
        changed = [key for key, value in new.items() if getattr(group, key) != value]
        if not changed:
            return
        with self._unique(group, **new):
            for key in changed:
                setattr(group, key, new[key])
            self.session.flush()
        record(self.session, Event.GROUP_CHANGED, self.actor, subject=group, fields=changed)

    def delete_group(self, group: Group) -> None:
        """Delete a group with its grants; its members stay.

        :raises LastAdministrator:
        """
        self._delete(group, Event.GROUP_DELETED)

    def set_groups(self, user: User, group_ids: Iterable[int]) -> None:
        """Have *user* belong to exactly these groups.

        :raises PrincipalGone: when one of them is gone.
        :raises LastAdministrator:
        """
        present = groups_of(self.session, user.id)
        wanted = set(group_ids)
        for group_id in sorted(wanted - present):
            self.join(user, self.group(group_id))
        for group_id in sorted(present - wanted):
            self.leave(user, self.group(group_id))

    def join(self, user: User, group: Group) -> None:
        """Have *user* belong to *group*."""
        if self.session.get(Membership, (user.id, group.id)) is None:
            self.session.add(Membership(user_id=user.id, group_id=group.id))
            record(self.session, Event.MEMBER_ADDED, self.actor, subject=user, **_named(group))
            self.session.flush()

    def leave(self, user: User, group: Group) -> None:
        """Have *user* belong to *group* no longer.

        :raises LastAdministrator:
        """
        membership = self.session.get(Membership, (user.id, group.id))
        if membership is not None:
            with keeping_an_administrator(self.session):
                self.session.delete(membership)
            record(self.session, Event.MEMBER_REMOVED, self.actor, subject=user, **_named(group))

    # -- what they share --------------------------------------------------------------------------

    def _delete(self, principal: User | Group, event: Event) -> None:
        record(self.session, event, self.actor, subject=principal)
        with keeping_an_administrator(self.session):
            self.session.delete(principal)
        # Their grants went with them.
        count_access_revision(self.session)

    def _hashed(self, user: User, password: str) -> str:
        personal = [user.name, user.title, user.email or ""]
        if problem := password_problem(password, *personal, minimum=self.minimum):
            raise InvalidValue("password", problem)
        return self.passwords.hash(password)

    def _unique(self, principal: User | Group, **new: str | None) -> _Unique:
        return _Unique(self.session, principal, new)


class _Unique:
    """A savepoint around a write whose name or mail address somebody else may have."""

    def __init__(
        self, session: Session, principal: User | Group, new: dict[str, str | None]
    ) -> None:
        self.session = session
        self.kind = "user" if isinstance(principal, User) else "group"
        self.id = principal.id
        self.name = new.get("name", principal.name)
        self.email = new.get("email", getattr(principal, "email", None))

    def __enter__(self) -> None:
        self.session.flush()
        self.savepoint = self.session.begin_nested()

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if error is None:
            self.savepoint.commit()
            return
        self.savepoint.rollback()
        if isinstance(error, IntegrityError) and (reason := self._explain()):
            raise reason from error

    def _explain(self) -> InvalidValue | None:
        same_name = select(Principal.id).where(
            Principal.kind == self.kind, Principal.name == self.name, Principal.id != (self.id or 0)
        )
        if self.session.scalar(same_name) is not None:
            taken = (
                _("There is a user named “${name}” already.", mapping={"name": self.name})
                if self.kind == "user"
                else _("There is a group named “${name}” already.", mapping={"name": self.name})
            )
            return InvalidValue("name", taken)
        same_email = select(User.id).where(User.email == self.email, User.id != (self.id or 0))
        if self.email and self.session.scalar(same_email) is not None:
            reason = _(
                "Another account has the address ${address}.", mapping={"address": self.email}
            )
            return InvalidValue("email", reason)
        return None


def _named(group: Group) -> dict[str, Any]:
    return {"group": group.title, "group_id": group.id}


def _description(text: str) -> str:
    text = text.strip()
    if len(text) > MAX_DESCRIPTION:
        raise TooLong("description", MAX_DESCRIPTION)
    return text


# -- looking them up ------------------------------------------------------------------------------


class UserRow(NamedTuple):
    """What a list shows of a user."""

    user: User
    groups: list[str]


def list_users(
    session: Session,
    *,
    search: str = "",
    active: bool | None = None,
    member_of: int | None = None,
    outside: int | None = None,
    after: str = "",
    limit: int = 50,
) -> tuple[list[UserRow], bool]:
    """Return users by name with the titles of their groups, and whether there are more.

    :param search: what name, title or mail address must contain.
    :param active: only accounts that are on, or off.
    :param member_of: only members of this group.
    :param outside: only users who are not members of this group.
    :param after: the name that the page before ended with.
    """
    # The kind, too, because there is an index of names by kind.
    query = select(User).where(User.kind == "user").order_by(User.name).limit(limit + 1)
    if search.strip():
        query = query.where(matching(User, search))
    if active is not None:
        query = query.where(User.active == active)
    if member_of is not None:
        query = query.where(User.id.in_(_members(member_of)))
    if outside is not None:
        query = query.where(User.id.not_in(_members(outside)))
    if after:
        query = query.where(User.name > after)
    users = session.scalars(query).all()
    shown = users[:limit]
    groups: dict[int, list[str]] = {user.id: [] for user in shown}
    memberships = (
        select(Membership.user_id, Group.title)
        .join_from(Membership, Group, Group.id == Membership.group_id)
        .where(Membership.user_id.in_(groups))
        .order_by(Group.title)
    )
    for user_id, title in session.execute(memberships):
        groups[user_id].append(title)
    return [UserRow(user, groups[user.id]) for user in shown], len(users) > limit


def _members(group_id: int) -> Select[int]:
    return select(Membership.user_id).where(Membership.group_id == group_id)


def groups_of(session: Session, user_id: int) -> frozenset[int]:
    """Return the ids of the groups that a user belongs to."""
    query = select(Membership.group_id).where(Membership.user_id == user_id)
    return frozenset(session.scalars(query))


def list_groups(
    session: Session, *, search: str = "", after: str = "", limit: int = 50
) -> tuple[list[tuple[Group, int]], bool]:
    """Return groups by name with the number of their members, and whether there are more."""
    members = (
        select(func.count()).where(Membership.group_id == Group.id).correlate(Group)
    ).scalar_subquery()
    query = select(Group, members).where(Group.kind == "group")
    query = query.order_by(Group.name).limit(limit + 1)
    if search.strip():
        query = query.where(matching(Group, search))
    if after:
        query = query.where(Group.name > after)
    rows = [(group, count) for group, count in session.execute(query)]
    return rows[:limit], len(rows) > limit


def find_principals(
    session: Session, search: str, limit: int = 10, kinds: Sequence[str] = ("user", "group")
) -> Sequence[Principal]:
    """Return users and groups whose name, title or address contains *search*, the best first.

    Accounts that are switched off are left out.
    """
    wanted = normalize_account(search)
    if not wanted:
        return []
    starts = Principal.name.like(f"{escaped(wanted)}%", escape="\\")
    # The table and not the class, which shares a table with the other side of this join.
    account = User.__table__
    query = (
        select(Principal)
        .outerjoin(account, account.c.id == Principal.id)
        .where(
            Principal.kind.in_(kinds),
            or_(
                matching(Principal, search),
                account.c.email.like(f"{escaped(wanted)}%", escape="\\"),
            ),
            or_(account.c.active, Principal.kind == "group"),
        )
        .order_by(starts.desc(), Principal.title, Principal.id)
        .limit(limit)
    )
    return session.scalars(query).all()


# -- the last administrator -----------------------------------------------------------------------


def administrators(session: Session, among: Iterable[int] | None = None) -> Sequence[int]:
    """Return the ids of the active users who are administrators of the site, directly or by a
    group.

    :param among: the principals that have the role; those that have it now when left out.
    """
    granted: Any = among
    if granted is None:
        granted = select(Grant.principal_id).where(
            Grant.node_id == ROOT_ID, Grant.role == ADMINISTRATOR
        )
    members = select(Membership.user_id).where(Membership.group_id.in_(granted))
    query = select(User.id).where(User.active, or_(User.id.in_(granted), User.id.in_(members)))
    return session.scalars(query).all()


@contextmanager
def keeping_an_administrator(session: Session) -> Iterator[None]:
    """Wrap around whatever may take an administrator away.

    :raises LastAdministrator: when there was one before and is none afterwards; the transaction
        must be aborted.
    """
    session.flush()
    # Two that go at the same time must not each count on the other.
    session.execute(select(Site.id).where(Site.id == SITE_ID).with_for_update())
    before = administrators(session)
    yield
    session.flush()
    if before and not administrators(session):
        raise LastAdministrator
