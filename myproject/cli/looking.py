"""What commands share that look at a site which may not start: nothing is changed or required."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import quote

from sqlalchemy import Connection, create_engine, event, func, inspect, select
from sqlalchemy.engine import URL
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import sessionmaker

from myproject import configure, ini_name
from myproject.cli.context import Context
from myproject.db.engine import Database
from myproject.exceptions import DatabaseUnavailable
from myproject.extend.configurator import SiteConfigurator
from myproject.extend.switching import find
from myproject.extend.telling import KEY
from myproject.settings import CORE, Settings, SettingsError, environment_name
from myproject.tree.known import KnownType
from myproject.tree.node import Node


class Untouched(Database):
    """A database that is looked at: no file is made, and not even its journal mode is changed."""

    def __init__(self, url: str | URL) -> None:
        super().__init__(url)
        if not self.is_sqlite or self.url.query.get("uri"):
            return
        path = quote(str(Path(self.url.database or "").resolve()))
        # Not mode=ro: what that leaves behind, whoever runs the site may not be able to open.
        query = {**self.url.query, "mode": "rw", "uri": "true"}
        self.reader = create_engine(
            self.url.set(database=f"file:{path}", query=query), isolation_level="AUTOCOMMIT"
        )
        self.readers = sessionmaker(self.reader, autoflush=False, expire_on_commit=False)

        @event.listens_for(self.reader, "connect")
        def on_connect(connection: Any, record: Any) -> None:
            connection.execute("PRAGMA query_only = ON")

    @contextmanager
    def looking(self) -> Iterator[Connection]:
        """A connection that reads.

        :raises DatabaseUnavailable:
        """
        if self.file_is_missing:
            raise DatabaseUnavailable(f"sqlalchemy.url = {self.shown_url}: there is no such file")
        try:
            with self.reader.connect() as connection:
                yield connection
        except SQLAlchemyError as error:
            reason = str(getattr(error, "orig", None) or error).strip().splitlines()[0]
            raise DatabaseUnavailable(
                f"sqlalchemy.url = {self.shown_url}: the database cannot be asked: {reason}"
            ) from error


# -- configurations -------------------------------------------------------------------------------


def core_settings(context: Context) -> Settings:
    """Return the settings of the core, as far as they can be read.

    :raises ConfigurationProblem: when the ini file cannot be.
    """
    global_config, ini = context.ini_settings
    settings = Settings(ini, os.environ, ini_name(global_config))
    try:
        settings.declare_all(CORE, "myproject")
    except SettingsError:
        # Those that are right are there all the same.
        return settings
    return settings


def switched_on(settings: Settings) -> tuple[str, ...]:
    """Return the names of the add-ons that ``myproject.addons`` names, each as it is listed."""
    return tuple(dict.fromkeys(find(name).name for name in settings.get(KEY, ())))


def with_addons(
    context: Context, addons: Iterable[str], *, without: Collection[str] = ()
) -> SiteConfigurator:
    """Return what the configuration would be with other add-ons.

    :param without: keys of settings that nobody would know.
    :raises ConfigurationProblem:
    """
    global_config, ini = context.ini_settings
    hidden = {environment_name(key) for key in (KEY, *without)} & set(os.environ)
    kept = {name: os.environ.pop(name) for name in hidden}
    given = {key: value for key, value in ini.items() if key not in without}
    try:
        return configure(global_config, **(given | {KEY: " ".join(addons)}))
    finally:
        os.environ.update(kept)


def declared(configurator: SiteConfigurator, category: str) -> Iterator[tuple[Any, Any, str]]:
    """Yield key, value and add-on of what has been registered."""
    for entry in configurator.introspector.get_category(category) or ():
        item = entry["introspectable"]
        if "origin" in item:
            yield item.discriminator, item["value"], item["origin"].addon


# -- content --------------------------------------------------------------------------------------


class Kept(NamedTuple):
    """A content type as the database has it.

    :ivar addon: whose it was when the site last had it; None where nobody knows.
    :ivar title: what people call it; its name where nobody knows.
    """

    type: str
    addon: str | None
    title: str
    pages: int


def kept_types(connection: Connection) -> list[Kept]:
    """Return the types of all pages, and those that the site has had; empty for a new database."""
    tables = set(inspect(connection).get_table_names())
    node, known = Node.__table__, KnownType.__table__
    if node.name not in tables:  # type: ignore[attr-defined]
        return []
    counted = select(node.c.type, func.count().label("pages")).group_by(node.c.type)
    pages = {row.type: row.pages for row in connection.execute(counted)}
    remembered = {}
    if known.name in tables:  # type: ignore[attr-defined]
        rows = connection.execute(select(known.c.name, known.c.addon, known.c.title))
        remembered = {row.name: row for row in rows}
    return [
        Kept(
            name,
            remembered[name].addon if name in remembered else None,
            remembered[name].title if name in remembered else name,
            pages.get(name, 0),
        )
        for name in sorted({*pages, *remembered})
    ]
