"""Static files: served below ``/@@static``, which no node can be named, with a hash of each file
in its URL, so that browsers may keep them for a year and still never show an old one."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

from pyramid.config import Configurator
from pyramid.path import AssetResolver
from pyramid.static import QueryStringCacheBuster

from myproject.registry import registry_of

STATIC = "myproject:static/"
ONE_YEAR = 365 * 24 * 3600


class ContentHashCacheBuster(QueryStringCacheBuster):
    """Adds the first digits of a file's SHA-256 to its URL; each file is hashed once."""

    def __init__(self) -> None:
        super().__init__(param="v")
        self._tokens: dict[str, str] = {}

    def tokenize(self, request: Any, subpath: str, kw: dict[str, Any]) -> str:
        """Return the token for the file that the asset spec in *kw* names."""
        spec = kw["pathspec"]
        if spec not in self._tokens:
            descriptor = AssetResolver().resolve(spec)
            content = Path(descriptor.abspath()).read_bytes() if descriptor.exists() else b""
            self._tokens[spec] = hashlib.sha256(content).hexdigest()[:12]
        return self._tokens[spec]


class StaticURLs:
    """URLs of our own static files, each computed once for each place the site is mounted at."""

    def __init__(self) -> None:
        self._urls: dict[tuple[str, str], str] = {}

    def __call__(self, request: Any, name: str) -> str:
        """Return the URL path of the file *name* below ``static/``."""
        key = (request.mount, name)
        if key not in self._urls:
            self._urls[key] = request.static_url(STATIC + name, _app_url=request.mount)
        return self._urls[key]


def no_root(request: Any) -> dict[str, Any]:
    """Root factory of static routes: there is nothing to load."""
    return {}


def includeme(config: Configurator) -> None:
    """Serve the static files."""
    config.add_static_view("@@static", STATIC, cache_max_age=ONE_YEAR, factory=no_root)
    config.add_cache_buster(STATIC, ContentHashCacheBuster())
    registry_of(config).static_urls = StaticURLs()
