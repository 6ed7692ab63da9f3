"""Preview links: for people without an account, for some time, and for one page only."""

from __future__ import annotations

import datetime as dt
import re
from itertools import count

import pytest
from sqlalchemy import select

from myproject.content.preview_links import PreviewLink
from myproject.content.publishing import save_newest
from myproject.content.types import Link
from myproject.db.base import utcnow
from myproject.security.accounts import Accounts
from myproject.security.models import Grant, Group, Membership, User
from myproject.security.sharing import INHERITING_STOPPED, Sharing
from myproject.testing import Site
from myproject.tree.actor import COMMAND_LINE
from myproject.tree.node import DRAFT
from myproject.tree.site import Site as SiteRow
from myproject.tree.site import count_access_revision

_numbers = count(1)


@pytest.fixture(scope="module")
def site(shared_site):
    site: Site = shared_site
    site.add("/secret", "Hush.", title="Secret")
    with site.tree() as tree:
        sharing = Sharing(tree.session, site.roles, COMMAND_LINE, None)
        sharing.make(site.node(tree, "/secret"), INHERITING_STOPPED)
    return site


@pytest.fixture(scope="module")
def ann(site):
    return site.sign_in("ann", "author")


@pytest.fixture
def path(site):
    """A page that nobody sees without an account, with links to a page that is secret and one
    that is not."""
    path = f"/shared-{next(_numbers)}"
    with site.tree() as tree:
        secret, root = site.node(tree, "/secret").id, site.node(tree, "/").id
    body = f"To be read. [There](node:{secret}) and [home](node:{root})."
    site.add(path, body, title="Shared page", state=DRAFT)
    return path


def making(page):
    return next(form for form in page.forms.values() if "days" in form.fields)


def make(client, path, **values):
    """Make a link and return its path."""
    form = making(client.get(f"{path}/@@preview-links"))
    for name, value in values.items():
        form[name] = value
    page = form.submit(status=303).follow()
    address = page.html.select_one("#site-link")["value"]
    assert address.startswith("http://localhost/@@draft/")
    return address.removeprefix("http://localhost")


def stored(site):
    with site.database.read_session() as session:
        return session.scalars(select(PreviewLink).order_by(PreviewLink.id.desc())).first()


def test_a_link_shows_one_page_to_somebody_without_an_account(site, ann, path):
    address = make(ann, path, label="For Zoe", days="1")
    page = site.client.get(address)
    assert "This is a preview." in page
    assert "To be read." in page
    assert page.headers["Cache-Control"] == "no-store"
    assert "noindex" in page.headers["X-Robots-Tag"]
    assert page.headers["Referrer-Policy"] == "no-referrer"
    assert "Set-Cookie" not in page.headers
    # Nothing of what is around, nor of what may not be seen.
    assert "/secret" not in page
    assert "For Zoe" not in page
    assert page.html.select_one("a.broken-link").text == "There"
    assert page.html.find("a", string="home")["href"] == "/"
    assert page.html.select_one(".bar, .tree") is None
    site.client.get(path, status=404)
    with site.tree() as tree:
        node = site.node(tree, path)
        save_newest(tree, node, {"body": "Newer."}, site.renderer)
    assert "Newer." in site.client.get(address)


def test_of_a_published_page_it_shows_the_draft(site, ann):
    path = f"/shared-{next(_numbers)}"
    site.add(path, "What readers see.", title="Live")
    address = make(ann, path)
    assert "What readers see." in site.client.get(address)
    with site.tree() as tree:
        save_newest(tree, site.node(tree, path), {"body": "What comes next."}, site.renderer)
    assert "What comes next." in site.client.get(address)
    assert "What readers see." in site.client.get(path)


def test_other_types_show_what_they_say(site, ann):
    path = f"/shared-{next(_numbers)}"
    site.add(path, cls=Link, title="Elsewhere", url="https://example.org/", state=DRAFT)
    assert "https://example.org/" in site.client.get(make(ann, path))


def test_only_a_hash_is_stored_and_reading_writes_nothing(site, ann, path):
    address = make(ann, path, label="A note")
    link = stored(site)
    assert (link.label, link.created_by) == ("A note", "ann")
    assert link.token_hash not in address
    assert utcnow() + dt.timedelta(days=6) < link.expires_at < utcnow() + dt.timedelta(days=8)
    page = ann.get(f"{path}/@@preview-links")
    # It is shown once.
    assert "@@draft/" not in page
    assert "A note" in page
    with site.database.read_session() as session:
        before = session.scalar(select(SiteRow.revision))
    site.client.get(address)
    make(ann, path)
    with site.database.read_session() as session:
        assert session.scalar(select(SiteRow.revision)) == before


def gone(site, address, status=404):
    page = site.client.get(address, status=status)
    assert "To be read." not in page
    assert page.headers["Cache-Control"] == "no-store"
    return re.sub(r"nonce-?=?\W?[\w-]+", "", page.html.select_one("main").text)


