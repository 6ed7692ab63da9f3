"""Two classes that want to be the same content type, in a process of their own."""

from __future__ import annotations

import subprocess
import sys

SCRIPT = """
import tempfile, warnings
from sqlalchemy import ForeignKey, select
from sqlalchemy.orm import Mapped, declared_attr, mapped_column
from myproject.content.types import Content, Page
from myproject.db.base import Base, Id
from myproject.db.engine import Database
from myproject.db.migrations import upgrade
from myproject.exceptions import ConfigurationProblem
from myproject.tree.node import ROOT_ID, Node
from myproject.tree.operations import Tree

warnings.simplefilter("error")
database = Database(f"sqlite:///{tempfile.mkdtemp()}/x.sqlite")
upgrade(database)
tables = set(Base.metadata.tables)
try:
    class Second(Content):
        __tablename__ = "second"
        __mapper_args__ = {"polymorphic_identity": "page"}
        id: Mapped[int] = mapped_column(Id, ForeignKey("node.id"), primary_key=True)
except ConfigurationProblem as error:
    print(error)

class Mixin:
    @declared_attr.directive
    def __mapper_args__(cls):
        return {"polymorphic_identity": "link"}

try:
    class Other(Mixin, Content):
        pass
except ConfigurationProblem as error:
    print(error)
assert set(Base.metadata.tables) == tables
assert Node.__mapper__.polymorphic_map["page"].class_ is Page

with database.transaction() as session:
    tree = Tree(session)
    root = session.get_one(Node, ROOT_ID)
    tree.add(root, Page(title="A", body="x"), "a")
    tree.copy(root["a"], root, "b")
    assert {type(node) for node in session.scalars(select(Page))} == {Page}

class Third(Content):
    __mapper_args__ = {"polymorphic_identity": "third"}

with database.transaction() as session:
    tree = Tree(session)
    tree.add(session.get_one(Node, ROOT_ID), Third(title="C"), "c")
with database.read_session() as session:
    assert type(session.scalars(select(Node).where(Node.name == "c")).one()) is Third
    assert len(session.scalars(select(Node)).all()) == 4
print("done")
"""


def test_a_second_class_is_refused_and_everything_else_goes_on() -> None:
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT], capture_output=True, text=True, check=False, timeout=120
    )
    assert done.stderr == ""
    assert done.stdout.splitlines() == [
        "The content type 'page' has two classes, myproject.content.types.Page and "
        "__main__.Second. Give one of them another polymorphic identity.",
        "The content type 'link' has two classes, myproject.content.types.Link and "
        "__main__.Other. Give one of them another polymorphic identity.",
        "done",
    ]
