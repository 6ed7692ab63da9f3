"""Redirects: what operations leave behind, and where old addresses lead."""

from __future__ import annotations

import random
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest
from sqlalchemy import select

from myproject.content.types import Folder
from myproject.exceptions import InvalidValue, TreeError
from myproject.tree.actor import Actor
from myproject.tree.node import DRAFT, ROOT_ID, Node
from myproject.tree.operations import Tree
from myproject.tree.redirects import (
    MAX_REST_BYTES,
    Cursor,
    Redirect,
    add,
    address_of,
    addresses_of,
    change,
    follow,
    load_redirects,
    walk,
)
from myproject.tree.urls import paths_of
from myproject.tree.visibility import ALL, EVERYTHING, PUBLISHED_ONLY, BoundarySet


def names(path: str) -> tuple[str, ...]:
    return tuple(name for name in path.split("/") if name)


def lead(tree: Tree, path: str, visibility: Any = EVERYTHING, **options: Any) -> str | None:
    """Return where an address without a page leads: a path, a URL, or nowhere."""
    asked = names(path)
    found = follow(tree.session, walk(tree.session, asked), asked, visibility, **options)
    if found is None:
        return None
    return found.url or "/" + "/".join(found.names or ())


def rows(tree: Tree) -> list[tuple[int, str, str, int | None]]:
    table = Redirect.__table__
    columns = (table.c.parent_id, table.c.name, table.c.rest, table.c.target_id)
    query = select(*columns).order_by(*columns)
    return [tuple(row) for row in tree.session.connection().execute(query)]


@pytest.fixture
def nodes(tree, plant):
    return plant(tree, {"docs": {"install": {"linux": {}}, "use": {}}, "blog": {}, "team": {}})


def put(tree: Tree, path: str, **target: Any) -> int:
    return add(tree.session, address_of(tree.session, names(path)), **target)


def test_a_rename_leaves_one_row_for_everything_below(tree, nodes):
    tree.actor = Actor(7, "ann")
    tree.rename(nodes["docs"], "manual")
    assert rows(tree) == [(ROOT_ID, "docs", "", nodes["docs"].id)]
    assert lead(tree, "/docs") == "/manual"
    assert lead(tree, "/docs/install/linux") == "/manual/install/linux"
    assert lead(tree, "/docs/nope") is None
    assert lead(tree, "/manual/nope") is None
    redirect = tree.session.scalars(select(Redirect)).one()
    assert (redirect.origin, redirect.actor, redirect.hits) == ("moved", "ann", 0)


def test_a_move_leaves_one_row_and_chains_collapse(tree, nodes):
    tree.move(nodes["docs/install"], nodes["blog"])
    tree.rename(nodes["docs"], "manual")
    tree.rename(nodes["docs"], "guide")
    tree.move(nodes["docs/install"], nodes["team"], "setup")
    for path in ("/docs/install", "/manual/install", "/guide/install", "/blog/install"):
        assert lead(tree, path) == "/team/setup"
        assert lead(tree, f"{path}/linux") == "/team/setup/linux"
    assert lead(tree, "/docs/use") == "/guide/use"


def test_going_back_leaves_nothing_that_leads_to_itself(tree, nodes):
    docs = nodes["docs"]
    tree.rename(docs, "manual")
    tree.rename(docs, "docs")
    assert rows(tree) == [(ROOT_ID, "manual", "", docs.id)]
    tree.move(docs, nodes["blog"])
    tree.move(docs, tree.session.get_one(Node, ROOT_ID))
    assert rows(tree) == [
        (ROOT_ID, "manual", "", docs.id),
        (nodes["blog"].id, "docs", "", docs.id),
    ]


def test_a_new_page_wins_but_not_over_the_old_pages_below(tree, nodes):
    tree.rename(nodes["docs"], "manual")
    new = tree.add(tree.session.get_one(Node, ROOT_ID), Folder(title="New"), "docs")
    assert lead(tree, "/docs", taken=1) is None
    assert lead(tree, "/docs/install/linux", taken=1) == "/manual/install/linux"
    tree.add(new, Folder(title="Own"), "install")
    assert lead(tree, "/docs/install/linux", taken=2) == "/manual/install/linux"
    tree.purge(new)
    assert lead(tree, "/docs") == "/manual"


