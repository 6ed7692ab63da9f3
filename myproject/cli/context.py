"""What all commands share: the application made from the ini file, errors as messages, progress."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from configparser import Error as ConfigParserError
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar

import click
import plaster
from plaster_pastedeploy import Loader
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from myproject import configure, prepare_database
from myproject.db.engine import Database
from myproject.exceptions import ConfigurationProblem, InvalidName, MyprojectError
from myproject.extend.configurator import SiteConfigurator
from myproject.extend.points import Branch
from myproject.interfaces import IRoles
from myproject.registry import SiteRegistry, registry_of
from myproject.scope import Scopes
from myproject.security.permissions import Roles
from myproject.tree.names import check_name
from myproject.tree.operations import Tree

T = TypeVar("T")

#: Seconds between the lines that tell how far long work has come, where there is no terminal.
LINE_EVERY = 2.0


class Command(click.Group):
    """A command group whose expected errors end with one message and a status, not a traceback.

    Status 1: the work was refused. Status 2: the configuration or the call is wrong.
    """

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except ConfigurationProblem as problem:
            click.echo(str(problem), err=True)
            ctx.exit(2)
        except MyprojectError as error:
            click.echo(str(error), err=True)
            ctx.exit(1)
        except DBAPIError as error:
            reason = str(error.orig).strip().partition("\n")[0]
            click.echo(f"The database refused: {reason}", err=True)
            ctx.exit(1)


def loader_of(ini: str) -> Loader:
    """Return what reads an ini file.

    Plaster would go through all that is installed for other loaders, which takes as long as much
    of what commands do.
    """
    return Loader(plaster.parse_uri(ini))


class Context:
    """The configuration that a command works with, made when it is first needed.

    :param ini: path of the ini file.
    """

    def __init__(self, ini: str) -> None:
        self.ini = ini

    @cached_property
    def ini_settings(self) -> tuple[dict[str, str], dict[str, str]]:
        """What the ini file says: PasteDeploy's own section, and the application's.

        :raises ConfigurationProblem: when it cannot be read.
        """
        if not Path(self.ini).is_file():
            raise ConfigurationProblem(
                f"There is no file {self.ini}. Name the ini file: myproject -c FILE.ini ..."
            )
        try:
            loader = loader_of(self.ini)
            loader.setup_logging()
            ini = loader.get_wsgi_app_settings("main")
        except (ConfigParserError, LookupError, ValueError, ImportError, AttributeError) as error:
            reason = " ".join(str(error).split())
            raise ConfigurationProblem(f"{self.ini} cannot be read: {reason}") from error
        return {**ini.global_conf, "__file__": self.ini}, dict(ini)  # type: ignore[attr-defined]

    @cached_property
    def configurator(self) -> SiteConfigurator:
        """The committed configuration; the database has not been asked."""
        global_config, ini = self.ini_settings
        return configure(global_config, **ini)

    def close(self) -> None:
        """Close the database's connections."""
        if "configurator" in self.__dict__:
            self.database.dispose()

    @property
    def registry(self) -> SiteRegistry:
        """The application's registry."""
        return registry_of(self.configurator)

    @property
    def roles(self) -> Roles:
        """The roles that people can be granted."""
        return self.registry.getUtility(IRoles)

    @property
    def database(self) -> Database:
        """The application's database, as it is."""
        return self.registry.database

    @cached_property
    def current_database(self) -> Database:
        """The application's database, its schema checked, or migrated where settings say so."""
        prepare_database(self.registry, Path(self.ini).name)
        return self.database

    @property
    def branches(self) -> Sequence[Branch]:
        """The migrations of the add-ons that are on."""
        return self.registry.extensions.migrations()

    @property
    def scopes(self) -> Scopes:
        """The site outside of requests, its database checked."""
        registry, _ = self.registry, self.current_database
        return registry.scopes

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """A session that reads."""
        with self.current_database.read_session() as session:
            yield session

    @contextmanager
    def writing(self) -> Iterator[Tree]:
        """The tree in a transaction that is committed at the end of the block."""
        with self.scopes.writing() as scope:
            yield scope.tree


def progress(label: str) -> Callable[[Iterable[T], int], Iterator[T]]:
    """Return a wrapper for a long loop: a bar on a terminal, a line now and then elsewhere."""

    def wrapped(items: Iterable[T], total: int) -> Iterator[T]:
        if sys.stderr.isatty():
            with click.progressbar(items, total, label=label, file=sys.stderr) as bar:
                yield from bar
            return
        told = time.monotonic()
        for number, item in enumerate(items, 1):
            yield item
            if number == total or time.monotonic() - told >= LINE_EVERY:
                told = time.monotonic()
                click.echo(f"{label}: {number} of {total}", err=True)

    return wrapped


class SitePath(click.ParamType[tuple[str, ...]]):
    """A path as it reads in a browser's address bar, without escapes; becomes names in NFC."""

    name = "path"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[str, ...]:
        if isinstance(value, tuple):
            return value
        try:
            return tuple(check_name(name) for name in value.split("/") if name)
        except InvalidName as error:
            self.fail(str(error), param, ctx)


def counted(number: int, noun: str) -> str:
    """Return ``1 page``, ``2 pages``."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
