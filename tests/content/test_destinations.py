"""Destinations in Markdown source: what is found, and that nothing else is ever changed."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from myproject.content import destinations
from myproject.content.destinations import link_destinations, rewrite_destinations
from myproject.content.markup.inline import MAX_INLINE
from myproject.content.markup.renderer import base_parser


def to_new(destination):
    return f"/new{destination}" if destination.startswith("/") else None


def meaning(source):
    """The hrefs of links, and everything else that tokens say, by a parser of its own."""
    hrefs, others = [], []

    def walk(tokens):
        for token in tokens:
            if token.type == "link_open":
                hrefs.append(token.attrs["href"])
                others.append(("link", token.attrs.get("title")))
            else:
                content = token.content if token.type != "inline" else ""
                others.append((token.type, token.tag, content, token.info, token.attrs))
            if token.type != "image":
                walk(token.children or ())

    walk(base_parser().parse(source, {}))
    return hrefs, others


class TestRewrite:
    @pytest.mark.parametrize(
        ("source", "expected"),
        [
            ("[a](/b)", "[a](/new/b)"),
            ('[a](/b "/b")', '[a](/new/b "/b")'),
            ("[a]( /b\n'c' )", "[a]( /new/b\n'c' )"),
            ("[a](</b c>)", "[a](</new/b c>)"),
            ("[a](</b>)", "[a](</new/b>)"),
            ("[a](/b(c)d)", "[a](/new/b(c)d)"),
            ("[/b](/b) /b", "[/b](/new/b) /b"),
            ("[a](/b) *[c](/d)* [e](f)", "[a](/new/b) *[c](/new/d)* [e](f)"),
            ("[a *b* `](/x)` c](/d)", "[a *b* `](/x)` c](/new/d)"),
            ("[![i](/i.png)](/b)", "[![i](/i.png)](/new/b)"),
            ("![i [a](/b)](/i.png)", "![i [a](/b)](/i.png)"),
            ("[a]: /b\n\n[a]", "[a]: /new/b\n\n[a]"),
            ("[a]: </b c> 'd'\n\n[a][]", "[a]: </new/b c> 'd'\n\n[a][]"),
            ("[a]:\n  /b\n  'd'", "[a]:\n  /new/b\n  'd'"),
            ("> - [a]:\n>   /b\n", "> - [a]:\n>   /new/b\n"),
            ("[a]: /b\n[a]: /c", "[a]: /new/b\n[a]: /new/c"),
            ("[a\\]]: /b", "[a\\]]: /new/b"),
            ("[x][a](/b)\n\n[a]: /c", "[x][a](/b)\n\n[a]: /new/c"),
            ("> a\n>  [b](/c)\nd [e](/f)", "> a\n>  [b](/new/c)\nd [e](/new/f)"),
            ("1.  a\n\n\tb [c](/d)", "1.  a\n\n\tb [c](/new/d)"),
            ("## [a](/b) ##", "## [a](/new/b) ##"),
            ("[a](/b)\n===", "[a](/new/b)\n==="),
            ("- [ ] [a](/b)", "- [ ] [a](/new/b)"),
            ("T [a](/b)\n: D [c](/d)", "T [a](/new/b)\n: D [c](/new/d)"),
            ("a[^1]\n\n[^1]: b [c](/d)", "a[^1]\n\n[^1]: b [c](/new/d)"),
            (
                "| `[a](/b)` | [a](/b) |\n|--|--|\n| x\\|[c](/d) | [a](/b) |",
                "| `[a](/b)` | [a](/new/b) |\n|--|--|\n| x\\|[c](/new/d) | [a](/new/b) |",
            ),
            ("[a](/b)\r\n[c](/d)\r[e](/f)\r\n", "[a](/new/b)\r\n[c](/new/d)\r[e](/new/f)\r\n"),
            ("[a]: /b\r\r[c]: /d\r", "[a]: /new/b\r\r[c]: /new/d\r"),
            ("\0 [a](/b) \u2028 [c](/d)", "\0 [a](/new/b) \u2028 [c](/new/d)"),
            ("{{< x >}} [a](/b) {{% /y %}}", "{{< x >}} [a](/new/b) {{% /y %}}"),
            ("  [a](/b)  \n\u3000[c](/d)\u3000", "  [a](/new/b)  \n\u3000[c](/new/d)\u3000"),
        ],
    )
    def test_rewrites_only_destinations(self, source, expected):
        assert rewrite_destinations(source, to_new) == expected

    @pytest.mark.parametrize(
        "source",
        [
            "![a](/b)",
            "`[a](/b)`",
            "``[a](/b) ` ``",
            "    [a](/b)",
            "```\n[a](/b)\n[c]: /d\n```",
            "~~~ [a](/b)\n~~~",
            "<!-- [a](/b) -->",
            "<div>\n[a](/b)\n</div>",
            '<a title="[a](/b)">x</a>',
            "\\[a](/b)",
            "[a\\](/b)",
            "[a] (/b)",
            "[a](/b c)",
            "[a](/b",
            "</b> <https://a.b/c>",
            "a [b]: /c",
            "[]: /b",
        ],
    )
    def test_leaves_what_is_no_link(self, source):
        assert rewrite_destinations(source, lambda _: "/new") == source

    @pytest.mark.parametrize(
        "new",
        [
            *("", "/a b", "/a(b", "/a)b", "/(a)", "/a<b>c", "<a>", "/a`b", "/a|b", "/a\\b", "\\"),
            *("/a\\(b", "/a&amp;b", "/a&b=1", "&copy;", "/a\nb", "/a\tb", '/a"b', "/a'b", "/a[b]c"),
            *(
                "node:12#x-y",
                "/%20%zz",
                "/ü",
                "https://a.b/?c=d&e=f",
                "/a*b_c~d",
                "#",
                "- a",
                " a ",
            ),
        ],
    )
    @pytest.mark.parametrize(
        "template",
        [
            "[a]({})",
            "`x [a]({} 't') y",
            "1 < 2 [a]({}) *b*",
            "[a]\n\n[a]: {}",
            "> - [a](\n>   {})",
            "| a [b]({}) | c |\n|---|---|\n| [d]({}) | `e` |\n",
        ],
    )
    def test_any_replacement_reads_back(self, template, new):
        before = template.replace("{}", "/old")
        after = rewrite_destinations(before, lambda _: new)
        assert set(link_destinations(after)) == {new}
        assert meaning(after)[1] == meaning(before)[1]

    def test_replace_sees_decoded_destinations(self):
        source = "[a](/b\\_c&amp;d%20e) [f](<g h>) [i]()\n\n[j]: &#47;k"
        seen = []
        assert rewrite_destinations(source, seen.append) == source
        assert seen == ["/b_c&d%20e", "g h", "", "/k"]
        assert link_destinations(source) == seen

    def test_equal_replacement_keeps_the_spelling(self):
        source = "[a](/b\\_c&amp;d)"
        assert rewrite_destinations(source, lambda destination: destination) == source

    @pytest.mark.parametrize("new", ["javascript:x", "data:text/html,x", "/a\0b"])
    def test_impossible_replacements_are_left_out(self, new):
        def replace(destination):
            return new if destination == "/bad" else "/good"

        source = "[a](/bad) [b](/c)\n\n[d](/e)\n\n[f]: /bad\n[g]: /h"
        assert rewrite_destinations(source, replace) == (
            "[a](/bad) [b](/good)\n\n[d](/good)\n\n[f]: /bad\n[g]: /good"
        )

    def test_without_a_proof_nothing_is_changed(self, monkeypatch):
        monkeypatch.setattr(destinations, "_encode", lambda new, raw: f"{new}) `")
        source = "[a](/b) and [c](/d)\n\n[e]: /f"
        assert rewrite_destinations(source, to_new) == source

    def test_what_changes_blocks_is_not_kept(self, monkeypatch):
        monkeypatch.setattr(destinations, "_encode", lambda new, raw: f"<{new}>")

        def replace(destination):
            # Where a line begins with it, this is a tag that ends the paragraph.
            return "div" if destination == "/bad" else "/new"

        source = "x [a](\n/bad)\n\n[b](/c)\n"
        assert rewrite_destinations(source, replace) == source.replace("/c", "</new>")

    def test_a_definition_that_reads_back_differently_is_not_kept(self, monkeypatch):
        monkeypatch.setattr(destinations, "_encode", lambda new, raw: "/other")
        source = "[a]: /b\n\n[a]"
        assert rewrite_destinations(source, to_new) == source

    def test_what_the_source_does_not_show_is_not_offered(self):
        seen = []
        source = "[a](/b\0c) [d](/e)"
        assert rewrite_destinations(source, seen.append) == source
        assert seen == ["/e"]
        assert link_destinations(source) == ["/b\ufffdc", "/e"]

    def test_an_endless_paragraph_has_no_links(self):
        assert link_destinations("[a](/b)" + "c" * MAX_INLINE) == []

    def test_many_bad_ones_among_many_good(self):
        source = "\n\n".join(f"[a](/{number}) [b](/x{number})" for number in range(300))

        def replace(destination):
            return "javascript:x" if destination.startswith("/x") else "/new" + destination

        after = rewrite_destinations(source, replace)
        assert after == source.replace("[a](", "[a](/new")

    FRAGMENTS = st.sampled_from(
        [
            *("[a](/b)", "[a](</b c> 't')", "![i](/j)", "[a]", "[a]: /b\n", "[", "](", ")", "]"),
            *("\n", "\n\n", "\r\n", "    ", "\t", "> ", "- ", "1. ", "# ", "| ", "|--|--|\n", "`"),
            *("```\n", "<!--", "-->", "<div>", "<a ", ">", "\\", "*", "&amp;", "[^a]", "[^a]: "),
            *(
                "\n: ",
                "===\n",
                "\0",
                "\u00a0",
                "/b",
                "{{< x >}}",
                "\\|",
                '"',
                "'",
                "\x0b",
                "\u2028",
            ),
        ]
    )
    SOURCES = st.lists(st.one_of(FRAGMENTS, st.text(max_size=3)), max_size=25).map("".join)

    @given(SOURCES)
    @settings(deadline=None, max_examples=300)
    def test_none_is_the_identity(self, source):
        seen = []
        assert rewrite_destinations(source, seen.append) == source
        assert sorted(seen) == sorted(link_destinations(source))

    @given(SOURCES, st.one_of(st.text(max_size=8), FRAGMENTS))
    @settings(deadline=None, max_examples=500)
    def test_only_hrefs_ever_change(self, source, new):
        after = rewrite_destinations(source, lambda _: new)
        hrefs, others = meaning(source)
        new_hrefs, new_others = meaning(after)
        assert new_others == others
        target = base_parser().normalizeLink(new)
        assert len(new_hrefs) == len(hrefs)
        assert all(b in (a, target) for a, b in zip(hrefs, new_hrefs, strict=True))


def test_link_destinations_in_order():
    source = "[r]: /r\n\n[a](/1) [b][r]\n\n| [c](/2) |\n|---|\n\n> [d](/3)\n\n`[x](/y)` ![i](/i)"
    assert link_destinations(source) == ["/r", "/1", "/2", "/3"]


@pytest.mark.parametrize("pattern", ["[a](", "[", "[a](b) ", "[a]: b\n", "> [a](b)\n", "[a](b)|"])
def test_survives_a_flood(pattern):
    source = pattern * (20_000 // len(pattern))
    found = link_destinations(source)
    after = rewrite_destinations(source, lambda _: "/new")
    assert link_destinations(after) == ["/new"] * len(found)
