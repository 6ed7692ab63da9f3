"""A workflow of an add-on's: what it offers on screens, and that nothing goes past it."""

from __future__ import annotations

import pytest

from myproject.content.operations import save
from myproject.content.revisions import latest_revision_id
from myproject.content.workflow import Comment, State, Transition, TransitionTaken, Workflow
from myproject.exceptions import ConfigurationProblem
from myproject.testing import links
from myproject.tree.node import DRAFT, PUBLISHED

STATES = (State(DRAFT, "Draft"), State("ready", "Ready", reopens=True), State(PUBLISHED, "Public"))


def guard(session, node, actor):
    return "" if node.summary else "It needs a description first."


def step(name, title, sources, target, permission, **more):
    return Transition(name, title, frozenset(sources.split()), target, permission, **more)


def machine(permission="publish"):
    return Workflow(
        "pantry",
        "Pantry",
        STATES,
        (
            step("prepare", "Prepare", DRAFT, "ready", "edit", guard=guard),
            step("spoil", "Throw away", "ready", DRAFT, "edit", comment=Comment.REQUIRED),
            step("serve", "Serve", "ready", PUBLISHED, permission, comment=Comment.REQUIRED),
            step("clear", "Clear the table", PUBLISHED, "ready", "publish"),
        ),
    )


def token(client):
    return client.get("/@@account").forms[0]["csrf_token"].value


def state_of(site, path):
    with site.tree() as tree:
        node = site.node(tree, path)
        return node.state, node.stage


def step_form(page, name):
    return next(
        form
        for form in page.forms.values()
        if name in [field._value for field in form.fields.get("transition", [])]
    )


def buttons(page):
    return [each.get_text() for each in page.html.select(".bar-menu form button")]


@pytest.fixture
def told():
    return []


@pytest.fixture
def site(make_site, told):
    def include(config):
        config.add_permission("serve", "serve")
        config.grant("publisher", "serve")
        config.add_workflow(machine("serve"), types=["page"])
        config.add_event_subscriber(told.append, TransitionTaken)

    site = make_site(include)
    site.add("/soup", "Hot.", title="Soup", state=DRAFT)
    return site


def test_its_way_is_gone_on_screens(site, told):
    ed, pat = site.sign_in("ed", "editor"), site.sign_in("pat", "publisher")
    page = ed.get("/soup")
    assert buttons(page)[:1] == ["Prepare"]
    assert "Publish" not in buttons(page)
    answer = step_form(page, "prepare").submit("transition", value="prepare")
    assert "It needs a description first." in answer
    assert state_of(site, "/soup") == (DRAFT, "")
    with site.tree() as tree:
        site.node(tree, "/soup").summary = "A soup."
    page = step_form(ed.get("/soup"), "prepare").submit("transition", value="prepare").follow()
    assert "New state of “Soup”: Ready." in page
    assert "Ready" in page.html.select_one(".bar-state").get_text()
    assert "Ready" in ed.get("/@@contents").html.select_one("td.state-cell").get_text()
    assert "Soup" in ed.get("/@@contents?state=ready").html.select_one("main").get_text()
    assert "/soup/@@state?transition=serve" not in links(page)
    ed.get("/soup/@@state?transition=serve", status=403)
    form = step_form(pat.get("/soup").click("Serve", index=0), "serve")
    answer = form.submit(status=422)
    assert "Say why, in a few words." in answer
    form = step_form(answer, "serve")
    form["comment"] = "It is hot."
    form.submit().follow()
    assert "Hot." in site.client.get("/soup")
    events = [(event.transitions.popitem()[1].name, event.comment) for event in told]
    assert events == [("prepare", ""), ("serve", "It is hot.")]
    page = pat.get("/soup/@@operations").html.get_text()
    assert "Ed took “Soup” to the state “Ready”" in page
    assert "It is hot." in page
    assert "It is hot." in pat.get("/@@activity").html.get_text()


def test_saving_reopens_it(site):
    ed = site.sign_in("ed", "editor")
    with site.tree() as tree:
        tree.set_stage(site.node(tree, "/soup"), "ready")
    form = next(f for f in ed.get("/soup/@@edit").forms.values() if "form-seal" in f.fields)
    form["body"] = "Cold."
    form.submit("form-do", value="view")
    assert state_of(site, "/soup") == (DRAFT, "")


def test_what_readers_see_is_taken_back_with_a_plan(site):
    pat = site.sign_in("pat", "publisher")
    site.add("/bread", "Fresh.", title="Bread", state=PUBLISHED)
    page = pat.get("/bread").click("Clear the table")
    assert "1 page will be hidden from readers" in page
    form = step_form(page, "clear")
    page = form.submit().follow()
    assert state_of(site, "/bread") == (DRAFT, "ready")
    undo = next(f for f in page.forms.values() if f.action.endswith("/undo"))
    undo.submit()
    assert state_of(site, "/bread") == (PUBLISHED, "")


