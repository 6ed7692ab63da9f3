"""What happened: below a page and on the whole site, for those who may edit there; its feed."""

import re
from urllib.parse import urlsplit
from xml.etree import ElementTree

import pytest

from myproject.tree.node import DRAFT
from tests.functional.arranging import button, journal_of, text, token
from tests.functional.test_history import save_as

ATOM = {"a": "http://www.w3.org/2005/Atom"}


@pytest.fixture(scope="module")
def site(shared_site):
    """``/docs`` and ``/other`` for ann and bob, and ``/hush`` for hal alone."""
    site = shared_site
    site.sign_in("ann", "publisher")
    site.sign_in("bob", "editor", "/")
    for path in ("/docs", "/docs/one", "/docs/two", "/other", "/hush"):
        site.add(path, title=path.rpartition("/")[2].capitalize())
    site.make_private("/hush")
    site.sign_in("hal", "editor", "/hush")
    save_as(site, "ann", "/docs/one", "Because", title="Uno", body="Text.")
    save_as(site, "bob", "/docs/two", title="Two!")
    save_as(site, "hal", "/hush", title="Hushed")
    with journal_of(site, "bob") as (journal, node):
        journal.rename(node("/docs/two"), "deux")
        journal.move([node("/docs/deux")], node("/other"))
    return site


@pytest.fixture
def ann(site):
    return site.sign_in("ann")


def lines(answer):
    return [" ".join(line.get_text(" ").split()) for line in answer.html.select(".events .what")]


def test_a_section_tells_what_happened_below_it(site, ann):
    with site.statements() as seen:
        answer = ann.get("/docs/@@changes")
    assert len(seen) <= 30, "\n\n".join(seen)
    said = lines(answer)
    # What went elsewhere is told there.
    assert said[0] == "Ann changed “Uno” Title, Text · Because"
    assert "The command line added “Docs”" in said
    assert not any("Two!" in line or "Hush" in line for line in said)
    compare = answer.html.select_one(".events .acts a")["href"]
    assert "Because" in text(ann.get(compare))
    said = lines(ann.get("/other/@@changes"))
    assert said[:3] == [
        "Bob moved “Two!” to “Other”",
        "Bob renamed “Two!”",
        "Bob changed “Two!” Title",
    ]
    assert "Activity on the whole site" in text(answer)


def test_the_site_tells_it_of_everybody_and_by_person(site, ann):
    with site.statements() as seen:
        answer = ann.get("/@@activity")
    assert len(seen) <= 30, "\n\n".join(seen)
    everything = lines(answer)
    assert any("Uno" in line for line in everything)
    assert any("renamed" in line for line in everything)
    assert not any("Hush" in line for line in everything)
    by_bob = lines(answer.click("^Bob$", index=0))
    assert by_bob
    assert all(line.startswith("Bob") for line in by_bob)
    assert all(line.startswith("Ann") for line in lines(ann.get("/@@activity?who=me")))
    assert lines(ann.get("/@@activity?person=BO")) == by_bob
    assert lines(ann.get("/@@activity?since=2000-01-01&until=2099-12-31")) == everything
    assert lines(ann.get("/@@activity?until=2000-01-01")) == []
    assert "Nothing of this kind happened." in text(ann.get("/@@activity?person=nobody%00"))
    ann.get("/@@activity?before=x", status=400)
    assert "Hushed" in text(site.sign_in("hal").get("/@@activity"))
    assert "Uno" not in text(site.sign_in("hal").get("/@@activity"))
    # Those who may edit nowhere are told nothing.
    assert lines(site.sign_in("rae", "reader").get("/@@activity")) == []
    assert "/@@sign-in" in site.client.get("/@@activity", status=302).location
    site.sign_in("rae").get("/docs/@@changes", status=403)


def test_it_goes_on_page_by_page(site, ann):
    site.add("/many", title="Many")
    for number in range(40):
        save_as(site, "bob", "/many", title=f"Many {number}")
    answer = ann.get("/many/@@changes")
    found = lines(answer)
    with site.statements() as seen:
        answer = answer.click("Older")
    assert len(seen) <= 30
    assert len(found) == 30
    assert len(lines(answer)) == 11
    assert "added" in lines(answer)[-1]
    assert lines(answer.click("Back to the latest")) == found


def test_what_is_in_the_trash_or_below_a_draft_is_told_to_those_who_may_know(site, ann):
    for path in ("/gone", "/gone/below"):
        site.add(path, title=path)
    with journal_of(site, "ann") as (journal, node):
        journal.trash([node("/gone")])
    said = lines(ann.get("/@@activity"))
    assert said[0] == "Ann moved “/gone” to the trash"
    assert not any("added “/gone" in line for line in said)
    site.add("/wip", title="Wip", state=DRAFT)
    site.add("/wip/below", title="Below the draft")
    assert "Below the draft" in text(ann.get("/@@activity"))


def test_a_feed_reader_has_an_address_of_its_own(site, ann):
    answer = ann.get("/@@activity.atom")
    assert answer.content_type == "application/atom+xml"
    assert "private" in answer.headers["Cache-Control"]
    again = {"If-None-Match": answer.headers["ETag"]}
    ann.get("/@@activity.atom", headers=again, status=304)
    site.client.get("/@@activity.atom", status=302)
    page = button(ann.get("/@@activity"), "Make an address").submit().follow()
    url = page.html.select_one("#site-feed-address")["value"]
    secret = urlsplit(url).query
    assert re.fullmatch(r"token=[\w-]{43}", secret)
    assert secret not in ann.get("/@@activity")
    feed = ElementTree.fromstring(site.client.get(f"/@@activity.atom?{secret}").body)
    titles = [each.text for each in feed.findall("a:entry/a:title", ATOM)]
    assert "Ann changed “Uno”" in titles
    assert not any("Hush" in title for title in titles)
    ids = [each.text for each in feed.findall("a:entry/a:id", ATOM)]
    assert len(set(ids)) == len(ids) <= 50
    assert feed.find("a:entry/a:author/a:name", ATOM).text
    assert all(each.get("href").startswith("http") for each in feed.findall("a:entry/a:link", ATOM))
    # It opens this and nothing else.
    site.client.get(f"/@@activity?{secret}", status=302)
    site.client.get(f"/hush?{secret}", status=302)
    for wrong in ("token=", "token=x", f"{secret}x", "token=%00", "token=" + "x" * 5000):
        site.client.get(f"/@@activity.atom?{wrong}", status=404)
    button(ann.get("/@@activity"), "Make a new address").submit()
    site.client.get(f"/@@activity.atom?{secret}", status=404)
    page = ann.get("/@@activity")
    newer = urlsplit(page.html.select_one("#site-feed-address")["value"]).query
    site.client.get(f"/@@activity.atom?{newer}", status=200)
    button(page, "End the address").submit()
    site.client.get(f"/@@activity.atom?{newer}", status=404)
    ann.post("/@@activity/feed", {"do": "make"}, status=400)
    root = site.sign_in("root", "administrator")
    assert "made an address of a feed" in text(root.get("/@@audit"))


def test_another_password_ends_the_address(site):
    kim = site.sign_in("kim", "editor")
    kim.post("/@@activity/feed", {"do": "make", "csrf_token": token(kim)})
    url = kim.get("/@@activity").html.select_one("#site-feed-address")["value"]
    path = f"/@@activity.atom?{urlsplit(url).query}"
    site.client.get(path, status=200)
    assert site.run("user", "disable", "kim").exit_code == 0
    site.client.get(path, status=404)
