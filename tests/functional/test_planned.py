"""The screen of what is planned."""

import datetime as dt

import pytest

from myproject.content.publishing import save_newest, schedule
from myproject.tree.node import DRAFT
from tests.functional.test_preferences import save

MAY = dt.datetime(2091, 5, 1, 7, 30, tzinfo=dt.UTC)
DAY = dt.timedelta(days=1)


def plan(site, path, begin=None, end=None):
    with site.tree() as tree:
        schedule(tree, site.node(tree, path), begin, end)


@pytest.fixture
def site(site):
    site.add("/docs")
    site.add("/docs/new", title="New <b>", state=DRAFT)
    site.add("/docs/old", title="Old", body="Live.")
    site.add("/hush", title="Hush")
    with site.tree() as tree:
        save_newest(tree, site.node(tree, "/docs/old"), {"body": "Next."}, site.renderer)
    plan(site, "/docs/new", MAY, MAY + 2 * DAY)
    plan(site, "/docs/old", MAY + DAY)
    plan(site, "/hush", end=MAY)
    site.make_private("/hush")
    return site


def lines(answer):
    found = []
    for entry in answer.html.select(".days h2, .events li"):
        found.append(" ".join(entry.get_text(" ").split()))
    return found


def test_what_is_planned_is_listed_by_day_for_who_may_edit_there(site):
    ann = site.sign_in("ann", "publisher")
    with site.statements() as seen:
        answer = ann.get("/@@planned")
    assert len(seen) <= 6, "\n\n".join(seen)
    assert lines(answer) == [
        "2091-05-01",
        "07:30 “New <b>” is published /docs/new Change the time",
        "2091-05-02",
        "07:30 The changes to “Old” are published /docs/old Change the time",
        "2091-05-03",
        "07:30 “New <b>” is taken back from readers /docs/new Change the time",
    ]
    form = answer.click("Change the time", index=1)
    assert form.request.path == "/docs/old/@@schedule"
    assert "/@@planned" in [tab["href"] for tab in answer.html.select(".nav-tabs a")]
    assert "Hush" not in answer.text


def test_times_are_those_of_whoever_asks_and_set_by_who_may_publish(site):
    bob = site.sign_in("bob", "editor", "/docs")
    save(bob, time_zone="Asia/Kolkata")
    answer = bob.get("/@@planned")
    assert lines(answer)[:2] == ["2091-05-01", "13:00 “New <b>” is published /docs/new"]
    assert "Change the time" not in answer.text


def test_nothing_is_planned_for_who_edits_nowhere(site):
    site.client.get("/@@planned", status=(302, 303))
    answer = site.sign_in("eve").get("/@@planned")
    assert lines(answer) == []
    assert "Nothing is planned where you may edit" in answer.text


def test_a_long_list_has_pages(site):
    with site.tree() as tree:
        root = site.node(tree)
        for number in range(60):
            site_page = site.node(tree, "/docs/new")
            copy = tree.copy(site_page, root, f"copy-{number}")
            copy.publish_at, copy.expire_at = MAY + 3 * DAY, None
    ann = site.sign_in("ann", "publisher")
    first = ann.get("/@@planned")
    second = first.click("Later")
    assert len(first.html.select(".events li")) == 50
    assert len(second.html.select(".events li")) == 13
    assert lines(second.click("Back to the beginning")) == lines(first)


def test_under_a_virtual_root_the_list_leads_on_to_what_is_there(make_site):
    site = make_site(virtual_root_header="true", trusted_proxies="127.0.0.1")
    for number in range(51):
        site.add(f"/other-{number}", state=DRAFT)
        plan(site, f"/other-{number}", MAY)
    site.add("/docs")
    site.add("/docs/new", title="New", state=DRAFT)
    plan(site, "/docs/new", MAY + DAY)
    ann = site.sign_in("ann", "publisher")
    ann.extra_environ |= {"REMOTE_ADDR": "127.0.0.1", "HTTP_X_VHM_ROOT": "/docs"}
    answer = ann.get("/@@planned")
    assert "What comes later may be" in answer.text
    later = answer.click("Later")
    assert lines(later)[1] == "07:30 “New” is published /new Change the time"
