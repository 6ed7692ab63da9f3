"""The security policy: one place that answers "may this request do that here?", with the reason."""

from __future__ import annotations

from typing import Any

from pyramid.interfaces import ISecurityPolicy
from pyramid.security import Allowed, Denied
from zope.interface import implementer

from myproject.security.identity import Identity
from myproject.security.permissions import SIGNED_IN
from myproject.tree.node import ROOT_ID, TRASHED, Node

#: Key of the session under which a login's token is.
LOGIN = "login"


class Refused(Denied):
    """A denial that says what is missing.

    :ivar permission: what was asked for.
    :ivar hidden: whether the place is a draft, or below one, that this person may not know of.
    """

    permission: str
    hidden: bool

    def __new__(cls, permission: str, reason: str, *args: Any, hidden: bool = False) -> Refused:
        self = super().__new__(cls, reason, *args)
        self.permission = permission
        self.hidden = hidden
        return self


_GRANTED = Allowed("a role given here or above has it")


@implementer(ISecurityPolicy)
class SecurityPolicy:
    """What somebody may do at a place is what the grants at its boundary and above give.

    Nobody is looked up before something asks. What anonymous readers may do takes no statement;
    for somebody who is signed in it takes one, which finds the login, the person and the groups.
    """

    def identity(self, request: Any) -> Identity | None:
        """Return who is asking, None for somebody who is not signed in."""
        return request.signed_in

    def authenticated_userid(self, request: Any) -> str | None:
        """Return the name of who is asking."""
        identity = request.signed_in
        return None if identity is None else identity.name

    def permits(self, request: Any, context: Any, permission: str) -> Allowed | Denied:
        """Return an ``Allowed`` or ``Denied`` that says why.

        Whatever is not a place in the tree is as accessible as the site's root.
        """
        if permission == SIGNED_IN:
            if request.signed_in is None:
                return Refused(permission, "nobody is signed in")
            return Allowed("signed in")
        access = request.access
        if not isinstance(context, Node):
            if permission in access.at(ROOT_ID):
                return _GRANTED
            return Refused(permission, "no role given at the root has it")
        if permission not in access.at(context.boundary_id):
            return Refused(permission, "no role given here or above has it")
        visibility = access.visibility
        place: Node | None = context
        while place is not None:
            # A draft hides everything below it, because readers could not walk there.
            if not visibility.leads_through(place.boundary_id, place.seen_state):
                kind = "in the trash" if place.state == TRASHED else "a draft"
                return Refused(permission, f"%r is {kind}", place.title, hidden=True)
            place = place.parent
        return _GRANTED

    def remember(self, request: Any, userid: str, **kw: Any) -> list[tuple[str, str]]:
        """Keep a login's token, here called *userid*, in a session that starts anew.

        Nothing of the old session survives, so none that somebody else has planted can be used
        to act as this person.
        """
        request.session.invalidate()
        request.session[LOGIN] = userid
        # Now, and not with the first page that has a form: pages need no cookie of their own then.
        request.session.new_csrf_token()
        return []

    def forget(self, request: Any, **kw: Any) -> list[tuple[str, str]]:
        """Start the session anew, without a login."""
        request.session.invalidate()
        return []
