"""What every screen's template needs, and the Jinja2 environment they share."""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Sequence
from functools import cache, partial
from importlib.metadata import version
from pathlib import Path
from typing import Any, NamedTuple

import pyramid_jinja2
from pyramid.config import Configurator
from pyramid.csrf import get_csrf_token
from pyramid.events import ApplicationCreated
from pyramid.i18n import Localizer, TranslationString

from myproject.registry import SiteRegistry, registry_of
from myproject.security.identity import Identity
from myproject.tree.node import Node
from myproject.tree.urls import quote_segment
from myproject.views.addresses import here, sign_in_url
from myproject.views.bar import bar_of
from myproject.views.forms import has_notices, notices
from myproject.views.languages import language_tag, languages_of
from myproject.views.menus import record_tabs, site_tabs
from myproject.views.outline import sidebar_of
from myproject.views.slots import Slots
from myproject.views.times import to_local, zone_name_of

TEMPLATES = "myproject:templates/"

#: Kinds of files that decide what a page looks like.
SHAPING = frozenset({".py", ".jinja2", ".css", ".js", ".svg", ".mo", ".html"})
DOMAIN = "myproject"

#: What including ``pyramid_jinja2`` would add. It would also go through the whole call stack and
#: its source, for the package whose templates may go without one in their name; ours never do.
DIRECTIVES = (
    pyramid_jinja2.add_jinja2_renderer,
    pyramid_jinja2.add_jinja2_search_path,
    pyramid_jinja2.add_jinja2_extension,
    pyramid_jinja2.get_jinja2_environment,
)


class Messages(dict[str, str]):
    """The translations into one language of what our templates say, each looked up once.

    Only literals of templates get here, so it cannot grow beyond them.
    """

    def __init__(self, localizer: Localizer) -> None:
        super().__init__()
        self.localizer = localizer

    def __missing__(self, message: str) -> str:
        translated = self.localizer.translate(message, domain=DOMAIN)
        self[message] = translated
        return translated


class Item(NamedTuple):
    """A link to a place, as lists and navigation show it."""

    title: str
    url: str
    summary: str = ""


class MessagesByLocale:
    """The messages of each language that requests have asked for."""

    def __init__(self) -> None:
        self._messages: dict[str, Messages] = {}

    def __call__(self, request: Any) -> Messages:
        """Return the messages in the language of *request*."""
        locale = request.locale_name
        if locale not in self._messages:
            self._messages[locale] = Messages(request.localizer)
        return self._messages[locale]


def locale_of(request: Any) -> str:
    """Return the language of the screens: the person's or the site's, whatever a cookie or a
    parameter says.

    Nobody is looked up for it: what is the same for all, and what fails with the database, is in
    the site's language.
    """
    identity, registry = request.recognized, request.registry
    if identity is not None and identity.preferences.language in registry.languages:
        return identity.preferences.language
    return registry.settings["myproject.locale"]


def speak(request: Any, identity: Identity) -> None:
    """Go on in the language that *identity* has just chosen."""
    request.signed_in = identity
    for name in ("locale_name", "localizer"):
        request.__dict__.pop(name, None)


class Account(NamedTuple):
    """The corner of the header that is about whoever looks at the page.

    :ivar sign_in: where to sign in, for somebody who is not.
    :ivar title: what the person is called; empty for nobody.
    :ivar links: what the person may want to do.
    :ivar here: where to go on after signing out.
    :ivar at: path of the page at hand below the virtual root, of which the palette shows what can
        be done.
    :ivar shortcuts: whether single keys do something.
    """

    sign_in: str
    title: str = ""
    links: Sequence[Item] = ()
    here: str = ""
    at: str = "/"
    shortcuts: bool = True


def account_of(request: Any) -> Account:
    """Return the corner for whoever asks."""
    identity = request.signed_in
    if identity is None:
        return Account(sign_in_url(request))
    _, mount = request.registry.messages(request).__getitem__, request.mount
    links = [Item(_("Your account"), f"{mount}/@@account")]
    links += [Item(tab.title, tab.url) for tab in record_tabs(request)]
    if tabs := site_tabs(request):
        links.append(Item(_("Manage the site"), tabs[0].url))
    at = "/" if node_of(request) is None else request.canonical_base.removeprefix(mount)
    shortcuts = identity.preferences.shortcuts
    return Account("", identity.title, links, here(request), at, shortcuts)


def node_of(request: Any) -> Node | None:
    """Return the node that the page is of; None for a page that is of none, such as an error."""
    context = getattr(request, "context", None)
    is_error = getattr(request, "exception", None) is not None
    return context if isinstance(context, Node) and request.lineage and not is_error else None


