"""Pages by title, name or address while that is being typed: what links are made from.

``GET /@@pages?q=install`` answers with JSON. It is the same for every screen that looks for a page:
the editor's completion, pickers, the palette.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pyramid.config import Configurator

from myproject.security.permissions import SIGNED_IN
from myproject.tree.finding import LONGEST, find_pages
from myproject.tree.node import DRAFT
from myproject.tree.traversal import no_root
from myproject.tree.urls import virtual_root_of

#: Pages in an answer, unless the client asks for fewer or more, and at most.
USUAL, MOST = 10, 50


def pages_json(request: Any) -> dict[str, Any]:
    """Return the pages that ``q`` may mean, the likeliest first, of those that may be seen.

    All words of ``q`` are in a page's title or name; with a slash in it, it is the end of an
    address. Each page has ``id``, ``title``, ``path`` (readable), ``url``, ``type``,
    ``type_title`` and ``draft``. What is outside of the virtual root has no address here.
    """
    known = {content_type.name: content_type.title for content_type in request.content_types}
    text, above = _address(request.GET.get("q", ""))
    limit = _limit(request)
    vroot = virtual_root_of(request)
    found = find_pages(
        request.dbsession,
        text,
        request.visibility,
        types=known,
        below=vroot,
        # Those that lie elsewhere are left out only afterwards.
        limit=MOST if above else limit,
    )
    translate = request.localizer.translate
    request.response.cache_control = "no-store"
    return {
        "pages": [
            {
                "id": page.id,
                "title": page.title,
                "path": "/" + "/".join(page.names[len(vroot) :]),
                "url": request.path_url_of(page.names),
                "type": page.type,
                "type_title": translate(known[page.type]),
                "draft": page.state == DRAFT,
            }
            for page in found
            if _lies_below(page.names[:-1], above)
        ][:limit]
    }


def _address(text: str) -> tuple[str, list[str]]:
    """Return what to look for, and the names that have to stand before it in an address."""
    *above, last = text[:LONGEST].strip().rstrip("/").split("/")
    return last, [name.lower() for name in above if name]


def _lies_below(names: Sequence[str], above: Sequence[str]) -> bool:
    """Whether *names* ends with *above*, the first of which may be incomplete."""
    if not above:
        return True
    end = [name.lower() for name in names[-len(above) :]]
    return len(end) == len(above) and end[0].endswith(above[0]) and end[1:] == above[1:]


def _limit(request: Any) -> int:
    text = request.GET.get("limit", "")
    return min(MOST, max(1, int(text))) if text.isascii() and text.isdecimal() else USUAL


def includeme(config: Configurator) -> None:
    """Register the look-up; reading all titles is not for passers-by."""
    config.add_route("pages", "/@@pages", factory=no_root)
    config.add_view(
        pages_json, route_name="pages", request_method="GET", permission=SIGNED_IN, renderer="json"
    )
