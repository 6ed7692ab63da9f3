"""A whole application on a database of the test's, and short ways to fill it and to use it."""

from __future__ import annotations

import sys
import tempfile
import uuid
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType
from typing import Any

from click.testing import Result
from pyramid.config import Configurator
from sqlalchemy.engine import URL
from webtest import TestApp

from myproject import configure, record_types
from myproject.content.operations import create
from myproject.content.types import Page
from myproject.db.engine import Database
from myproject.interfaces import IMarkdownRenderer, IRoles
from myproject.registry import registry_of
from myproject.testing import people
from myproject.testing.commands import DEFAULTS, invoke, write_ini
from myproject.testing.compiled import CompiledTemplates
from myproject.testing.counting import statements
from myproject.testing.databases import migrate
from myproject.testing.pages import client_of
from myproject.tree.node import ROOT_ID, Node
from myproject.tree.operations import Tree

#: Sites read their templates anew, and compile what no site has compiled yet.
COMPILED = CompiledTemplates()

#: What an add-on's ``includeme`` is.
Include = Callable[[Configurator], Any]


class Site:
    """A whole application on a database, which is brought up to date for its add-ons.

    Example::

        site = Site(url, addons="gallery", gallery_size="3")

    :param url: of a migrated database.
    :param include: the includeme of an add-on that exists for this site only.
    :param settings: of the ini file, without ``myproject.`` before their keys.
    """

    def __init__(self, url: URL, include: Include | None = None, **settings: str) -> None:
        self._module = None if include is None else _make_module(include)
        if self._module is not None:
            settings["addons"] = f"{settings.get('addons', '')} {self._module}".strip()
        self.settings = {
            **DEFAULTS,
            **{f"myproject.{key}": value for key, value in settings.items()},
        }
        try:
            self._make(url)
        except BaseException:
            self._forget_module()
            raise

    def _make(self, url: URL) -> None:
        self._configure(url)
        if self.registry.addons:
            # As when the application starts; copies of the template have what the core needs.
            migrate(self.database, self.registry.extensions.migrations())
            record_types(self.registry)
        #: A client that nobody is signed in with.
        self.client = client_of(self.app)
        self.renderer = self.registry.getUtility(IMarkdownRenderer)
        self.roles = self.registry.getUtility(IRoles)

    def _configure(self, url: URL) -> None:
        shown = url.render_as_string(hide_password=False)
        self.config = configure(
            {"__file__": "test.ini"}, **{"sqlalchemy.url": shown}, **self.settings
        )
        self.registry = registry_of(self.config)
        self.database: Database = self.registry.database
        self.registry.templates.bytecode_cache = COMPILED
        self.app = self.config.make_wsgi_app()

    def close(self) -> None:
        """Close the database's connections."""
        self.registry.redirect_hits.close()
        self.database.dispose()
        self._forget_module()

    def _forget_module(self) -> None:
        if self._module is not None:
            sys.modules.pop(self._module, None)

    # -- content ----------------------------------------------------------------------------------

    @contextmanager
    def tree(self) -> Iterator[Tree]:
        """The tree's operations in a transaction that is committed at the end."""
        with self.registry.scopes.writing() as scope:
            yield scope.tree

    def node(self, tree: Tree, path: str = "/") -> Node:
        """Return the node at a path of plain names.

        :raises KeyError: when there is none.
        """
        node = tree.session.get_one(Node, ROOT_ID)
        for name in path.split("/"):
            if name:
                node = node[name]
        return node

    def add(self, path: str, body: str = "", cls: type[Node] = Page, **fields: Any) -> int:
        """Add a node at *path*, whose parent exists, and return its id.

        :param cls: its content type.
        :param fields: its columns; the title is the last name of the path unless given.
        """
        above, _, name = path.rpartition("/")
        with self.tree() as tree:
            node = cls(title=fields.pop("title", name), **fields)
            if isinstance(node, Page):
                node.body = body
            return create(tree, self.node(tree, above), node, self.renderer, name).id

    # -- people -----------------------------------------------------------------------------------

    def sign_in(self, name: str, role: str | None = None, path: str = "/") -> TestApp:
        """Return a client that somebody is signed in with, who is made if there is no such user.

        :param role: what they are given at the node of *path*.
        """
        return people.sign_in(self, name, role, path)

    def grant(self, who: str, role: str, path: str = "/") -> None:
        """Give a role at the node of *path*.

        :param who: a user's name (made if there is none), ``group:NAME``, ``everyone`` or
            ``authenticated``.
        """
        people.give(self, who, role, path)

    def make_private(self, path: str) -> None:
        """Have the node at *path* inherit no permissions: administrators alone may see it."""
        people.cut_off(self, path)

    # -- looking from outside ---------------------------------------------------------------------

    def statements(self) -> AbstractContextManager[list[str]]:
        """Collect the statements of a block: ``with site.statements() as seen: ...``."""
        return statements(self.database)

    def run(self, *arguments: str) -> Result:
        """Run a command on this site, ``site.run("tree", "check")``, in this process."""
        with tempfile.TemporaryDirectory() as folder:
            ini = write_ini(Path(folder) / "test.ini", self.database.url, settings=self.settings)
            return invoke(ini, *arguments)


def _make_module(include: Include) -> str:
    """Make a module out of an includeme, because add-ons are switched on by name."""
    name = f"addon_{uuid.uuid4().hex}"
    # Where messages find it, too; the file is not executed once more.
    file = getattr(getattr(include, "__code__", None), "co_filename", __file__)
    spec = spec_from_file_location(name, file)
    module = ModuleType(name) if spec is None else module_from_spec(spec)
    module.__dict__["includeme"] = include
    sys.modules[name] = module
    return name


@contextmanager
def sites_on(url: URL) -> Iterator[Callable[..., Site]]:
    """A factory of sites on one database; they are closed in the end."""
    sites: list[Site] = []

    def make(include: Include | None = None, **settings: str) -> Site:
        sites.append(Site(url, include, **settings))
        return sites[-1]

    yield make
    for site in sites:
        site.close()
