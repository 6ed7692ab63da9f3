"""The sitemap's index and its parts, as sitemaps.org describes them (protocol 0.9)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Any
from xml.sax.saxutils import escape

from pyramid.httpexceptions import HTTPNotFound
from pyramid.response import Response
from pyramid.security import NO_PERMISSION_REQUIRED
from zope.interface import implementer

from myproject.addons.sitemap.pages import Listed
from myproject.content.types import Link
from myproject.db.engine import Database
from myproject.extend.configurator import SiteConfigurator
from myproject.interfaces import ISitemap, ISitemapFilter
from myproject.security.access import ANONYMOUS
from myproject.tree.node import Node
from myproject.views import conditional

NAMESPACE = "http://www.sitemaps.org/schemas/sitemap/0.9"
_DECLARATION = '<?xml version="1.0" encoding="UTF-8"?>\n'


@implementer(ISitemap)
class SitemapAddress:
    """Where the sitemap is.

    :param request: of whoever wants to know.
    """

    def __init__(self, request: Any) -> None:
        self.request = request

    def url(self) -> str:
        """Return the URL of the index."""
        return f"{self.request.canonical_host}{self.request.mount}/sitemap.xml"


def index_view(request: Any) -> Response:
    """List the parts that there are."""
    listed = _listed(request)
    if (unchanged := conditional.check(request, "sitemap")) is not None:
        return unchanged
    lines = [f'{_DECLARATION}<sitemapindex xmlns="{NAMESPACE}">\n']
    for part in listed.parts(request.dbsession):
        url = f"{listed.root_url}/sitemap-{part.number}.xml"
        lines.append(_line("sitemap", url, part.modified_at))
    lines.append("</sitemapindex>\n")
    return _xml(request, ["".join(lines).encode()])


def part_view(request: Any) -> Response:
    """List the pages of a part, sent while they are read."""
    listed, number = _listed(request), int(request.matchdict["number"])
    if not listed.has_part(request.dbsession, number):
        raise HTTPNotFound()
    if (unchanged := conditional.check(request, "sitemap")) is not None:
        return unchanged
    return _xml(request, stream(request.registry.database, listed, number))


def stream(database: Database, listed: Listed, number: int) -> Iterator[bytes]:
    """Yield the document of a part.

    The request's session is closed before the server asks for the first piece. This has one of its
    own, opened with the first piece, and closed after the last one or when the server, whose
    client has gone away, closes the iterator.
    """
    with database.read_session() as session:
        yield f'{_DECLARATION}<urlset xmlns="{NAMESPACE}">\n'.encode()
        for pages in listed.pages(session, number):
            yield "".join([_line("url", *page) for page in pages]).encode()
        yield b"</urlset>\n"


def _line(name: str, url: str, modified_at: dt.datetime) -> str:
    time = modified_at.isoformat(timespec="seconds")
    return f"<{name}><loc>{escape(url)}</loc><lastmod>{time}</lastmod></{name}>\n"


def _xml(request: Any, body: Any) -> Response:
    response = request.response
    response.content_type = "application/xml"
    response.charset = "utf-8"
    response.app_iter = body
    return response


def _listed(request: Any) -> Listed:
    """Return what the sitemap lists.

    :raises HTTPNotFound: where visitors may see nothing at all: below a draft, and where there is
        no such virtual root.
    """
    url = request.canonical_host + request.canonical_base.removesuffix("/")
    visibility = request.policies.access(ANONYMOUS).visibility
    if not all(
        visibility.leads_through(node.boundary_id, node.seen_state) for node in request.lineage
    ):
        raise HTTPNotFound()
    filters = (
        request.service(interface, name)
        for interface, name in request.registry.extensions.services
        if interface is ISitemapFilter
    )
    conditions = (item.condition(Node.__table__.c.id) for item in filters)
    return Listed(
        visibility,
        # A link has no page of its own: it leads to what is listed itself, or to another site.
        [item.name for item in request.content_types if not issubclass(item.cls, Link)],
        [condition for condition in conditions if condition is not None],
        request.lineage[-1].id,
        url,
    )


def includeme(config: SiteConfigurator) -> None:
    """Register the two routes; they lead to the (virtual) root.

    Whoever asks gets what visitors may see, so nothing has to be permitted: where the front page is
    private, others may be public.
    """
    views = (("", index_view), (r"-{number:[1-9][0-9]{0,12}}", part_view))
    for rest, view in views:
        name = view.__name__.replace("view", "sitemap")
        config.add_route(name, f"/sitemap{rest}.xml")
        config.add_view(
            view, route_name=name, request_method="GET", permission=NO_PERMISSION_REQUIRED
        )
