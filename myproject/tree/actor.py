"""Who does something, as records of it keep them: a name stays when its account is gone."""

from __future__ import annotations

from typing import NamedTuple


class Actor(NamedTuple):
    """Who does something.

    :ivar id: of the user; None for the command line and for people who are not signed in.
    :ivar name: as the record shows it.
    :ivar address: the network address it came from.
    """

    id: int | None = None
    name: str = ""
    address: str = ""


COMMAND_LINE = Actor(name="command line")
