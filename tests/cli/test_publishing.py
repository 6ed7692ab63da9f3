"""``publish-due``, and the job of the same name."""

from __future__ import annotations

import datetime as dt

from myproject.content.publishing import draft_of, save_newest
from myproject.db.base import utcnow
from myproject.testing import Run, Site
from myproject.tree.node import DRAFT


def due(site: Site, path: str, **times: dt.datetime) -> None:
    with site.tree() as tree:
        for name, moment in times.items():
            setattr(site.node(tree, path), name, moment)


def test_what_is_due_is_done_and_told(site: Site, run: Run) -> None:
    assert run("publish-due").stdout == "Nothing is due.\n"
    past = utcnow() - dt.timedelta(minutes=1)
    site.add("/new", "New.", title="New", state=DRAFT)
    site.add("/old", "Old.", title="Old")
    site.add("/later", "Later.", title="Later", state=DRAFT)
    due(site, "/new", publish_at=past)
    due(site, "/old", expire_at=past)
    due(site, "/later", publish_at=utcnow() + dt.timedelta(hours=1))
    result = run("publish-due")
    assert result.exit_code == 0
    assert [line.partition(" (")[0] for line in result.stdout.splitlines()] == [
        "Published: New",
        "Took back from readers: Old",
    ]
    assert run("publish-due").stdout == "Nothing is due.\n"
    due(site, "/old", publish_at=past)
    result = run("job", "run", "publish-due")
    assert result.stdout == "publish-due: done: 1 published, 0 taken back from readers\n"


def test_what_cannot_be_done_is_told_and_keeps_nobody_waiting(site: Site, run: Run) -> None:
    past = utcnow() - dt.timedelta(minutes=1)
    site.add("/page", "Text.", title="Page")
    site.add("/other", "Text.", title="Other", state=DRAFT)
    with site.tree() as tree:
        node = site.node(tree, "/page")
        save_newest(tree, node, {"title": "New"}, site.renderer)
        draft = draft_of(tree.session, node)
        assert draft is not None
        # As a type may have it whose fields have become required since.
        draft.fields = {**draft.fields, "title": ""}
    due(site, "/page", publish_at=past)
    due(site, "/other", publish_at=past)
    result = run("publish-due")
    assert result.exit_code == 1
    assert "Cannot be done: Page" in result.stdout
    assert "Published: Other" in result.stdout
