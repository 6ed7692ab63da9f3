"""The search screen, its suggestions, the box in the masthead, and what browsers ask for."""

from __future__ import annotations

from typing import Any, NamedTuple
from urllib.parse import urlencode

from markupsafe import Markup
from pyramid.config import Configurator
from pyramid.httpexceptions import HTTPBadRequest, HTTPFound
from pyramid.i18n import TranslationStringFactory

from myproject.addons.search.finding import MOST_PAGES, Result, Results, Suggestion
from myproject.addons.search.interfaces import ISearch
from myproject.addons.search.query import LONGEST
from myproject.security.permissions import Permission
from myproject.tree.node import ROOT_ID, Node
from myproject.tree.traversal import no_root
from myproject.views import conditional
from myproject.views.rendering import crumbs, layout

_ = TranslationStringFactory("myproject")

TEMPLATES = "myproject.addons.search:templates/"

#: Letters of the path in the parameter ``in``.
LONGEST_PATH = 4_000


class Entry(NamedTuple):
    """A result as the screen shows it.

    :ivar path: names of the places above it.
    :ivar type: what its content type is called; empty for pages.
    """

    title: Markup
    url: str
    path: tuple[str, ...]
    excerpt: Markup
    type: str


class Place(NamedTuple):
    """A section that a search can be limited to."""

    title: str
    path: str
    chosen: bool


def search_screen(context: Node, request: Any) -> Any:
    """Show the form, and a page of what was found below *context*; at most three statements more
    than any page takes."""
    text = _text(request).strip()
    if "in" in request.GET:
        return _at_its_place(request, request.GET["in"], text)
    page = _page(request)
    if (unchanged := conditional.check(request, "search")) is not None:
        return unchanged
    service = request.service(ISearch)
    results: Results = service.find(text, _section(context), page)
    url = f"{request.canonical_base.removesuffix('/')}/@@search"
    return {
        **layout(request, _("Search")),
        "text": text,
        "results": results,
        "entries": [entry for found in results.results if (entry := _entry(request, found))],
        "instead": _links(request, results.instead),
        "places": _places(context, request),
        "incomplete": not results.results and _is_told(request) and service.seems_incomplete(),
        "action": f"{request.mount}/@@search",
        "everywhere_url": _url(f"{request.mount}/@@search", text),
        "suggestions_url": _suggestions_url(request),
        "previous_url": _page_url(url, text, results, page - 1),
        "next_url": _page_url(url, text, results, page + 1),
    }


def suggestions_fragment(context: Node, request: Any) -> Any:
    """Suggest pages while somebody types."""
    if (unchanged := conditional.check(request, "suggestions")) is not None:
        return unchanged
    # A space behind a word says that it is complete.
    text = _text(request).lstrip()
    found = ()
    if request.registry.settings["myproject.search.suggestions"]:
        found = request.service(ISearch).suggest(text, _section(context))
    return {
        **layout(request, "", account=False),
        "text": text,
        "found": _links(request, found),
        "all_url": _url(f"{request.mount}/@@search", text.strip()),
    }


def box(context: Node | None, request: Any) -> dict[str, Any] | None:
    """Return the values of the box in the masthead; None on the screen that has its own."""
    if context is not None and request.view_name == "search":
        return None
    return {
        "action": f"{request.mount}/@@search",
        "suggestions_url": _suggestions_url(request),
        "longest": LONGEST,
    }


def description_link(context: Node | None, request: Any) -> Markup:
    """Return the link by which browsers come to know the search."""
    return Markup(
        '<link rel="search" type="application/opensearchdescription+xml" title="{}" href="{}">\n'
    ).format(request.registry.settings["myproject.site_title"], f"{request.mount}/@@opensearch.xml")


