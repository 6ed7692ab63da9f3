"""The Markdown pipeline: what authors can write, and what hostile authors cannot."""

import re
from concurrent.futures import ThreadPoolExecutor
from html.parser import HTMLParser

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markupsafe import Markup

from myproject.content.markup import Heading, MarkdownRenderer, markup
from myproject.content.markup.inline import MAX_INLINE
from myproject.content.markup.rawhtml import MAX_NESTING
from myproject.content.markup.rules import MarkupRules
from myproject.content.markup.sanitizer import URL_SCHEMES

RENDERER = MarkdownRenderer()


def html(source, **options):
    return RENDERER.render(source, **options).html


class Collector(HTMLParser):
    """All start tags with their attributes, and whether tags were balanced."""

    def __init__(self, text):
        super().__init__()
        self.tags = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def all(self, name):
        return [attrs for tag, attrs in self.tags if tag == name]

    def values(self, attribute):
        return [attrs[attribute] for _, attrs in self.tags if attribute in attrs]


def assert_harmless(text):
    for tag, attrs in Collector(text).tags:
        assert tag not in {"script", "style", "iframe", "object", "svg", "math", "form", "base"}
        assert not [name for name in attrs if name.startswith("on") or name == "style"]
        for name in ("href", "src", "cite"):
            # As browsers read it: blanks before the scheme and line breaks anywhere do not count.
            url = re.sub(r"[\t\n\r]", "", attrs.get(name) or "").lstrip("\0 \x01\x1f")
            scheme = re.match(r"([a-z][a-z0-9+.-]*):", url, re.IGNORECASE)
            assert scheme is None or scheme[1].lower() in URL_SCHEMES
        if tag == "input":
            assert attrs["type"] == "checkbox"
            assert "disabled" in attrs


class TestInlineAndBlocks:
    @pytest.mark.parametrize(
        ("source", "expected"),
        [
            ("*a* **b** `c`", "<p><em>a</em> <strong>b</strong> <code>c</code></p>\n"),
            ("~~a~~ ~b~", "<p><s>a</s> <s>b</s></p>\n"),
            ("[a](/b 'c')", '<p><a href="/b" title="c">a</a></p>\n'),
            ("[a](node:12#part)", '<p><a href="node:12#part">a</a></p>\n'),
            ("[a](tel:+4930)", '<p><a href="tel:+4930">a</a></p>\n'),
            ("Term\n: Meaning", "<dl>\n<dt>Term</dt>\n<dd>Meaning</dd>\n</dl>\n"),
            ('{{< ref "x" >}} {{% y %}}', '<p>{{&lt; ref "x" &gt;}} {{% y %}}</p>\n'),
            ("    a < b\n", '<pre tabindex="0"><code>a &lt; b\n</code></pre>\n'),
            ("a\0b", "<p>a\ufffdb</p>\n"),
            ("", ""),
        ],
    )
    def test_renders(self, source, expected):
        assert html(source) == expected

    def test_images_load_lazily_in_markdown_and_html(self):
        images = Collector(html('![a](/b.png) <img src="/c.png" alt="d">')).all("img")
        assert [(i["src"], i["loading"]) for i in images] == [
            ("/b.png", "lazy"),
            ("/c.png", "lazy"),
        ]

    def test_table_scrolls_and_says_what_it_is(self):
        page = Collector(html("| a | `b` |\n|---|--:|\n| 1 | 2 |\n\n| c |\n|---|\n"))
        wraps = page.all("div")
        assert [wrap["aria-label"] for wrap in wraps] == ["Table 1: a, b", "Table 2: c"]
        assert wraps[0]["class"] == "table-wrap"
        assert (wraps[0]["tabindex"], wraps[0]["role"]) == ("0", "region")
        assert page.all("td")[1] == {"class": "text-end"}
        assert page.all("th")[1] == {"class": "text-end", "scope": "col"}

    def test_task_list_boxes_are_disabled_and_named(self):
        boxes = Collector(html("- [ ] a\n- [x] b")).all("input")
        assert [box["aria-label"] for box in boxes] == ["Incomplete task", "Completed task"]
        assert ["checked" in box for box in boxes] == [False, True]
        assert all("disabled" in box and box["type"] == "checkbox" for box in boxes)

    def test_footnotes_link_both_ways(self):
        page = Collector(html("a[^x] b[^x]\n\n[^x]: Note\n\n# fn:1"))
        links = {link["href"] for link in page.all("a")}
        assert {"#fn:1", "#fnref:1", "#fnref:1:2"} <= links
        ids = page.values("id")
        assert {"fn:1", "fnref:1", "fnref:1:2"} <= set(ids)
        assert len(ids) == len(set(ids))
        assert "Back to reference 1" in page.values("aria-label")

    def test_a_footnotes_label_is_short(self):
        label = "x" * 300
        assert "footnote" not in html(f"a[^{label}]\n\n[^{label}]: Note")

    def test_deep_nesting_within_the_limit_is_kept(self):
        assert html("> " * (MAX_NESTING - 1) + "deep").count("<blockquote>") == MAX_NESTING - 1

    def test_an_endless_paragraph_is_plain_text(self):
        assert "<em>" in html("*a* " + "b" * (MAX_INLINE - 4))
        assert "<em>" not in html("*a* " + "b" * MAX_INLINE)


