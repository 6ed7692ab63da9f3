"""Finding pages by their titles and names."""

from __future__ import annotations

import pytest

from myproject.content.types import Folder
from myproject.tree import finding
from myproject.tree.finding import find_pages
from myproject.tree.node import DRAFT
from myproject.tree.visibility import EVERYTHING, PUBLISHED_ONLY


@pytest.fixture
def pages(tree, root):
    """``pages("One title", name="x", below=parent)`` adds a page and returns it."""

    def add(title, name=None, below=root, **fields):
        return tree.add(below, Folder(title=title, **fields), name)

    return add


def titles(tree, text, visibility=EVERYTHING, **options):
    return [found.title for found in find_pages(tree.session, text, visibility, **options)]


def test_the_likeliest_come_first_and_the_shorter_before_the_longer(tree, pages):
    for title in (
        *("An installation guide", "Reinstalling", "Install", "Installing on Linux"),
        *("Install it", "How to install", "Elsewhere"),
    ):
        pages(title)
    assert titles(tree, "install") == [
        *("Install", "Install it", "Installing on Linux"),
        *("How to install", "An installation guide", "Reinstalling"),
    ]


def test_every_word_has_to_be_there_in_any_order_in_title_or_name(tree, pages):
    pages("A guide to Linux", "a")
    pages("Linux", "guide-to-it")
    pages("A guide", "b")
    assert titles(tree, "linux  GUIDE") == ["Linux", "A guide to Linux"]


@pytest.mark.parametrize("text", ["", "   ", "\0", "\n\t"])
def test_nothing_is_found_for_nothing(tree, pages, text):
    pages("A page")
    assert titles(tree, text) == []


@pytest.mark.parametrize(("text", "title"), [("50%", "50% more"), ("a_b", "a_b"), ("\\", "a\\c")])
def test_signs_that_mean_something_to_databases_are_only_signs(tree, pages, text, title):
    for each in ("50% more", "500 more", "a_b", "axb", "a\\c"):
        pages(each)
    assert titles(tree, text) == [title]


@pytest.mark.parametrize("text", ["übersicht", "Übersicht", "ÜBERSICHT"])
def test_other_letters_than_those_of_ascii_are_found_in_any_case(tree, pages, text):
    pages("Die übersicht von allem", "c")
    pages("Übersicht", "a")
    pages("ÜBERSICHT ÜBER ALLES", "b")
    found = titles(tree, text)
    assert set(found) == {"Die übersicht von allem", "Übersicht", "ÜBERSICHT ÜBER ALLES"}
    assert found[0] == "Übersicht"


def test_what_is_found_says_where_it_is_and_of_which_type(tree, pages):
    docs = pages("Docs")
    install = pages("Install", below=docs)
    (found,) = find_pages(tree.session, "install", EVERYTHING)
    assert found == (install.id, "Install", "folder", "published", ("docs", "install"))
    assert titles(tree, "install", types=["page"]) == []
    assert titles(tree, "install", types={"folder", "page"}) == ["Install"]


def test_drafts_and_what_lies_below_them_are_not_found_by_those_who_may_not_see_them(tree, pages):
    draft = pages("Secret section", state=DRAFT)
    pages("Secret page", below=draft)
    pages("No secret")
    assert titles(tree, "secret", PUBLISHED_ONLY) == ["No secret"]
    assert titles(tree, "secret") == ["Secret page", "Secret section", "No secret"]


def test_what_is_hidden_does_not_crowd_out_what_is_not(tree, pages, fill, monkeypatch):
    monkeypatch.setattr(finding, "CONSIDERED", (5, 100))
    hidden = pages("Hidden", state=DRAFT)
    fill(tree.session, hidden.id, 20, type="folder")
    pages("A page called N1 by its author")
    assert titles(tree, "n1", PUBLISHED_ONLY) == ["A page called N1 by its author"]


def test_a_place_limits_what_is_found_to_itself_and_what_is_below(tree, pages):
    site = pages("Site one", "one")
    pages("Site two", "two")
    pages("Part of a site", below=site)
    assert titles(tree, "site", below=("one",)) == ["Site one", "Part of a site"]


def test_it_takes_one_statement(shared, tree, pages, count_statements):
    pages("A page")
    with count_statements(shared) as seen:
        assert titles(tree, "page") == ["A page"]
    assert len(seen) == 1