def description(request: Any) -> dict[str, Any]:
    """Describe the search to browsers, as https://github.com/dewitt/opensearch has it."""
    title = request.registry.settings["myproject.site_title"]
    request.response.content_type = "application/opensearchdescription+xml"
    return {"site_title": title, "url": request.canonical_host + request.mount}


# -- what was asked -------------------------------------------------------------------------------


def _text(request: Any) -> str:
    return str(request.GET.get("q", "")).replace("\0", "")[:LONGEST]


def _page(request: Any) -> int:
    text = request.GET.get("page", "1")
    number = int(text) if text.isascii() and text.isdigit() and len(text) < 9 else 0
    if not 1 <= number <= MOST_PAGES:
        raise HTTPBadRequest(_("There is no such page of results."))
    return number


def _section(context: Node) -> Node | None:
    return None if context.id == ROOT_ID else context


def _at_its_place(request: Any, path: str, text: str) -> Any:
    """Redirect to the search below a path: whether it exists, and for whom, is found out there."""
    names = tuple(name for name in path[:LONGEST_PATH].split("/") if name)
    place = request.path_url_of((*request.virtual_root_path, *names)) or f"{request.mount}/"
    return HTTPFound(request.host_url + _url(f"{place.removesuffix('/')}/@@search", text))


def _is_told(request: Any) -> bool:
    return Permission.MANAGE_SITE in request.access.at(ROOT_ID)


# -- what is shown --------------------------------------------------------------------------------


def _places(context: Node, request: Any) -> list[Place]:
    """Return the sections to choose from, the widest first; none where all of it is searched."""
    here = request.canonical_base
    if here == f"{request.mount}/":
        return []
    above = [(item.title, item.url) for item in crumbs(request)]
    return [
        Place(title, url.removeprefix(request.mount), url == here)
        for title, url in [*above, (context.label, here)]
    ]


def _entry(request: Any, result: Result) -> Entry | None:
    url = request.path_url_of(result.names)
    if url is None:
        return None
    above = result.names[len(request.virtual_root_path) : -1]
    content_type = request.content_types.get(result.type)
    title = ""
    if content_type is not None and result.type != "page":
        title = request.localizer.translate(content_type.title)
    return Entry(result.title, url, above, result.excerpt, title)


def _links(request: Any, found: Any) -> list[Entry]:
    entries = []
    suggestion: Suggestion
    for suggestion in found:
        url = request.path_url_of(suggestion.names)
        if url is not None:
            above = suggestion.names[len(request.virtual_root_path) : -1]
            entries.append(Entry(Markup.escape(suggestion.title), url, above, Markup(), ""))
    return entries


def _suggestions_url(request: Any) -> str:
    wanted = request.registry.settings["myproject.search.suggestions"]
    return f"{request.mount}/@@search-suggestions" if wanted else ""


def _page_url(url: str, text: str, results: Results, page: int) -> str:
    return _url(url, text, page) if 1 <= page <= results.last_page else ""


def _url(url: str, text: str, page: int = 1) -> str:
    query = {"q": text} if text else {}
    if page > 1:
        query["page"] = str(page)
    return f"{url}?{urlencode(query)}" if query else url


def includeme(config: Configurator) -> None:
    """Register the screens and what is on every page."""
    for name, view, template in (
        ("search", search_screen, "search.jinja2"),
        ("search-suggestions", suggestions_fragment, "suggestions.jinja2"),
    ):
        config.add_view(
            view,
            name=name,
            context=Node,
            request_method="GET",
            permission=Permission.VIEW,
            renderer=TEMPLATES + template,
        )
    config.add_route("search-description", "/@@opensearch.xml", factory=no_root)
    config.add_view(
        description,
        route_name="search-description",
        request_method="GET",
        permission=Permission.VIEW,
        renderer=f"{TEMPLATES}opensearch.jinja2",
    )
    config.add_slot_panel(box, "tools", name="search", renderer=f"{TEMPLATES}box.jinja2")
    config.add_slot_panel(description_link, "head", name="search")
