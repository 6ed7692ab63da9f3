"""robots.txt, and the header of what is no content."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from typing import Any

from pyramid.config import Configurator
from pyramid.events import NewResponse
from pyramid.response import Response
from pyramid.security import NO_PERMISSION_REQUIRED

from myproject.addons.seo.head import is_closed
from myproject.exceptions import NoSuchService
from myproject.interfaces import ISitemap
from myproject.tree.traversal import no_root


def robots_view(request: Any) -> Response:
    """Tell those who crawl the site where they need not look."""
    text = "\n".join(lines(request)) + "\n"
    response = Response(text, content_type="text/plain", charset="UTF-8")
    response.cache_control = "public, max-age=3600"
    return response


def lines(request: Any) -> Iterator[str]:
    """Yield the lines of robots.txt (RFC 9309)."""
    mount = request.mount
    yield "User-agent: *"
    if is_closed(request):
        yield f"Disallow: {mount}/"
    else:
        # What pages need to look as they do; an @ is another character than its escape.
        yield f"Allow: {mount}/@@static"
        yield f"Allow: {mount}/%40%40static"
        yield f"Disallow: {mount}/@@"
        yield f"Disallow: {mount}/*/@@"
    yield from _added(request)
    if not is_closed(request):
        with suppress(NoSuchService):
            url = request.service(ISitemap).url()
            yield from ("", f"Sitemap: {url}")


def _added(request: Any) -> list[str]:
    text = request.registry.settings["myproject.seo.robots"]
    return [line.strip() for line in text.strip().splitlines()]


def tell_robots(event: NewResponse) -> None:
    """Say of screens, sources and fragments, and of a site that is closed, that they are not to be
    found."""
    request: Any = event.request
    is_screen = bool(getattr(request, "view_name", "")) and request.matched_route is None
    # Only of what was shown: of anything else it would tell whether there is something.
    if (is_screen and event.response.status_int == 200) or is_closed(request):
        event.response.headers["X-Robots-Tag"] = "noindex"


def includeme(config: Configurator) -> None:
    """Register the route and the subscriber."""
    config.add_route("robots", "/robots.txt", factory=no_root)
    config.add_view(
        robots_view, route_name="robots", request_method="GET", permission=NO_PERMISSION_REQUIRED
    )
    config.add_subscriber(tell_robots, NewResponse)
