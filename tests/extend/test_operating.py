"""Directives about running a site, each in a small application of its own."""

import datetime as dt
import logging
import threading

import click
import pytest
from sqlalchemy import text
from zope.interface import Interface

from myproject.content.events import ContentSaved
from myproject.content.types import Page
from myproject.declarations import Setting
from myproject.exceptions import ConfigurationProblem, NameTaken, NoSuchService
from myproject.extend.points import Job
from myproject.health import failures
from myproject.jobs import JobRun, last_runs, run_due, run_job
from myproject.tree.events import NodeAdded, NodeEvent, NodeMoved
from myproject.tree.node import ROOT_ID, Node

KITCHEN = "tests.extend.kitchen"

STARS = Setting("myproject.kitchen.stars", int, 3, "How many stars.")
CHIEF = Setting("myproject.kitchen.chief", str, "Ann", "Who cooks.")


# -- settings -------------------------------------------------------------------------------------


def test_settings_are_declared_at_once_and_validated_together(make_site):
    seen = []

    def include(config):
        seen.append(config.add_settings(STARS, CHIEF))

    site = make_site(include, **{"kitchen.stars": "5"})
    assert seen == [(5, "Ann")]
    assert site.registry.settings["myproject.kitchen.stars"] == 5
    known = site.registry.introspector.get_category("settings")
    keys = {item["introspectable"].discriminator for item in known}
    assert keys >= {STARS.key, CHIEF.key}
    with pytest.raises(ConfigurationProblem, match="must be a whole number"):
        make_site(include, **{"kitchen.stars": "many"})


def test_pyramid_s_own_settings_still_go_through_the_same_method(make_site):
    def include(config):
        config.add_settings({"jinja2.trim_blocks": "true"})
        config.add_settings(some="thing")
        config.add_permission("known to the introspector")

    settings = make_site(include).registry.settings
    assert (settings["jinja2.trim_blocks"], settings["some"]) == ("true", "thing")


# -- migrations -----------------------------------------------------------------------------------


def test_migrations_of_an_add_on_are_run_with_those_of_the_core(make_site):
    def include(config):
        config.add_migrations("kitchen", f"{KITCHEN}:migrations")

    site = make_site(include)
    with site.database.reader.connect() as connection:
        assert connection.execute(text("SELECT count(*) FROM dish")).scalar() == 0
    (branch,) = site.registry.extensions.migrations()
    assert (branch.name, branch.addon) == ("kitchen", site.registry.addons[0].name)


@pytest.mark.parametrize(
    ("branch", "folder", "message"),
    [
        ("core", f"{KITCHEN}:migrations", "cannot be the name of a branch"),
        ("kitchen2", f"{KITCHEN}:migrations", "cannot be the name of a branch"),
        ("Kitchen!", f"{KITCHEN}:migrations", "cannot be the name of a branch"),
        ("kitchen", f"{KITCHEN}:nope", "There is no folder .*nope of migrations"),
        ("kitchen", None, "There is no folder .*kitchen of migrations"),
    ],
)
def test_migrations_that_cannot_be_are_told(make_site, branch, folder, message):
    def include(config):
        config.add_migrations(branch, folder)

    with pytest.raises(ConfigurationProblem, match=message):
        make_site(include)


# -- commands -------------------------------------------------------------------------------------


@click.command()
@click.argument("dish")
@click.pass_obj
def cook(context, dish):
    """Cook something."""
    with context.scopes.reading() as scope:
        click.echo(f"{dish} for {scope.dbsession.get_one(Node, ROOT_ID).title}")


def test_a_command_of_an_add_on_is_one_of_the_site(make_site):
    site = make_site(lambda config: config.add_cli_command(cook))
    # The module of an includeme made here is known in this process only, as is this command.
    assert site.run("cook", "soup").output == "soup for Home\n"
    assert "Cook something." in site.run("--help").output
    assert make_site().run("cook", "soup").exit_code == 2


def test_a_command_without_a_name_is_told(make_site):
    with pytest.raises(ConfigurationProblem, match="A command has no name"):
        make_site(lambda config: config.add_cli_command(click.Command(None)))


# -- health ---------------------------------------------------------------------------------------


def test_all_health_checks_are_carried_out(make_site, caplog):
    oven = {"hot": True}

    def check(scope):
        assert scope.dbsession.get_one(Node, ROOT_ID)
        if not oven["hot"]:
            raise ValueError("the oven is cold")

    site = make_site(lambda config: config.add_health_check("oven", check))
    answer = site.client.get("/@@health")
    assert answer.json == {"status": "ok", "checks": {"database": "ok", "oven": "ok"}}
    assert "no-store" in answer.headers["Cache-Control"]
    oven["hot"] = False
    with caplog.at_level(logging.ERROR):
        answer = site.client.get("/@@health", status=503)
    assert answer.json == {"status": "failed", "checks": {"database": "ok", "oven": "failed"}}
    assert "cold" not in answer
    assert "The health check 'oven' of " in caplog.text
    told = site.run("health")
    assert (told.exit_code, told.stdout) == (
        1,
        "database: ok\noven: ValueError: the oven is cold\n",
    )


