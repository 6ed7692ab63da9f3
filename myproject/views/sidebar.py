"""Parts of the tree that stands beside the screens of people who work with pages.

A script asks for a branch when it is opened, fifty pages at a time, and for what is looked for by
its title, in all of the site. A browser that asks gets a screen of its own.
"""

from __future__ import annotations

import re
from typing import Any

from pyramid.config import Configurator
from pyramid.httpexceptions import HTTPForbidden
from pyramid.i18n import TranslationStringFactory

from myproject.security.permissions import Permission
from myproject.tree.listing import Key
from myproject.tree.node import PUBLISHED, Node
from myproject.tree.outline import Wanted, load_branches
from myproject.views.outline import SIZE, Outline
from myproject.views.rendering import TEMPLATES, layout, page_screen

_ = TranslationStringFactory("myproject")

#: Branches that are opened again at once, at most.
REOPENED = 40


def tree_view(context: Node, request: Any) -> dict[str, Any]:
    """Answer with a part of the tree to a script, and with all of a screen to a browser.

    ``after`` and ``before`` go on with the children of the context, ``open`` names places whose
    children are wanted, ``q`` is looked for in the titles of all pages.
    """
    if request.signed_in is None:
        # Reading all titles is not for passers-by.
        raise HTTPForbidden
    request.response.cache_control = "no-store"
    if request.headers.get("HX-Request") != "true":
        return _screen(context, request)
    request.override_renderer = f"{TEMPLATES}sidebar_part.jinja2"
    outline, query = Outline(request), request.GET
    part: dict[str, Any] = {"found": None, "branches": None, "twigs": None}
    if "q" in query:
        part["found"] = outline.found(query["q"])
    elif "open" in query:
        part["branches"] = outline.reopened(_ids(query["open"]))
    else:
        wanted = Wanted(
            context.id,
            request.access.below(context),
            after=_key(query.get("after")),
            before=_key(query.get("before")),
        )
        (branch,) = load_branches(request.dbsession, [wanted], size=SIZE)
        base = request.canonical_base.removesuffix("/")
        public = all(place.seen_state == PUBLISHED for place in request.lineage)
        part["twigs"] = outline.twigs(base, branch, public=public)
    return {**layout(request, context.title), **part}


def _screen(context: Node, request: Any) -> dict[str, Any]:
    """Return the tree as a screen of its own, with what was looked for."""
    wanted = request.GET.get("q", "")
    return {
        **page_screen(request, context, _("Pages"), "tree"),
        "wanted": wanted,
        "found": Outline(request).found(wanted) if wanted else None,
    }


def _key(text: str | None) -> Key | None:
    return None if text is None else Key.parse(text)


def _ids(text: str) -> list[int]:
    return [int(number) for number in re.findall(r"[0-9]{1,18}", text[:2000])[:REOPENED]]


def includeme(config: Configurator) -> None:
    """Register the tree at every node."""
    config.add_view(
        tree_view,
        name="tree",
        context=Node,
        request_method="GET",
        permission=Permission.VIEW,
        renderer=f"{TEMPLATES}sidebar_screen.jinja2",
    )
