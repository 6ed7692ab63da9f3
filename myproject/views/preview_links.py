"""Preview links: making and revoking them, and what they show to whoever has one."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from pyramid.config import Configurator
from pyramid.i18n import TranslationStringFactory
from pyramid.security import NO_PERMISSION_REQUIRED

from myproject.content.columns import editable_fields
from myproject.content.preview_links import (
    LONGEST_LABEL,
    PreviewLink,
    find_preview_link,
    load_makers,
    load_preview_links,
    make_preview_link,
    may_show,
    revoke_preview_link,
)
from myproject.content.publishing import draft_of, newest_fields, shadow
from myproject.content.references import resolve_unsaved
from myproject.content.revision_log import people_named
from myproject.content.revisions import Revision
from myproject.content.types import Page
from myproject.exceptions import InvalidValue
from myproject.security.permissions import Permission
from myproject.tree.lineages import ids_above, load_with_lineage
from myproject.tree.node import TRASHED, Node
from myproject.tree.site import leave_revision
from myproject.tree.traversal import no_root
from myproject.views.forms import Form, numbers_of, see_other, tell, text_of
from myproject.views.history import actor_of
from myproject.views.rendering import TEMPLATES, layout, page_screen
from myproject.views.versions import all_in_words

_ = TranslationStringFactory("myproject")

TEMPLATE, SHARED = f"{TEMPLATES}preview_links.jinja2", f"{TEMPLATES}shared_draft.jinja2"

#: Days that a link may work for.
DAYS = (1, 7, 30)

#: Where the session keeps a link until it has been shown once.
WAITING = "preview-link"


#: User -> principals, of those who have made links.
Makers = Mapping[int | None, frozenset[int]]


class Row(NamedTuple):
    """A link in the list.

    :ivar works: whether it can be revoked.
    """

    id: int
    label: str
    actor: str
    created_at: dt.datetime
    expires_at: dt.datetime
    state: str
    works: bool


# -- making them ----------------------------------------------------------------------------------


def preview_links(context: Node, request: Any) -> dict[str, Any]:
    """Show the links of a page, and the form for a new one."""
    return _screen(context, request, Form({"label": "", "days": _default_days(request)}))


def change_preview_links(context: Node, request: Any) -> Any:
    """Make a link, or revoke one."""
    session = request.dbsession
    # No page looks different for it.
    leave_revision(session)
    url = f"{request.canonical_base.removesuffix('/')}/@@preview-links"
    if numbers := numbers_of(request, "revoke"):
        if revoke_preview_link(session, context.id, numbers[0]):
            tell(request, _("The link shows nothing any more."))
        else:
            tell(request, _("The link did not work any more already."))
        return see_other(request, url)
    # Read longer than it may be, so that nothing is cut off without a word.
    form = Form({"label": text_of(request, "label", 5000), "days": text_of(request, "days", 10)})
    if len(form.values["label"]) > LONGEST_LABEL:
        message = _("A note has at most ${n} characters.", mapping={"n": LONGEST_LABEL})
        form.refuse(request, InvalidValue("label", message))
    if form.values["days"] not in {str(days) for days in _choices(request)}:
        form.refuse(request, InvalidValue("days", _("Choose how long the link works.")))
    if form.errors:
        request.tm.doom()
        request.response.status_int = 422
        return _screen(context, request, form)
    lifetime = dt.timedelta(days=int(form.values["days"]))
    token = make_preview_link(
        *(session, request.registry.seal_key, context.id, request.actor, lifetime),
        form.values["label"],
    )
    address = f"{request.canonical_host.rstrip('/')}{request.mount}/@@draft/{token}"
    request.session.flash([context.id, address], WAITING)
    return see_other(request, url)


def _choices(request: Any) -> Sequence[int]:
    return sorted({*DAYS, int(_default_days(request))})


def _default_days(request: Any) -> str:
    lifetime = request.registry.settings["myproject.preview_lifetime"]
    return str(max(1, lifetime.days))


def _screen(node: Node, request: Any, form: Form) -> dict[str, Any]:
    links = load_preview_links(request.dbsession, node.id)
    makers = load_makers(request.dbsession, links)
    people = people_named(request.dbsession, {link.created_by_id for link in links})
    title = _("Preview links of “${title}”", mapping={"title": node.title})
    return {
        **page_screen(request, node, title, "preview-links"),
        "form": form,
        "choices": _choices(request),
        "longest": LONGEST_LABEL,
        "rows": [
            Row(
                link.id,
                link.label,
                people.get(link.created_by_id or 0, link.created_by),
                link.created_at,
                link.expires_at,
                request.localizer.translate(_state(node, request, link, makers)),
                link.works,
            )
            for link in links
        ],
        "made": _waiting(request, node.id),
        "base_url": request.canonical_base.removesuffix("/"),
    }


def _state(node: Node, request: Any, link: PreviewLink, makers: Makers) -> Any:
    if link.revoked_at is not None:
        return _("Revoked")
    if link.has_expired:
        return _("Expired")
    if not _is_good(node, request, link, makers):
        return _("Shows nothing: whoever made it may not see this page any more")
    return _("Works")


def _is_good(node: Node, request: Any, link: PreviewLink, makers: Makers) -> bool:
    """Whether whoever has made a link may still see what it shows."""
    principals = makers.get(link.created_by_id)
    return principals is not None and may_show(request.policies.access(principals), node)


def _waiting(request: Any, node_id: int) -> str | None:
    """Return the link that was just made for a page; it is shown once."""
    if not request.session.peek_flash(WAITING):
        return None
    waiting = dict(request.session.pop_flash(WAITING))
    made = waiting.pop(node_id, None)
    for other in waiting.items():
        request.session.flash(list(other), WAITING)
    return made


# -- what they show -------------------------------------------------------------------------------


def shared_draft(request: Any) -> dict[str, Any]:
    """Show the newest version of a page to whoever has a link to it, and nothing around it."""
    response, session = request.response, request.dbsession
    response.cache_control = "no-store"
    response.headers["X-Robots-Tag"] = "noindex, nofollow"
    # The address opens the page, so nobody else is told it.
    response.headers["Referrer-Policy"] = "no-referrer"
    link = find_preview_link(session, request.registry.seal_key, request.matchdict["token"])
    node = None
    if link is not None and link.works:
        node = load_with_lineage(session, [link.node_id]).get(link.node_id)
    if link is None or node is None or not _may_be_shown(node, request, link):
        has_expired = link is not None and link.revoked_at is None and link.has_expired
        response.status_int = 410 if has_expired else 404
        title = _("This link has expired") if has_expired else _("This link does not work")
        return {**layout(request, title, account=False), "shown": None, "expired": has_expired}
    return _shown(node, request, link)


def _may_be_shown(node: Node, request: Any, link: PreviewLink) -> bool:
    places = [node]
    while (above := places[-1].parent) is not None:
        places.append(above)
    in_trash = len(places) != len(ids_above(node)) + 1 or any(p.state == TRASHED for p in places)
    if in_trash or request.content_types.get(node.type) is None:
        return False
    return _is_good(node, request, link, load_makers(request.dbsession, [link]))


def _shown(node: Node, request: Any, link: PreviewLink) -> dict[str, Any]:
    session = request.dbsession
    draft, fields = draft_of(session, node), newest_fields(session, node)
    shown = shadow(node, fields, request.renderer)
    html = getattr(shown, "body_html", "")
    body = resolve_unsaved(session, html, request.visibility, request.path_url_of).html
    # Of other types what they say besides, such as a price.
    known = {field.name for field in editable_fields(Page)}
    names = {field.name for field in editable_fields(type(node))} - known
    values = {name: value for name, value in fields.items() if name in names}
    said = all_in_words(request, Revision(type=node.type, fields=values))
    by = (
        None if draft is None else actor_of(request, draft, people_named(session, {draft.actor_id}))
    )
    return {
        **layout(request, shown.title, account=False),
        "shown": shown,
        "body": body,
        "said": said,
        "saved": shown.modified_at if draft is None else draft.at,
        "by": by,
        "expires": link.expires_at,
        "expired": False,
    }


def includeme(config: Configurator) -> None:
    """Register the screen for every node, and the address of the links."""
    for method, view in (("GET", preview_links), ("POST", change_preview_links)):
        config.add_view(
            view,
            name="preview-links",
            context=Node,
            request_method=method,
            permission=Permission.EDIT,
            renderer=TEMPLATE,
        )
    config.add_route("shared_draft", "/@@draft/{token}", factory=no_root)
    config.add_view(
        shared_draft,
        route_name="shared_draft",
        request_method="GET",
        permission=NO_PERMISSION_REQUIRED,
        renderer=SHARED,
    )
