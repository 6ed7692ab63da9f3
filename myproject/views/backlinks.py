"""Links between pages: which lead to a page, and which lead readers nowhere.

What links here is shown to those who may edit the page: they are about to change or to move what
others have linked to. The links of the whole site that lead nowhere are shown to those who may
edit at the root, for the pages that they may edit.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from pyramid.config import Configurator
from pyramid.i18n import TranslationStringFactory
from pyramid.response import Response

from myproject.content.links import Break, Broken, Place, load_backlinks, load_broken
from myproject.security.access import ANONYMOUS
from myproject.security.permissions import Permission
from myproject.tree.node import PUBLISHED, Node
from myproject.tree.traversal import no_root
from myproject.tree.visibility import BoundarySet
from myproject.views.people import PAGE, screen, with_query
from myproject.views.rendering import DOMAIN, TEMPLATES, page_screen

_ = TranslationStringFactory("myproject")

PATH = "/@@broken-links"

#: As many links to a page are counted for a panel.
COUNTED = 100
#: As many links of a page that lead nowhere are shown beside those that lead to it.
BROKEN_SHOWN = 50

#: Why -> what it is called, and what readers meet.
REASONS: Mapping[Break, tuple[Any, Any]] = {
    Break.GONE: (_("Gone"), _("The page was deleted, or has never been on this site.")),
    Break.TRASHED: (_("In the trash"), _("The page, or one above it, lies in the trash.")),
    Break.DRAFT: (_("Draft"), _("The page, or one above it, is not published.")),
    Break.PRIVATE: (_("Private"), _("Readers may not see the page.")),
}


class Line(NamedTuple):
    """A page in a list.

    :ivar url: None outside of the virtual root.
    """

    title: str
    url: str | None
    is_draft: bool = False
    edit_url: str | None = None


class BrokenLine(NamedTuple):
    """A link that leads readers nowhere.

    :ivar target: what it leads to, as far as whoever asks may know.
    """

    source: Line
    target: str
    kind: str
    reason: str
    meaning: str


def backlinks(context: Node, request: Any) -> Any:
    """Show which pages lead to *context*, and which of its own links lead nowhere."""
    if "count" in request.GET:
        return _count(context, request)
    after = _number(request.GET.get("after", ""))
    found = load_backlinks(
        request.dbsession, context.id, request.visibility, after=after, limit=PAGE
    )
    public = _public(request)
    broken, more_broken = load_broken(
        request.dbsession,
        request.visibility,
        public,
        within=BoundarySet(frozenset({context.boundary_id})),
        of=context.id,
        limit=BROKEN_SHOWN,
    )
    url = f"{request.canonical_base.removesuffix('/')}/@@backlinks"
    lines = [
        Line(page.title, request.path_url_of(page.names), page.state != PUBLISHED)
        for page in found.pages
    ]
    return page_screen(
        request,
        context,
        _("Pages that link here"),
        "backlinks",
        lines=sorted(lines, key=lambda line: line.title.casefold()),
        broken=_broken_lines(request, broken),
        more_broken=more_broken is not None,
        first=url if after else None,
        following=f"{url}?after={found.after}" if found.after is not None else None,
    )


def _count(context: Node, request: Any) -> Response:
    """Return how many pages lead to *context*, as a piece of another screen."""
    found = load_backlinks(request.dbsession, context.id, request.visibility, limit=COUNTED)
    count = len(found.pages)
    url = f"{request.canonical_base.removesuffix('/')}/@@backlinks"
    ngettext = request.localizer.pluralize
    text = ngettext("${n} page links here", "${n} pages link here", count, DOMAIN, {"n": count})
    if found.after is not None:
        text = _("More than ${n} pages link here", mapping={"n": COUNTED})
    elif not count:
        text = _("No page links here")
    values = {"url": url, "text": request.localizer.translate(text)}
    response = request.response
    response.cache_control = "no-store"
    template = request.registry.templates.get_template(f"{TEMPLATES}backlinks_count.jinja2")
    response.text = template.render(values)
    return response


def broken_links(request: Any) -> dict[str, Any]:
    """Show which pages have links that lead readers nowhere; at most four statements."""
    kind = request.GET.get("kind", "")
    reason = Break(kind) if kind in list(Break) else None
    start = request.GET.get("after", "")
    found, last = load_broken(
        request.dbsession,
        request.visibility,
        _public(request),
        within=request.access.where(Permission.EDIT),
        reason=reason,
        after=_place(start),
        limit=PAGE,
    )
    filters = {"kind": reason.value if reason else ""}
    following = last and with_query(
        request, PATH, **filters, after=f"{last.source_id}.{last.target_id}"
    )
    translate = request.localizer.translate
    return screen(
        request,
        _("Broken links"),
        "broken-links",
        lines=_broken_lines(request, found),
        kind=filters["kind"],
        kinds=[(each.value, translate(title)) for each, (title, _meaning) in REASONS.items()],
        url=f"{request.mount}{PATH}",
        first=with_query(request, PATH, **filters) if start else None,
        following=following,
    )


def _broken_lines(request: Any, found: Sequence[Broken]) -> list[BrokenLine]:
    translate, pages = request.localizer.translate, request.access.where(Permission.VIEW)
    lines = []
    for link in found:
        url = request.path_url_of(link.source)
        title, meaning = REASONS[link.reason]
        edit = None if url is None else f"{url.removesuffix('/')}/@@edit"
        target = ""
        if link.target_boundary is not None:
            may_know = link.target_boundary in pages
            target = link.target_title if may_know else translate(_("a page that you cannot see"))
        elif link.target_id:
            target = translate(_("page number ${n}", mapping={"n": link.target_id}))
        else:
            target = translate(_("an unknown page"))
        lines.append(
            BrokenLine(
                Line(link.source_title, url, edit_url=edit),
                target,
                link.reason.value,
                translate(title),
                translate(meaning),
            )
        )
    return lines


def _public(request: Any) -> BoundarySet:
    return request.policies.access(ANONYMOUS).visibility.pages


def _number(text: str) -> int:
    return int(text) if text.isdecimal() and len(text) < 19 else 0


def _place(text: str) -> Place | None:
    source, _dot, target = text.partition(".")
    return Place(_number(source), _number(target)) if _number(source) else None


def includeme(config: Configurator) -> None:
    """Register the screens."""
    config.add_view(
        backlinks,
        name="backlinks",
        context=Node,
        request_method="GET",
        permission=Permission.EDIT,
        renderer=f"{TEMPLATES}backlinks.jinja2",
    )
    config.add_route("broken_links", PATH, factory=no_root)
    config.add_tab(
        "broken-links",
        _("Broken links"),
        group="site",
        view="broken-links",
        permission=Permission.EDIT,
        order=600,
    )
    config.add_view(
        broken_links,
        route_name="broken_links",
        request_method="GET",
        permission=Permission.EDIT,
        renderer=f"{TEMPLATES}broken_links.jinja2",
    )
