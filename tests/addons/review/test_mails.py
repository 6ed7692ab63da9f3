"""Who is written to, about what, and in which language."""

from __future__ import annotations

import pytest

from myproject.content.publishing import save_newest
from myproject.interfaces import IMailer
from myproject.security.models import Group, Membership, User
from myproject.security.preferences import Preferences, store_preferences
from myproject.tree.node import DRAFT
from tests.addons.review.conftest import (
    act,
    author,
    fill,
    give_address,
    publisher,
    review_form,
    submit,
)
from tests.addons.review.test_review import node_id, token


def addresses(outbox):
    return sorted(message["To"] for message in outbox.messages)


def save(site, path, **values):
    with site.tree() as tree:
        save_newest(tree, site.node(tree, path), values, site.renderer)


def user_id(session, name):
    return session.query(User.id).filter(User.name == name).scalar()


def test_reviewers_get_mail_and_then_the_author(site, ann, pat, outbox):
    publisher(site, "bob")
    submit(ann, "/one", "Please look.\nAt the end, too.")
    assert addresses(outbox) == ["bob@example.org", "pat@example.org"]
    assert set(outbox.subjects) == {"For review: “Page one”"}
    text = outbox.messages[0].get_content()
    assert "Ann has submitted this for review:" in text
    assert "http://localhost/one/@@review" in text
    assert "> Please look.\n> At the end, too." in text
    outbox.messages.clear()
    act(pat, "/one", "reject", "A picture is missing.")
    assert (addresses(outbox), outbox.subjects) == (
        ["ann@example.org"], ["Sent back: “Page one”"]
    )  # fmt: skip
    assert "> A picture is missing." in outbox.messages[0].get_content()
    outbox.messages.clear()
    submit(ann, "/one")
    outbox.messages.clear()
    act(pat, "/one", "approve")
    assert (addresses(outbox), outbox.subjects) == (["ann@example.org"], ["Approved: “Page one”"])
    text = outbox.messages[0].get_content()
    assert "http://localhost/one\n" in text
    assert "Comment:" not in text


def test_a_title_is_one_line_whatever_it_says(site, ann, pat, outbox):
    save(site, "/one", title="Harmless\r\nBcc: eve@example.org\n\n-- \nMy site")
    submit(ann, "/one")
    (message,) = outbox.messages
    said = "Harmless Bcc: eve@example.org -- My site"
    assert (message["Subject"], message["Bcc"]) == (f"For review: “{said}”", None)
    assert f"\n\n{said}\n  http://localhost/one/" in message.get_content()


def test_what_is_undone_or_refused_sends_nothing(site, ann, pat, outbox):
    page = submit(ann, "/one").follow()
    outbox.messages.clear()
    next(f for f in page.forms.values() if f.action.endswith("/undo")).submit()
    act(pat, "/two", "submit")
    # Pat has submitted it, so nobody else is there to be written to.
    assert outbox.messages == []
    act(pat, "/two", "reject", status=422)
    assert outbox.messages == []


def test_administrators_are_written_to_where_nobody_else_may_review(site, ann, outbox):
    site.sign_in("ada", "administrator")
    give_address(site, "ada")
    submit(ann, "/one")
    assert addresses(outbox) == ["ada@example.org"]
    outbox.messages.clear()
    publisher(site, "bob")
    act(ann, "/one", "withdraw")
    submit(ann, "/one")
    assert addresses(outbox) == ["bob@example.org"]


def test_groups_are_their_members_and_who_is_locked_out_gets_nothing(site, ann, outbox):
    for name in ("gil", "gus"):
        site.sign_in(name)
        give_address(site, name)
    with site.tree() as tree:
        session = tree.session
        group = Group(name="desk", title="Desk")
        session.add(group)
        session.flush()
        for name in ("gil", "gus"):
            session.add(Membership(user_id=user_id(session, name), group_id=group.id))
        session.get_one(User, user_id(session, "gus")).active = False
    site.grant("group:desk", "publisher", "/one")
    submit(ann, "/one")
    assert addresses(outbox) == ["gil@example.org"]
    outbox.messages.clear()
    submit(ann, "/two")
    assert outbox.messages == []


def test_mail_is_in_the_language_of_whoever_gets_it(site, ann, pat, outbox):
    with site.tree() as tree:
        choice = Preferences(language="en")
        store_preferences(tree.session, user_id(tree.session, "pat"), choice)
    submit(ann, "/one")
    assert outbox.subjects == ["For review: “Page one”"]


def test_no_mail_where_the_settings_say_so(make_site, outbox):
    site = fill(make_site(addons="review", **{"review.mail": "false"}), outbox)
    publisher(site, "pat")
    submit(author(site, "ann"), "/one")
    assert outbox.messages == []


def test_a_request_does_not_decide_where_links_lead(make_site, outbox):
    site = fill(make_site(addons="review", canonical_host="https://www.example.org"), outbox)
    publisher(site, "pat")
    submit(author(site, "ann"), "/one")
    assert "https://www.example.org/one/@@review" in outbox.messages[0].get_content()
    site = make_site(addons="review")
    site.registry.registerUtility(outbox, IMailer)
    outbox.messages.clear()
    submit(site.sign_in("ann"), "/two")
    assert "\n  /two/@@review\n" in outbox.messages[0].get_content()


def test_who_has_written_it_is_not_asked_where_four_eyes_are_wanted(strict, outbox):
    publisher(strict, "pat")
    bob = publisher(strict, "bob")
    form = next(f for f in bob.get("/one/@@edit").forms.values() if "form-seal" in f.fields)
    form["body"] = "Bob's."
    form.submit("form-do", value="save")
    submit(author(strict, "ann"), "/one")
    assert addresses(outbox) == ["pat@example.org"]


