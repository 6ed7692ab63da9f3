"""The site outside of requests: what jobs, commands, checks and tests work with.

A request has all of this as well, so a service that is made from a scope works in both.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from sqlalchemy.orm import Session

from myproject.content.journal import Journal
from myproject.content.operations_log import Operation, OperationKept
from myproject.content.registry import ContentTypes
from myproject.content.workflow import Transitions
from myproject.db.engine import Database
from myproject.exceptions import NoSuchService
from myproject.interfaces import IContentTypes, IMarkdownRenderer, IRoles
from myproject.registry import SiteRegistry
from myproject.security.access import Policies, load_policies
from myproject.tree.actor import COMMAND_LINE, Actor
from myproject.tree.node import Node
from myproject.tree.operations import Tree
from myproject.tree.placement import Placement
from myproject.tree.urls import join_path

if TYPE_CHECKING:
    reify = property
else:
    from pyramid.decorator import reify


class ScopeBase:
    """What requests and other scopes have in common.

    :ivar registry: the application's.
    :ivar dbsession: reads only, or writes in a transaction that somebody else commits.
    """

    registry: SiteRegistry
    dbsession: Any

    @property
    def actor(self) -> Actor:
        """On whose behalf: the operator's, but for requests of people who are signed in."""
        return COMMAND_LINE

    @reify
    def tree(self) -> Tree:
        """The operations on the tree, within this scope's transaction."""
        return Tree(
            self.dbsession,
            notify=self.registry.notify,
            reserved=self.registry.reserved_names,
            actor=self.actor,
        )

    @reify
    def journal(self) -> Journal:
        """The same operations as people make them: kept, and undone when somebody wants that."""
        return Journal(self.tree, self.renderer, self._tell_kept)

    def _tell_kept(
        self, operation: Operation, nodes: Sequence[Node], before: Mapping[int, Placement | None]
    ) -> None:
        self.registry.notify(OperationKept(self, operation, nodes, before))

    @reify
    def transitions(self) -> Transitions:
        """What may be done with pages by their workflows."""
        return Transitions(self.dbsession, self.registry.workflows, None, self.actor)

    @reify
    def content_types(self) -> ContentTypes:
        """The types that are switched on."""
        return self.registry.getUtility(IContentTypes)

    @property
    def renderer(self) -> IMarkdownRenderer:
        """Turns Markdown into HTML."""
        return self.registry.getUtility(IMarkdownRenderer)

    def service(self, interface: Any, name: str = "") -> Any:
        """Return the service that an add-on has registered for *interface*, made on first use.

        :raises NoSuchService:
        """
        made = self.__dict__.setdefault("_services", {})
        key = (interface, name)
        if key not in made:
            factory: Callable[[Any], Any] | None = self.registry.extensions.services.get(key)
            if factory is None:
                raise NoSuchService(getattr(interface, "__name__", str(interface)), name)
            made[key] = factory(self)
        return made[key]


class Scope(ScopeBase):
    """One session's worth of work outside of requests.

    :ivar signed_in: nobody: it is the site's own work.
    :ivar mount, host_url: empty, as no client says how it reaches the site.
    """

    signed_in = None
    mount = host_url = ""

    def __init__(self, registry: SiteRegistry, dbsession: Session) -> None:
        self.registry = registry
        self.dbsession = dbsession

    @reify
    def policies(self) -> Policies:
        """All grants of the site."""
        return load_policies(self.dbsession, self.registry.getUtility(IRoles))

    def path_url_of(self, names: tuple[str, ...]) -> str:
        """Return the URL path for decoded *names* from the tree's root."""
        return join_path(names)


class Scopes:
    """Makes scopes on one application's database."""

    def __init__(self, registry: SiteRegistry) -> None:
        self.registry = registry

    @property
    def database(self) -> Database:
        """The application's database."""
        return self.registry.database

    @contextmanager
    def reading(self) -> Iterator[Scope]:
        """A scope that cannot write."""
        with self.database.read_session() as session:
            yield Scope(self.registry, session)

    @contextmanager
    def writing(self) -> Iterator[Scope]:
        """A scope in a transaction of its own: committed at the end, aborted on an error."""
        with self.database.transaction() as session:
            yield Scope(self.registry, session)
