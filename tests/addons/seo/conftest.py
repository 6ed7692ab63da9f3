"""A site that search engines are told about."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from webtest import TestApp

from myproject.testing import Site

#: ``metas(client, path)``: property or name of each meta tag -> its content.
Metas = Callable[..., dict[str, str]]


@pytest.fixture
def site(make_site: Callable[..., Site]) -> Site:
    """A site with a guide of two parts."""
    site = make_site(addons="seo", site_title="Our site")
    site.add("/guide", "Text.", title="Guide", summary="How it is <done>")
    site.add("/guide/part", title="Part", nav_title="1")
    site.add("/guide/part/deep", title="Deep")
    return site


@pytest.fixture
def editor(site: Site) -> TestApp:
    """Somebody who may edit everything."""
    return site.sign_in("edith", "editor")


@pytest.fixture
def metas() -> Metas:
    def read(client: TestApp, path: str, **options: Any) -> dict[str, str]:
        tags = client.get(path, **options).html.head.find_all("meta")
        named = {tag.get("property") or tag.get("name"): tag.get("content") for tag in tags}
        return {name: content for name, content in named.items() if name}

    return read


@pytest.fixture
def say() -> Callable[..., Any]:
    """``say(editor, "/guide", noindex="page")``: fill the form of a page and send it."""

    def fill(client: TestApp, path: str, **values: str) -> Any:
        form = client.get(f"{path.rstrip('/')}/@@seo").forms["site-seo"]
        for name, value in values.items():
            form[name] = value
        return form.submit(expect_errors=True)

    return fill