def test_what_is_said_is_for_those_who_see_the_page(site, ann, pat, outbox):
    site.add("/section", title="Section")
    site.add("/section/inner", "Text.", title="Inner", state=DRAFT)
    submit(ann, "/section/inner")
    site.make_private("/section")
    site.grant("pat", "publisher", "/section")
    act(pat, "/section/inner", "reject", "Between us.")
    assert outbox.subjects == ["For review: “Inner”"]


# -- many at once ---------------------------------------------------------------------------------


def drafts(site, *paths):
    for path in paths:
        site.add(path, "Text.", title=path.strip("/").title(), state=DRAFT)


def submit_all(site, client, paths):
    """Submit pages at once, from the list of contents, and return the statements that this took."""
    form = {"csrf_token": token(client), "transition": "submit", "back": "/"}
    page = client.post("/@@state", {**form, "ids": [node_id(site, path) for path in paths]})
    with site.statements() as seen:
        review_form(page).submit()
    return len(seen)


def test_a_bulk_step_asks_once_for_all_of_its_pages(site, outbox):
    check_statements(site, outbox)


def test_a_bulk_step_asks_once_who_has_written_its_pages(strict, outbox):
    check_statements(strict, outbox)


def check_statements(site, outbox):
    client = author(site, "ann")
    publisher(site, "pat")
    counts = []
    for count in (3, 23):
        paths = [f"/page-{count}-{number}" for number in range(count)]
        drafts(site, *paths)
        counts.append(submit_all(site, client, paths))
        assert outbox.subjects == [f"For review: “{paths[0][1:].title()}” (+ {count - 1})"]
        text = outbox.messages.pop().get_content()
        assert [f"{path}/@@review" in text for path in paths] == [True] * count
    # Each page has a row that says where it stands now.
    assert counts[1] - counts[0] <= 20


def test_each_gets_one_mail_about_the_pages_that_are_for_them(site, ann, outbox):
    publisher(site, "pat")
    site.add("/section", title="Section")
    drafts(site, "/section/inner")
    site.sign_in("bob")
    give_address(site, "bob")
    site.grant("bob", "publisher", "/section")
    submit_all(site, ann, ["/one", "/two", "/section/inner"])
    assert [(message["To"], message["Subject"]) for message in outbox.messages] == [
        ("pat@example.org", "For review: “Page one” (+ 2)"),
        ("bob@example.org", "For review: “Section/Inner”"),
    ]


def test_who_waits_hears_of_all_that_was_decided_at_once(site, ann, pat, outbox):
    zoe = author(site, "zoe")
    submit(ann, "/one")
    submit(ann, "/two")
    drafts(site, "/three")
    submit(zoe, "/three")
    outbox.messages.clear()
    form = {"csrf_token": token(pat), "transition": "approve", "back": "/"}
    ids = [node_id(site, path) for path in ("/one", "/two", "/three")]
    review_form(pat.post("/@@state", {**form, "ids": ids})).submit()
    assert [(message["To"], message["Subject"]) for message in outbox.messages] == [
        ("ann@example.org", "Approved: “Page one” (+ 1)"),
        ("zoe@example.org", "Approved: “Three”"),
    ]


# -- who may open it ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("permissions", "is_told"),
    [
        ("view view-drafts review", True),
        ("view review", False),
        ("view-drafts review", False),
    ],
)
def test_only_those_who_may_open_a_page_are_asked_to_review_it(
    make_site, outbox, permissions, is_told
):
    site = fill(make_site(addons="review", roles=f"lector = {permissions}"), outbox)
    site.add("/section", title="Section")
    drafts(site, "/section/inner")
    ann = author(site, "ann")
    site.make_private("/section")
    site.grant("ann", "author", "/section")
    site.sign_in("lea")
    give_address(site, "lea")
    site.grant("lea", "lector", "/section")
    submit(ann, "/section/inner")
    assert addresses(outbox) == ["lea@example.org"] * is_told


def test_what_a_draft_hides_from_a_reviewer_is_not_mailed_to_them(site, ann, outbox):
    site.add("/hidden", title="Hidden", state=DRAFT)
    drafts(site, "/hidden/inner")
    site.make_private("/hidden")
    site.grant("ann", "author", "/hidden")
    site.sign_in("bob")
    give_address(site, "bob")
    site.grant("bob", "publisher", "/hidden/inner")
    submit(ann, "/hidden/inner")
    assert outbox.messages == []


def test_who_may_only_read_hears_of_what_is_published(site, ann, pat, outbox):
    site.add("/section", title="Section")
    drafts(site, "/section/a", "/section/b")
    submit(ann, "/section/a")
    submit(ann, "/section/b")
    site.make_private("/section")
    site.grant("ann", "reader", "/section")
    site.grant("pat", "publisher", "/section")
    outbox.messages.clear()
    act(pat, "/section/a", "reject", "Among us.")
    assert outbox.messages == []
    act(pat, "/section/b", "approve")
    assert outbox.subjects == ["Approved: “Section/B”"]


def test_administrators_are_asked_where_the_only_reviewer_has_written_it(strict, outbox):
    pat = publisher(strict, "pat")
    strict.sign_in("ada", "administrator")
    give_address(strict, "ada")
    form = next(f for f in pat.get("/one/@@edit").forms.values() if "form-seal" in f.fields)
    form["body"] = "Pat's."
    form.submit("form-do", value="save")
    submit(author(strict, "ann"), "/one")
    assert addresses(outbox) == ["ada@example.org"]