def test_the_last_one_to_leave_a_place_has_its_address(tree, nodes):
    tree.rename(nodes["docs"], "manual")
    tree.rename(nodes["blog"], "docs")
    assert rows(tree) == [
        (ROOT_ID, "blog", "", nodes["blog"].id),
        (ROOT_ID, "docs", "", nodes["docs"].id),
    ]
    tree.rename(nodes["blog"], "news")
    assert lead(tree, "/docs") == "/news"


def test_a_copy_has_no_old_addresses_and_what_is_deleted_none_either(tree, nodes):
    tree.rename(nodes["docs/install"], "setup")
    copy = tree.copy(nodes["docs"], nodes["blog"])
    assert {parent for parent, *_ in rows(tree)} == {nodes["docs"].id}
    assert lead(tree, "/blog/docs/install") is None
    tree.purge(copy)
    tree.purge(nodes["docs/install"])
    assert rows(tree) == []


def test_deleting_a_section_keeps_the_ways_out_of_it(tree, nodes):
    tree.move(nodes["docs/install/linux"], nodes["blog"])
    tree.move(nodes["docs/use"], nodes["docs/install"])
    put(tree, "/docs/install/gone/long", url="https://example.org/")
    tree.purge(nodes["docs"])
    assert lead(tree, "/docs/install/linux") == "/blog/linux"
    assert lead(tree, "/docs/install/gone/long") == "https://example.org/"
    assert lead(tree, "/docs/use") is None
    assert len(rows(tree)) == 2


def test_the_trash_leaves_nothing_and_hides_nothing_that_was_moved_out_before(tree, nodes):
    tree.move(nodes["docs/install/linux"], nodes["blog"])
    tree.rename(nodes["team"], "people")
    tree.trash(nodes["docs/install"])
    tree.trash(nodes["docs"])
    before = rows(tree)
    assert len(before) == 2
    assert lead(tree, "/docs/install/linux") == "/blog/linux"
    assert lead(tree, "/docs") is None
    assert lead(tree, "/docs/use") is None
    tree.purge(nodes["docs"])
    assert lead(tree, "/docs/install/linux") == "/blog/linux"
    # What comes back at another place is found there.
    tree.trash(nodes["team"])
    assert lead(tree, "/team") is None
    tree.restore(nodes["team"], nodes["blog"], "us")
    assert lead(tree, "/team") == "/blog/us"
    assert lead(tree, "/people") == "/blog/us"
    tree.trash(nodes["team"])
    tree.restore(nodes["team"])
    assert lead(tree, "/people") == "/blog/us"
    assert (nodes["blog"].id, "us", "", nodes["team"].id) not in rows(tree)


def test_only_what_may_be_seen_is_led_to(tree, nodes):
    tree.rename(nodes["docs"], "manual")
    nodes["docs/install"].state = DRAFT
    tree.session.flush()
    assert lead(tree, "/docs/use", PUBLISHED_ONLY) == "/manual/use"
    assert lead(tree, "/docs/install", PUBLISHED_ONLY) is None
    assert lead(tree, "/docs/install/linux", PUBLISHED_ONLY) is None
    assert lead(tree, "/docs/install/linux") == "/manual/install/linux"
    assert lead(tree, "/docs", types={"page"}) is None


def test_what_nobody_may_see_hides_no_redirect(tree, nodes):
    tree.rename(nodes["docs"], "manual")
    tree.add(tree.session.get_one(Node, ROOT_ID), Folder(title="New", state=DRAFT), "docs")
    # Whoever sees the draft has found a page; who does not is led on as before.
    assert lead(tree, "/docs", PUBLISHED_ONLY, taken=0) == "/manual"


def test_by_hand_an_address_may_have_places_that_never_were(tree, nodes):
    put(tree, "/old/site/about.html", target_id=nodes["team"].id)
    put(tree, "/old", target_id=nodes["docs"].id)
    put(tree, "/away", url="https://example.org/x")
    assert lead(tree, "/old/site/about.html") == "/team"
    assert lead(tree, "/old/install") == "/docs/install"
    assert lead(tree, "/old/site") is None
    assert lead(tree, "/away") == "https://example.org/x"
    assert lead(tree, "/away/below") is None
    assert lead(tree, "/away", to_url=False) is None
    # What comes to stand on the way leaves the rest as it was.
    old = tree.add(tree.session.get_one(Node, ROOT_ID), Folder(title="Old"), "old")
    tree.add(old, Folder(title="Site"), "site")
    assert lead(tree, "/old/site/about.html", taken=2) == "/team"


