"""The screen that shows who may do what at a place and why, and changes it.

Each change is shown before it is made: how many people will gain or lose what, on how many pages.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from pyramid.config import Configurator
from pyramid.i18n import TranslationStringFactory

from myproject.exceptions import AccountError, InvalidValue, MyprojectError, NodeGone, TreeError
from myproject.interfaces import IRoles
from myproject.security.access import ANONYMOUS, Policies, Reason
from myproject.security.accounts import find_principals
from myproject.security.audit import Event
from myproject.security.explanation import (
    Answer,
    Explanation,
    Named,
    Why,
    explain,
    load_named,
    places_of,
)
from myproject.security.models import AUTHENTICATED_ID, EVERYONE_ID, User
from myproject.security.permissions import Permission, Role, Roles
from myproject.security.sharing import (
    INHERITING_RESUMED,
    INHERITING_STOPPED,
    Change,
    Sharing,
    granted,
    revoked,
)
from myproject.tree.node import Node
from myproject.tree.urls import names_of
from myproject.views.changes import question, report, sentences
from myproject.views.forms import refusal_notice, see_other, tell, text_of
from myproject.views.rendering import DOMAIN, TEMPLATES, Item, page_screen

_ = TranslationStringFactory(DOMAIN)

#: What is explained of ``?person=visitors``.
VISITORS = "visitors"

#: How many people and groups a search shows.
FOUND = 10

EVERYONE = Named(EVERYONE_ID, "everyone", "everyone", "")
AUTHENTICATED = Named(AUTHENTICATED_ID, "authenticated", "authenticated", "")

ACTIONS: Mapping[str, Change | Any] = {
    "grant": granted,
    "revoke": revoked,
    "stop": INHERITING_STOPPED,
    "resume": INHERITING_RESUMED,
}


class Who(NamedTuple):
    """A principal as the screen shows it.

    :ivar detail: the name that it signs in with, or what it is.
    :ivar is_user: whether there is one person behind it, about whom one can ask.
    """

    id: int
    title: str
    detail: str
    is_user: bool


@dataclass(frozen=True, slots=True)
class Line:
    """A grant as the screen shows it.

    :ivar role_title: None for a role that nobody knows now.
    :ivar removable: whether whoever looks may take it away here.
    :ivar origin: the place above where it was given; None for one of this place's own.
    """

    who: Who
    role: str
    role_title: str | None
    removable: bool = False
    origin: Item | None = None


class Because(NamedTuple):
    """Why somebody may do something: the grant and, with a link, its place."""

    text: str
    place: Item


@dataclass(frozen=True, slots=True)
class Verdict:
    """A permission as the explanation shows it."""

    permission: str
    allowed: bool
    reasons: Sequence[Because] = ()
    why: str = ""


def sharing_screen(context: Node, request: Any) -> dict[str, Any]:
    """Show who has access, and explain what somebody may do; nine statements at most."""
    return _Screen(context, request).show()


def change_sharing(context: Node, request: Any) -> Any:
    """Show what a change would do; make it once that was confirmed."""
    screen, session = _Screen(context, request), request.dbsession
    sharing = screen.sharing
    try:
        change = _change(request)
        # What the database refuses must not leave a transaction in which nothing can be read.
        with session.begin_nested():
            if not request.POST.get("confirm"):
                return screen.confirm(change, request.access_revision)
            revision = sharing.settle()
            if text_of(request, "revision", 20) != str(revision):
                return screen.confirm(change, revision, changed=True)
            made = sharing.make(context, change)
    except (AccountError, TreeError, InvalidValue) as error:
        request.tm.doom()
        return screen.refuse(error)
    tell(request, report(change, screen.names(change)) if made else _("Nothing had to be changed."))
    return see_other(request, screen.url)


def principals_fragment(context: Node, request: Any) -> dict[str, Any]:
    """Answer a search for people and groups while it is being typed."""
    screen = _Screen(context, request)
    asking = "who" in request.GET
    values = screen.frame()
    values["asking"] = asking
    values.update(screen.search("who" if asking else "q", users_only=asking))
    return values


def _change(request: Any) -> Change:
    """Return the change that a form asks for.

    :raises InvalidValue: for what no form of ours can have sent.
    """
    action = ACTIONS.get(text_of(request, "action", 20))
    if action is None:
        raise InvalidValue("action", _("There is no such change."))
    if isinstance(action, Change):
        return action
    number = _id_in(text_of(request, "principal", 30))
    if number is None:
        raise InvalidValue("principal", _("Choose a person or a group."))
    return action(number, text_of(request, "role", 50))


def _id_in(text: str) -> int | None:
    """Return the number that *text* is, if it can be that of a row."""
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 19 else None


class _Screen:
    """The screen of one place for one request."""

    def __init__(self, node: Node, request: Any) -> None:
        self.node, self.request = node, request
        self.named: Mapping[int, Named] = {}
        self.translate = request.localizer.translate
        self.roles: Roles = request.registry.getUtility(IRoles)
        self.page_url = request.canonical_base
        self.url = self.page_url.removesuffix("/") + "/@@sharing"
        principals = request.signed_in.principals if request.signed_in else ANONYMOUS
        self.sharing = Sharing(request.dbsession, self.roles, request.actor, principals)

    # -- what is shown ----------------------------------------------------------------------------

    def frame(self, title: Any = None) -> dict[str, Any]:
        """Return what every state of the screen has."""
        values = page_screen(self.request, self.node, title or _("Access"), "sharing")
        values.update(
            action=self.url,
            fragment_url=self.page_url.removesuffix("/") + "/@@principals",
            visitors_url=f"{self.url}?person={VISITORS}#site-explanation",
            confirmation=None,
            gone=False,
            wanted="",
            find={"q": "", "who": ""},
        )
        return values

    def show(self) -> dict[str, Any]:
        """Return who has access, the search's results and the explanation."""
        request, values = self.request, self.frame()
        policies = request.policies
        # All on the way up at once, also those that do not hold here: the reasons name them, too.
        self.named = load_named(
            request.dbsession,
            (reason.principal_id for reason, _ in policies.walk(self.node.boundary_id)),
        )
        values.update(self.grants(policies))
        if text_of_query(request, "q") or not text_of_query(request, "who"):
            values.update(self.search("q", users_only=False))
            values["asked"] = None
        else:
            values["asked"] = self.search("who", users_only=True)
            values.update(self.offer([]))
        values["find"] = {name: text_of_query(request, name) for name in ("q", "who")}
        values.update(self.explained(policies))
        return values

    def refuse(self, error: MyprojectError) -> dict[str, Any]:
        """Return the screen with the reason why nothing was changed."""
        reason = error.reason if isinstance(error, InvalidValue) else error.message
        if isinstance(error, NodeGone):
            values = {**self.frame(), "gone": True}
        else:
            for place in places_of(self.node):
                # It may have been read within what was undone just now.
                self.request.dbsession.expire(place, ["boundary_id"])
            values = self.show()
        values["notices"] = lambda: [refusal_notice(self.request, reason)]
        self.request.response.status_int = 422
        return values

    def confirm(self, change: Change, revision: int, *, changed: bool = False) -> dict[str, Any]:
        """Return the question whether *change* is meant, with what it would do."""
        effects = self.sharing.preview(self.node, change)
        values = self.frame(question(change, self.names(change)))
        fields = {"action": _action_of(change), "confirm": "1", "revision": revision}
        if change.principal_id is not None:
            fields |= {"principal": change.principal_id, "role": change.role}
        values["confirmation"] = {
            "fields": fields,
            "changed": changed,
            "sentences": [
                (effect.gained, sentence)
                for effect in effects
                for sentence in sentences(self.request.localizer, self.roles, effect)
            ],
        }
        return values

    def grants(self, policies: Policies) -> dict[str, Any]:
        """Return the grants of the place itself and those that reach it from above."""
        node = self.node
        places = {place.id: place for place in places_of(node)}
        own, inherited = [], []
        for reason in policies.applying(node.boundary_id):
            principal = self.named.get(reason.principal_id)
            if principal is None:
                continue
            line = self.line(policies, reason, principal, places.get(reason.node_id))
            (own if reason.node_id == node.id else inherited).append(line)
        place = policies.places.get(node.id)
        stopped = policies.stopped_at(node.boundary_id)
        above = places.get(stopped) if stopped not in (None, node.id) else None
        return {
            "own": own,
            "inherited": inherited,
            "inherits": place is None or place.inherits,
            "is_root": node.is_root,
            "stopped_above": None if above is None else self.place(above),
        }

    def line(
        self, policies: Policies, reason: Reason, principal: Named, place: Node | None
    ) -> Line:
        """Return a grant as the screen shows it."""
        role = self.roles.get(reason.role)
        title = None if role is None else self.translate(role.title)
        who = self.who(principal)
        if reason.node_id == self.node.id:
            removable = self.sharing.takeable(policies, self.node, reason.role)
            return Line(who, reason.role, title, removable)
        return Line(who, reason.role, title, origin=self.place(place))

    def search(self, parameter: str, *, users_only: bool) -> dict[str, Any]:
        """Return the people and groups that a query's parameter finds; one statement at most."""
        wanted = text_of_query(self.request, parameter)
        kinds = ("user",) if users_only else ("user", "group")
        found = find_principals(self.request.dbsession, wanted, FOUND, kinds) if wanted else []
        named = [Named(row.id, row.kind, row.name, row.title) for row in found]
        return {"wanted": wanted, **self.offer(named)}

    def offer(self, named: Iterable[Named]) -> dict[str, Any]:
        """Return whom a role can be given to, and which."""
        givable = self.sharing.givable(self.request.policies, self.node)
        return {
            "found": [self.who(principal) for principal in named],
            "always": [self.who(EVERYONE), self.who(AUTHENTICATED)],
            "roles": [(role.name, self.role_title(role)) for role in givable],
        }

    def role_title(self, role: Role) -> str:
        """Return what a role is called."""
        return self.translate(role.title)

    def who(self, principal: Named) -> Who:
        """Return a principal as the screen shows it."""
        match principal.kind:
            case "everyone":
                title = self.translate(_("Everyone"))
                return Who(principal.id, title, self.translate(_("visitors, too")), is_user=False)
            case "authenticated":
                title = self.translate(_("Everybody who is signed in"))
                return Who(principal.id, title, "", is_user=False)
            case "group":
                detail = self.translate(_("group"))
                return Who(principal.id, principal.title, detail, is_user=False)
        detail = "" if principal.name == principal.title else principal.name
        return Who(principal.id, principal.title, detail, is_user=True)

    def place(self, place: Node | None) -> Item:
        """Return a place above as whoever looks may know of it: with a link, by name or not."""
        request = self.request
        if place is None or place.boundary_id not in request.visibility.pages:
            return Item(self.translate(_("a place above")), "")
        known = request.content_types.get(place.type) is not None
        url = request.path_url_of(names_of(place)) if known else None
        return Item(place.label, url or "")

    # -- what is explained ------------------------------------------------------------------------

    def explained(self, policies: Policies) -> dict[str, Any]:
        """Return what the person whom the query names may do here, and why."""
        wanted = text_of_query(self.request, "person")
        nobody = {"subject": None, "verdicts": None, "active": True}
        if not wanted:
            return nobody
        session, user = self.request.dbsession, None
        if wanted != VISITORS:
            number = _id_in(wanted)
            user = None if number is None else session.get(User, number)
            if user is None:
                return {**nobody, "subject": self.translate(_("Nobody by this number"))}
        explanation = explain(session, policies, self.node, user, self.named)
        return {
            "subject": self.subject(explanation),
            "active": explanation.active,
            "verdicts": [self.verdict(answer) for answer in explanation.answers],
        }

    def subject(self, explanation: Explanation) -> str:
        """Return about whom it is."""
        named = explanation.subject
        if named is None:
            return self.translate(_("Visitors who are not signed in"))
        return named.title

    def verdict(self, answer: Answer) -> Verdict:
        """Return one permission in words."""
        title = self.translate(self.roles.title_of(answer.permission))
        if answer.allowed:
            return Verdict(title, True, [self.because(source) for source in answer.sources])
        return Verdict(title, False, why=self.why_not(answer))

    def because(self, source: Any) -> Because:
        """Return the grant that decides, in words."""
        text = _(
            "${role}, given to ${who}",
            mapping={
                "role": self.role_title(self.roles[source.role]),
                "who": self.who(source.principal).title,
            },
        )
        return Because(self.translate(text), self.place(source.place))

    def why_not(self, answer: Answer) -> str:
        """Return why somebody may not do something."""
        place = {"place": self.place(answer.place).title}
        reasons = {
            Why.NOT_GIVEN: _("no role here or above gives it"),
            Why.STOPPED: _("inheriting stops at ${place}", mapping=place),
            Why.DRAFT: _("this page is a draft"),
            Why.BELOW_DRAFT: _("${place} above is a draft", mapping=place),
            Why.INACTIVE: _("the account is switched off"),
        }
        return self.translate(reasons[answer.why])

    def names(self, change: Change) -> dict[str, str]:
        """Return what a change's role and principal are called."""
        if change.principal_id is None:
            return {}
        role, number = self.roles.get(change.role), change.principal_id
        principal = load_named(self.request.dbsession, [number]).get(number)
        return {
            "role": change.role if role is None else self.role_title(role),
            "who": "" if principal is None else self.who(principal).title,
        }


def text_of_query(request: Any, name: str) -> str:
    """Return a parameter of the query, without what PostgreSQL takes in no text."""
    return str(request.GET.get(name, "")).replace("\0", "").strip()[:100]


def _action_of(change: Change) -> str:
    actions = {
        Event.ROLE_GRANTED: "grant",
        Event.ROLE_REVOKED: "revoke",
        Event.INHERITING_STOPPED: "stop",
        Event.INHERITING_RESUMED: "resume",
    }
    return actions[change.event]


def includeme(config: Configurator) -> None:
    """Register the screen and its search for every node."""
    config.add_toolbar_action(
        "sharing", _("Access"), view="sharing", permission=Permission.SHARE, order=500
    )
    for method, view in (("GET", sharing_screen), ("POST", change_sharing)):
        config.add_view(
            view,
            name="sharing",
            context=Node,
            request_method=method,
            permission=Permission.SHARE,
            renderer=f"{TEMPLATES}sharing.jinja2",
        )
    config.add_view(
        principals_fragment,
        name="principals",
        context=Node,
        request_method="GET",
        permission=Permission.SHARE,
        renderer=f"{TEMPLATES}sharing_found.jinja2",
    )