def test_what_is_forged_or_revoked_is_answered_alike_and_what_has_expired_says_so(site, ann, path):
    address = make(ann, path)
    page = ann.get(f"{path}/@@preview-links")
    form = next(form for form in page.forms.values() if "revoke" in form.fields)
    number = form["revoke"].value if form["revoke"].value else form.fields["revoke"][0]._value
    page = form.submit("revoke").follow()
    assert "The link shows nothing any more." in page
    assert "Revoked" in page
    said = gone(site, address)
    assert "Ask whoever sent it to you" in said
    last = "0" if address[-1] != "0" else "1"
    for forged in (address[:-1] + last, "/@@draft/x", "/@@draft/.", "/@@draft/%C3%A9.%C3%A9"):
        assert gone(site, forged) == said
    other = make(ann, path)
    with site.tree() as tree:
        link = tree.session.scalars(select(PreviewLink).order_by(PreviewLink.id.desc())).first()
        link.expires_at = utcnow() - dt.timedelta(seconds=1)
    assert "that time is over" in gone(site, other, 410)
    assert "Expired" in ann.get(f"{path}/@@preview-links")
    fields = {"csrf_token": making(page)["csrf_token"].value, "revoke": number}
    page = ann.post(f"{path}/@@preview-links", fields).follow()
    assert "did not work any more already" in page


def test_what_is_in_the_trash_is_not_shown(site, ann, path):
    site.add(f"{path}/below", "To be read.", title="Below", state=DRAFT)
    address, below = make(ann, path), make(ann, f"{path}/below")
    with site.tree() as tree:
        tree.trash(site.node(tree, path))
    gone(site, address)
    gone(site, below)


@pytest.mark.parametrize(
    ("values", "says"),
    [
        ({"label": "x" * 201}, "A note has at most 200 characters."),
        ({"days": "3650"}, "Choose how long the link works."),
        ({"days": ""}, "Choose how long the link works."),
    ],
)
def test_bad_input_comes_back(site, ann, path, values, says):
    page = ann.get(f"{path}/@@preview-links")
    fields = {**dict(making(page).submit_fields()), "label": "A note", **values}
    page = ann.post(f"{path}/@@preview-links", fields, status=422)
    assert says in page
    assert making(page)["label"].value == fields["label"]


def test_who_may_make_and_revoke(site, ann, path):
    make(ann, path)
    number = stored(site).id
    reader = site.sign_in("ray", "reader")
    reader.get(f"{path}/@@preview-links", status=404)
    ann.post(f"{path}/@@preview-links", {"revoke": number}, status=400)
    other = f"/shared-{next(_numbers)}"
    site.add(other, "x", title="Other")
    reader.get(f"{other}/@@preview-links", status=403)
    fields = {"csrf_token": making(ann.get(f"{other}/@@preview-links"))["csrf_token"].value}
    # Not by way of another page.
    ann.post(f"{other}/@@preview-links", {**fields, "revoke": number}).follow()
    assert stored(site).works


# -- who has made it ------------------------------------------------------------------------------


def maker(site):
    """Sign in somebody new who may make links."""
    name = f"maker-{next(_numbers)}"
    return name, site.sign_in(name, "author")


def change(site, name, do):
    """Do something to an account, as an operator does."""
    with site.tree() as tree:
        accounts = Accounts(tree.session, site.registry.passwords, COMMAND_LINE, minimum=8)
        user = tree.session.scalars(select(User).where(User.name == name)).one()
        do(accounts, user)


def disable(accounts, user):
    accounts.disable_user(user)


def enable(accounts, user):
    accounts.enable_user(user)


def delete(accounts, user):
    accounts.delete_user(user)


def take_roles(accounts, user):
    for grant in accounts.session.scalars(select(Grant).where(Grant.principal_id == user.id)):
        accounts.session.delete(grant)
    count_access_revision(accounts.session)


@pytest.mark.parametrize("do", [disable, delete, take_roles])
def test_a_link_works_as_long_as_its_maker_may_see_what_it_shows(site, ann, path, do):
    name, client = maker(site)
    address, other = make(client, path), make(ann, path)
    change(site, name, do)
    revoked = make(ann, path)
    with site.tree() as tree:
        link = tree.session.scalars(select(PreviewLink).order_by(PreviewLink.id.desc())).first()
        link.revoked_at = utcnow()
    assert gone(site, address) == gone(site, revoked)
    assert "To be read." in site.client.get(other)
    page = ann.get(f"{path}/@@preview-links")
    assert "Shows nothing: whoever made it may not see this page any more" in page
    if do is disable:
        change(site, name, enable)
        assert "To be read." in site.client.get(address)


def test_a_link_ends_with_a_membership(site, path):
    with site.tree() as tree:
        group = Group(name="desk", title="Desk")
        tree.session.add(group)
        tree.session.flush()
        group_id = group.id
    site.grant("group:desk", "author")
    client = site.sign_in("gil")
    with site.tree() as tree:
        gil = tree.session.scalars(select(User.id).where(User.name == "gil")).one()
        tree.session.add(Membership(user_id=gil, group_id=group_id))
    address = make(client, path)
    assert "To be read." in site.client.get(address)
    with site.tree() as tree:
        tree.session.delete(tree.session.get_one(Membership, (gil, group_id)))
    gone(site, address)


def test_a_link_shows_nothing_below_a_draft_that_its_maker_may_not_see(site, path):
    site.add(f"{path}/below", "To be read.", title="Below", state=DRAFT)
    name, _client = maker(site)
    client = site.sign_in(name, "author", f"{path}/below")
    address = make(client, f"{path}/below")
    site.make_private(path)
    gone(site, address)


def test_asking_who_has_made_a_link_takes_one_statement(site, ann, path):
    address = make(ann, path)
    site.client.get(address)
    with site.statements() as seen:
        site.client.get(address)
    assert sum("user_account" in statement for statement in seen) == 1
    forged = address[:-1] + ("0" if address[-1] != "0" else "1")
    with site.statements() as seen:
        site.client.get(forged, status=404)
        site.client.get("/")
    assert not [statement for statement in seen if "user_account" in statement]