class TestBareLinks:
    @pytest.mark.parametrize(
        ("source", "href", "label"),
        [
            ("see https://a.b/c_d_e.", "https://a.b/c_d_e", None),
            ("(https://a.b/c_(d))", "https://a.b/c_(d)", None),
            ("**https://a.b/**", "https://a.b/", None),
            ("_https://a.b_", "https://a.b", None),
            ("https://a.b/?x=1&y=2&amp;", "https://a.b/?x=1&y=2", None),
            ("HTTP://a.b", "HTTP://a.b", None),
            ("http://localhost:6543/x!", "http://localhost:6543/x", None),
            ("见https://a.b/x。", "https://a.b/x", None),
            ("www.example.com/a, b", "http://www.example.com/a", "www.example.com/a"),
            ("me@example.com.", "mailto:me@example.com", "me@example.com"),
            ("mailto:me@example.com", "mailto:me@example.com", None),
            ("| a |\n|---|\n| https://a.b |", "https://a.b", None),
            ("<https://a.b>", "https://a.b", None),
        ],
    )
    def test_links(self, source, href, label):
        text = html(source)
        (link,) = Collector(text).all("a")
        assert link["href"] == href
        shown = re.search(r"<a [^>]*>([^<]*)</a>", text)
        assert shown is not None
        assert shown[1].replace("&amp;", "&") == (label or href)

    @pytest.mark.parametrize(
        "source",
        [
            *("foo.md", "file.py", "run.sh", "github.io", "example.com", "a.b.c", "//a.b"),
            *("`https://a.b`", "git@github.com:a/b", "pkg@1.2.3", "www", "https://", "a://b.c"),
            *("xhttps://a.b", "svn+https://a.b", "https\\://a.b", "@user", "ftp://a.b"),
        ],
    )
    def test_leaves_alone(self, source):
        assert "<a" not in html(source)

    @pytest.mark.parametrize(
        "source",
        [
            "[https://a.b](https://c.d)",
            "[www.a.b](https://c.d)",
            "[x@a.bc](https://c.d)",
            '<a href="https://c.d">https://a.b www.a.b x@a.bc</a>',
        ],
    )
    def test_does_not_nest_links(self, source):
        assert [a["href"] for a in Collector(html(source)).all("a")] == ["https://c.d"]

    def test_looking_ahead_in_a_label_links_nothing(self):
        assert html("https[https://a.b](/c)") == '<p>https<a href="/c">https://a.b</a></p>\n'

    @pytest.mark.parametrize(
        ("source", "rel"),
        [
            ("[a](https://b.c)", "noopener noreferrer"),
            ("[a](//b.c)", "noopener noreferrer"),
            ("https://b.c", "noopener noreferrer"),
            ('<a rel="x" href="https://b.c">a</a>', "noopener noreferrer"),
            ("[a](/b)", None),
            ("[a](#b)", None),
            ("[a](node:1)", None),
            ("[a](mailto:a@b.c)", None),
        ],
    )
    def test_rel_only_where_the_link_leaves_the_site(self, source, rel):
        (link,) = Collector(html(source)).all("a")
        assert link.get("rel") == rel


