"""Static files with a hash of each one in its URL, so that browsers may keep them for a year and
still never show an old one."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

from pyramid.path import AssetResolver
from pyramid.static import QueryStringCacheBuster


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