def layout(
    request: Any, title: Any, description: str = "", *, account: bool = True
) -> dict[str, Any]:
    """Return the variables of ``layout.jinja2`` that do not depend on a node.

    :param title: a text, or a translation string, which is translated.
    :param account: whether to say who is signed in, which may take a statement.
    """
    registry = request.registry
    # First, because in whose language the rest is follows from it.
    who = account_of(request) if account else None
    if isinstance(title, TranslationString):
        title = request.localizer.translate(title)
    locale, content = request.locale_name, registry.settings["myproject.locale"]
    return {
        # Quicker than the Jinja2 extension's, which looks for the request at every call.
        "_": registry.messages(request).__getitem__,
        "lang": language_tag(locale),
        "content_lang": "" if locale == content else language_tag(content),
        "csp_nonce": request.csp_nonce,
        "csrf_token": partial(get_csrf_token, request),
        "notices": partial(notices, request),
        "flashed": False,
        "tabs": (),
        "bar": None,
        "sidebar": None,
        "alone": False,
        "revision": None,
        "shown_draft": None,
        "site_title": registry.settings["myproject.site_title"],
        "mount": request.mount,
        "root_url": request.mount + "/",
        "account": who,
        "static_url": partial(registry.static_urls, request),
        "bundles": registry.extensions,
        "slot": Slots(request, node_of(request), anybody=not account),
        "local": partial(to_local, request),
        "time_zone": partial(zone_name_of, request),
        "title": title,
        "description": description,
        "canonical": None,
        "crumbs": (),
    }


def node_layout(request: Any, node: Node, query: str = "") -> dict[str, Any]:
    """Return the layout's variables for a screen of *node*."""
    values = layout(request, node.title, node.summary)
    shown = request.shown_revision
    values["revision"] = shown
    values["shown_draft"] = request.shown_draft
    current = "draft" if request.shown_draft is not None else ""
    values["bar"] = bar_of(request, node, current if shown is None else "history")
    if shown is None:
        values["canonical"] = request.canonical_host + request.canonical_base + query
    values["crumbs"] = crumbs(request)
    if has_notices(request):
        # Screens have a place of their own for them.
        values.update(flashed=True, here_url=here(request))
    return values


def page_screen(
    request: Any, node: Node, title: Any, current: str, **values: Any
) -> dict[str, Any]:
    """Return the variables of a screen about *node*, one of those in the node's bar.

    :param title: a translation string.
    :param current: name of the toolbar action that leads to it, which the bar marks.
    """
    request.response.cache_control = "no-store"
    url = request.canonical_base
    return {
        **layout(request, title),
        "node": node,
        "node_url": url,
        "crumbs": [*crumbs(request), Item(node.label, url)],
        "bar": bar_of(request, node, current),
        # Not looked for by screens that are only a part of one.
        "sidebar": partial(sidebar_of, request, node),
        **values,
    }


def crumbs(request: Any) -> list[Item]:
    """Return the places above the context, from the (virtual) root down.

    Those whose type is switched off have no page, and those that whoever asks may not view are
    none of their business, so they are left out.
    """
    pages = request.visibility.pages
    top, *below = request.lineage[len(request.virtual_root_path) :]
    items, url = [Item(top.label, request.mount + "/")], request.mount
    for node in below:
        url = f"{url}/{quote_segment(node.name)}"
        if request.content_types.get(node.type) is not None and node.boundary_id in pages:
            items.append(Item(node.label, url))
    return items[:-1]


def fingerprint(registry: SiteRegistry) -> str:
    """Return a short hash of what shapes every page besides content: code, templates, settings."""
    digest = hashlib.sha256(version("myproject").encode())
    digest.update(_digest_of_core())
    for addon in registry.addons:
        digest.update(_digest_of(_source_of(addon)))
    for key, value in sorted(registry.settings.items(), key=str):
        if key.startswith("myproject."):
            digest.update(f"{key}={value}".encode())
    return digest.hexdigest()[:10]


@cache
def _digest_of_core() -> bytes:
    """Return a hash of the core's own files, which this process runs as it has found them."""
    here = Path(__file__).parent.parent
    folders = ("templates", "views", "static", "locale")
    return b"".join(_digest_of(here / name) for name in folders)


def _digest_of(path: Path) -> bytes:
    """Return a hash of what shapes pages in a folder, or of one file."""
    digest = hashlib.sha256(path.name.encode())
    for file in sorted(path.rglob("*")) if path.is_dir() else [path]:
        if file.suffix in SHAPING and file.is_file():
            digest.update(file.read_bytes())
    return digest.digest()


def _source_of(addon: Any) -> Path:
    """Return the folder of an add-on that is a package, the file of one that is a module."""
    module = sys.modules[addon.module]
    file = Path(getattr(module, "__file__", None) or addon.module)
    return file.parent if file.name == "__init__.py" else file


def _finish(event: Any) -> None:
    # Not before: add-ons declare settings and have catalogs, too.
    registry = event.app.registry
    registry.fingerprint = fingerprint(registry)
    registry.languages = languages_of(registry)


def includeme(config: Configurator) -> None:
    """Set up Jinja2 for our own templates."""
    for directive in DIRECTIVES:
        config.add_directive(directive.__name__, directive)
    config.add_jinja2_renderer(".jinja2")
    config.add_translation_dirs("myproject:locale/")
    config.set_locale_negotiator(locale_of)
    registry_of(config).messages = MessagesByLocale()
    config.add_subscriber(_finish, ApplicationCreated)
