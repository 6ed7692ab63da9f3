"""Words, queries and excerpts: what needs no database."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markupsafe import Markup, escape

from myproject.addons.search.query import MOST_TERMS, any_of, parse
from myproject.addons.search.snippets import LENGTH, excerpt, marked
from myproject.addons.search.texts import plain
from myproject.addons.search.words import LONGEST, fold, spans_of, words_of


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Crème BRÛLÉE", ["creme", "brulee"]),
        ("Straße, ẞ", ["strasse", "ss"]),
        ("Łódź smørrebrød", ["lodz", "smorrebrod"]),
        ("İstanbul ΣΊΣΥΦΟΣ", ["istanbul", "σισυφοσ"]),
        ("config.toml foo_bar-baz", ["config", "toml", "foo", "bar", "baz"]),
        ("ﬁne ２０２６ x²", ["fine", "2026", "x2"]),
        ("co\u00adoperate", ["cooperate"]),
        ("東京tower", ["東", "京", "tower"]),
        ("…, “” — !", []),
        ("x" * 300, ["x" * LONGEST]),
        ("\0\ud800", []),
    ],
)
def test_words(text, words):
    assert words_of(text) == words


@given(st.text())
def test_folding_what_is_folded_changes_nothing(text):
    once = words_of(text)
    assert words_of(" ".join(once)) == once
    assert fold(fold(text)) == fold(text)


@given(st.text())
def test_words_as_they_are_written_become_the_same_words(text):
    spans, words = spans_of(text)
    assert len(spans) == len(words)
    assert all(0 <= start < end <= len(text) for start, end in spans)
    if text.isascii():
        assert words == words_of(text)


@pytest.mark.parametrize(
    ("text", "sqlite", "postgresql"),
    [
        ("one Two", '"one" AND "two"', "('one') & ('two')"),
        ('"one two" three', '"one two" AND "three"', "('one' <-> 'two') & ('three')"),
        ("a.b -c", '("a b") NOT ("c")', "('a' <-> 'b') & !('c')"),
        ('one -"two three', '("one") NOT ("two three")', "('one') & !('two' <-> 'three')"),
        ("inst* in*", '"inst"* AND "in"', "('inst':*) & ('in')"),
        ("well-known", '"well known"', "('well' <-> 'known')"),
        ("one one ONE", '"one"', "('one')"),
    ],
)
def test_queries(text, sqlite, postgresql):
    assert parse(text).for_sqlite == sqlite
    assert parse(text).for_postgresql == postgresql


@pytest.mark.parametrize("text", ["", "  ", "-", '"', '""', "*", "-word", '-"a b"', "'", "AND&|!"])
def test_queries_for_nothing(text):
    assert bool(parse(text)) is (text == "AND&|!")


def test_the_last_word_is_unfinished_while_typing():
    assert parse("one tw", typing=True).for_sqlite == '"one" AND "tw"*'
    assert parse("one tw ", typing=True).for_sqlite == '"one" AND "tw"'
    assert parse('one "tw"', typing=True).for_sqlite == '"one" AND "tw"'


def test_a_query_has_only_so_many_words():
    assert len(parse(" ".join(map(str, range(50)))).wanted) == MOST_TERMS
    assert any_of("to be instalation").for_sqlite == '"instal"*'


@given(st.text(), st.text())
def test_excerpts_are_safe_and_say_what_the_text_says(text, question):
    query = parse(question)
    shown = marked(text, query)
    assert isinstance(shown, Markup)
    assert shown.replace("<mark>", "").replace("</mark>", "") == escape(text)
    part = excerpt([text], query)
    bare = part.replace("<mark>", "").replace("</mark>", "").removeprefix("… ").removesuffix(" …")
    assert bare in escape(text)


def test_what_was_looked_for_is_marked():
    text = "Crème <b>brûlée</b> & config.toml"
    assert marked(text, parse("BRULEE config.toml")) == (
        "Crème &lt;b&gt;<mark>brûlée</mark>&lt;/b&gt; &amp; <mark>config.toml</mark>"
    )
    assert marked("Install, installing", parse("instal*")) == (
        "<mark>Install</mark>, <mark>installing</mark>"
    )
    assert marked("She installed it", parse("installing"), stemmed=True) == (
        "She <mark>installed</mark> it"
    )
    assert "<mark>" not in marked("uninstalled in stall", parse("installing"), stemmed=True)


def test_an_excerpt_is_taken_where_most_was_found():
    text = "one " + "filler " * 200 + "before one two three " + "filler " * 200
    part = excerpt(["", "other", text], parse("one two three"))
    assert "before <mark>one</mark> <mark>two</mark> <mark>three</mark>" in part
    assert part.startswith("… ")
    assert part.endswith(" …")
    assert len(part) < LENGTH + 80
    assert excerpt(["", "other"], parse("one")) == "other"
    assert excerpt([], parse("one")) == ""


def test_signs_beside_headings_are_no_text():
    html = '<h2 id="a">A <a class="anchor" href="#a" aria-label="Link > here">#</a></h2><p>b</p>'
    assert plain(html).split() == ["A", "b"]


def test_html_becomes_text():
    html = (
        '<p>One<em>word</em> <a title="a > b" href="#">link</a></p><ul><li>a</li><li>b</li></ul>'
        '<!-- no --><img src="x" alt="A &lt;cat&gt;"><pre><span class="k">def</span> f</pre>'
    )
    assert plain(html).split() == ["Oneword", "link", "a", "b", "A", "<cat>", "def", "f"]