def test_alive_asks_no_database(site):
    with site.statements() as seen:
        assert site.client.get("/@@alive").text == "alive\n"
    assert seen == []


def test_a_database_that_is_gone_is_not_healthy(site):
    with site.database.writer.begin() as connection:
        connection.execute(text("DROP TABLE site"))
    assert "database" in failures(site.registry.scopes)
    assert site.client.get("/@@health", status=503).json["checks"] == {"database": "failed"}


# -- jobs -----------------------------------------------------------------------------------------


def add_page(scope):
    root = scope.dbsession.get_one(Node, ROOT_ID)
    scope.tree.add(root, Page(title="Made by a job"), f"job-{dt.datetime.now().timestamp()}")
    return "one page"


def test_jobs_are_run_when_they_are_due_and_not_before(make_site):
    def include(config):
        config.add_job("cook", add_page, title="Cook", every=dt.timedelta(hours=1))
        config.add_job("feast", add_page, title="Feast")

    site = make_site(include)
    told = site.run("job", "due")
    assert told.exit_code == 0
    assert "cook: done: one page\n" in told.output
    assert "feast" not in told.output
    assert site.run("job", "due").output == ""
    assert site.run("job", "run", "feast").output == "feast: done: one page\n"
    listed = site.run("job", "list").output
    assert "every hour" in listed
    assert "when asked for" in listed
    with site.database.transaction() as session:
        for run in last_runs(session).values():
            run.started_at -= dt.timedelta(hours=2)
    told = site.run("job", "due").output
    assert "cook: done: one page\n" in told
    # Once a day only.
    assert "tidy-accounts" not in told
    assert site.client.get("/").text.count('href="/job-') == 3


def test_a_job_that_fails_leaves_nothing_and_is_due_again(make_site):
    def fail(scope):
        add_page(scope)
        raise ValueError("no luck")

    site = make_site(
        lambda config: config.add_job("cook", fail, title="Cook", every=dt.timedelta(days=1))
    )
    told = site.run("job", "due")
    assert told.exit_code == 1
    assert "cook: failed: ValueError: no luck\n" in told.output
    assert "Made by a job" not in site.client.get("/")
    assert "failed" in site.run("job", "list").output
    assert site.run("job", "run", "cook").exit_code == 1
    assert "cook: failed" in site.run("job", "due").output


def test_a_job_that_does_not_exist_is_told(site):
    told = site.run("job", "run", "nope")
    assert told.exit_code == 2
    assert "There is no job 'nope'. Jobs: tidy-accounts" in told.output


def test_two_at_once_do_no_work_twice(site):
    started, go_on, done = threading.Event(), threading.Event(), []

    def slow(scope):
        started.set()
        assert go_on.wait(10)
        done.append("once")

    job = Job("slow", "Slow", slow, dt.timedelta(hours=1), None)
    scopes = site.registry.scopes
    first = threading.Thread(target=run_job, args=(scopes, job))
    first.start()
    assert started.wait(10)
    other = threading.Thread(target=lambda: done.extend(run_due(scopes, [job])))
    other.start()
    go_on.set()
    first.join(20)
    other.join(20)
    assert done == ["once"]


def test_running_a_job_that_changes_nothing_keeps_readers_copies(site):
    etag = site.client.get("/").headers["ETag"]
    assert "0 expired" in site.run("job", "run", "tidy-accounts").output
    assert site.client.get("/").headers["ETag"] == etag
    with site.database.read_session() as session:
        assert session.get_one(JobRun, "tidy-accounts").failed is False


def test_an_interval_that_is_none_is_told(make_site):
    def include(config):
        config.add_job("cook", add_page, title="Cook", every=dt.timedelta(0))

    with pytest.raises(ConfigurationProblem, match="The job 'cook' is due every 0:00:00"):
        make_site(include)


# -- services -------------------------------------------------------------------------------------


class IOven(Interface):
    """Bakes."""


class Oven:
    """Bakes with a session."""

    def __init__(self, scope):
        self.session = scope.dbsession

    def bake(self):
        return f"a cake for {self.session.get_one(Node, ROOT_ID).title}"


def test_a_service_is_made_once_for_a_request_and_works_outside_of_one(make_site):
    made = []

    def factory(scope):
        made.append(scope)
        return Oven(scope)

    def view(context, request):
        assert request.service(IOven) is request.service(IOven)
        assert request.service(IOven, "small") is not request.service(IOven)
        return {"cake": request.service(IOven).bake()}

    def include(config):
        config.add_service(factory, IOven)
        config.add_service(Oven, IOven, name="small")
        config.add_view(view, name="cake", context=Page, permission="view", renderer="json")

    site = make_site(include)
    for _ in range(2):
        assert site.client.get("/@@cake").json == {"cake": "a cake for Home"}
    assert len(made) == 2
    with site.registry.scopes.reading() as scope:
        assert scope.service(IOven).bake() == "a cake for Home"


