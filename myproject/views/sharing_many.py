"""Giving a role at many pages at once: the choice of whom and what, the question, and doing it.

Each of the pages becomes a boundary, as it does when it is shared alone. That is why fewer can be
shared at once than moved: where many pages should be shared alike, sharing what they are in is
better, and the screen says so.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from pyramid.config import Configurator
from pyramid.i18n import TranslationStringFactory

from myproject.exceptions import AccountError, InvalidValue, MyprojectError, TreeError
from myproject.interfaces import IRoles
from myproject.security.access import ANONYMOUS
from myproject.security.accounts import find_principals
from myproject.security.explanation import Named
from myproject.security.models import Principal
from myproject.security.permissions import Permission, Role
from myproject.security.sharing import Change, Sharing, granted
from myproject.tree.node import Node
from myproject.views.changes import sentences
from myproject.views.done import pages
from myproject.views.forms import numbers_of, refusal_notice, see_other, tell, text_of
from myproject.views.planning import back_of, chosen
from myproject.views.rendering import TEMPLATES, page_screen
from myproject.views.sharing import AUTHENTICATED, EVERYONE

_ = TranslationStringFactory("myproject")

#: Pages that can be shared at once, and people that a search shows.
MOST, FOUND = 100, 10


class Share(NamedTuple):
    """What would happen at one page."""

    title: str
    sentences: Sequence[str]


def share_many(context: Node, request: Any) -> Any:
    """Ask to whom to give what at the chosen pages; show what that would do; do it."""
    screen = _Screen(context, request)
    if not screen.nodes or len(screen.nodes) > MOST:
        return screen.refuse()
    if not request.POST.get("role") or "search" in request.POST:
        return screen.show()
    session = request.dbsession
    try:
        change = screen.change()
        with session.begin_nested():
            revision = screen.sharing.settle()
            if text_of(request, "revision", 20) != str(revision):
                return screen.confirm(change, revision)
            made = sum(screen.sharing.make(node, change) for node in screen.nodes)
    except (AccountError, TreeError, InvalidValue) as error:
        request.tm.doom()
        return screen.show(error)
    mapping = {"pages": pages(request, made), **screen.names(change)}
    text = _("${who} has the role ${role} at ${pages} more.", mapping=mapping)
    tell(request, text if made else _("Nothing had to be changed."))
    return see_other(request, screen.back)


class _Screen:
    """The screen for one request."""

    def __init__(self, node: Node, request: Any) -> None:
        self.node, self.request = node, request
        self.translate = request.localizer.translate
        self.base = request.canonical_base.removesuffix("/")
        self.back = back_of(request) or f"{self.base}/@@contents"
        found, self.gone = chosen(request)
        self.nodes = [each for each in found if request.has_permission(Permission.SHARE, each)]
        self.left_out = [each for each in found if each not in self.nodes]
        self.roles = request.registry.getUtility(IRoles)
        principals = request.signed_in.principals if request.signed_in else ANONYMOUS
        self.sharing = Sharing(request.dbsession, self.roles, request.actor, principals)

    def frame(self, title: Any) -> dict[str, Any]:
        """Return what every state of the screen has."""
        return {
            **page_screen(self.request, self.node, title, "contents"),
            "action": f"{self.base}/@@share",
            "back": self.back,
            "ids": [node.id for node in self.nodes],
            "titles": [node.title for node in self.nodes],
            "left_out": [node.title for node in self.left_out],
            "wanted": text_of(self.request, "q", 100),
            "found": [],
            "roles": [],
            "shares": None,
        }

    def title(self) -> Any:
        """Return the heading of the first step."""
        return _("Share ${pages}", mapping={"pages": pages(self.request, len(self.nodes))})

    def refuse(self) -> dict[str, Any]:
        """Say that nothing can be shared, or not so much."""
        self.request.response.status_int = 422
        self.request.tm.doom()
        text = _("None of what was chosen is there, or may be shared by you.")
        if self.nodes:
            text = _(
                "At most ${most} pages can be shared at once. Share the page that they are in, and "
                "what is below has it, too.",
                mapping={"most": MOST},
            )
        self.nodes = []
        values = self.frame(self.title())
        values["notices"] = lambda: [refusal_notice(self.request, text)]
        return values

    def show(self, error: MyprojectError | None = None) -> dict[str, Any]:
        """Return the choice of whom and what.

        :param error: why what was asked for cannot be done.
        """
        values = self.frame(self.title())
        if error is not None:
            reason = error.reason if isinstance(error, InvalidValue) else error.message
            values["notices"] = lambda: [refusal_notice(self.request, reason)]
            self.request.response.status_int = 422
        wanted = values["wanted"]
        session = self.request.dbsession
        kinds = ("user", "group")
        rows = find_principals(session, wanted, FOUND, kinds) if wanted else []
        named = [Named(row.id, row.kind, row.name, row.title) for row in rows]
        always = [] if wanted else [EVERYONE, AUTHENTICATED]
        values["found"] = [(who.id, self.who(who)) for who in (*named, *always)]
        values["roles"] = [(role.name, self.translate(role.title)) for role in self.givable()]
        return values

    def givable(self) -> list[Role]:
        """Return the roles that may be given at every one of the pages."""
        policies = self.request.policies
        first, *rest = (
            {role.name for role in self.sharing.givable(policies, node)} for node in self.nodes
        )
        names = first.intersection(*rest)
        return [role for role in self.roles.values() if role.name in names]

    def confirm(self, change: Change, revision: int) -> dict[str, Any]:
        """Return the question, with what would happen at each page."""
        mapping = {**self.names(change), "pages": pages(self.request, len(self.nodes))}
        values = self.frame(_("Give the role ${role} to ${who} at ${pages}?", mapping=mapping))
        values["shares"] = [Share(node.title, self._effects(node, change)) for node in self.nodes]
        values["fields"] = {
            "principal": change.principal_id,
            "role": change.role,
            "revision": revision,
        }
        return values

    def _effects(self, node: Node, change: Change) -> list[str]:
        return [
            sentence
            for effect in self.sharing.preview(node, change)
            for sentence in sentences(self.request.localizer, self.roles, effect)
        ]

    def change(self) -> Change:
        """Return the change that is asked for.

        :raises InvalidValue: for nobody.
        """
        numbers = numbers_of(self.request, "principal")
        if not numbers:
            raise InvalidValue("principal", _("Choose a person or a group, and a role."))
        return granted(numbers[0], text_of(self.request, "role", 50))

    def names(self, change: Change) -> dict[str, str]:
        """Return role and person of a change, as people call them."""
        role = self.roles.get(change.role)
        principal = self.request.dbsession.get(Principal, change.principal_id)
        named = None if principal is None else Named(
            principal.id, principal.kind, principal.name, principal.title
        )  # fmt: skip
        return {
            "role": change.role if role is None else self.translate(role.title),
            "who": "" if named is None else self.who(named),
        }

    def who(self, named: Named) -> str:
        """Return what a principal is called."""
        match named.kind:
            case "everyone":
                return self.translate(_("Everyone"))
            case "authenticated":
                return self.translate(_("Everybody who is signed in"))
        return named.title


def includeme(config: Configurator) -> None:
    """Register the screen for every node that has others below it."""
    config.add_view(
        share_many,
        name="share",
        context=Node,
        request_method="POST",
        permission=Permission.SHARE,
        renderer=f"{TEMPLATES}sharing_many.jinja2",
    )
