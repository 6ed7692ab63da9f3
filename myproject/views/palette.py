"""The palette: one field from which one goes to any page, adds one here, or does something else.

``/@@palette?at=/docs&q=install`` is a plain screen; a script shows what it lists in a dialog, from
``/@@palette/found``. What can be done is that of the page that ``at`` names, for whoever asks.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple
from urllib.parse import unquote

from pyramid.config import Configurator
from pyramid.i18n import TranslationStringFactory

from myproject.content.registry import ContentType
from myproject.security.permissions import SIGNED_IN, Permission
from myproject.tree.finding import LONGEST, Found, find_pages
from myproject.tree.names import MAX_DEPTH, MAX_PATH_BYTES, normalize, problem_with
from myproject.tree.node import DRAFT, Node
from myproject.tree.traversal import load_lineage, no_root
from myproject.tree.urls import join_path, names_of, virtual_root_of
from myproject.views.bar import bar_of
from myproject.views.menus import record_tabs, site_tabs
from myproject.views.navigation import PLAIN_TYPES
from myproject.views.rendering import TEMPLATES, layout

_ = TranslationStringFactory("myproject")

#: Pages that are listed.
PAGES = 8


class Command(NamedTuple):
    """Something that the palette offers.

    :ivar detail: where it is.
    :ivar note: what there is to know of it: its type, or that it is a draft.
    :ivar shortcut: the key that does the same on the page.
    :ivar run: what a script does instead of following the link; such are for scripts alone.
    """

    title: str
    url: str
    detail: str = ""
    note: str = ""
    shortcut: str = ""
    run: str = ""


class Group(NamedTuple):
    """What belongs together in the palette.

    :ivar place: title of the page that it is about; empty where it is about none.
    """

    name: str
    title: str
    commands: Sequence[Command]
    place: str = ""


def palette_screen(request: Any) -> dict[str, Any]:
    """Show the field and what it finds as a plain screen."""
    palette = Palette(request)
    return {
        **layout(request, _("Go to")),
        "text": palette.text,
        "at": palette.at,
        "groups": palette.groups(),
        "url": f"{request.mount}/@@palette",
    }


def found_fragment(request: Any) -> dict[str, Any]:
    """Return what the field finds, for the dialog."""
    palette = Palette(request)
    groups = palette.groups(scripted=True)
    count = sum(len(group.commands) for group in groups)
    told = (
        _("Nothing found")
        if not count
        else _("One entry")
        if count == 1
        else _("${count} entries", mapping={"count": count})
    )
    return {
        **layout(request, "", account=False),
        "groups": groups,
        "told": request.localizer.translate(told),
        "text": palette.text,
    }


class Palette:
    """What one request asks for: at most five statements.

    :ivar place: the node that ``at`` names, if whoever asks may see it; else the (virtual) root, if
        they may see that.
    :ivar bar: what may be done there, and added.
    :ivar at: its path below the virtual root.
    """

    def __init__(self, request: Any) -> None:
        request.response.cache_control = "no-store"
        self.request = request
        self.text = str(request.GET.get("q", "")).replace("\0", "").strip()[:LONGEST]
        self.place = self._place(_names(str(request.GET.get("at", ""))))
        self.bar = None if self.place is None else bar_of(request, self.place)
        below = () if self.place is None else names_of(self.place)
        self.at = join_path(below[len(virtual_root_of(request)) :])

    def _place(self, names: Sequence[str]) -> Node | None:
        """Have the request lead to the place with these names, and return it."""
        request, vroot = self.request, virtual_root_of(self.request)
        found = load_lineage(request.dbsession, [*vroot, *names], types=request.content_types)
        lineage, request.access_revision = found.nodes, found.access_revision
        if len(lineage) <= len(vroot):
            # There is no such virtual root.
            return None
        if len(lineage) <= len(vroot) + len(names):
            # Somebody has moved the page meanwhile: what is nearest is of no use.
            lineage = lineage[: len(vroot) + 1]
        for nodes in (lineage, lineage[: len(vroot) + 1]):
            known = request.content_types.get(nodes[-1].type) is not None
            if known and request.has_permission(Permission.VIEW, nodes[-1]):
                # What menus work out is of the node that a request leads to.
                request.lineage = nodes
                return nodes[-1]
        return None

    def groups(self, *, scripted: bool = False) -> list[Group]:
        """Return what is found for the text, the likeliest group first.

        :param scripted: whether to offer what takes a script.
        """
        label = "" if self.place is None else self.place.label
        known = {
            "create": (_("Add here"), label, self._create()),
            "page": (_("This page"), label, self._page()),
            "site": (_("Site and account"), "", self._site(scripted=scripted)),
        }
        translate, words = self.request.localizer.translate, self.text.casefold().split()
        found = []
        for name, (title, place, commands) in known.items():
            shown = translate(title)
            fitting = [one for one in commands if _fits(words, f"{shown} {one.title}")]
            if not self.request.preferences.shortcuts:
                fitting = [one._replace(shortcut="") for one in fitting]
            if fitting:
                found.append(Group(name, shown, fitting, place))
        pages = list(self._pages())
        if pages:
            # Whoever begins to write the name of a command means it.
            begun = [group for group in found if words and _is_begun(self.text, group.commands)]
            rest = [group for group in found if group not in begun]
            found = [*begun, Group("pages", translate(_("Pages")), pages), *rest]
        return found

    # -- what there is ----------------------------------------------------------------------------

    def _pages(self) -> Iterator[Command]:
        request = self.request
        types = {one.name: one for one in request.content_types}
        vroot = virtual_root_of(request)
        found = find_pages(
            request.dbsession,
            self.text,
            request.visibility,
            types=types,
            below=vroot,
            limit=PAGES,
        )
        for page in found:
            url = request.path_url_of(page.names)
            if url is not None:
                above = " › ".join(page.names[len(vroot) : -1])
                yield Command(page.title, url, above, self._note(page, types[page.type]))

    def _note(self, page: Found, content_type: ContentType) -> str:
        translate = self.request.localizer.translate
        if page.state == DRAFT:
            return translate(_("Draft"))
        return "" if page.type in PLAIN_TYPES else translate(content_type.title)

    def _create(self) -> Iterator[Command]:
        if self.bar is not None:
            for one in self.bar.adding:
                yield Command(one.title, one.url)

    def _page(self) -> Iterator[Command]:
        if self.place is None:
            return
        request = self.request
        if self.bar is not None:
            for link in (*self.bar.links, *self.bar.more):
                yield Command(link.title, link.url, shortcut=link.shortcut)
        # Last, because most are there.
        view = request.localizer.translate(_("View"))
        yield Command(view, request.canonical_base, shortcut="v" if self.bar else "")

    def _site(self, *, scripted: bool) -> Iterator[Command]:
        request, translate = self.request, self.request.localizer.translate
        for tab in (*record_tabs(request), *site_tabs(request)):
            yield Command(tab.title, tab.url)
        account = f"{request.mount}/@@account"
        yield Command(translate(_("Your account")), account)
        yield Command(translate(_("Preferences")), f"{account}/preferences")
        if scripted:
            title = translate(_("Keyboard shortcuts"))
            yield Command(title, f"{account}/preferences#site-keys", shortcut="?", run="shortcuts")


def _names(path: str) -> list[str]:
    """Return the names in the path that ``at`` is; none for what cannot be one."""
    if len(path) > MAX_PATH_BYTES:
        return []
    names = [normalize(unquote(segment)) for segment in path.split("/") if segment]
    return names if len(names) <= MAX_DEPTH and not any(map(problem_with, names)) else []


def _fits(words: Iterable[str], title: str) -> bool:
    """Whether each word is the beginning of one in *title*."""
    there = title.casefold().split()
    return all(any(word.startswith(wanted) for word in there) for wanted in words)


def _is_begun(text: str, commands: Iterable[Command]) -> bool:
    return any(one.title.casefold().startswith(text.casefold()) for one in commands)


def includeme(config: Configurator) -> None:
    """Register the screen and what its script asks for."""
    for route, path, view, template in (
        ("palette", "/@@palette", palette_screen, "palette.jinja2"),
        ("palette_found", "/@@palette/found", found_fragment, "palette_found.jinja2"),
    ):
        config.add_route(route, path, factory=no_root)
        config.add_view(
            view,
            route_name=route,
            request_method="GET",
            permission=SIGNED_IN,
            renderer=TEMPLATES + template,
        )
