"""Mail: to those who may review, about what waits for them; to authors, about what became of it.

It leaves after the commit, in the language of whoever gets it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

from pyramid.i18n import Localizer, TranslationStringFactory, make_localizer
from pyramid.interfaces import ITranslationDirectories
from sqlalchemy import select
from sqlalchemy.orm import Session

from myproject.addons.review.addresses import review_url
from myproject.addons.review.inbox import last_submission
from myproject.addons.review.steps import APPROVE, IN_REVIEW, REJECT, REVIEW, SUBMIT
from myproject.content.workflow import TransitionTaken, authors_of_newest
from myproject.interfaces import IMailer
from myproject.mail import compose, send_after_commit
from myproject.registry import SiteRegistry
from myproject.security.access import Policies
from myproject.security.accounts import groups_of
from myproject.security.identity import principals_of
from myproject.security.models import (
    AUTHENTICATED_ID,
    EVERYONE_ID,
    Membership,
    Preference,
    User,
)
from myproject.security.permissions import ADMINISTRATOR, Permission
from myproject.tree.node import PUBLISHED, Node
from myproject.tree.urls import names_of

_ = TranslationStringFactory("myproject")

#: Transition -> subject and first sentence of its mail.
WORDS: Mapping[str, tuple[Any, Any]] = {
    SUBMIT: (
        _("For review: ${what}"),
        _("${actor} has submitted this for review:"),
    ),
    APPROVE: (
        _("Approved: ${what}"),
        _("${actor} has approved this:"),
    ),
    REJECT: (
        _("Sent back: ${what}"),
        _("${actor} has sent this back:"),
    ),
}


class Mails:
    """Writes to people when somebody has taken pages through a step.

    :param registry: of the application.
    :param four_eyes: whether who has written something cannot review it.
    """

    def __init__(self, registry: SiteRegistry, *, four_eyes: bool) -> None:
        self.registry, self.four_eyes = registry, four_eyes

    def __call__(self, event: TransitionTaken) -> None:
        """Write to whom it concerns."""
        if not self.registry.getUtility(IMailer).is_working:
            return
        session = event.scope.dbsession
        letters: defaultdict[tuple[str, int], list[Node]] = defaultdict(list)
        for node in event.nodes:
            name = self._about(event, node)
            for user_id in self._recipients(session, event, node, name):
                letters[name, user_id].append(node)
        ids = {user_id for _name, user_id in letters}
        people = _load_people(session, ids - {event.scope.actor.id})
        for (name, user_id), nodes in letters.items():
            if user_id in people:
                self._write(event, name, *people[user_id], nodes)

    @staticmethod
    def _about(event: TransitionTaken, node: Node) -> str:
        """Return which mail a step is worth: whatever publishes what was in review approves it."""
        transition = event.transitions[node.id]
        was_in_review = event.stages[node.id] == IN_REVIEW
        if transition.target == PUBLISHED:
            return APPROVE if was_in_review else ""
        return transition.name if transition.name in WORDS else ""

    def _recipients(
        self, session: Session, event: TransitionTaken, node: Node, name: str
    ) -> set[int]:
        if not name:
            return set()
        if name == SUBMIT:
            found = reviewers_of(session, event.scope.policies, node.boundary_id)
            return found - authors_of_newest(session, node) if self.four_eyes else found
        submission = last_submission(session, node.id)
        user_id = None if submission is None else submission.actor_id
        if user_id is None:
            return set()
        # What is said about a page is for those who see it, as its author may by now not.
        principals = principals_of(user_id, groups_of(session, user_id))
        may = event.scope.policies.access(principals).at(node.boundary_id)
        needed = {Permission.VIEW}
        if node.seen_state != PUBLISHED:
            needed.add(Permission.VIEW_DRAFTS)
        return {user_id} if needed <= may else set()

    def _write(
        self, event: TransitionTaken, name: str, user: User, locale: str | None, nodes: list[Node]
    ) -> None:
        request, settings = event.scope, self.registry.settings
        translate = self._localizer(locale).translate
        identity = request.signed_in
        site = settings["myproject.site_title"]
        actor = identity.title if identity is not None else site
        what = f"“{nodes[0].title}”"
        if len(nodes) > 1:
            what += f" (+ {len(nodes) - 1})"
        subject, first = (
            translate(words, mapping={"what": what, "actor": actor}) for words in WORDS[name]
        )
        lines = [first, ""]
        for node in nodes:
            lines += [node.title, f"  {self._address(request, node, name)}"]
            if name == APPROVE and node.publish_at is not None:
                time = {"time": f"{node.publish_at:%Y-%m-%d %H:%M} UTC"}
                later = translate(_("Readers will see it on ${time}."), mapping=time)
                lines.append(f"  {later}")
        if event.comment:
            quoted = (f"> {line}" for line in event.comment.splitlines())
            lines += ["", translate(_("Comment:")), *quoted]
        text = "\n".join([*lines, "", "-- ", site, ""])
        message = compose(settings["myproject.mail_from"], user.email or "", subject, text)
        send_after_commit(request.dbsession, self.registry.getUtility(IMailer), message)

    def _address(self, request: Any, node: Node, name: str) -> str:
        """Return where the mail leads: with the host that is configured, as a request may lie."""
        settings = self.registry.settings
        path = request.path_url_of(names_of(node)) or f"{request.mount}/"
        is_seen = name == APPROVE and node.publish_at is None
        path = path if is_seen else review_url(request, path)
        host = settings["myproject.canonical_host"]
        if not host and settings["myproject.development"]:
            host = request.host_url
        return host.rstrip("/") + path

    def _localizer(self, locale: str | None) -> Localizer:
        folders = self.registry.queryUtility(ITranslationDirectories, default=[])
        return make_localizer(locale or self.registry.settings["myproject.locale"], folders)


def reviewers_of(session: Session, policies: Policies, boundary_id: int) -> set[int]:
    """Return the users who may review within a boundary; one statement or two.

    Administrators may do everything; they are among them only where nobody else may review.
    """
    given = [
        reason
        for reason in policies.applying(boundary_id)
        if (role := policies.roles.get(reason.role)) is not None and REVIEW in role.permissions
    ]
    named = {reason.principal_id for reason in given if reason.role != ADMINISTRATOR}
    found = _users_of(session, named)
    if found:
        return found
    return _users_of(session, {reason.principal_id for reason in given} - named)


def _users_of(session: Session, principals: Iterable[int]) -> set[int]:
    """Return the users among principals, and those who belong to groups among them."""
    wanted = set(principals)
    if not wanted:
        return set()
    query = select(User.id).where(User.active, User.email.is_not(None))
    if not wanted & {AUTHENTICATED_ID, EVERYONE_ID}:
        members = select(Membership.user_id).where(Membership.group_id.in_(wanted))
        query = query.where(User.id.in_(wanted) | User.id.in_(members))
    return set(session.scalars(query))


def _load_people(session: Session, ids: Iterable[int]) -> dict[int, tuple[User, str | None]]:
    """Return user -> the person and their language, of those who can be written to."""
    query = (
        select(User, Preference.language)
        .outerjoin(Preference, Preference.user_id == User.id)
        .where(User.id.in_(list(ids)), User.active, User.email.is_not(None))
    )
    return {user.id: (user, language) for user, language in session.execute(query)}