class TestHeadings:
    @pytest.mark.parametrize(
        ("text", "slug"),
        [
            ("Installation", "installation"),
            ("Install on *Linux*", "install-on-linux"),
            ("The `--flag` option", "the---flag-option"),
            ("What's new? (2.0)", "whats-new-20"),
            ("Установка", "установка"),
            ("日本語 見出し", "日本語-見出し"),
            ("हिन्दी", "हिन्दी"),
            ("⚠️ Care", "-care"),
            ("[link](/x) text", "link-text"),
            ("A&amp;B", "ab"),
            ("?!", "section"),
            ("snake_case", "snake_case"),
        ],
    )
    def test_slugs_are_githubs(self, text, slug):
        (heading,) = RENDERER.render(f"## {text}").toc
        assert heading.id == slug

    def test_ids_are_unique(self):
        source = "# a\n\n# a\n\n# a-1\n\n# a\n\nb\n=\n\n<p id='b'>x</p>"
        page = RENDERER.render(source)
        assert [h.id for h in page.toc] == ["a", "a-1", "a-1-1", "a-2", "b-1"]
        ids = Collector(page.html).values("id")
        assert len(ids) == len(set(ids))

    def test_permalink_is_a_link_with_a_name(self):
        (link,) = Collector(html("## Set *up*")).all("a")
        assert link == {
            "class": "anchor",
            "href": "#set-up",
            "aria-label": "Link to this section: Set up",
        }

    def test_toc_has_levels_one_to_four_as_plain_text(self):
        source = "# A *b* `c` [d](/e) ![i](/i.png)\n## B & C\n### D\n#### E\n##### F\n##"
        assert RENDERER.render(source).toc == (
            Heading(1, "a-b-c-d", "A b c d"),
            Heading(2, "b--c", "B & C"),
            Heading(3, "d", "D"),
            Heading(4, "e", "E"),
        )

    @pytest.mark.parametrize("source", ["# The *title*\n\ntext", "The title\n===\ntext"])
    def test_repeated_title_is_dropped(self, source):
        page = RENDERER.render(source, title="The title")
        assert page.html == "<p>text</p>\n"
        assert page.toc == ()

    @pytest.mark.parametrize(
        "source", ["# Other", "## The title", "text\n\n# The title", "> # The title"]
    )
    def test_other_headings_stay(self, source):
        assert "<h" in html(source, title="The title")

    def test_dropping_the_title_moves_no_anchor(self):
        source = "# Same\n\n## Same"
        kept, dropped = RENDERER.render(source), RENDERER.render(source, title="Same")
        assert dropped.toc == kept.toc[1:]

    def test_headings_avoid_the_ids_of_the_page(self):
        renderer = MarkdownRenderer(reserved_ids=["site-main"])
        assert renderer.render("# Site main").toc[0].id == "site-main-1"


class TestAdmonitions:
    @pytest.mark.parametrize("kind", ["note", "tip", "important", "warning", "caution"])
    @pytest.mark.parametrize("spell", [str.upper, str.title])
    def test_kinds(self, kind, spell):
        assert html(f"> [!{spell(kind)}]\n> Text") == (
            f'<div class="admonition {kind}" role="note">\n'
            f'<p class="admonition-title">{kind.capitalize()}</p>\n<p>Text</p>\n</div>\n'
        )

    def test_custom_title(self):
        text = html("> [!TIP] A *good* one\n> Text\n>\n> - more")
        assert '<p class="admonition-title">A <em>good</em> one</p>\n<p>Text</p>\n<ul>' in text

    def test_text_after_a_blank_line(self):
        text = html("> [!TIP]\n>\n> Text")
        assert '<p class="admonition-title">Tip</p>\n<p>Text</p>\n</div>' in text

    def test_nested_in_a_quote_and_around_one(self):
        text = html("> quote\n>\n> > [!NOTE]\n> > a\n> >\n> > > inner")
        assert text.count("<blockquote>") == text.count("</blockquote>") == 2
        assert text.count("<div") == text.count("</div>") == 1

    @pytest.mark.parametrize(
        "source", ["> [!NOTE]", "> [!OTHER]\n> x", "> x [!NOTE]", "> [!NOTE](/x)", "> [!NOTE]x"]
    )
    def test_quotes_stay_quotes(self, source):
        assert html(source).startswith("<blockquote>")


class TestCode:
    def test_highlights_by_class(self):
        text = html("```python\nimport os\n```")
        assert '<span class="kn">import</span>' in text
        assert '<code class="highlight language-python">' in text
        assert "style=" not in text

    @pytest.mark.parametrize("info", ["", "nonsense", "{file}", '"><script>'])
    def test_unknown_language_is_escaped(self, info):
        assert html(f"```{info}\n<b> & \n```") == (
            '<pre tabindex="0"><code>&lt;b&gt; &amp; \n</code></pre>\n'
        )

    @pytest.mark.parametrize(
        "info",
        [
            'md {file="content/example.md" hl_lines=3}',
            "md {hl_lines=3 file='content/example.md'}",
            'md{file="content/example.md"}',
            "md {file=content/example.md}",
        ],
    )
    def test_file_becomes_the_caption(self, info):
        text = html(f"```{info}\n# a\n```")
        assert text.startswith(
            '<figure class="code"><figcaption>content/example.md</figcaption>'
            '<pre tabindex="0"><code class="highlight language-md"><span'
        )
        assert text.endswith("</pre>\n</figure>\n")

    def test_caption_is_escaped(self):
        text = html('```md {file="<script>&"}\n```')
        assert "<figcaption>&lt;script&gt;&amp;</figcaption>" in text

    def test_code_is_unchanged(self):
        code = "\n\n  a <b> 'c' \"d\" &amp;\n\n"
        text = html(f"```html\n{code}\n```")
        (body,) = re.findall(r"<code[^>]*>(.*)</code>", text, re.DOTALL)
        assert Markup(re.sub(r"<[^>]*>", "", body)).unescape() == f"{code}\n"


