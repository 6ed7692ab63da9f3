"""Bringing a version of a page back: first what that would do, then doing it.

What a page says is saved as any other version of it. Where it stood then is another matter: that
is offered where it can be done, by the operations that move and rename, which can be undone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from pyramid.config import Configurator
from pyramid.httpexceptions import HTTPNotFound
from pyramid.i18n import TranslationStringFactory
from sqlalchemy.exc import InvalidRequestError

from myproject.content.operations import save
from myproject.content.operations_log import Kind
from myproject.content.publishing import catch_up, save_newest
from myproject.content.restoring import Fitted, fit, without_gone
from myproject.content.revision_log import people_named
from myproject.content.revisions import (
    Revision,
    differing,
    latest_revision_id,
    load_revision,
    snapshot,
)
from myproject.content.types import UnavailableContent
from myproject.content.workflow import Transition
from myproject.exceptions import InvalidValue, TreeError
from myproject.security.permissions import Permission
from myproject.translation import translated
from myproject.tree.node import PUBLISHED, TRASHED, Node
from myproject.views.forms import refusal_notice, see_other, tell, text_of
from myproject.views.history import actor_of, number_in
from myproject.views.people import load_places
from myproject.views.rendering import TEMPLATES, page_screen
from myproject.views.taking import way_to_publish
from myproject.views.times import to_local
from myproject.views.versions import Compared, compared_values, label_of, labels_of

_ = TranslationStringFactory("myproject")

NOW, AS_DRAFT = "now", "draft"


class Return(NamedTuple):
    """Where a page stood then, if it was somewhere else, and whether it can be put back there.

    :ivar parent: where it would go; None where it stays below the same page.
    :ivar name: what it would be called.
    :ivar where: the place in words.
    :ivar problem: what keeps it from going back; empty where nothing does.
    """

    parent: Node | None
    name: str
    where: str
    problem: str


class RestoreScreen:
    """The screen of one version for one request."""

    def __init__(self, node: Node, request: Any, number: int) -> None:
        self.node, self.request = node, request
        self.session = request.dbsession
        self.base_url = request.canonical_base.removesuffix("/")
        found = load_revision(self.session, node.id, number)
        if found is None:
            raise HTTPNotFound(_("There is no such version of this page."))
        self.revision: Revision = found
        fitted = fit(found.fields, type(node))
        self.fitted: Fitted = without_gone(self.session, fitted, type(node))
        #: How it is published, where it is restored for readers at once.
        self.way: Transition | None = None

    # -- what is shown ----------------------------------------------------------------------------

    def show(self, message: Any = "", status: int = 200) -> dict[str, Any]:
        """Return the screen, with what stands in the way."""
        request, node, revision = self.request, self.node, self.revision
        if "tm.active" in request.environ:
            request.tm.doom()
        request.response.status_int = status
        people = people_named(self.session, {revision.actor_id})
        labels = labels_of(request, {revision.type, node.type})

        def named(names: Sequence[str]) -> str:
            return ", ".join(label_of(request, name, labels) for name in names)

        return {
            **page_screen(request, node, _("Restore a version"), "history"),
            "notice": refusal_notice(request, message),
            "version": revision,
            "actor": actor_of(request, revision, people),
            "fields": self.differences(),
            "place": self.place(),
            "dropped": named(self.fitted.dropped),
            "missing": named(self.fitted.missing),
            "gone": named(self.fitted.gone),
            "base_id": latest_revision_id(self.session, node.id),
            "comment": text_of(request, "comment", 500) if message else self.comment(people),
            "with_place": bool(request.POST.get("place")) if message else False,
            "goes_live": self.is_seen,
            "has_draft": node.draft_id is not None,
            "may_now": self.may_now,
            "may_draft": self.may_draft,
            "action": f"{self.base_url}/@@restore",
            "base_url": self.base_url,
        }

    @property
    def is_seen(self) -> bool:
        """Whether readers see the page."""
        return self.node.seen_state == PUBLISHED

    @property
    def may_now(self) -> bool:
        """Whether what is restored may be what readers see at once."""
        return not self.is_seen or self.request.transitions.may_publish(self.node)

    @property
    def may_draft(self) -> bool:
        """Whether it can become a draft beside what readers see."""
        return self.is_seen

    def differences(self) -> list[Compared]:
        """Return what the page says now, and what it would say."""
        now, then = snapshot(self.node), {**self.fitted.values}
        names = differing(now, {**now, **then})
        return compared_values(self.request, now, then, names, (self.node.type,))

    def comment(self, people: Mapping[int, str]) -> str:
        """Return the comment that is proposed: which version it is."""
        at = f"{to_local(self.request, self.revision.at):%Y-%m-%d %H:%M}"
        said = {
            "when": f"“{self.revision.label}”, {at}" if self.revision.label else at,
            "who": actor_of(self.request, self.revision, people),
        }
        message = _("Restored from the version of ${when}, by ${who}", mapping=said)
        return self.request.localizer.translate(message)

    def place(self) -> Return | None:
        """Return where the page stood then; None if it stands there now."""
        node, revision, request = self.node, self.revision, self.request
        moved, renamed = revision.parent_id != node.parent_id, revision.name != node.name
        if node.is_root or revision.parent_id is None or not (moved or renamed):
            return None
        translate = request.localizer.translate
        parent = self.session.get(Node, revision.parent_id)
        seen = {} if parent is None else load_places(request, [parent.id])
        if parent is None or parent.id not in seen:
            reason = _("The page that it was in is gone, in the trash, or not for you to see.")
            return Return(None, revision.name, "", translate(reason))
        title, url = seen[parent.id]
        where = f"{(url or '').removesuffix('/')}/{revision.name}" if url else title
        if moved:
            plan = request.planner.move([node], parent, {node.id: revision.name})
        else:
            plan = request.planner.rename(node, revision.name)
        problem = " ".join(translated(request.localizer, each.reason) for each in plan.problems)
        return Return(parent if moved else None, revision.name, where, problem)

    # -- what is done -----------------------------------------------------------------------------

    def post(self) -> Any:
        """Do it, or show again what it would do."""
        if isinstance(self.node, UnavailableContent):
            raise HTTPNotFound()
        how = AS_DRAFT if text_of(self.request, "how", 20) == AS_DRAFT else NOW
        self.lock()
        if how == NOW and self.is_seen:
            self.way = way_to_publish(self.request, self.node)
        if number_in(text_of(self.request, "base", 20)) != latest_revision_id(
            self.session, self.node.id
        ):
            message = _(
                "Somebody has saved this page since you opened this. Nothing is restored yet: "
                "look at what would change now."
            )
            return self.show(message, 409)
        place = self.place() if self.request.POST.get("place") else None
        if place is not None and place.problem:
            return self.show(place.problem, 422)
        return self.restore(how, place)

    def lock(self) -> None:
        """Have nobody else save this page until the transaction ends.

        :raises HTTPNotFound: when somebody has removed it since the request came in.
        """
        try:
            names = ["state", "name", "parent_id", "modified_at", "draft_id"]
            names += ["stage", "publish_at", "expire_at"]
            self.session.refresh(self.node, names, with_for_update={"key_share": True})
        except InvalidRequestError:
            raise HTTPNotFound(_("Somebody has deleted this page.")) from None
        if self.node.state == TRASHED:
            raise HTTPNotFound(_("Somebody has put this page into the trash."))

    def restore(self, how: str, place: Return | None) -> Any:
        """Write it, and go to the page."""
        request, node = self.request, self.node
        people = people_named(self.session, {self.revision.actor_id})
        comment = text_of(request, "comment", 500) or self.comment(people)
        try:
            # What is refused half-way must leave nothing half done.
            with self.session.begin_nested():
                changed = self.write(how, comment)
                moved = self.put_back(place)
        except InvalidValue as error:
            labels = labels_of(request, {node.type})
            said = {"field": label_of(request, error.field, labels), "reason": error.reason}
            message = _("It cannot be restored like this. ${field}: ${reason}", mapping=said)
            return self.show(message, 422)
        except TreeError as error:
            return self.show(error.message, 422)
        if not changed and moved is None:
            tell(request, _("The page says this already, so nothing was changed."))
        else:
            is_draft = how == AS_DRAFT and self.is_seen
            as_draft = _("The version is restored as a draft. Readers see what they saw before.")
            tell(request, as_draft if is_draft else _("The version is restored."))
        return see_other(request, self.url_now())

    def write(self, how: str, comment: str) -> bool:
        """Save what the version says: for readers at once, or as what comes next."""
        request, node = self.request, self.node
        given = (request.tree, node, self.fitted.values, request.renderer)
        # What readers see by the clock by now is kept as of when they began to.
        catch_up(request.tree, node, request.renderer)
        if how == NOW and self.is_seen:
            # What was to come next was made from what is replaced now.
            discarded = request.journal.discard(node, kind=Kind.REVERT, comment=comment)
            changed = save(*given, comment=comment)
            request.transitions.check_written(node, self.way)
            return bool(changed) or discarded is not None
        content_type = request.content_types.require(node.type)
        changed = save_newest(
            *given,
            comment=comment,
            incomplete=content_type.incomplete_drafts,
            may_publish=request.transitions.may_publish(node),
        )
        return bool(changed)

    def put_back(self, place: Return | None) -> Any:
        """Put the page where it stood then."""
        if place is None:
            return None
        journal = self.request.journal
        if place.parent is None:
            return journal.rename(self.node, place.name)
        return journal.move([self.node], place.parent, names={self.node.id: place.name})

    def url_now(self) -> str:
        """Return where the page is now."""
        found = load_places(self.request, [self.node.id]).get(self.node.id)
        return (found and found[1]) or f"{self.request.mount}/"


def restore_form(context: Node, request: Any) -> dict[str, Any]:
    """Show what restoring a version would do."""
    return RestoreScreen(context, request, number_in(request.GET.get("id", ""))).show()


def restore(context: Node, request: Any) -> Any:
    """Restore a version, or show again what that would do."""
    return RestoreScreen(context, request, number_in(text_of(request, "id", 20))).post()


def includeme(config: Configurator) -> None:
    """Register the screen for every node."""
    for method, view in (("GET", restore_form), ("POST", restore)):
        config.add_view(
            view,
            name="restore",
            context=Node,
            request_method=method,
            permission=Permission.EDIT,
            renderer=f"{TEMPLATES}restore.jinja2",
        )