def test_nothing_that_publishes_goes_past_it(site):
    pat = site.sign_in("pat", "publisher")
    csrf = {"csrf_token": token(pat), "back": "/soup"}
    answer = pat.post("/soup/@@state", {**csrf, "state": PUBLISHED})
    assert "This takes one of these states: Ready. It is: Draft." in answer
    add = pat.get("/@@add?type=page")
    assert add.html.select_one('button[value="publish"]') is None
    edit = pat.get("/soup/@@edit")
    assert edit.html.select_one('button[value="publish"]') is None
    assert "Prepare…" in edit
    schedule = next(
        f for f in pat.get("/soup/@@schedule").forms.values() if "publish_at" in f.fields
    )
    schedule["publish_at"] = "2091-05-01T09:30"
    assert "This takes one of these states" in schedule.submit(status=422)
    assert state_of(site, "/soup") == (DRAFT, "")
    # Other types go their own way.
    folder = pat.get("/@@add?type=folder")
    assert folder.html.select_one('button[value="publish"]') is not None


@pytest.mark.parametrize("name", ["nonsense", "x" * 300, "\0"])
def test_a_step_that_there_is_not_is_refused(site, name):
    pat = site.sign_in("pat", "publisher")
    answer = pat.post("/soup/@@state", {"csrf_token": token(pat), "transition": name})
    assert "There is no such step in the workflow of this page." in answer
    assert state_of(site, "/soup") == (DRAFT, "")


def test_two_for_one_type_conflict(make_site):
    def include(config):
        for _ in range(2):
            config.include(other)

    def other(config):
        config.add_workflow(machine())

    with pytest.raises(ConfigurationProblem, match="workflow"):
        make_site(lambda c: (c.include(other), c.include(lambda d: d.add_workflow(machine()))))
    with pytest.raises(ConfigurationProblem, match="takes the permission 'nobody-has'"):
        make_site(lambda config: config.add_workflow(machine("nobody-has")))


# -- guards ---------------------------------------------------------------------------------------


@pytest.fixture
def guarded(make_site):
    """A site on which pages need a description to be published."""
    publish = step("publish", "Publish", DRAFT, PUBLISHED, "publish", guard=guard)
    unpublish = step("unpublish", "Unpublish", PUBLISHED, DRAFT, "publish")
    workflow = Workflow("guarded", "Guarded", (STATES[0], STATES[-1]), (publish, unpublish))
    site = make_site(lambda config: config.add_workflow(workflow))
    site.add("/soup", "Hot.", title="Soup", summary="A soup.")
    return site


def written(page, **values):
    form = next(f for f in page.forms.values() if "form-seal" in f.fields)
    for name, value in values.items():
        form[name] = value
    return form.submit("form-do", value="publish", expect_errors=True)


def test_a_guard_is_asked_of_what_was_just_written(guarded):
    pat = guarded.sign_in("pat", "publisher")
    answer = written(pat.get("/soup/@@edit"), summary="", body="Cold.")
    assert answer.status_int == 422
    assert "It needs a description first." in answer
    assert "Cold." in answer
    assert "Hot." in guarded.client.get("/soup")
    assert written(pat.get("/soup/@@edit"), body="Cold.").status_int == 303
    assert "Cold." in guarded.client.get("/soup")
    # Nothing of a new page is left behind, either.
    answer = written(pat.get("/@@add?type=page"), title="Bread", body="Fresh.")
    assert answer.status_int == 422
    assert "It needs a description first." in answer
    assert written(answer, summary="A bread.").status_int == 303
    assert "Fresh." in guarded.client.get("/bread")


def test_a_guard_is_asked_of_a_version_that_is_brought_back_for_readers(guarded):
    pat = guarded.sign_in("pat", "publisher")
    with guarded.tree() as tree:
        node = guarded.node(tree, "/soup")
        save(tree, node, {"summary": ""}, guarded.renderer)
        save(tree, node, {"summary": "A soup again."}, guarded.renderer)
        bare = latest_revision_id(tree.session, node.id) - 1
    page = pat.get(f"/soup/@@restore?id={bare}")
    form = next(f for f in page.forms.values() if "base" in f.fields)
    answer = form.submit("how", value="now", expect_errors=True)
    assert answer.status_int == 422
    assert "It needs a description first." in answer
    assert "A soup again." in guarded.client.get("/soup")
