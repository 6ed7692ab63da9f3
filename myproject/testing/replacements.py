"""What has to hold for the utilities that an add-on can replace, as suites of tests.

::

    class TestMyMailer(MailerContract):
        @pytest.fixture
        def mailer(self):
            return MyMailer()
"""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from zope.interface.verify import verifyObject

from myproject.interfaces import IMailer, IMarkdownRenderer
from myproject.mail import compose

#: Markdown -> what of it no page may have.
HOSTILE = {
    "<script>alert(1)</script>": r"<script",
    '<img src="x" onerror="alert(1)">': r"onerror",
    "[a](javascript:alert(1))": r'href="javascript:',
    '<a href="JaVaScRiPt:alert(1)">a</a>': r'(?i)href="javascript:',
    '<iframe src="https://example.org"></iframe>': r"<iframe",
    '<p style="position:fixed">a</p>': r"style=",
    "<form action='/@@sign-out'><button>a</button></form>": r"<form",
}


class MailerContract:
    """Tests of a mailer; a subclass has a fixture ``mailer``."""

    @pytest.fixture
    def mailer(self) -> Any:
        raise NotImplementedError("Return the mailer under test.")

    def test_it_provides_the_interface(self, mailer: Any) -> None:
        assert verifyObject(IMailer, mailer)
        assert isinstance(mailer.is_working, bool)

    def test_it_takes_a_message_and_leaves_it_alone(self, mailer: Any) -> None:
        message = compose("site@example.org", "ann@example.org", "Grüße", "Schöne Grüße.\n")
        before = bytes(message)
        assert mailer.send(message) is None
        assert bytes(message) == before

    def test_several_threads_can_send_at_once(self, mailer: Any) -> None:
        messages = [
            compose("site@example.org", "ann@example.org", f"Letter {number}", "Text.\n")
            for number in range(8)
        ]
        with ThreadPoolExecutor(4) as pool:
            assert list(pool.map(mailer.send, messages)) == [None] * 8


class MarkdownRendererContract:
    """Tests of a Markdown renderer; a subclass has a fixture ``renderer``."""

    @pytest.fixture
    def renderer(self) -> Any:
        raise NotImplementedError("Return the renderer under test.")

    def test_it_provides_the_interface(self, renderer: Any) -> None:
        assert verifyObject(IMarkdownRenderer, renderer)

    def test_nothing_makes_nothing(self, renderer: Any) -> None:
        rendered = renderer.render("")
        assert str(rendered.html).strip() == ""
        assert list(rendered.toc) == []

    def test_text_becomes_html(self, renderer: Any) -> None:
        html = renderer.render("Some *words* & more.", title="A title").html
        assert "<em>words</em>" in html
        assert "&amp;" in html

    @pytest.mark.parametrize(("source", "harm"), HOSTILE.items())
    def test_what_does_harm_is_left_out(self, renderer: Any, source: str, harm: str) -> None:
        assert not re.search(harm, str(renderer.render(source).html))

    def test_references_to_pages_stay_as_they_are(self, renderer: Any) -> None:
        """They become addresses when a page is shown, and are counted when it is saved."""
        assert 'href="node:7"' in renderer.render("[seven](node:7)").html

    def test_headings_can_be_linked_to(self, renderer: Any) -> None:
        rendered = renderer.render("## One\n\n### Two *words*\n\n## One\n")
        toc = [(heading.level, heading.text) for heading in rendered.toc]
        assert toc == [(2, "One"), (3, "Two words"), (2, "One")]
        ids = [heading.id for heading in rendered.toc]
        assert len(set(ids)) == 3
        for name in ids:
            assert f'id="{name}"' in rendered.html

    def test_the_same_source_is_the_same_page_in_every_thread(self, renderer: Any) -> None:
        source = "## A heading\n\nText with a note[^1].\n\n[^1]: The note.\n"
        with ThreadPoolExecutor(4) as pool:
            rendered = list(pool.map(renderer.render, [source] * 16))
        assert len({str(page.html) for page in rendered}) == 1
