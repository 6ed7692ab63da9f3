"""What every add-on has to hold, as a suite of tests.

::

    class TestGallery(AddonContract):
        addon = "gallery"
        pages = {"/gallery": 4}

        def fill(self, site):
            site.add("/gallery", cls=Gallery, title="Pictures")
            return ["/gallery"]

The suites for what add-ons can replace are in :mod:`myproject.testing.replacements`.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import Any, ClassVar

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from jinja2 import TemplateSyntaxError

from myproject.db.base import Base
from myproject.db.engine import Database
from myproject.extend.switching import Addon, available, describe, find
from myproject.security.permissions import ADMINISTRATOR, CORE_ROLES
from myproject.testing.databases import Backend, migrate, unmigrate
from myproject.testing.pages import links
from myproject.testing.schemas import rows_of, schema_of
from myproject.testing.sites import Site
from myproject.testing.templates import (
    names_in_calls,
    names_in_template,
    names_in_views,
    templates_of,
)

MakeSite = Callable[..., Site]


class AddonContract:
    """Tests of one add-on, on each kind of database; subclass it with a name that begins ``Test``.

    :cvar addon: its name, as ``myproject.addons`` has it.
    :cvar settings: further settings it needs, without ``myproject.`` before their keys.
    :cvar pages: address -> the most statements it may take an anonymous visitor, as soon as
        grants are in memory.
    """

    addon: ClassVar[str]
    settings: ClassVar[Mapping[str, str]] = {}
    pages: ClassVar[Mapping[str, int]] = {}

    def fill(self, site: Site) -> Iterable[str]:
        """Make content for the tests, and return the paths of what is of the add-on's own types."""
        return ()

    # -- switching on and off ---------------------------------------------------------------------

    def test_it_says_what_it_is(self) -> None:
        description = describe(find(self.addon, available()))
        assert not description.problem
        assert description.summary, "the docstring of its module is what a list of add-ons shows"

    def test_it_works_alone(self, make_site: MakeSite) -> None:
        site = self.make(make_site)
        assert self.addon in [addon.name for addon in site.registry.addons]
        assert site.client.get("/").status_int == 200

    def test_it_works_with_all_bundled_add_ons(self, make_site: MakeSite) -> None:
        bundled = [addon.name for addon in available().values() if addon.source == "bundled"]
        site = self.make(make_site, *bundled)
        assert site.client.get("/").status_int == 200

    def test_what_it_has_stored_survives_being_switched_off(
        self, make_site: MakeSite, tmp_path: Path
    ) -> None:
        site = self.make(make_site)
        paths = list(self.fill(site))
        for path in paths:
            site.client.get(path)
        before = rows_of(site.database)
        exported = _export(site, tmp_path / "on")

        off = make_site(addons=" ".join(self._required()))
        for path in paths:
            assert off.client.get(path, expect_errors=True).status_int == 404, path
        for listing in {"/", *(str(PurePosixPath(path).parent) for path in paths)} - set(paths):
            shown = off.client.get(listing, expect_errors=True)
            assert not set(paths) & set(links(shown)), f"{listing} lists what is switched off"
        assert _export(off, tmp_path / "off") == exported
        for path in paths:
            files = (f"{path.strip('/')}.md", f"{path.strip('/')}/_index.md")
            assert any(file in exported for file in files), f"{path} is missing from the export"

        assert rows_of(off.database) == before
        again = self.make(make_site)
        for path in paths:
            assert again.client.get(path).status_int < 400
        assert rows_of(again.database) == before

    # -- what it declares -------------------------------------------------------------------------

    def test_its_settings_are_explained(self, make_site: MakeSite) -> None:
        site = self.make(make_site)
        for setting in (item["value"] for _, item in self._declared(site, "settings")):
            assert setting.key.startswith("myproject."), setting.key
            assert setting.help.strip(), f"{setting.key} has no help"

    def test_its_permissions_are_given_to_a_role(self, make_site: MakeSite) -> None:
        """What is for administrators only says so: ``config.grant("administrator", ...)``."""
        site = self.make(make_site)
        given = set().union(
            *(item["value"] for _, item in self._declared(site, "grants to roles")),
            *(role.permissions for name, role in _default_roles(site) if name != ADMINISTRATOR),
        )
        for permission, _ in self._declared(site, "added permissions"):
            assert permission in given, f"nobody is given {permission}"

    # -- its tables -------------------------------------------------------------------------------

    def test_its_migrations_run_up_and_down_and_up(
        self, make_site: MakeSite, backend: Backend
    ) -> None:
        branches = self.make(make_site).registry.extensions.migrations()
        own = [branch.name for branch in branches if branch.addon == self.addon]
        others = [branch for branch in branches if branch.addon != self.addon]
        with _empty(backend) as database:
            migrate(database, others)
            without = schema_of(database)
            migrate(database, branches)
            first = schema_of(database)
            for branch in reversed(own):
                unmigrate(database, branches, branch)
            assert schema_of(database) == without
            migrate(database, branches)
            assert schema_of(database) == first

    def test_its_tables_are_those_of_its_models(
        self, make_site: MakeSite, backend: Backend
    ) -> None:
        site = self.make(make_site)
        branches = site.registry.extensions.migrations()
        with _empty(backend) as database:
            migrate(database, [branch for branch in branches if branch.addon != self.addon])
            others = set(schema_of(database))
        own = (set(schema_of(site.database)) - others) | self._modelled()
        # ``info={"dialect": "postgresql"}`` says that other databases have no such column or index.
        # What has no model, such as the tables of a full-text index, is the add-on's own business.
        compared = own & set(Base.metadata.tables)

        dialect = site.database.writer.dialect.name

        def is_own(thing: Any, name: str | None, kind: str, *rest: Any) -> bool:
            is_for = thing.info.get("dialect", dialect)
            return is_for == dialect and (kind != "table" or name in compared)

        options = {
            "compare_type": True,
            "compare_server_default": True,
            "include_object": is_own,
        }
        with site.database.writer.connect() as connection:
            context = MigrationContext.configure(connection, opts=options)
            assert compare_metadata(context, Base.metadata) == []

    # -- its pages --------------------------------------------------------------------------------

    def test_its_templates_compile(self, make_site: MakeSite) -> None:
        environment = self.make(make_site).config.get_jinja2_environment(".jinja2")  # type: ignore[attr-defined]
        for spec, path in templates_of(self._found().module).items():
            try:
                environment.get_template(spec)
                for name in names_in_template(environment, path):
                    assert ":" in name, f"{spec} names {name} without its package"
                    environment.get_template(name)
            except TemplateSyntaxError as error:
                pytest.fail(f"{spec}, line {error.lineno}: {error}")

    def test_its_templates_are_named_with_their_package(self, make_site: MakeSite) -> None:
        config, module = self.make(make_site).config, self._found().module
        for name, place in (*names_in_calls(module), *names_in_views(config, module)):
            assert ":" in name, f"{place}: {name} is named without its package"

    def test_its_pages_take_few_statements(self, make_site: MakeSite) -> None:
        site = self.make(make_site)
        self.fill(site)
        site.client.get("/")
        for address, most in self.pages.items():
            with site.statements() as seen:
                response = site.client.get(address)
            assert response.status_int < 400
            assert len(seen) <= most, f"{address} takes {len(seen)} statements:\n" + "\n".join(seen)

    def test_its_pages_work_for_whoever_asks(
        self, make_site: MakeSite, caplog: pytest.LogCaptureFixture
    ) -> None:
        site = self.make(make_site)
        addresses = {*self.pages, *self.fill(site), "/"}
        clients = {
            "anonymous": site.client,
            "editor": site.sign_in("edith", "editor"),
            "administrator": site.sign_in("ada", ADMINISTRATOR),
        }
        with caplog.at_level(logging.ERROR):
            for who, client in clients.items():
                for address in sorted(addresses):
                    answer = client.get(address, expect_errors=True)
                    assert answer.status_int < 500, f"{address} for {who}"
                    # Panels that fail leave the page without them and a line in the log.
                    errors = [r.getMessage() for r in caplog.records if r.levelno >= logging.ERROR]
                    assert not errors, f"{address} for {who}"
        for address in addresses:
            assert clients["administrator"].get(address).status_int < 400

    # -- helpers ----------------------------------------------------------------------------------

    def make(self, make_site: MakeSite, *more: str) -> Site:
        """Return a site with the add-on, what it requires, and *more* add-ons."""
        names = dict.fromkeys([*self._required(), self.addon])
        for name in more:
            names |= dict.fromkeys([*_requirements(name), name])
        return make_site(addons=" ".join(names), **self.settings)

    def _found(self) -> Addon:
        return find(self.addon, available())

    def _required(self) -> list[str]:
        return _requirements(self.addon)

    def _declared(self, site: Site, category: str) -> Iterator[tuple[Any, Any]]:
        """Yield key and introspectable of what the add-on has registered."""
        for entry in site.config.introspector.get_category(category) or ():
            item = entry["introspectable"]
            if "origin" in item and item["origin"].addon == self.addon:
                yield item.discriminator, item

    def _modelled(self) -> set[str]:
        """Return the tables of the classes that are defined in its package."""
        module = self._found().module
        return {
            str(mapper.local_table.name)  # type: ignore[attr-defined]
            for mapper in Base.registry.mappers
            if f"{mapper.class_.__module__}.".startswith(f"{module}.")
        } - {"node"}


def _requirements(name: str) -> list[str]:
    """Return everything that an add-on requires, directly or not, in order."""
    known, found = available(), {}
    for required in describe(find(name, known)).requires:
        found |= dict.fromkeys([*_requirements(required), required])
    return list(found)


def _default_roles(site: Site) -> list[tuple[str, Any]]:
    return [(role.name, site.roles[role.name]) for role in CORE_ROLES]


def _export(site: Site, folder: Path) -> dict[str, bytes]:
    """Return path -> content of the files that the whole site is exported to."""
    done = site.run("export", str(folder))
    assert done.exit_code == 0, done.output
    files = (path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


@contextmanager
def _empty(backend: Backend) -> Iterator[Database]:
    """A database without any table, which is removed afterwards."""
    url = backend.new_url()
    database = Database(url)
    try:
        yield database
    finally:
        database.dispose()
        backend.drop(url)
