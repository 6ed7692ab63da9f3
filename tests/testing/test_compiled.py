"""Templates of test sites are compiled once, and again for whoever would have them different."""

from __future__ import annotations

from typing import Any

import pytest
from jinja2 import DictLoader, Environment, StrictUndefined

from myproject.testing import sqlite_only
from myproject.testing.compiled import CompiledTemplates
from myproject.testing.sites import COMPILED


def shout(text: str) -> str:
    return f"{text}!"


def render(cache: CompiledTemplates, source: str, filters: Any = None, **options: Any) -> str:
    environment = Environment(loader=DictLoader({"a": source}), bytecode_cache=cache, **options)
    environment.filters.update(filters or {})
    return environment.get_template("a").render(x="<x>")


@pytest.fixture
def compiled(monkeypatch) -> list[str]:
    """The names of the templates that were compiled."""
    names = []
    compiling = Environment.compile

    def listen(self, source, name=None, *args: Any, **kw: Any) -> Any:
        names.append(name)
        return compiling(self, source, name, *args, **kw)

    monkeypatch.setattr(Environment, "compile", listen)
    return names


def test_the_same_is_compiled_once(compiled):
    cache = CompiledTemplates()
    assert [render(cache, "{{ x }}") for _ in range(3)] == ["<x>"] * 3
    assert compiled == ["a"]


@pytest.mark.parametrize(
    ("source", "options", "expected"),
    [
        ("{{ x }}", {"autoescape": True}, "&lt;x&gt;"),
        ("{{ 'a'|upper }}", {"filters": {"upper": shout}}, "a!"),
        ("{{ 'a' is upper }}", {"extensions": ["jinja2.ext.i18n"]}, "False"),
        ("{{ 'a' }}", {"finalize": shout}, "a!"),
        ("{{ x }}", {"undefined": StrictUndefined}, "<x>"),
        ("{{ x }}", {"variable_start_string": "((", "variable_end_string": "))"}, "{{ x }}"),
    ],
)
def test_what_would_come_out_differently_is_compiled_again(compiled, source, options, expected):
    cache = CompiledTemplates()
    plain = render(cache, source)
    assert render(cache, source, **options) == expected
    assert render(cache, source) == plain
    assert compiled == ["a", "a"]


def test_a_template_that_has_changed_is_compiled_again(compiled):
    cache = CompiledTemplates()
    assert [render(cache, source) for source in ("a", "b", "a")] == ["a", "b", "a"]
    assert compiled == ["a", "a"]


@sqlite_only
def test_sites_share_what_they_compile(make_site, compiled):
    make_site().client.get("/")
    compiled.clear()
    site = make_site()
    assert site.registry.templates.bytecode_cache is COMPILED
    site.client.get("/")
    assert compiled == []
    # An add-on that brings a filter may have had a say in how constants come out.
    other = make_site(lambda config: config.add_jinja2_renderer(".other"))
    other.registry.templates.filters["upper"] = shout
    other.client.get("/")
    assert "myproject:templates/page.jinja2" in compiled
