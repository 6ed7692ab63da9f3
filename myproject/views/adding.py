"""Adding a page: which type, what it says, what it is called, and where it stands."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from pyramid.config import Configurator
from pyramid.i18n import TranslationStringFactory

from myproject.content.columns import editable_fields
from myproject.content.registry import ContentType
from myproject.content.scratch import drop_scratch
from myproject.content.workflow import Refusal, Transition
from myproject.exceptions import InvalidName, InvalidValue, NameTaken, TreeError
from myproject.security.permissions import Permission
from myproject.translation import translated
from myproject.tree.listing import load_children
from myproject.tree.node import DRAFT, PUBLISHED, Node
from myproject.tree.site import leave_revision
from myproject.tree.urls import names_of
from myproject.views import naming
from myproject.views.adding_types import addable_types
from myproject.views.autosave import new_purpose
from myproject.views.bar import step_url
from myproject.views.done import tell_done
from myproject.views.editing import ONWARD, onward_of
from myproject.views.fields import form_fields, posted_fields, widget_of
from myproject.views.forms import Form, refusal_notice, see_other, tell, text_of
from myproject.views.keeping import (
    COMMENT,
    DO,
    keep_form_of,
    posted_texts,
    problem_with,
    sealed,
)
from myproject.views.rendering import TEMPLATES, page_screen
from myproject.views.taking import forbidden
from myproject.views.writing import (
    check_lengths,
    says_the_same,
    scratch_of,
    stripped,
    typed_again,
)

_ = TranslationStringFactory("myproject")

TEMPLATE = f"{TEMPLATES}add.jinja2"

SAVE, VIEW, PUBLISH, SHOW, DISCARD = "save", "view", "publish", "show", "discard"

#: Where the new page stands among its siblings: what the form sends besides numbers of siblings.
PLACE = "form-before"
FIRST = "first"

#: Siblings that are offered to stand before.
_OFFERED = 50


class Choice(NamedTuple):
    """A type that may be added."""

    name: str
    title: str
    description: str
    url: str


def add_form(context: Node, request: Any) -> dict[str, Any]:
    """Show the types that may be added here, or the form of one of them."""
    return AddScreen(context, request).show()


def add(context: Node, request: Any) -> Any:
    """Add a page, or show the form again with what is wrong."""
    return AddScreen(context, request).post()


def form_again(context: Node, request: Any, message: Any, status: int) -> dict[str, Any]:
    """Show the form with what was posted, which could not be looked at any further."""
    return AddScreen(context, request).again(message=message, status=status)


class AddScreen:
    """The screen of one place for one request."""

    def __init__(self, parent: Node, request: Any) -> None:
        self.parent, self.request = parent, request
        self.session = request.dbsession
        self.translate = request.localizer.translate
        self.base_url = request.canonical_base.removesuffix("/")
        self.addable = addable_types(request, parent)
        wanted = request.GET.get("type", "")
        self.wanted = wanted[:100]
        self.type: ContentType | None = next((t for t in self.addable if t.name == wanted), None)
        if self.type is not None:
            cls = self.type.cls
            self.cls = cls
            self.may_wait = self.type.incomplete_drafts
            self.way: Transition | Refusal = request.transitions.find_for_new(
                self.type.name, parent.boundary_id
            )
            self.purpose = new_purpose(self.type.name)
            self.fields = [field for field in editable_fields(cls) if widget_of(request, field)]

    def may(self, permission: str) -> bool:
        """Whether whoever asks has a permission here, and so at what is added."""
        return bool(self.request.has_permission(permission, self.parent))

    # -- what is shown ----------------------------------------------------------------------------

    def show(self) -> dict[str, Any]:
        """Return the choice of types, or the form as it is opened."""
        if self.type is None:
            return self.choose()
        scratch = scratch_of(self.request, self.parent, self.purpose)
        form = Form({"name": ""})
        if scratch is not None:
            begun = Form({**typed_again(self.fields, scratch.values)})
            begun.values = {**begun.values, "name": scratch.values.get("name", "")}
            if not says_the_same(self.items(form), self.items(begun)):
                return {**self.frame(begun), "restored": scratch}
        return self.frame(form)

    def choose(self, *, message: Any = "", status: int = 200) -> dict[str, Any]:
        """Return the choice of types; what was posted for another one is carried on."""
        request = self.request
        if self.wanted and not message:
            message, status = self.not_addable(), 422 if request.method == "POST" else 404
        pairs = []
        if request.method == "POST":
            pairs = [(name, value) for name, value in posted_texts(request) if name != DO]
        title = _("Add to “${title}”", mapping={"title": self.parent.title})
        values = page_screen(request, self.parent, title, "add")
        request.response.status_int = status
        return {
            **values,
            "choices": [
                Choice(
                    each.name,
                    self.translate(each.title),
                    self.translate(each.description) if each.description else "",
                    f"{self.base_url}/@@add?type={each.name}",
                )
                for each in self.addable
            ],
            "pairs": pairs,
            "notice": refusal_notice(request, message),
        }

    def not_addable(self) -> Any:
        """Return why the type that was asked for is not offered."""
        known = self.request.content_types.get(self.wanted)
        if known is None:
            return _("There is no type “${type}” on this site.", mapping={"type": self.wanted})
        return _(
            "“${type}” cannot be added here, or not by you.",
            mapping={"type": self.translate(known.title)},
        )

    def again(
        self,
        form: Form | None = None,
        *,
        message: Any = "",
        status: int = 422,
        suggestion: str = "",
    ) -> dict[str, Any]:
        """Return the form with what was posted, and what is wrong with it; nothing is written."""
        request = self.request
        if "tm.active" in request.environ:
            request.tm.doom()
        if self.type is None:
            return self.choose(message=message, status=status)
        if form is None:
            _values, form = self.posted()
            form.errors.clear()
        values = self.frame(form)
        request.response.status_int = status
        values.update(suggestion=suggestion, unsaved=True, comment=text_of(request, COMMENT, 500))
        if message:
            values["notice"] = refusal_notice(request, message)
        return values

    def frame(self, form: Form) -> dict[str, Any]:
        """Return what every state of the form has."""
        assert self.type is not None
        request = self.request
        type_title = self.translate(self.type.title)
        title = _("New: ${type}", mapping={"type": type_title})
        return {
            **page_screen(request, self.parent, title, "add"),
            "choices": None,
            "items": self.items(form),
            "form": form,
            "type_title": type_title,
            "action": f"{self.base_url}/@@add?type={self.type.name}",
            "base_url": self.base_url,
            "autosave_url": f"{self.base_url}/@@autosave-new?type={self.type.name}",
            "check_url": f"{self.base_url}/@@name-check",
            "parent_url": f"{self.base_url}/",
            "seal": sealed(request, self.parent, self.purpose),
            "comment": "",
            "suggestion": "",
            "notice": None,
            "restored": None,
            "unsaved": False,
            "may_publish": isinstance(self.way, Transition),
            "onward": onward_of(request, self.type.name, self.may),
            "places": self.places(),
            "before": self.wanted_place(),
            "several": len(self.addable) > 1,
            "max_size": request.registry.settings["myproject.max_form_size"],
        }

    def items(self, form: Form) -> Sequence[Any]:
        """Return the fields as a template shows them."""
        return form_fields(self.request, self.fields, form, incomplete=self.may_wait)

    def wanted_place(self) -> str:
        """Return the sibling that the page is to stand before, as a form sends it."""
        if self.request.method == "POST":
            return text_of(self.request, PLACE, 20)
        return self.request.GET.get("before", "")[:20]

    def places(self) -> list[tuple[str, str]]:
        """Return value and label of the places that are offered; none where there is only one."""
        below = self.request.access.below(self.parent)
        rows, _more = load_children(self.session, self.parent.id, below, page=_OFFERED)
        if not rows:
            return []
        places = [(str(row.id), row.nav_title or row.title) for row in rows]
        wanted = self.wanted_place()
        if wanted not in ("", FIRST) and wanted not in dict(places):
            sibling = self.sibling(wanted)
            places += [] if sibling is None else [(wanted, sibling.label)]
        return places

    # -- what is done -----------------------------------------------------------------------------

    def post(self) -> Any:
        """Do what the button says."""
        request = self.request
        do = text_of(request, DO, 60) or SAVE
        if (problem := problem_with(request)) is not None and do != DISCARD:
            return self.again(message=problem.message, status=problem.status)
        if self.type is None:
            request.tm.doom()
            return self.choose()
        if do == DISCARD:
            return self.discard()
        if do == SHOW:
            return self.again(status=200)
        if do == PUBLISH and isinstance(self.way, Refusal):
            if self.way.permission:
                raise forbidden(request, self.way)
            return self.again(message=self.way.reason)
        values, form = self.posted(complete=do == PUBLISH)
        check_lengths(request, values, form)
        name, suggestion = self.name(form)
        if form.errors:
            return self.again(form, suggestion=suggestion)
        return self.save(do, stripped(values), form, name)

    def discard(self) -> Any:
        """Forget what was begun, and show an empty form."""
        leave_revision(self.session)
        drop_scratch(self.session, self.request.signed_in.user_id, self.parent.id, self.purpose)
        tell(self.request, _("What you had begun here is gone."))
        return see_other(self.request, f"{self.base_url}/@@add?type={self.wanted}")

    def posted(self, *, complete: bool = False) -> tuple[dict[str, Any], Form]:
        """Return what was posted."""
        values, form = posted_fields(
            self.request, self.cls, self.fields, incomplete=self.may_wait and not complete
        )
        name = self.request.POST.get("name", "")
        form.values = {**form.values, "name": name if isinstance(name, str) else ""}
        return values, form

    def name(self, form: Form) -> tuple[str, str]:
        """Return the name that the page is to have, and one to suggest instead."""
        request, typed = self.request, form.values["name"].strip()
        if not typed:
            suggested = naming.suggestion_for(request, self.parent, form.values.get("title", ""))
            return suggested, ""
        checked = naming.check(request, self.parent, typed)
        if checked.message:
            form.errors["name"] = translated(request.localizer, checked.message)
        return checked.name, checked.suggestion

    def sibling(self, wanted: str) -> Node | None:
        """Return the child of this place that a form names, if whoever asks may see it."""
        number = int(wanted) if wanted.isascii() and wanted.isdecimal() and len(wanted) < 19 else 0
        node = self.session.get(Node, number) if number else None
        if node is None or node.parent_id != self.parent.id:
            return None
        return node if self.request.has_permission(Permission.VIEW, node) else None

    def before(self) -> Node | None:
        """Return the sibling to stand before; None for the end.

        :raises InvalidValue: when it is gone.
        """
        wanted = self.wanted_place()
        if wanted == FIRST:
            below = self.request.access.below(self.parent)
            rows, _more = load_children(self.session, self.parent.id, below, page=1)
            wanted = str(rows[0].id) if rows else ""
        if not wanted:
            return None
        sibling = self.sibling(wanted)
        if sibling is None:
            raise InvalidValue(
                "before", _("The page that it was to stand before is no longer here.")
            )
        return sibling

    def save(self, do: str, values: dict[str, Any], form: Form, name: str) -> Any:
        """Write it, and go on."""
        request = self.request
        node = self.cls(**values, state=PUBLISHED if do == PUBLISH else DRAFT)
        comment = text_of(request, COMMENT, 500)
        try:
            # What the database refuses must not leave a transaction in which nothing can be read.
            with self.session.begin_nested():
                operation = request.journal.add(
                    self.parent,
                    node,
                    request.renderer,
                    name or None,
                    before=self.before(),
                    comment=comment,
                    incomplete=self.may_wait and do != PUBLISH,
                )
                if do == PUBLISH and isinstance(self.way, Transition):
                    request.transitions.check_written(node, self.way)
        except InvalidValue as error:
            form.refuse(request, error)
            return self.again(form)
        except (InvalidName, NameTaken):
            checked = naming.check(request, self.parent, name)
            form.errors["name"] = translated(request.localizer, checked.message)
            return self.again(form, suggestion=checked.suggestion)
        except TreeError as error:
            return self.again(form, message=error.message)
        scratch = scratch_of(request, self.parent, self.purpose)
        if scratch is not None:
            self.session.delete(scratch)
        title = {"title": node.title}
        if do == PUBLISH:
            message = _("“${title}” has been added and published.", mapping=title)
        else:
            message = _("“${title}” has been added as a draft.", mapping=title)
        tell_done(request, operation, text=message)
        url = request.path_url_of(names_of(node)) or request.mount + "/"
        base = url.removesuffix("/")
        if do.startswith(ONWARD):
            url = step_url(base, do.removeprefix(ONWARD))
        return see_other(request, f"{base}/@@edit" if do == SAVE else url)


def includeme(config: Configurator) -> None:
    """Register the screen for every node."""
    keep_form_of(config, "add", form_again, TEMPLATE)
    for method, view in (("GET", add_form), ("POST", add)):
        config.add_view(
            view,
            name="add",
            context=Node,
            request_method=method,
            permission=Permission.ADD,
            renderer=TEMPLATE,
        )