@pytest.mark.parametrize(
    ("path", "problem"),
    [
        ("/", "start page"),
        ("/@@edit", "begin with @@"),
        ("/a/..", "browsers take"),
        ("/static/x", "by the application"),
        ("/a/" + "x" * 241, "longer than 240"),
        ("/a" * 201, "too long"),
        ("/a" + "/x" * 0 + ("/" + "é" * 100) * 8, "too long"),
    ],
)
def test_impossible_addresses_are_refused(tree, nodes, path, problem):
    with pytest.raises(InvalidValue, match=problem):
        address_of(tree.session, names(path), frozenset({"static"}))
    assert MAX_REST_BYTES < 2000


def test_an_address_leads_to_one_place_and_not_to_itself(tree, nodes):
    number = put(tree, "/old/x", target_id=nodes["docs"].id)
    with pytest.raises(InvalidValue, match="already"):
        put(tree, "/old/x", target_id=nodes["blog"].id)
    with pytest.raises(InvalidValue, match="itself"):
        put(tree, "/docs", target_id=nodes["docs"].id)
    redirect = tree.session.get_one(Redirect, number)
    change(tree.session, redirect, url="https://example.org/")
    assert lead(tree, "/old/x") == "https://example.org/"
    change(tree.session, redirect, target_id=nodes["blog"].id)
    assert lead(tree, "/old/x") == "/blog"
    taken = address_of(tree.session, ("team",))
    assert taken.is_taken
    number = add(tree.session, taken, target_id=nodes["docs"].id)
    with pytest.raises(InvalidValue, match="itself"):
        change(tree.session, tree.session.get_one(Redirect, number), target_id=nodes["team"].id)


def test_what_has_no_redirect_takes_one_statement(tree, nodes, shared, count_statements):
    tree.rename(nodes["docs"], "manual")
    lineage = walk(tree.session, names("/blog/a/b"))
    with count_statements(shared) as seen:
        assert follow(tree.session, lineage, names("/blog/a/b"), EVERYTHING) is None
    assert len(seen) == 1
    with count_statements(shared) as seen:
        asked = names("/docs/install/linux")
        assert follow(tree.session, [ROOT_ID], asked, EVERYTHING)
    assert len(seen) == 3


def test_nobody_can_make_the_database_walk_for_long(tree, nodes, shared, count_statements):
    for number in range(1, 60):
        put(tree, "/" + "/".join(["x"] * number), target_id=ROOT_ID)
    asked = ("x",) * 150 + ("nope",)
    with count_statements(shared) as seen:
        assert follow(tree.session, [ROOT_ID], asked, EVERYTHING) is None
    assert len(seen) < 50


def test_the_list_has_pages_and_shows_only_what_is_within(tree, nodes, shared, count_statements):
    for number in range(7):
        put(tree, f"/old-{number}", target_id=nodes["docs"].id)
    put(tree, "/away/A_B", url="https://example.org/")
    found, before = [], None
    while True:
        lines, more = load_redirects(tree.session, ALL, before=before, limit=3)
        found += [line.redirect.name for line in lines]
        before = Cursor(lines[-1].redirect.created_at, lines[-1].redirect.id)
        if not more:
            break
    assert found == ["away", *(f"old-{number}" for number in range(6, -1, -1))]

    def searched(text: str, **options: Any) -> list[str]:
        lines, _ = load_redirects(tree.session, ALL, search=text, **options)
        return [line.redirect.name for line in lines]

    assert searched("/x/OLD-3") == ["old-3"]
    assert len(searched("docs")) == 7
    assert searched("a_b") == ["away"]
    assert searched("example") == ["away"]
    assert searched("", origin="moved") == []
    assert searched("%") == []
    lines, _ = load_redirects(tree.session, ALL)
    redirects = [line.redirect for line in lines]
    with count_statements(shared) as seen:
        addresses = addresses_of(tree.session, redirects, EVERYTHING)
    assert len(seen) == 1
    assert addresses[redirects[0].id] == ("away", "A_B")
    nodes["docs"].boundary_id = nodes["docs"].id
    tree.session.flush()
    lines, _ = load_redirects(tree.session, BoundarySet(frozenset({ROOT_ID})))
    assert [line.redirect.name for line in lines] == ["away"]