class TestSanitising:
    @pytest.mark.parametrize(
        "source",
        [
            "<script>alert(1)</script>",
            "a <script>alert(1)</script>",
            "<scr<script>ipt>alert(1)</script>",
            "<div><script>\n\nalert(1)\n",
            "<img src=x onerror=alert(1)>",
            "<img src='x' ONERROR = 'alert(1)' style=\"x:y\">",
            "<a href='javascript:alert(1)'>x</a>",
            "<a href=' &#106;avascript:alert(1)'>x</a>",
            "<a href='java\tscript:alert(1)'>x</a>",
            "<a href='java&#10;script:alert(1)'>x</a>",
            "<a href='JaVaScRiPt&colon;alert(1)'>x</a>",
            "<a href='\x01javascript:alert(1)'>x</a>",
            "<a href='vbscript:x'>x</a> <a href='data:text/html,x'>y</a>",
            "[x](javascript:alert(1))",
            "[x](<java&#x73;cript:alert(1)>)",
            "[x](JAVASCRIPT:alert(1))",
            "[x](\\javascript:alert(1))",
            "[x](&#1;javascript:alert(1))",
            "[x]\n\n[x]: javascript:alert(1)",
            "<javascript:alert(1)>",
            "![x](data:image/svg+xml;base64,x) ![x](data:image/png;base64,x)",
            "<svg onload=alert(1)><math><mi xlink:href='javascript:x'>",
            "<iframe src='//x'></iframe><object data=x><embed src=x><form><base href=x>",
            "<style>*{}</style><link rel=stylesheet href=x><meta http-equiv=refresh>",
            "<input type=text name=password autofocus onfocus=alert(1)>",
            "<div style='position:fixed' onclick=alert(1)>x</div>",
            '```"onmouseover=alert(1)\nx\n```',
            '[x](/y "\\" onclick=\\"alert(1)")',
            "# <img onerror=alert(1)>",
            "<noscript><p title='</noscript><img src=x onerror=alert(1)>'>",
            "<textarea><script>alert(1)</script></textarea><xmp><plaintext><title>",
        ],
    )
    def test_hostile(self, source):
        text = html(source)
        assert_harmless(text)
        assert "<script" not in text

    @pytest.mark.parametrize(
        ("source", "expected"),
        [
            ("<kbd>a</kbd><sub>b</sub><br>", "<p><kbd>a</kbd><sub>b</sub><br></p>\n"),
            (
                "<details open>\n<summary>a</summary>\n\n*b*\n\n</details>",
                '<details open="">\n<summary>a</summary>\n<p><em>b</em></p>\n</details>',
            ),
            ("a <!-- b --> c", "<p>a  c</p>\n"),
            ("<marquee>a</marquee>", "<p>a</p>\n"),
            ("a <script>b</script> c", "<p>a  c</p>\n"),
            ("<b>a\n\nb", "<p><b>a</b></p>\n<p>b</p>\n"),
            ("a</div></section>b", "<p>ab</p>\n"),
            ("> <div>\n> a\n\nb", "<blockquote>\n<div>\na\n</div></blockquote>\n<p>b</p>\n"),
            ("<b><i>x</b></i>", "<p><b><i>x</i></b></p>\n"),
            ("<div><p>a<p>b</div>", "<div><p>a</p><p>b</p></div>"),
            ("<div>a < b</div>", "<div>a &lt; b</div>"),
        ],
    )
    def test_raw_html(self, source, expected):
        assert html(source) == expected

    def test_only_our_classes_survive(self):
        source = '<div class="admonition fixed-top">a</div> <span class="btn k">b</span>'
        assert Collector(html(source)).values("class") == ["admonition", "k"]

    @pytest.mark.parametrize(
        ("attributes", "ids"),
        [
            ("id=own", ["own"]),
            ('ID="own"', ["own"]),
            ("id=site-main", []),
            ("id='&#115;ite-main'", []),
            ("id=fn:1", []),
            ("id='a b'", []),
            ("id=''", []),
            ("title=' id=x' id=own", ["own"]),
            ("title=' id=\"' id=site-main lang='\"'", []),
        ],
    )
    def test_ids_cannot_be_those_of_the_page(self, attributes, ids):
        assert Collector(html(f"<div {attributes}>a</div>")).values("id") == ids

    def test_first_of_two_equal_ids_wins(self):
        assert Collector(html("<p id=a>x</p>\n\n<p id=a>y</p>")).values("id") == ["a"]

    @pytest.mark.parametrize(
        "pattern",
        [
            *("[", ">", "*", "![", "[^", "<", "`", "_a ", "a://", "http://a.b/(", "<!--", "\0"),
            *("<b>\n\na\n\n", "<div>", "- a\n  ", "[a](", "&", "> - ", "<table><td>"),
        ],
    )
    def test_survives_a_flood(self, pattern):
        text = html(pattern * (20_000 // len(pattern)))
        assert len(text) < 1_000_000
        assert_harmless(text)

    @pytest.mark.parametrize("pattern", ["[", ">", "*"])
    def test_survives_a_megabyte(self, pattern):
        assert len(html(pattern * 1_000_000)) < 10_000_000

    def test_unclosed_formatting_does_not_multiply(self):
        source = "".join(f"<b title={i}>" for i in range(200)) + "\n\na" * 500
        assert html(source).count("<b") <= MAX_NESTING

    @pytest.mark.parametrize(("opening", "closing"), [("![", "](x)"), ("[", "](x)"), ("> - ", "")])
    def test_deep_nesting_leaves_room_on_the_stack(self, opening, closing):
        source = opening * 500 + "x" + closing * 500

        def called_from(depth):
            return html(source) if depth == 0 else called_from(depth - 1)

        assert called_from(300)

    FRAGMENTS = st.sampled_from(
        [
            *(
                "<script>",
                "</script>",
                "<a href='",
                "javascript:",
                "x'>",
                "<img src=",
                "\n\n",
                "\n",
            ),
            *("](", ")", "[", "![", "<div ", "onclick=", ">", '"', "`", "```", "&#106;", "data:"),
            *("<style>", "<svg>", "<!--", "-->", "> [!NOTE] ", "- [ ] ", "[^1]", "[^1]: ", "|-|\n"),
            *(
                "| a |\n",
                "<b>",
                "</b>",
                "<td>",
                "</table>",
                "# ",
                ": ",
                "https://",
                "www.",
                "a@b.c",
            ),
        ]
    )

    @given(st.lists(st.one_of(FRAGMENTS, st.text(max_size=5)), max_size=30).map("".join))
    @settings(deadline=None, max_examples=300)
    def test_anything_renders_and_is_harmless(self, source):
        page = RENDERER.render(source)
        assert "<script" not in page.html
        assert_harmless(page.html)
        ids = Collector(page.html).values("id")
        assert len(ids) == len(set(ids))
        assert {heading.id for heading in page.toc} <= set(ids)


class TestRenderer:
    def test_plugins_and_their_classes(self):
        def shout(md):
            md.add_render_rule("em_open", lambda *_: '<em class="loud rude" onclick="x">')

        plain = MarkdownRenderer(MarkupRules({"shout": shout})).render("*a*").html
        loud = MarkupRules({"shout": shout})
        loud.allow("em", [], ["loud"])
        assert Collector(plain).all("em") == [{"class": ""}]
        assert 'class="loud"' in MarkdownRenderer(loud).render("*a*").html

    def test_renderers_do_not_share_plugins(self):
        MarkdownRenderer(MarkupRules({"plain": lambda md: md.disable("emphasis")}))
        assert "<em>" in MarkdownRenderer().render("*a*").html

    def test_threads_get_the_same_as_one(self):
        sources = [
            f"# H{i}\n\na[^{i}] *b* [c](/{i})\n\n[^{i}]: Note {i}\n\n```python\nx = {i}\n```\n"
            for i in range(60)
        ]
        expected = [RENDERER.render(source) for source in sources]
        fresh = MarkdownRenderer()
        with ThreadPoolExecutor(8) as pool:
            assert list(pool.map(fresh.render, sources)) == expected

    def test_markup_is_the_same_text(self):
        assert markup("<b>a</b>") == Markup("<b>a</b>")
        assert isinstance(markup("x"), Markup)
