"""Random trees survive export and import: every byte, and nothing to update afterwards."""

from __future__ import annotations

import datetime as dt
import tempfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from myproject.content.operations import finish
from myproject.content.publishing import save_newest, schedule, unpublish
from myproject.content.types import Folder, Link, Page
from myproject.exceptions import InvalidValue
from myproject.testing import Site
from myproject.tree.names import normalize, problem_with
from myproject.tree.node import PUBLISHED, ROOT_ID, Node
from tests.content.transfer.test_exporter import assert_round_trip
from tests.content.transfer.test_frontmatter import TIMES, VALUES

TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=40)
TRICKY = st.sampled_from(
    [
        "no",
        "---",
        "- a",
        "a: b",
        "# c",
        "'",
        '"',
        "1.0",
        "2026-05-01",
        "~",
        "a\nb",
        "🎈",
        " x ",
        "{",
        "*",
    ]
)
TITLES = (TEXT | TRICKY).filter(lambda title: title.strip())
NAMES = st.one_of(
    st.sampled_from(
        [
            "a",
            "b",
            "A",
            "b.md",
            "b.md.md",
            "index",
            "README",
            "_index",
            "_index.md",
            "b.draft",
            "b.draft.md",
            "x:y",
            "a b",
            ".git",
            "é",
            "%41",
        ]
    ),
    TEXT.map(normalize).filter(lambda name: problem_with(name) is None),
)
OTHERS = st.dictionaries(
    TEXT | st.sampled_from(["weight", "order", "aliases", "summary", "description", "title"]),
    VALUES,
    max_size=3,
).filter(lambda extra: "url" not in extra)
#: Times that somebody has planned once, kept as a record.
PAST = [dt.date(2001, 5, 1), dt.datetime(2000, 2, 1), None, "", "2002-03-01T10:00:00+02:00"]
RECORDS = st.fixed_dictionaries(
    {},
    optional={
        "publishDate": st.sampled_from([*PAST, dt.date(2092, 1, 1), "2092-03-01"]),
        "expiryDate": st.sampled_from(PAST),
    },
)
EXTRAS = st.builds(lambda others, records: {**others, **records}, OTHERS, RECORDS)
LINES = st.one_of(
    TEXT,
    st.sampled_from(
        [
            "",
            "---",
            "+++",
            "{",
            "---\ntitle: x\n---",
            "    [code](node:{})",
            "`[code](node:{})`",
            "[ref][r]\n\n[r]: node:{} 'title'\n",
            "| [cell](node:{}) | x |\n| - | - |\n| [b](<node:{}>) | `\\|` |",
            "[a](node:{}) *[b](node:{}#f)* ![i](node:{})",
            "[raw](/a/b) [up](..) [gone](nowhere.md) [self](#x) [q](?q)",
            "<node:{}> <a href='node:{}'>x</a>",
        ]
    ),
)
FIELDS = st.fixed_dictionaries(
    {"title": TITLES, "state": st.sampled_from(["published", "draft"]), "extra": EXTRAS},
    optional={
        "nav_title": TEXT,
        "summary": TEXT,
        "created_at": TIMES.filter(lambda moment: moment.tzinfo and 2 < moment.year < 9998),
    },
)
PLANTS = st.lists(
    st.tuples(
        st.integers(0, 30),  # which of the nodes there are is the parent
        st.sampled_from([Page, Page, Folder, Link]),
        NAMES,
        FIELDS,
        st.lists(LINES, max_size=4),
        st.lists(st.integers(0, 30), min_size=3, max_size=3),  # nodes that are linked to
        st.booleans(),  # put in front of its siblings
    ),
    max_size=8,
)


FUTURE = st.sampled_from([None, *(dt.datetime(year, 5, 1, tzinfo=dt.UTC) for year in (2091, 2093))])
DRAFTS = st.lists(
    st.tuples(
        st.integers(0, 30),  # which of the nodes gets it
        st.fixed_dictionaries({"title": TITLES}, optional={"nav_title": TEXT, "extra": EXTRAS}),
        FUTURE,  # when it is published
        st.sampled_from([None, dt.datetime(2092, 5, 1, tzinfo=dt.UTC)]),  # and seen no longer
        st.booleans(),  # taken back from readers in the end
    ),
    max_size=3,
)


def plant(site: Site, plants: list[Any], drafts: list[Any]) -> None:
    with site.tree() as tree:
        nodes: list[Node] = [tree.session.get_one(Node, ROOT_ID)]
        for above, cls, name, fields, _, _, in_front in plants:
            parent = nodes[above % len(nodes)]
            siblings = [node for node in nodes if node.parent_id == parent.id]
            if any(node.name == name for node in siblings):
                continue
            node = cls(**{"nav_title": "", "summary": "", **fields})
            tree.add(parent, node, name, before=siblings[0] if in_front and siblings else None)
            nodes.append(node)
        for node, (_, _, _, _, lines, targets, _) in zip(nodes[1:], plants, strict=False):
            ids = [nodes[target % len(nodes)].id for target in targets]
            if isinstance(node, Page):
                node.body = "\n".join(lines)
                for target in ids:
                    node.body = node.body.replace("node:{}", f"node:{target}", 1)
            elif isinstance(node, Link):
                node.target_id = ids[0]
        for node in nodes[1:]:
            finish(tree, node, site.renderer)
        for number, values, begin, end, is_unpublished in drafts:
            node = nodes[number % len(nodes)]
            save_newest(tree, node, values, site.renderer)
            with suppress(InvalidValue):
                schedule(tree, node, begin, end)
            if is_unpublished:
                unpublish(tree, node)


@pytest.mark.parametrize(
    ("backend", "examples"), [("sqlite", 40), ("postgresql", 8)], indirect=["backend"]
)
def test_random_trees_come_back_byte_by_byte(
    new_site: Callable[[], Site], tmp_path: Path, examples: int
) -> None:
    site, other = new_site(), new_site()

    @settings(
        max_examples=examples, deadline=None, suppress_health_check=list(HealthCheck), database=None
    )
    @given(PLANTS, DRAFTS)
    def round_trip(plants: list[Any], drafts: list[Any]) -> None:
        for each in (site, other):
            with each.tree() as tree:
                root = tree.session.get_one(Node, ROOT_ID)
                for child in tree.session.query(Node).filter_by(parent_id=ROOT_ID).all():
                    tree.purge(child)
                root = tree.session.get_one(Node, ROOT_ID)
                root.title, root.nav_title, root.extra = "Home", "", {}
                root.state, root.draft_id = PUBLISHED, None
                root.publish_at = root.expire_at = None
        plant(site, plants, drafts)
        with tempfile.TemporaryDirectory(dir=tmp_path) as directory:
            assert_round_trip(site, other, Path(directory))

    round_trip()
