"""Editing a page: the form of all its fields, and saving it over nobody's head.

It holds what was saved last, which is a draft where readers see something else. What is saved of a
page that readers see becomes its draft, until it is published.

The form carries the number of the revision that it was made from. If there is a newer one when it
is sent, both versions are merged field by field and shown before anything is saved. What is typed
is kept meanwhile (:mod:`myproject.views.autosave`).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from pyramid.config import Configurator
from pyramid.httpexceptions import HTTPNotFound
from pyramid.i18n import TranslationStringFactory
from pyramid.renderers import render_to_response
from pyramid.response import Response
from sqlalchemy import select
from sqlalchemy.exc import InvalidRequestError

from myproject.content.columns import editable_fields
from myproject.content.merging import FieldMerge, Outcome, merge_fields
from myproject.content.publishing import newest_fields, save_newest
from myproject.content.revisions import Revision, latest_revision_id, load_revision
from myproject.content.scratch import Scratch, drop_scratch
from myproject.content.workflow import Refusal
from myproject.exceptions import InvalidValue, TreeError
from myproject.security.permissions import Permission
from myproject.tree.node import DRAFT, PUBLISHED, TRASHED, Node
from myproject.tree.site import leave_revision
from myproject.views.bar import step_url
from myproject.views.fields import form_fields, posted_fields, values_of, widget_of
from myproject.views.forms import Form, Notice, refusal_notice, see_other, tell, text_of
from myproject.views.keeping import BASE, COMMENT, DO, SEEN, keep_form_of, problem_with, sealed
from myproject.views.merging import Merging, shown_merge
from myproject.views.rendering import TEMPLATES, page_screen
from myproject.views.taking import forbidden, take, way_to_publish
from myproject.views.times import to_local
from myproject.views.writing import (
    as_typed,
    check_lengths,
    is_long_text,
    says_the_same,
    scratch_of,
    stripped,
    typed_again,
)

_ = TranslationStringFactory("myproject")

TEMPLATE = f"{TEMPLATES}edit.jinja2"
MERGE_TEMPLATE = f"{TEMPLATES}merge.jinja2"

PURPOSE = "edit"

#: What the buttons of the form do.
SAVE, VIEW, PUBLISH, DISCARD = "save", "view", "publish", "discard"

#: With the name of a transition behind it: save, and go on to the screen of that.
ONWARD = "to:"

#: To show the form again with what is in it; in a merge one's own version of it.
SHOW, MINE = "show", "mine"

#: Versions by others that a merge names.
_NAMED = 5


def edit_form(context: Node, request: Any) -> dict[str, Any]:
    """Show the form, with what its reader has begun and not saved; at most eight statements."""
    return EditScreen(context, request).show()


def edit(context: Node, request: Any) -> Any:
    """Save what was posted, or show the form again with what is wrong."""
    return EditScreen(context, request).post()


def form_again(context: Node, request: Any, message: Any, status: int) -> Any:
    """Show the form with what was posted, which could not be looked at any further."""
    return EditScreen(context, request).again(message=message, status=status)


class EditScreen:
    """The screen of one node for one request."""

    def __init__(self, node: Node, request: Any) -> None:
        self.node, self.request = node, request
        self.session = request.dbsession
        self.cls = type(node)
        self.fields = [field for field in editable_fields(self.cls) if widget_of(request, field)]
        self.page_url = request.canonical_base
        self.base_url = self.page_url.removesuffix("/")
        self.url = f"{self.base_url}/@@edit"
        self.is_draft = node.seen_state != PUBLISHED
        self.type = request.content_types.require(node.type)

    # -- what is shown ----------------------------------------------------------------------------

    def show(self) -> dict[str, Any]:
        """Return the form as it is opened."""
        newest = self.newest()
        form = Form(self.saved())
        scratch = scratch_of(self.request, self.node, PURPOSE)
        if scratch is not None:
            begun = Form(typed_again(self.fields, scratch.values))
            if not says_the_same(self.items(form), self.items(begun)):
                values = self.frame(begun, newest, scratch.base_revision_id)
                comment = scratch.values.get(COMMENT, "")
                return {**values, "restored": scratch, "comment": comment}
        return self.frame(form, newest, newest.id if newest else 0)

    def again(self, form: Form | None = None, *, message: Any = "", status: int = 422) -> Any:
        """Return the form with what was posted, and what is wrong with it; nothing is written.

        Of a merge both versions, with what has been decided of them so far.
        """
        request = self.request
        if "tm.active" in request.environ:
            request.tm.doom()
        if form is None:
            if number_of(request, SEEN) and text_of(request, DO, 20) != MINE:
                return self.merge_again(message, status)
            _values, form = self.posted()
            form.errors.clear()
        values = self.frame(form, self.newest(), number_of(request, BASE))
        request.response.status_int = status
        values["comment"] = text_of(request, COMMENT, 500)
        # What came back is not kept yet.
        values["unsaved"] = True
        if message:
            values["notice"] = refusal_notice(request, message)
        return values

    def frame(self, form: Form, newest: Revision | None, base: int) -> dict[str, Any]:
        """Return what every state of the form has."""
        request, node = self.request, self.node
        title = _("Edit “${title}”", mapping={"title": node.title})
        return {
            **page_screen(request, node, title, "edit"),
            "items": self.items(form),
            "form": form,
            "action": self.url,
            "base_url": self.base_url,
            "type_title": request.localizer.translate(self.type.title),
            "newest": newest,
            "base": base,
            "stale": newest is not None and newest.id != base,
            "seal": sealed(request, node, PURPOSE),
            "comment": "",
            "notice": None,
            "restored": None,
            "unsaved": False,
            "is_draft": self.is_draft,
            "is_live": not self.is_draft,
            "has_draft": node.draft_id is not None,
            "may_publish": request.transitions.may_publish(node),
            "may_schedule": self.may(Permission.PUBLISH),
            "onward": self.onward(),
            "may_rename": not node.is_root and self.may(Permission.MOVE),
            "max_size": request.registry.settings["myproject.max_form_size"],
        }

    def items(self, form: Form) -> Sequence[Any]:
        """Return the fields as a template shows them."""
        return form_fields(self.request, self.fields, form, incomplete=self.may_wait)

    @property
    def may_wait(self) -> bool:
        """Whether required fields may be empty for now."""
        return self.is_draft and self.type.incomplete_drafts

    def saved(self) -> dict[str, Any]:
        """Return field -> value as they were saved last, whether readers see that or not.

        One statement where there is a draft, else none.
        """
        if self.node.draft_id is None:
            return values_of(self.node, self.fields)
        newest = newest_fields(self.session, self.node)
        return {field.name: newest[field.name] for field in self.fields}

    def newest(self) -> Revision | None:
        """Return the revision that the next one is made from."""
        query = select(Revision).where(Revision.node_id == self.node.id)
        if self.node.draft_id is not None:
            # Brought back, it may be older than what readers see.
            query = query.where(Revision.id == self.node.draft_id)
        return self.session.scalars(query.order_by(Revision.id.desc()).limit(1)).one_or_none()

    @property
    def view_url(self) -> str:
        """Where what was saved is seen."""
        node = self.node
        is_ahead = node.draft_id is not None and node.seen_state == PUBLISHED
        return f"{self.page_url}?version=draft" if is_ahead else self.page_url

    def may(self, permission: str) -> bool:
        """Whether whoever asks has a permission here."""
        return bool(self.request.has_permission(permission, self.node))

    def onward(self) -> list[tuple[str, str]]:
        """Return the transitions that a version can be taken through as soon as it is saved, but
        for publishing: name and title."""
        state = self.request.registry.workflows.of(self.node.type).newest(self.node)
        if state.name not in (DRAFT, PUBLISHED):
            return []
        return onward_of(self.request, self.node.type, self.may)

    # -- what is done -----------------------------------------------------------------------------

    def post(self) -> Any:
        """Do what the button says."""
        do = text_of(self.request, DO, 60) or SAVE
        if do == DISCARD:
            return self.discard()
        if (problem := problem_with(self.request)) is not None:
            return self.again(message=problem.message, status=problem.status)
        if do in (SHOW, MINE):
            return self.again(status=200)
        self.lock()
        if do == PUBLISH:
            way = self.request.transitions.find(self.node, target=PUBLISHED, writing=True)
            if isinstance(way, Refusal):
                if way.permission:
                    raise forbidden(self.request, way)
                return self.again(message=way.reason)
        values, form = self.posted(complete=do == PUBLISH)
        check_lengths(self.request, values, form)
        if form.errors:
            return self.again(form)
        return self.merge_or_save(do, stripped(values))

    def discard(self) -> Any:
        """Forget what was begun, and show what is stored."""
        leave_revision(self.session)
        drop_scratch(self.session, self.request.signed_in.user_id, self.node.id, PURPOSE)
        tell(self.request, _("Your unsaved changes are gone. This is the saved version."))
        return see_other(self.request, self.url)

    def lock(self) -> None:
        """Have nobody else save this page until the transaction ends, and read what it says now.

        :raises HTTPNotFound: when somebody has removed it since the request came in.
        """
        names = [*(field.name for field in self.fields), "state", "name", "modified_at"]
        names += ["draft_id", "stage", "publish_at", "expire_at"]
        try:
            self.session.refresh(self.node, names, with_for_update={"key_share": True})
        except InvalidRequestError:
            raise HTTPNotFound(_("Somebody has deleted this page.")) from None
        if self.node.state == TRASHED:
            raise HTTPNotFound(_("Somebody has put this page into the trash."))
        self.is_draft = self.node.seen_state != PUBLISHED

    def posted(self, *, complete: bool = False) -> tuple[dict[str, Any], Form]:
        """Return what was posted.

        :param complete: whether a draft, too, has to have everything that a page needs.
        """
        current = self.saved()
        incomplete = self.may_wait and not complete
        return posted_fields(
            self.request, self.cls, self.fields, current=current, incomplete=incomplete
        )

    def merge_or_save(self, do: str, mine: dict[str, Any]) -> Any:
        """Save, unless somebody else has saved since the form was opened."""
        newest = self.newest()
        newest_id = newest.id if newest else 0
        base_id, seen_id = number_of(self.request, BASE), number_of(self.request, SEEN)
        merging = Merging(
            self.request, self.cls, self.fields, incomplete=self.may_wait and do != PUBLISH
        )
        if seen_id:
            # Both versions were shown, and this says what is to become of them.
            seen = load_revision(self.session, self.node.id, seen_id)
            merges = self.merges(base_id, {} if seen is None else seen.fields, mine)
            mine = merging.decided(merges)
            if merging.form.errors:
                return self.ask(merging, merges, base_id, seen_id, do)
            base_id = seen_id
        if newest_id == base_id:
            return self.save(do, mine)
        merges = self.merges(base_id, self.saved(), mine)
        if all(merge.outcome is Outcome.SAME for merge in merges):
            return self.save(do, mine)
        if not any(
            merge.outcome is not Outcome.SAME and merge.outcome is not Outcome.MINE
            for merge in merges
        ):
            # What they have done since is nothing that this form is about, such as another state.
            return self.save(do, mine)
        return self.ask(merging, merges, base_id, newest_id, do, again=bool(seen_id))

    def merges(
        self, base_id: int, theirs: Mapping[str, Any], mine: Mapping[str, Any]
    ) -> list[FieldMerge]:
        """Merge two versions of the page's fields."""
        base = self.base(base_id)
        texts = {field.name for field in self.fields if is_long_text(field)}
        return merge_fields(None if base is None else base.fields, theirs, mine, texts)

    def base(self, base_id: int) -> Revision | None:
        """Return the revision that a form was made from, if that is known."""
        if base_id:
            return load_revision(self.session, self.node.id, base_id)
        # The page had none then; what it said is kept since as nobody's.
        query = select(Revision).where(Revision.node_id == self.node.id)
        first = self.session.scalars(query.order_by(Revision.id).limit(1)).one_or_none()
        is_nobodys = first is not None and first.actor_id is None and not first.actor
        return first if is_nobodys else None

    def merge_again(self, message: Any, status: int) -> Any:
        """Show both versions once more, with what was posted about them."""
        values, _form = self.posted()
        base_id, seen_id = number_of(self.request, BASE), number_of(self.request, SEEN)
        seen = load_revision(self.session, self.node.id, seen_id)
        theirs = self.saved() if seen is None else seen.fields
        merging = Merging(self.request, self.cls, self.fields, incomplete=self.may_wait)
        merges = self.merges(base_id, theirs, stripped(values))
        do = text_of(self.request, DO, 60)
        notice = refusal_notice(self.request, message)
        return self.ask(
            merging, merges, base_id, seen_id, do, status=status, notice=notice, decided=True
        )

    def ask(
        self,
        merging: Merging,
        merges: Sequence[FieldMerge],
        base_id: int,
        seen_id: int,
        do: str,
        *,
        again: bool = False,
        status: int = 409,
        notice: Notice | None = None,
        decided: bool = False,
    ) -> Any:
        """Show both versions, and ask what is to become of them.

        :param again: whether somebody has saved once more while both were being looked at.
        :param decided: whether what was posted says something about them already.
        """
        request = self.request
        if "tm.active" in request.environ:
            request.tm.doom()
        decided = decided or bool(merging.form.errors)
        mine = {merge.name: merge.mine for merge in merges}
        query = select(Revision).where(
            Revision.node_id == self.node.id, Revision.id > base_id, Revision.id <= seen_id
        )
        others = self.session.scalars(query.order_by(Revision.id.desc()).limit(_NAMED)).all()
        title = _("Somebody has saved “${title}” meanwhile", mapping={"title": self.node.title})
        values = {
            **page_screen(request, self.node, title, "edit"),
            "action": self.url,
            "again": again,
            "others": others,
            "fields": shown_merge(request, self.fields, merges, merging.form, decided=decided),
            "notice": notice,
            "form": merging.form,
            "mine": as_typed(request, self.fields, mine),
            "base": base_id,
            "seen": seen_id,
            "do": do if do in (SAVE, VIEW, PUBLISH) or do.startswith(ONWARD) else SAVE,
            "comment": text_of(request, COMMENT, 500),
            "seal": sealed(request, self.node, PURPOSE),
        }
        request.response.status_int = 422 if merging.form.errors else status
        request.response.cache_control = "no-store"
        return render_to_response(MERGE_TEMPLATE, values, request, response=request.response)

    def save(self, do: str, values: Mapping[str, Any]) -> Any:
        """Write it, and go on."""
        request = self.request
        try:
            # What the database refuses must not leave a transaction in which nothing can be read.
            with self.session.begin_nested():
                message = self.publish(values) if do == PUBLISH else self.keep(values)
        except InvalidValue as error:
            _values, form = self.posted()
            if error.field not in {field.name for field in self.fields}:
                return self.again(form, message=error.reason)
            form.refuse(request, error)
            return self.again(form)
        except TreeError as error:
            return self.again(message=error.message)
        self.forget()
        if message is None:
            leave_revision(self.session)
            message = _("Nothing was changed, so nothing was saved.")
        if do == SAVE and request.headers.get("X-Requested-With") == "fetch":
            return self.saved_in_place(message)
        tell(request, message)
        if do.startswith(ONWARD):
            return see_other(request, step_url(self.base_url, do.removeprefix(ONWARD)))
        return see_other(request, self.url if do == SAVE else self.view_url)

    def keep(self, values: Mapping[str, Any]) -> Any:
        """Save it, and return what to say; None where nothing has changed."""
        was_planned = self.node.publish_at is not None
        changed = save_newest(
            *(self.request.tree, self.node, values, self.request.renderer),
            comment=text_of(self.request, COMMENT, 500),
            incomplete=self.may_wait,
            may_publish=self.request.transitions.may_publish(self.node),
        )
        if not changed:
            return None
        if was_planned and self.node.publish_at is None:
            return _(
                "Saved. It will not be published on the time that was set for the version before: "
                "ask somebody who may publish to set it again."
            )
        if self.node.draft_id is None:
            return _("Saved.")
        return _("Draft saved. Readers see the page as it was until it is published.")

    def publish(self, values: Mapping[str, Any]) -> Any:
        """Have readers see it, and return what to say; None where they see it already."""
        request, node = self.request, self.node
        was_draft, had_draft = self.is_draft, node.draft_id is not None
        before = latest_revision_id(self.session, node.id)
        comment = text_of(request, COMMENT, 500)
        way = way_to_publish(request, node)
        take(request, [node], {node.id: way}, values=values, comment=comment)
        request.transitions.check_written(node, way)
        if was_draft:
            return _("Saved and published.")
        if had_draft or latest_revision_id(self.session, node.id) != before:
            return _("Published. Readers see your changes now.")
        return None

    def saved_in_place(self, message: Any) -> Response:
        """Tell a script that it is saved, and what the form goes on from."""
        newest = self.newest()
        answer = {
            "message": self.request.localizer.translate(message),
            "base": newest.id if newest else 0,
        }
        if newest is not None:
            answer["saved"] = f"{to_local(self.request, newest.at):%Y-%m-%d %H:%M}"
            answer["at"] = newest.at.isoformat()
        response = self.request.response
        response.content_type = "application/json"
        response.text = json.dumps(answer)
        return response

    def forget(self) -> None:
        """Drop what was kept of the form: it is saved."""
        scratch: Scratch | None = scratch_of(self.request, self.node, PURPOSE)
        if scratch is not None:
            self.session.delete(scratch)


def onward_of(request: Any, type_name: str, may: Callable[[str], bool]) -> list[tuple[str, str]]:
    """Return the transitions from a draft to anywhere but to readers: name and title.

    :param may: whether whoever asks has a permission there.
    """
    return [
        (each.name, request.localizer.translate(each.title))
        for each in request.registry.workflows.of(type_name).transitions
        if DRAFT in each.sources and each.target != PUBLISHED and may(each.permission)
    ]


def number_of(request: Any, name: str) -> int:
    """Return the number of a revision that was posted, 0 for none."""
    text = text_of(request, name, 20)
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 19 else 0


def includeme(config: Configurator) -> None:
    """Register the screen for every node."""
    keep_form_of(config, "edit", form_again, TEMPLATE)
    for method, view in (("GET", edit_form), ("POST", edit)):
        config.add_view(
            view,
            name="edit",
            context=Node,
            request_method=method,
            permission=Permission.EDIT,
            renderer=TEMPLATE,
        )
