"""Trees to work on: in a transaction that is rolled back, sections from a shape, many rows."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

import pytest
import transaction
from pyramid import testing
from pyramid.config import Configurator
from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from myproject.content.journal import Journal
from myproject.content.operations_log import Operation
from myproject.content.types import Folder
from myproject.content.workflow import DEFAULT
from myproject.db.base import utcnow
from myproject.db.engine import Database
from myproject.tree.node import PUBLISHED, ROOT_ID, Node
from myproject.tree.operations import Tree

Shape = Mapping[str, Any]


def _share(backend: Any) -> Iterator[Database]:
    database = Database(backend.create())
    yield database
    database.dispose()
    backend.drop(database.url)


@pytest.fixture(scope="session")
def sqlite_shared(sqlite_backend: Any) -> Iterator[Database]:
    yield from _share(sqlite_backend)


@pytest.fixture(scope="session")
def postgresql_shared(postgresql_backend: Any) -> Iterator[Database]:
    yield from _share(postgresql_backend)


@pytest.fixture(params=["sqlite", "postgresql"])
def shared(request: pytest.FixtureRequest) -> Database:
    """A database that nothing is ever committed to, so that all tests can have the same."""
    return request.getfixturevalue(f"{request.param}_shared")


@pytest.fixture
def tree(shared: Database) -> Iterator[Tree]:
    """The operations on the shared database, in a transaction that is rolled back at the end."""
    manager = transaction.TransactionManager(explicit=True)
    manager.begin()
    yield Tree(shared.write_session(manager))
    manager.abort()


@pytest.fixture
def root(tree: Tree) -> Node:
    return tree.session.get_one(Node, ROOT_ID)


@pytest.fixture
def traversing() -> Iterator[Configurator]:
    """A Pyramid configuration that can traverse nodes, whatever database they come from."""
    with testing.testConfig() as config:
        config.registry.database = Database("sqlite://")
        config.include("myproject.tree")
        yield config


def _plant(tree: Tree, shape: Shape, parent: Node | None = None) -> dict[str, Node]:
    parent = parent or tree.session.get_one(Node, ROOT_ID)
    nodes = {name: Folder(title=name, name=name) for name in shape}
    tree.add_many(parent, nodes.values())
    below = {
        f"{name}/{path}": node
        for name, child in nodes.items()
        for path, node in _plant(tree, shape[name], child).items()
    }
    return nodes | below


@pytest.fixture
def plant() -> Callable[..., dict[str, Node]]:
    """``plant(tree, {"docs": {"install": {}}})["docs/install"]``: folders in a shape."""
    return _plant


def _node_rows(session: Session) -> dict[int, tuple[Any, ...]]:
    columns = Node.__table__.c
    query = select(columns.id, columns.parent_id, columns.name, columns.position, columns.type)
    return {node_id: rest for node_id, *rest in session.connection().execute(query)}


@pytest.fixture
def node_rows() -> Callable[[Session], dict[int, tuple[Any, ...]]]:
    """What the database itself holds: id -> [parent_id, name, position, type]."""
    return _node_rows


def _fill(session: Session, parent_id: int, count: int, **values: Any) -> list[int]:
    now = utcnow()
    common = {"type": "folder", "nav_title": "", "summary": "", "state": "published", "extra": {}}
    common |= {"created_at": now, "modified_at": now, "parent_id": parent_id} | values
    rows = [
        common | {"name": f"n{number}", "title": f"N{number}", "position": number << 16}
        for number in range(count)
    ]
    table = Node.__table__
    session.connection().execute(insert(table), rows)
    children = select(table.c.id).where(table.c.parent_id == parent_id)
    return list(session.connection().scalars(children.order_by(table.c.position)))


@pytest.fixture
def fill() -> Callable[..., list[int]]:
    """``fill(session, parent_id, 10_000)``: many rows at once, named n0, n1, ... in order."""
    return _fill


def set_state(journal: Journal, nodes: Iterable[Node], state: str) -> Operation | None:
    """Publish nodes, or take them back from readers, by the workflow of the core."""
    publish, unpublish = DEFAULT.transitions
    chosen = list(nodes)
    way = publish if state == PUBLISHED else unpublish
    return journal.take({node.id: way for node in chosen}, chosen)