def test_two_who_leave_a_place_at_once_both_get_through(database, plant):
    """Both leave the same place below the same node, and neither meets the other's row."""
    with database.transaction() as session:
        nodes = plant(Tree(session), {"p": {"a": {}}, "q": {"b": {}}, "r": {}})
        ids = {path: node.id for path, node in nodes.items()}
    barrier = Barrier(2)

    def work(path: str) -> Exception | None:
        barrier.wait()
        for turn in range(8):
            try:
                with database.transaction() as session:
                    node = session.get_one(Node, ids[path])
                    tree = Tree(session)
                    where = ids["p"] if turn % 2 else ids["r"]
                    tree.move(node, session.get_one(Node, where), f"same-{path[0]}")
            except TreeError as error:
                return error
        return None

    with ThreadPoolExecutor(2) as pool:
        assert list(pool.map(work, ("p/a", "q/b"))) == [None, None]
    assert_unique(database)


def assert_unique(database: Any) -> None:
    with database.read_session() as session:
        table = Redirect.__table__
        keys = session.execute(select(table.c.parent_id, table.c.name, table.c.rest)).all()
    assert len(set(keys)) == len(keys)


def test_one_address_by_hand_twice_at_once(database, plant):
    with database.transaction() as session:
        nodes = plant(Tree(session), {"a": {}, "b": {}})
        ids = [node.id for node in nodes.values()]
    barrier = Barrier(2)

    def work(target: int) -> str:
        barrier.wait()
        try:
            with database.transaction() as session:
                add(session, address_of(session, ("old",)), target_id=target)
        except InvalidValue as error:
            return error.field
        return "made"

    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(work, ids)) == ["address", "made"]
    assert_unique(database)


class Oracle:
    """Which node an address has to lead to: the last one that has stood at each of its places.

    A place is a parent and a name, so that an address is taken over with a place on its way.
    """

    def __init__(self, tree: Tree) -> None:
        self.tree = tree
        self.last: dict[tuple[int, str], int] = {}
        self.addresses: dict[tuple[str, ...], list[tuple[int, str, int]]] = {}

    def look(self) -> None:
        """Remember every address that there is now."""
        ids = list(self.tree.session.connection().scalars(select(Node.__table__.c.id)))
        paths = paths_of(self.tree.session, ids, EVERYTHING)
        by_path = {path: node_id for node_id, path in paths.items()}
        for node_id, path in paths.items():
            way = []
            for depth, name in enumerate(path):
                parent = by_path[path[:depth]]
                way.append((parent, name, by_path[path[: depth + 1]]))
            if path:
                self.addresses[path] = way
                self.last[way[-1][0], path[-1]] = node_id

    def wanted(self) -> dict[tuple[str, ...], int]:
        """Return address -> id of the node, of those that nothing else has taken.

        All places on the way have to be there still: what was moved out of a section that was
        deleted is found at its last address in there, but not at those from before.
        """
        alive = set(self.tree.session.connection().scalars(select(Node.__table__.c.id)))
        return {
            path: way[-1][2]
            for path, way in self.addresses.items()
            if all(
                self.last[parent, name] == node_id and node_id in alive
                for parent, name, node_id in way
            )
        }


@pytest.mark.parametrize("seed", range(8))
def test_every_address_that_a_page_had_leads_to_it(tree, plant, seed):
    chance = random.Random(seed)
    plant(tree, {"a": {"b": {"c": {}}, "c": {}}, "b": {"a": {}}, "c": {}})
    oracle = Oracle(tree)
    oracle.look()
    for step in range(30):
        everything = [n for n in tree.session.scalars(select(Node)) if n.id != ROOT_ID]
        node, other = chance.choice(everything), chance.choice(everything)
        if chance.random() < 0.15:
            other = tree.session.get_one(Node, ROOT_ID)
        name = chance.choice("abcd")
        what = chance.choice(["rename", "rename", "move", "move", "move", "add", "add", "delete"])
        try:
            match what:
                case "rename":
                    tree.rename(node, name)
                case "move":
                    tree.move(node, other, chance.choice([None, name]))
                case "add":
                    tree.add(other, Folder(title=f"N{step}"), name)
                case "delete" if len(everything) > 7:
                    tree.purge(node)
        except TreeError:
            continue
        tree.session.expire_all()
        oracle.look()
    tried = 0
    for path, node_id in oracle.wanted().items():
        lineage = walk(tree.session, path)
        if len(lineage) > len(path):
            assert lineage[-1] == node_id
            continue
        found = follow(tree.session, lineage, path, EVERYTHING)
        assert found is not None, path
        assert found.node_id == node_id
        tried += 1
    assert tried
