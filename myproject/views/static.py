"""Static files: ours below ``/@@static``, those of add-ons below ``/@@static-NAME``: no node can be
named so."""

from __future__ import annotations

from typing import Any

from pyramid.config import Configurator

from myproject.extend.assets import ContentHashCacheBuster
from myproject.extend.screens import ONE_YEAR
from myproject.registry import registry_of
from myproject.tree.traversal import no_root

STATIC = "myproject:static/"


class StaticURLs:
    """URLs of static files, each computed once for each place the site is mounted at."""

    def __init__(self) -> None:
        self._urls: dict[tuple[str, str], str] = {}

    def __call__(self, request: Any, name: str) -> str:
        """Return the URL path of the file *name* below ``static/``, or in ``bundle:name``."""
        key = (request.mount, name)
        if key not in self._urls:
            bundle, _, path = name.rpartition(":")
            folder = request.registry.extensions.bundles[bundle].folder if bundle else STATIC
            self._urls[key] = request.static_url(folder + path, _app_url=request.mount)
        return self._urls[key]


def includeme(config: Configurator) -> None:
    """Serve the static files."""
    config.add_static_view("@@static", STATIC, cache_max_age=ONE_YEAR, factory=no_root)
    config.add_cache_buster(STATIC, ContentHashCacheBuster())
    registry_of(config).static_urls = StaticURLs()
