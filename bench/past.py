"""What history costs: reading a page that has a long one, and reading a page as it was."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Any

import trees
from growing import Growing
from sqlalchemy import insert, update
from sqlalchemy.orm import Session
from table import CannotMeasure, Line
from timing import Page, medians

from myproject.content.asof import load_past_page
from myproject.content.markup import MarkdownRenderer
from myproject.content.operations import create
from myproject.content.revisions import Revision
from myproject.content.types import Page as PageType
from myproject.db.base import utcnow
from myproject.tree.history import Place
from myproject.tree.node import ROOT_ID, Node
from myproject.tree.operations import Tree
from myproject.tree.traversal import load_lineage

REVISIONS = 1_000
DEPTH = 5
MINUTE = dt.timedelta(minutes=1)
TEXT = "A paragraph of some length, with *emphasis* and `code`.\n\n" * 100


class Past:
    """Measurements on one kind of database.

    :param seconds: of each measurement.
    """

    def __init__(self, growing: Growing, seconds: float) -> None:
        self.work, self.kind, self.seconds = growing.work, growing.kind, seconds

    def past(self) -> Iterator[Line]:
        """Compare pages with one revision and a thousand, and a past page with the live one."""
        application, database = self.work.application(self.work.new_database(self.kind))
        with database.transaction() as session:
            tree, parent = Tree(session), session.get_one(Node, ROOT_ID)
            for depth in range(DEPTH - 1):
                parent = create(
                    tree, parent, PageType(title="Above"), MarkdownRenderer(), f"a{depth}"
                )
            pages = [
                create(tree, parent, PageType(title=name, body=TEXT), MarkdownRenderer(), name)
                for name in ("short", "long")
            ]
            _give_history(session, pages[1])
            names = [f"a{depth}" for depth in range(DEPTH - 1)]
        trees.finish(database)
        paths = ["/" + "/".join([*names, name]) for name in ("long", "short")]
        long, short = medians([Page(application, [path]).get for path in paths], self.seconds * 3)
        what = f"a page with {REVISIONS:,} revisions / with 1, {self.kind}"
        yield Line.at_most(what, long / short, 1.05, f"times, {long:.2f} / {short:.2f} ms")
        now = utcnow()
        with database.read_session() as session:

            def past(turn: int) -> None:
                # In the middle of its history.
                at = now - MINUTE * (REVISIONS // 2 + turn % 100)
                if load_past_page(session, [*names, "long"], at) is None:
                    raise CannotMeasure("the past page is not found")

            def live(turn: int) -> None:
                session.expunge_all()
                load_lineage(session, [*names, "long"])

            as_of, present = medians([past, live], self.seconds)
        what = f"  as it was at a time / as it is, {self.kind}"
        yield Line.at_most(what, as_of / present, 2, f"times, {as_of:.2f} / {present:.2f} ms")


def _give_history(session: Session, page: Node) -> None:
    """Have a page been saved a thousand times, once a minute until now."""
    now = utcnow()
    # All has stood where it does for longer than that.
    session.execute(update(Place).values(valid_from=now - MINUTE * 2 * REVISIONS))
    latest = session.query(Revision).filter(Revision.node_id == page.id).one()
    common: dict[str, Any] = {
        name: getattr(latest, name)
        for name in ("node_id", "actor", "comment", "label", "type", "parent_id", "name")
    }
    common |= {"position": latest.position, "state": latest.state, "fields": latest.fields}
    rows = [
        {
            **common,
            "at": now - MINUTE * number,
            "valid_from": now - MINUTE * number,
            "valid_to": now - MINUTE * (number - 1),
        }
        for number in range(1, REVISIONS)
    ]
    session.execute(insert(Revision), rows)
    latest.valid_from = now
