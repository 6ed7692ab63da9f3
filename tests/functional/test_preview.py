"""What a text would look like as a page: the same as once it is saved, for whoever asks."""

from __future__ import annotations

import re

import pytest

BODY = """# The title

Some *text*, [a page](node:{page}), [another](node:{draft}#part), [gone](node:999999) and
<script>alert(1)</script>[bad](javascript:alert(1)).

| a | b |
|---|---|
| 1 | `x` |

```python
print("node:18")
```
"""


@pytest.fixture(scope="module")
def site(shared_site):
    shared_site.add("/preview", "Old.", title="Preview")
    shared_site.add("/preview/page", title="Page")
    shared_site.add("/preview/draft", title="Draft", state="draft")
    shared_site.add("/preview/draft/below", title="Below")
    shared_site.add("/preview/hidden", title="Hidden")
    shared_site.make_private("/preview/hidden")
    return shared_site


@pytest.fixture(scope="module")
def ids(site):
    with site.tree() as tree:
        names = ("page", "draft", "draft/below", "hidden")
        return {name: site.node(tree, f"/preview/{name}").id for name in names}


@pytest.fixture(scope="module")
def editor(site):
    return site.sign_in("edith", "editor", "/preview")


def token_of(client):
    return re.search(r'name="csrf_token" value="([^"]+)"', client.get("/preview").text)[1]


def ask(client, body, *, path="/preview", status=200, **fields):
    headers = {"X-CSRF-Token": token_of(client)}
    fields = {"body": body, "title": "The title", **fields}
    return client.post(f"{path}/@@preview", fields, headers=headers, status=status)


def test_it_is_what_the_saved_page_shows(site, editor, ids):
    body = BODY.format(**ids)
    site.add("/preview/saved", body, title="The title")
    answer = ask(editor, body.replace("\n", "\r\n"))
    assert answer.content_type == "application/json"
    assert answer.headers["Cache-Control"] == "no-store"
    html = answer.json["html"]

    assert "<script" not in html
    assert 'href="javascript:' not in html
    assert 'href="/preview/draft#part"' in html


def test_a_reference_is_broken_for_whoever_may_not_follow_it(site, editor, ids):
    body = " ".join(f"[x](node:{number})" for number in (*ids.values(), 999_999))
    answer = ask(editor, body).json
    assert answer["broken"] == sorted([ids["hidden"], 999_999])
    assert answer["html"].count('class="broken-link"') == 2
    assert answer["links"] == {
        str(ids[name]): f"/preview/{name}" for name in ("page", "draft", "draft/below")
    }
    assert ask(editor, "[a](node:1) `node:5` [b](https://node:7)").json["broken"] == []


def test_one_statement_resolves_any_number_of_references(site, editor, ids):
    headers = {"X-CSRF-Token": token_of(editor)}

    def count(body):
        with site.statements() as seen:
            answer = editor.post("/preview/@@preview", {"body": body}, headers=headers)
        return len(seen), answer

    without, _ = count("Nothing.")
    many = "".join(f"[x](node:{number})\n" for number in range(1, 3000))
    with_many, answer = count(many)
    assert with_many == without + 1
    assert len(answer.json["broken"]) > 2900


def test_nothing_is_written_and_nobody_is_kept_waiting(site, editor, ids):
    headers = {"X-CSRF-Token": token_of(editor)}
    before = editor.get("/preview").headers["ETag"]
    with site.statements() as seen:
        editor.post("/preview/@@preview", {"body": "[a](node:1)"}, headers=headers)
    assert all(re.match(r"\s*(WITH|SELECT)", statement) for statement in seen), seen
    assert editor.get("/preview").headers["ETag"] == before


def test_a_new_page_s_relative_links_start_below_its_parent(editor):
    assert ask(editor, "x").json["base"] == "/preview"
    answer = editor.post(
        "/preview/@@preview?new=1", {"body": "x"}, headers={"X-CSRF-Token": token_of(editor)}
    )
    assert answer.json["base"] == "/preview/"


def test_whoever_may_add_may_look_and_whoever_may_only_read_may_not(site):
    reader = site.sign_in("rita", "reader")
    refused = ask(reader, "x", status=403)
    assert "<code>edit</code>" in refused
    site.client.post("/preview/hidden/@@preview", {"body": "x"}, status=403)
    ask(reader, "x", path="/preview/hidden", status=403)


def test_those_who_add_only(make_site):
    site = make_site(roles="adder = view add")
    site.add("/preview", title="Preview")
    adder = site.sign_in("ada", "adder")
    assert ask(adder, "*x*").json["html"] == "<p><em>x</em></p>\n"


def test_without_a_token_it_is_refused(editor):
    answer = editor.post("/preview/@@preview", {"body": "x"}, status=400)
    assert "expired" in answer
    headers = {"X-CSRF-Token": token_of(editor), "Origin": "https://evil.example"}
    editor.post("/preview/@@preview", {"body": "x"}, headers=headers, status=400)


def test_a_text_that_is_too_long_is_refused_in_plain_words(make_site):
    site = make_site(text_limit="10000")
    site.add("/preview", title="Preview")
    editor = site.sign_in("edith", "editor")
    assert ask(editor, "x" * 10_000).json["html"].startswith("<p>xxx")
    for size in (10_001, 400_000):
        answer = ask(editor, "x" * size, status=413)
        assert "10,000 characters" in answer.json["message"]
    ask(editor, "x", title="x" * 10_001, status=413)


@pytest.mark.parametrize("body", ["", "\0", "a\0b", "<" * 5000, "[" * 5000, "\ud7ff\uffff"])
def test_any_text_can_be_looked_at(editor, body):
    assert "html" in ask(editor, body).json
    assert (
        "html"
        in editor.post("/preview/@@preview", {}, headers={"X-CSRF-Token": token_of(editor)}).json
    )


def test_only_posting_is_previewing(editor):
    assert editor.get("/preview/@@preview", status=405).headers["Allow"] == "POST, OPTIONS"
