"""Finding nodes by their addresses, many of them: what has been asked once is known."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from myproject.content.transfer.links import Names
from myproject.tree.names import problem_with
from myproject.tree.node import ROOT_ID, Node


class Lookup:
    """The nodes of a site by address, as they are while it is used.

    :param session: flushed by its owner; looking up writes nothing.
    """

    def __init__(self, session: Session) -> None:
        self._session = session
        self._children: dict[tuple[int, str], int | None] = {}

    def find(self, names: Names) -> int | None:
        """Return the id of the node at *names* (in NFC) below the root, if there is one."""
        found: int | None = ROOT_ID
        for name in names:
            found = self._child(found, name)
            if found is None:
                return None
        return found

    def _child(self, parent_id: int, name: str) -> int | None:
        key = (parent_id, name)
        if key not in self._children:
            node = Node.__table__
            query = select(node.c.id).where(node.c.parent_id == parent_id, node.c.name == name)
            possible = problem_with(name) is None
            self._children[key] = self._session.connection().scalar(query) if possible else None
        return self._children[key]
