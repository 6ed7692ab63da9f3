"""Giving a role at many pages at once."""

import pytest
from sqlalchemy import select

from myproject.content.types import Page
from myproject.security.models import Grant
from myproject.testing import sign_in

URL = "/docs/@@share"


@pytest.fixture
def site(make_site):
    site = make_site()
    site.add("/docs", title="Docs")
    return site


def token_of(client):
    screen = client.get("/docs/@@contents")
    return screen.html.select_one("form.chosen input[name=csrf_token]")["value"]


def fields_of(answer):
    form = answer.html.select_one("form.sharing-many, form.decide")
    return [(field["name"], field["value"]) for field in form.select("input[type=hidden]")]


def test_a_role_is_given_at_all_that_were_chosen_after_a_question(site):
    ids = [site.add(f"/docs/p{number}", title=f"Page {number}") for number in range(3)]
    site.sign_in("walt")
    mia = site.sign_in("mia", "manager")
    chosen = [("ids", str(number)) for number in ids]
    asked = mia.post(
        URL, [("csrf_token", token_of(mia)), *chosen, ("back", "/docs/@@contents?q=p")]
    )
    assert asked.html.h1.text == "Share 3 pages"
    asked = mia.post(URL, [*fields_of(asked), ("q", "wal"), ("search", "1"), ("role", "author")])
    walt = asked.html.select_one("input[name=principal]")["value"]
    roles = [option["value"] for option in asked.html.select("select[name=role] option")]
    assert "manager" in roles
    assert "administrator" not in roles
    question = mia.post(URL, [*fields_of(asked), ("principal", walt), ("role", "author")])
    assert question.html.h1.text == "Give the role Author to Walt at 3 pages?"
    assert len(question.html.select(".effects li.gain")) == 3
    with site.database.read_session() as session:
        assert session.scalars(select(Grant).where(Grant.node_id.in_(ids))).all() == []
    done = mia.post(URL, fields_of(question))
    assert done.location == "http://localhost/docs/@@contents?q=p"
    with site.database.read_session() as session:
        grants = session.scalars(select(Grant).where(Grant.node_id.in_(ids))).all()
        assert {(grant.principal_id, grant.role) for grant in grants} == {(int(walt), "author")}
        assert len(grants) == 3


def test_what_cannot_be_done_is_told_and_nothing_is_half_done(site):
    first = site.add("/docs/p", title="Page")
    hidden = site.add("/docs/hidden", title="Hush")
    site.make_private("/docs/hidden")
    mia = site.sign_in("mia", "manager")
    token = ("csrf_token", token_of(mia))
    answer = mia.post(URL, [token, ("ids", str(hidden)), ("ids", "99999")], status=422)
    assert "None of what was chosen is there" in answer
    assert "Hush" not in answer
    for extra, told in (
        ([], "Choose a person or a group, and a role."),
        ([("principal", "99999")], ""),
        ([("principal", "x")], "Choose a person or a group"),
    ):
        answer = mia.post(URL, [token, ("ids", str(first)), ("role", "author"), *extra], status=422)
        assert told in answer
    strong = [token, ("ids", str(first)), ("principal", "1"), ("role", "administrator")]
    assert mia.post(URL, strong, status=422).html.select_one(".alert-danger") is not None
    with site.database.read_session() as session:
        assert session.scalars(select(Grant).where(Grant.node_id == first)).all() == []


def test_what_may_not_be_shared_is_left_out_and_named(site):
    mine = site.add("/docs/mine", title="Mine")
    other = site.add("/docs/other", title="Other")
    site.make_private("/docs/other")
    site.grant("mia", "editor", "/docs/other")
    mia = site.sign_in("mia", "manager", "/docs")
    fields = [("csrf_token", token_of(mia)), ("ids", str(mine)), ("ids", str(other))]
    answer = mia.post(URL, fields)
    assert "Left out, because you may not share it: Other" in answer
    assert [value for name, value in fields_of(answer) if name == "ids"] == [str(mine)]


def test_not_more_than_a_hundred_at_once(site):
    with site.tree() as tree:
        nodes = [Page(title="P", name=f"p{number}") for number in range(101)]
        tree.add_many(site.node(tree, "/docs"), nodes)
        tree.session.flush()
        ids = [("ids", str(node.id)) for node in nodes]
    mia = sign_in(site, "mia", "manager")
    answer = mia.post(URL, [("csrf_token", token_of(mia)), *ids], status=422)
    assert "At most 100 pages can be shared at once" in answer
