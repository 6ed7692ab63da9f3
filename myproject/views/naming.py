"""Names in addresses: suggested from titles, checked while they are typed, and changed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from pyramid.config import Configurator
from pyramid.i18n import TranslationStringFactory
from sqlalchemy import or_, select

from myproject.content.plans import Planner
from myproject.exceptions import InvalidName, NameTaken, TreeError
from myproject.security.permissions import Permission
from myproject.translation import translated
from myproject.tree.names import (
    check_name,
    free_name,
    name_from_title,
    normalize,
    problem_with,
    suggest_name,
)
from myproject.tree.node import Node
from myproject.tree.urls import names_of
from myproject.views.done import tell_done
from myproject.views.forms import Form, refusal_notice, see_other, text_of
from myproject.views.keeping import keep_form_of, sealed
from myproject.views.keeping import problem_with as problem_with_form
from myproject.views.rendering import TEMPLATES, page_screen

_ = TranslationStringFactory("myproject")

TEMPLATE = f"{TEMPLATES}rename.jinja2"

PURPOSE = "rename"

#: Characters of a title that a name is made from.
_LONGEST = 1000


@dataclass(frozen=True, slots=True)
class Checked:
    """What is known of a name.

    :ivar name: as it would be stored.
    :ivar message: what is wrong with it, a translation string; empty if nothing is.
    :ivar suggestion: one that could be used instead; empty for none.
    """

    name: str
    message: Any = ""
    suggestion: str = ""


def suggestion_for(request: Any, parent: Node, title: str, but: Node | None = None) -> str:
    """Return a free name for a page with this title below *parent*; empty if there is no title."""
    settings = request.registry.settings
    title = title[:_LONGEST]
    name = suggest_name(
        title,
        transliterate=settings["myproject.transliterate"],
        language=settings["myproject.locale"],
    )
    if not name and title.strip():
        # No letter at all, or none that has a spelling: any name is better than none.
        name = name_from_title(title)
    return free_below(request, parent, name, but) if name else ""


def free_below(request: Any, parent: Node, name: str, but: Node | None = None) -> str:
    """Return *name*, or one like it, that no child of *parent* has."""
    taken = names_like(request, parent, name, but)
    if parent.is_root and name in request.tree.reserved:
        taken = taken | {name}
    free = free_name(name, taken)
    while parent.is_root and free in request.tree.reserved:
        taken = taken | {free}
        free = free_name(name, taken)
    return free


def names_like(request: Any, parent: Node, name: str, but: Node | None = None) -> set[str]:
    """Return the names of children of *parent* that are *name*, or begin with it and a hyphen."""
    query = select(Node.name).where(
        Node.parent_id == parent.id,
        or_(Node.name == name, Node.name.startswith(f"{name}-", autoescape=True)),
    )
    if but is not None:
        query = query.where(Node.id != but.id)
    return set(request.dbsession.scalars(query))


def check(request: Any, parent: Node, name: str, but: Node | None = None) -> Checked:
    """Return whether *name* can be that of a child of *parent*; two statements at most.

    :param but: the child that would have it.
    """
    reserved = request.tree.reserved if parent.is_root else frozenset()
    try:
        name = check_name(name, reserved)
    except InvalidName as error:
        fit = suggest_name(
            name.replace("/", " "),
            transliterate=False,
        )
        suggestion = free_below(request, parent, fit, but) if fit else ""
        return Checked(normalize(name), error.reason, suggestion)
    like = names_like(request, parent, name, but)
    if name in like:
        message = _("“${name}” is taken already.", mapping={"name": name})
        return Checked(name, message, free_below(request, parent, name, but))
    return Checked(name)


def refused(request: Any, parent: Node, error: TreeError, name: str) -> Checked | None:
    """Return what an operation has found wrong with a name; None if it is something else."""
    if isinstance(error, InvalidName | NameTaken):
        return check(request, parent, name)
    return None


# -- while it is typed ---------------------------------------------------------------------------


def check_new(context: Node, request: Any) -> dict[str, Any]:
    """Say whether ``name`` is free below this place, and what ``title`` would suggest."""
    return _checked(request, context, None)


def check_other(context: Node, request: Any) -> dict[str, Any]:
    """Say the same of another name for this page."""
    parent = context.parent
    return {} if parent is None else _checked(request, parent, context)


def _checked(request: Any, parent: Node, but: Node | None) -> dict[str, Any]:
    request.response.cache_control = "no-store"
    name, title = request.GET.get("name", ""), request.GET.get("title", "")
    if not name and title:
        name = suggestion_for(request, parent, title, but)
    checked = check(request, parent, name[:_LONGEST], but)
    message = checked.message
    if not message:
        is_same = but is not None and checked.name == but.name
        message = _("This is its name now.") if is_same else _("This name is free.")
    address = address_of(request, parent, checked.name)
    return {
        "name": checked.name,
        "ok": not checked.message,
        "message": translated(request.localizer, message),
        "suggestion": checked.suggestion,
        "address": address or "",
    }


def address_of(request: Any, parent: Node, name: str) -> str | None:
    """Return the URL path of a child of *parent*; None if it could have none."""
    return None if problem_with(name) else request.path_url_of((*names_of(parent), name))


# -- renaming ------------------------------------------------------------------------------------


def rename_form(context: Node, request: Any) -> dict[str, Any]:
    """Show the name, and what another one would mean."""
    return _screen(context, request, Form({"name": context.name}))


def rename(context: Node, request: Any) -> Any:
    """Give the page another name; the old address goes on leading to it."""
    form = Form({"name": str(request.POST.get("name", ""))[:_LONGEST]})
    if (problem := problem_with_form(request)) is not None:
        return _again(context, request, form, problem.message, problem.status)
    parent = context.parent
    if parent is None:
        return _again(context, request, form, _("The root of the site cannot be renamed."))
    name = form.values["name"].strip()
    checked = check(request, parent, name, context)
    if checked.message:
        return _refuse(context, request, form, checked)
    try:
        # What the database refuses must not leave a transaction in which nothing can be read.
        with request.dbsession.begin_nested():
            operation = request.journal.rename(context, name)
    except (InvalidName, NameTaken):
        return _refuse(context, request, form, check(request, parent, name, context))
    except TreeError as error:
        return _again(context, request, form, error.message)
    message = _(
        "The address is now ${address}. The old one leads here as well.",
        mapping={"address": address_of(request, parent, context.name)},
    )
    nothing = _("This is its name already, so nothing was changed.")
    tell_done(request, operation, nothing, text=message)
    return see_other(request, request.path_url_of(names_of(context)) or request.mount + "/")


def rename_again(context: Node, request: Any, message: Any, status: int) -> dict[str, Any]:
    """Show the form with the name that was posted."""
    return _again(
        context, request, Form({"name": text_of(request, "name", _LONGEST)}), message, status
    )


def _refuse(context: Node, request: Any, form: Form, checked: Checked) -> dict[str, Any]:
    form.errors["name"] = translated(request.localizer, checked.message)
    return _again(context, request, form, suggestion=checked.suggestion)


def _again(
    context: Node,
    request: Any,
    form: Form,
    message: Any = "",
    status: int = 422,
    suggestion: str = "",
) -> dict[str, Any]:
    if "tm.active" in request.environ:
        request.tm.doom()
    values = _screen(context, request, form)
    request.response.status_int = status
    values["suggestion"] = suggestion
    values["notice"] = refusal_notice(request, message)
    return values


def _screen(context: Node, request: Any, form: Form) -> dict[str, Any]:
    base = request.canonical_base.removesuffix("/")
    planner = Planner(
        request.dbsession,
        request.content_types,
        request.policies,
        request.access,
        request.tree.reserved,
    )
    title = _("Rename “${title}”", mapping={"title": context.title})
    settings = request.registry.settings
    suggested = suggest_name(
        context.title[:_LONGEST],
        transliterate=settings["myproject.transliterate"],
        language=settings["myproject.locale"],
    )
    return {
        **page_screen(request, context, title, "rename"),
        "form": form,
        "action": f"{base}/@@rename",
        "check_url": f"{base}/@@rename-check",
        "seal": sealed(request, context, PURPOSE),
        "plan": None if context.is_root else planner.rename(context, context.name),
        "parent_url": base.rpartition("/")[0] + "/",
        "suggestion": suggested if suggested not in ("", context.name) else "",
        "notice": None,
        "is_root": context.is_root,
    }


def includeme(config: Configurator) -> None:
    """Register the screen and the checks for every node.

    Another name is another address, for the page and for all below it; so it takes what moving
    does.
    """
    keep_form_of(config, "rename", rename_again, TEMPLATE)
    for method, view in (("GET", rename_form), ("POST", rename)):
        config.add_view(
            view,
            name="rename",
            context=Node,
            request_method=method,
            permission=Permission.MOVE,
            renderer=TEMPLATE,
        )
    for name, view, permission in (
        ("name-check", check_new, Permission.ADD),
        ("rename-check", check_other, Permission.MOVE),
    ):
        config.add_view(
            view,
            name=name,
            context=Node,
            request_method="GET",
            permission=permission,
            renderer="json",
        )