def test_a_service_that_nobody_offers_is_told(site):
    with site.registry.scopes.reading() as scope:
        with pytest.raises(NoSuchService, match=r"no service IOven\. Is its add-on switched on"):
            scope.service(IOven)
        with pytest.raises(NoSuchService, match="no service IOven called 'big'"):
            scope.service(IOven, "big")


# -- events ---------------------------------------------------------------------------------------


def test_subscribers_are_told_in_the_transaction_and_after_the_commit(make_site):
    seen = []

    def include(config):
        config.add_event_subscriber(lambda event: seen.append(("in", type(event))), NodeEvent)
        config.add_event_subscriber(
            lambda event, more="ignored": seen.append(("after", type(event))),
            NodeEvent,
            after_commit=True,
        )
        config.add_event_subscriber(lambda event: seen.append("moved"), NodeMoved)

    site = make_site(include)
    seen.clear()
    site.add("/menu")
    assert seen == [
        *[("in", NodeAdded), ("in", ContentSaved)],
        *[("after", NodeAdded), ("after", ContentSaved)],
    ]


def test_a_subscriber_in_the_transaction_vetoes_by_raising(make_site):
    def veto(event):
        raise NameTaken("menu", "Home")

    site = make_site(lambda config: config.add_event_subscriber(veto, NodeAdded))
    with pytest.raises(NameTaken):
        site.add("/menu")
    assert site.client.get("/menu", status=404)


def test_a_subscriber_after_the_commit_that_raises_stops_nobody(make_site, caplog):
    seen = []

    def fail(event):
        raise ValueError("too late")

    def include(config):
        config.add_event_subscriber(fail, NodeAdded, after_commit=True)
        config.add_event_subscriber(lambda e: seen.append(e.node_id), NodeAdded, after_commit=True)

    site = make_site(include)
    with caplog.at_level(logging.ERROR):
        number = site.add("/menu")
    assert seen == [number]
    assert "too late" in caplog.text
    assert site.client.get("/menu").status_int == 200


def test_what_is_never_told_after_the_commit_is_refused(make_site):
    def include(config):
        config.add_event_subscriber(print, dict, after_commit=True)

    with pytest.raises(ConfigurationProblem, match="dict is never told after the commit"):
        make_site(include)


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (SystemExit(0), "SystemExit: 0"),
        (RuntimeError("a\0b"), "RuntimeError: a\ufffdb"),
        (RuntimeError("x" * 20_000), "RuntimeError: xxx"),
    ],
)
def test_whatever_a_job_raises_is_recorded_and_others_are_run(make_site, error, told):
    def fail(scope):
        raise error

    def include(config):
        config.add_job("a-bad", fail, title="Bad", every=dt.timedelta(days=1))
        config.add_job("b-good", add_page, title="Good", every=dt.timedelta(days=1))

    site = make_site(include)
    done = site.run("job", "due")
    assert done.exit_code == 1
    assert f"a-bad: failed: {told}" in done.output
    assert "b-good: done: one page" in done.output
    with site.database.read_session() as session:
        assert len(session.get_one(JobRun, "a-bad").outcome) <= 10_000


def test_one_that_has_failed_meanwhile_is_not_run_for_whoever_waited(make_site):
    """On SQLite somebody waits for the lock, on PostgreSQL the row is skipped."""
    calls, started, go_on = [], threading.Event(), threading.Event()

    def fail(scope):
        calls.append(1)
        started.set()
        assert go_on.wait(10)
        raise ValueError("no luck")

    site = make_site()
    job = Job("slow", "Slow", fail, dt.timedelta(hours=1), None)
    scopes, results = site.registry.scopes, []
    first = threading.Thread(target=lambda: results.extend(run_due(scopes, [job])))
    first.start()
    assert started.wait(10)
    other = threading.Thread(target=lambda: results.extend(run_due(scopes, [job])))
    other.start()
    other.join(0.3)
    go_on.set()
    first.join(20)
    other.join(20)
    assert calls == [1]
    assert [result.failed for result in results] == [True]


def test_a_check_that_spoils_its_session_spoils_no_other(make_site):
    def spoil(scope):
        scope.dbsession.execute(text("BEGIN"))
        scope.dbsession.execute(text("SELECT * FROM no_such_table"))

    def good(scope):
        scope.dbsession.execute(text("SELECT 1"))

    def include(config):
        config.add_health_check("a-spoil", spoil)
        config.add_health_check("b-good", good)

    site = make_site(include)
    for _ in range(3):
        checks = site.client.get("/@@health", status=503).json["checks"]
        assert checks == {"database": "ok", "a-spoil": "failed", "b-good": "ok"}
    assert site.client.get("/").status_int == 200


@pytest.mark.parametrize("name", ["", "A job", "a\x1b[31m", "x" * 51])
def test_names_that_cannot_be_are_told(make_site, name):
    for include in (
        lambda config: config.add_job(name, add_page, title="Cook"),
        lambda config: config.add_health_check(name, print),
    ):
        with pytest.raises(ConfigurationProblem, match="cannot be the name of"):
            make_site(include)
