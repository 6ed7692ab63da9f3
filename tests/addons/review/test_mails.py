"""Who is written to, about what, and in which language."""

from __future__ import annotations

from myproject.interfaces import IMailer
from myproject.security.models import Group, Membership, User
from myproject.security.preferences import Preferences, store_preferences
from myproject.tree.node import DRAFT
from tests.addons.review.conftest import act, author, fill, give_address, publisher, submit


def addresses(outbox):
    return sorted(message["To"] for message in outbox.messages)


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
