"""Mail: to those who may review, about what waits for them; to authors, about what became of it,
whatever it was that has ended the review.

It leaves after the commit, in the language of whoever gets it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from pyramid.i18n import Localizer, TranslationStringFactory, make_localizer
from pyramid.interfaces import ITranslationDirectories
from sqlalchemy import select
from sqlalchemy.orm import Session, object_session

from myproject.addons.review.addresses import review_url
from myproject.addons.review.inbox import has_left, load_hidden, load_submitters
from myproject.addons.review.recipients import AS_READER, WITH_DRAFTS, Recipients
from myproject.addons.review.steps import (
    APPROVE,
    IN_REVIEW,
    REJECT,
    SUBMIT,
    UNPUBLISH,
    WITHDRAW,
)
from myproject.content.operations_log import Kind, OperationKept
from myproject.content.publishing import DoneOnTime
from myproject.content.workflow import TransitionTaken, newest_authors
from myproject.interfaces import IMailer
from myproject.mail import Mailing, send_all_after_commit
from myproject.registry import SiteRegistry
from myproject.scope import Scope
from myproject.security.models import Preference, User
from myproject.tree.node import PUBLISHED, TRASHED, Node
from myproject.tree.urls import names_of

_ = TranslationStringFactory("myproject")

#: What has ended a review, besides transitions and kinds of operations: that something was undone,
#: and that a time has come.
UNDO, ON_TIME = "undo", "on-time"

_ENDED = _("No longer in review: ${what}")

#: Transition, kind of operation, or one of the above -> subject and first sentence of its mail.
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
    WITHDRAW: (_ENDED, _("${actor} has taken this back from review:")),
    UNPUBLISH: (
        _ENDED,
        _("${actor} has taken this back from readers, with the changes in review:"),
    ),
    Kind.DISCARD: (_ENDED, _("${actor} has discarded the changes that were in review:")),
    Kind.REVERT: (
        _ENDED,
        _("${actor} has restored an older version, in place of the changes that were in review:"),
    ),
    Kind.TRASH: (_ENDED, _("${actor} has moved this to the trash, or a page that it was in:")),
    UNDO: (_ENDED, _("${actor} has undone something, which has ended the review of this:")),
    ON_TIME: (_ENDED, _("This was published at the time that was set:")),
}


class Mails:
    """Writes to people when pages were submitted, and when they wait for a review no longer.

    :param registry: of the application.
    :param four_eyes: whether who has written something cannot review it.
    """

    def __init__(self, registry: SiteRegistry, *, four_eyes: bool) -> None:
        self.registry, self.four_eyes = registry, four_eyes

    def tell_taken(self, event: TransitionTaken) -> None:
        """Write about steps through the workflow."""
        about: defaultdict[str, list[Node]] = defaultdict(list)
        for node in event.nodes:
            transition = event.transitions[node.id]
            # Whatever publishes what was in review approves it.
            name = APPROVE if transition.target == PUBLISHED else transition.name
            if name == SUBMIT or event.stages[node.id] == IN_REVIEW:
                about[name].append(node)
        for name, nodes in about.items():
            self._tell(event.scope, name, nodes, event.comment)

    def tell_kept(self, event: OperationKept) -> None:
        """Write about what has ended reviews without being a step through the workflow."""
        operation = event.operation
        name = operation.kind if operation.undoes_id is None else UNDO
        if name not in WORDS:
            return
        nodes = [node for node in event.nodes if has_left(node, event.before[node.id])]
        trashed = {node.id for node in event.nodes if node.state == TRASHED}
        if trashed:
            nodes += load_hidden(event.scope.dbsession, trashed)
        self._tell(event.scope, name, nodes, operation.comment, operation.undoes_id)

    def tell_on_time(self, event: DoneOnTime) -> None:
        """Write about what was published while it was in review, as it had been planned before."""
        session = object_session(event.node)
        if event.old_stage == IN_REVIEW != event.node.stage and session is not None:
            self._tell(Scope(self.registry, session), ON_TIME, [event.node])

    def _tell(
        self,
        scope: Any,
        name: str,
        nodes: Sequence[Node],
        comment: str = "",
        undoes_id: int | None = None,
    ) -> None:
        """Write about nodes to whom it concerns.

        :param name: of the words.
        :param undoes_id: the operation that was undone, if one was.
        """
        if name not in WORDS or not self.registry.getUtility(IMailer).is_working:
            return
        session, known = scope.dbsession, {node.id: node for node in nodes}
        letters: defaultdict[int, list[int]] = defaultdict(list)
        for node_id, users in self._recipients(scope, known, name, undoes_id).items():
            for user_id in users:
                letters[user_id].append(node_id)
        people = _load_people(session, letters)
        # Who is told the same in the same language gets the same letter.
        addresses: defaultdict[tuple[str | None, tuple[int, ...]], list[str]] = defaultdict(list)
        for user_id, about in letters.items():
            if user_id in people:
                email, language = people[user_id]
                addresses[language, tuple(about)].append(email)
        for (language, about), some in addresses.items():
            chosen = [known[node_id] for node_id in about]
            subject, text = self._letter(scope, name, language, chosen, comment)
            mailing = Mailing(self.registry.settings["myproject.mail_from"], some, subject, text)
            send_all_after_commit(session, self.registry.getUtility(IMailer), mailing)

    def _recipients(
        self, scope: Any, nodes: Mapping[int, Node], name: str, undoes_id: int | None
    ) -> dict[int, set[int]]:
        """Return node -> the users to be told of it; two statements, or four."""
        session, all_nodes = scope.dbsession, nodes.values()
        recipients = Recipients(session, scope.policies)
        if name == SUBMIT:
            excluded = newest_authors(session, all_nodes) if self.four_eyes else {}
            if scope.actor.id is not None:
                excluded = {number: {*excluded.get(number, ()), scope.actor.id} for number in nodes}
            return recipients.reviewers(all_nodes, excluded)
        users = load_submitters(session, nodes.keys(), undoes_id)
        waiting = {number: user for number, user in users.items() if user != scope.actor.id}
        seen = {node: AS_READER if _is_seen(node, name) else WITH_DRAFTS for node in all_nodes}
        return recipients.those_who_see(seen, waiting)

    def _letter(
        self, scope: Any, name: str, locale: str | None, nodes: Sequence[Node], comment: str
    ) -> tuple[str, str]:
        """Return a subject and a text."""
        identity = scope.signed_in
        translate = self._localizer(locale).translate
        site = self.registry.settings["myproject.site_title"]
        actor = _in_a_line(identity.title) if identity is not None else site
        what = f"“{_in_a_line(nodes[0].title)}”"
        if len(nodes) > 1:
            what += f" (+ {len(nodes) - 1})"
        subject, first = (
            translate(words, mapping={"what": what, "actor": actor}) for words in WORDS[name]
        )
        lines = [first, ""]
        for node in nodes:
            lines.append(_in_a_line(node.title))
            if node.state != TRASHED and name != Kind.TRASH:
                lines.append(f"  {self._address(scope, node, name)}")
            if name == APPROVE and node.publish_at is not None:
                time = {"time": f"{node.publish_at:%Y-%m-%d %H:%M} UTC"}
                later = translate(_("Readers will see it on ${time}."), mapping=time)
                lines.append(f"  {later}")
        if comment:
            quoted = (f"> {line}" for line in comment.splitlines())
            lines += ["", translate(_("Comment:")), *quoted]
        return subject, "\n".join([*lines, "", "-- ", site, ""])

    def _address(self, scope: Any, node: Node, name: str) -> str:
        """Return where the mail leads: with the host that is configured, as a request may lie."""
        settings = self.registry.settings
        path = scope.path_url_of(names_of(node)) or f"{scope.mount}/"
        path = path if _is_seen(node, name) else review_url(scope, path)
        host = settings["myproject.canonical_host"]
        if not host and settings["myproject.development"]:
            host = scope.host_url
        return host.rstrip("/") + path

    def _localizer(self, locale: str | None) -> Localizer:
        folders = self.registry.queryUtility(ITranslationDirectories, default=[])
        return make_localizer(locale or self.registry.settings["myproject.locale"], folders)


def _in_a_line(text: str) -> str:
    """Return what somebody has called something, without lines that would pass for the site's."""
    return " ".join(text.split())


def _is_seen(node: Node, name: str) -> bool:
    """Whether what a mail is about is what readers see now."""
    return name in (APPROVE, ON_TIME) and node.publish_at is None


def _load_people(session: Session, ids: Iterable[int]) -> dict[int, tuple[str, str | None]]:
    """Return user -> mail address and language, of those who can be written to."""
    query = (
        select(User.id, User.email, Preference.language)
        .outerjoin(Preference, Preference.user_id == User.id)
        .where(User.id.in_(list(ids)), User.active, User.email.is_not(None))
        .order_by(User.id)
    )
    return {row.id: (row.email, row.language) for row in session.execute(query)}
