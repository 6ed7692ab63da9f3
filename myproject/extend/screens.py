"""Directives about what people see: panels, menus, templates, static files."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from pyramid.config import Configurator
from pyramid.path import AssetResolver

from myproject.exceptions import ConfigurationProblem
from myproject.extend.assets import ContentHashCacheBuster
from myproject.extend.points import SLOTS, BulkAction, Bundle, MenuItem, Override, Panel
from myproject.extend.registering import (
    absolute_spec,
    checked_name,
    existing_asset,
    extensions_of,
    origin_of,
    register,
)
from myproject.tree.node import Node
from myproject.tree.traversal import no_root

ONE_YEAR = 365 * 24 * 3600

#: Groups of screens between which people change.
TABS = ("page", "records", "site")


def add_slot_panel(
    config: Configurator,
    panel: Callable[[Any, Any], Any],
    slot: str,
    *,
    name: str | None = None,
    renderer: str | None = None,
    context: type | None = None,
    permission: str | None = None,
    order: int = 100,
) -> None:
    """Put something into a place of every page that is made for it.

    Example::

        def related(context, request):
            return {"pages": request.service(IRelated).of(context)}

        config.add_slot_panel(
            related, "after-content", renderer="related:templates/related.jinja2", context=Page
        )

    A panel that raises leaves the page as it would be without it: the error is logged, and shown
    in its place where ``myproject.development`` is on.

    :param panel: ``(context, request)`` -> values for the renderer; or, without a renderer, text
        (escaped), Markup, or None for nothing. With a renderer None also means nothing. The
        request is the page's own; *context* is None where the page is of no node.
    :param slot: ``head``, ``tools``, ``before-content``, ``after-content``, ``aside`` or
        ``footer``.
    :param name: unique within its slot; the add-on's and the panel's own when left out.
    :param renderer: asset spec of a template. It gets the panel's values, ``_`` and ``request``.
    :param context: class of the nodes it is for; all pages, those of no node as well, when left
        out.
    :param permission: what one needs to have at the context to see it.
    :param order: the smaller the earlier; the core's are multiples of 100.
    :raises pyramid.exceptions.ConfigurationConflictError: when two includes claim one name.
    :raises myproject.exceptions.ConfigurationProblem: when there is no such slot or template.
    """
    origin = origin_of(config)
    if slot not in SLOTS:
        raise ConfigurationProblem(
            f"There is no slot {slot!r}, which {origin} names. Slots: {', '.join(SLOTS)}."
        )
    spec = "" if renderer is None else existing_asset(config, renderer)
    own = getattr(panel, "__name__", type(panel).__name__)
    key = name or f"{origin.addon}:{own}"
    item = Panel(key, slot, panel, spec, context, permission, order, origin)
    extensions = extensions_of(config)
    register(config, "panels", (slot, key), item, lambda: extensions.add_panel(item))


def add_toolbar_action(
    config: Configurator,
    name: str,
    title: Any,
    *,
    view: str,
    context: type = Node,
    permission: str = "edit",
    order: int = 750,
    prominent: bool = False,
    shortcut: str = "",
) -> None:
    """Add something that people may want to do with the page at hand.

    Example::

        config.add_toolbar_action("print", "Print", view="print")

    It stands in the bar that people who work on a page have on it and on its screens: in the menu
    "More" there, and in that of its row on the screen of its parent's contents. It is left out
    where no such view is registered. The screen says with ``page_screen(..., current=name)`` that
    it is this one.

    :param name: unique among the actions.
    :param title: what the link says; a translation string where it is translated.
    :param view: name of the view that it leads to, without ``@@``.
    :param context: class of the nodes it is for.
    :param permission: shown to those who have it at the page.
    :param order: the smaller the earlier; the core's are from 100 to 900.
    :param prominent: whether it stands in the bar itself. There is little room: what is done many
        times a day.
    :param shortcut: a key that leads there for those who have not switched shortcuts off.
    :raises pyramid.exceptions.ConfigurationConflictError: when two includes claim one name.
    """
    _add_menu_item(
        config,
        *("actions", name, title, view, context, permission, order),
        prominent=prominent,
        shortcut=shortcut,
    )


def add_bulk_action(
    config: Configurator,
    name: str,
    title: Any,
    *,
    view: str,
    permission: str = "edit",
    order: int = 750,
    field: tuple[str, str] = ("", ""),
) -> None:
    """Add something that people may want to do with many pages at once.

    Example::

        config.add_bulk_action("tag", "Add a tag", view="tag-many", permission="edit")

    It is a button below the list of a page's contents. It posts to the view at that page, and
    nothing has been checked yet: ``ids`` (once for each chosen page, as text, in no order, at most
    1,000 of them) and ``back`` (the address to return to). The view looks up which of the pages
    there are, may be seen and lie where they were, and checks what it takes at each of them. It is
    left out where no such view is registered.

    :param name: unique among these actions.
    :param title: what the button says; a translation string where it is translated.
    :param view: name of the view, without ``@@``.
    :param permission: shown to those who have it at the page whose contents are listed.
    :param order: the smaller the earlier; the core's are from 100 to 900.
    :param field: name and value of one more field that is posted.
    :raises pyramid.exceptions.ConfigurationConflictError: when two includes claim one name.
    """
    checked_name(config, "bulk action", name)
    action = BulkAction(name, title, view, permission, order, field, origin_of(config))
    extensions = extensions_of(config)
    register(config, "bulk actions", name, action, lambda: extensions.add_bulk_action(action))


def add_tab(
    config: Configurator,
    name: str,
    title: Any,
    *,
    group: str,
    view: str,
    permission: str,
    context: type | None = None,
    order: int = 100,
) -> None:
    """Add a screen to those of the site, or of a page, between which people change.

    Screens of the site are tabs of one another. Those of a page stand in the page's bar, as what
    is registered with ``add_toolbar_action`` does; one screen need not be registered twice.

    Example::

        config.add_tab(
            "comments", "Comments", group="page", view="comments", permission="moderate"
        )

    :param name: unique within its group; the screen says with it which tab it is.
    :param title: what the tab says; a translation string where it is translated.
    :param group: ``page`` (screens about one page), ``records`` (about what happens to pages) or
        ``site`` (about the whole site).
    :param view: name of the view, without ``@@``; of a route at ``/@@view`` but for a page.
    :param permission: shown to those who have it at the page, in some place, or at the root.
    :param context: class of the nodes that have it, for the group ``page``.
    :param order: the smaller the earlier.
    :raises pyramid.exceptions.ConfigurationConflictError: when two includes claim one name.
    :raises myproject.exceptions.ConfigurationProblem: when there is no such group.
    """
    if group not in TABS:
        raise ConfigurationProblem(
            f"There are no tabs {group!r}, which {origin_of(config)} names: only {', '.join(TABS)}."
        )
    cls = (context or Node) if group == "page" else None
    _add_menu_item(config, group, name, title, view, cls, permission, order)


def _add_menu_item(
    config: Configurator,
    group: str,
    name: str,
    title: Any,
    view: str,
    context: type | None,
    permission: str,
    order: int,
    *,
    prominent: bool = False,
    shortcut: str = "",
) -> None:
    checked_name(config, "menu item", name)
    origin = origin_of(config)
    item = MenuItem(
        *(name, title, group, view, permission, context, order, origin), prominent, shortcut
    )
    category = "toolbar actions" if group == "actions" else "tabs"
    extensions = extensions_of(config)
    register(config, category, (group, name), item, lambda: extensions.add_menu_item(item))


def add_template_override(config: Configurator, template: str, by: str) -> None:
    """Have a template of one's own take the place of another: what themes are made of.

    Example::

        config.add_template_override(
            "myproject:templates/page.jinja2", "theme:templates/page.jinja2"
        )

    The new one may extend what it replaces: ``{% extends "original:myproject:templates/..." %}``.

    :param template: asset spec of what is replaced.
    :param by: asset spec of what is used instead.
    :raises pyramid.exceptions.ConfigurationConflictError: when two includes replace one template.
    :raises myproject.exceptions.ConfigurationProblem: when one of the two does not exist.
    """
    old, new = existing_asset(config, template), existing_asset(config, by)
    source = Path(AssetResolver().resolve(new).abspath()).read_text(encoding="utf-8")
    if re.search(
        rf"""\{{%-?\s*(?:extends|include|import|from)\s+["']{re.escape(old)}["']""", source
    ):
        raise ConfigurationProblem(
            f"{new} uses {old}, whose place it takes, and so itself. Write original:{old} there: "
            f"{origin_of(config)}."
        )
    override = Override(old, new, origin_of(config))
    extensions = extensions_of(config)
    register(
        config,
        "template overrides",
        old,
        override,
        lambda: extensions.overrides.__setitem__(old, override),
    )


def add_static_bundle(
    config: Configurator,
    name: str,
    folder: str,
    *,
    styles: Iterable[str] = (),
    scripts: Iterable[str] = (),
) -> None:
    """Serve a folder of static files, below ``/@@static-<name>/`` and with a hash in their URLs.

    Example::

        config.add_static_bundle("gallery", "gallery:static/", styles=["gallery.css"])

    Templates name one of the files ``{{ static_url("gallery:picture.svg") }}``.

    :param name: small letters, digits and hyphens.
    :param folder: asset spec.
    :param styles: paths of style sheets in it that every page loads, after those of the core.
    :param scripts: the same for scripts; they are loaded deferred.
    :raises pyramid.exceptions.ConfigurationConflictError: when two includes claim one name.
    :raises myproject.exceptions.ConfigurationProblem: when something of it does not exist.
    """
    checked_name(config, "static bundle", name)
    spec = absolute_spec(config, folder).rstrip("/") + "/"
    bundle = Bundle(name, spec, tuple(styles), tuple(scripts), origin_of(config))
    for path in ("", *bundle.styles, *bundle.scripts):
        if ".." in path.split("/"):
            raise ConfigurationProblem(f"{path!r} is outside of {spec}: {bundle.origin}.")
        existing_asset(config, spec + path)
    extensions = extensions_of(config)
    register(
        config,
        "static bundles",
        name,
        bundle,
        lambda: extensions.bundles.__setitem__(name, bundle),
    )
    config.add_static_view(f"@@static-{name}", spec, cache_max_age=ONE_YEAR, factory=no_root)
    config.add_cache_buster(spec, ContentHashCacheBuster())
