"""The migration makes what the model says, up and down, and full-text tables beside it."""

from __future__ import annotations

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import inspect, text

from myproject.addons.search.models import DOCUMENT
from myproject.db.base import Base
from myproject.db.migrations import downgrade, upgrade

FULL_TEXT = ("search_index", "search_titles")


def test_the_migration_makes_the_schema_of_the_model(site):
    kind = "sqlite" if site.database.is_sqlite else "postgresql"

    def is_ours(item, name, type_, reflected, other):
        if type_ == "table":
            return name == DOCUMENT.name
        return getattr(item, "info", {}).get("dialect", kind) == kind

    with site.database.writer.connect() as connection:
        options = {"compare_type": True, "compare_server_default": True, "include_object": is_ours}
        context = MigrationContext.configure(connection, opts=options)
        assert compare_metadata(context, Base.metadata) == []


def test_down_and_up_again(site):
    branches = site.registry.extensions.migrations()
    site.add("/page", "Salt.")
    with site.database.writer.begin() as connection:
        downgrade(connection, branches, "search@base")
    tables = inspect(site.database.reader).get_table_names()
    assert not [name for name in tables if name.startswith("search_")]
    upgrade(site.database, branches)
    assert site.run("search", "reindex").output.endswith("Indexed 2 pages.\n")


@pytest.mark.parametrize("backend", ["sqlite"], indirect=True)
def test_a_row_deleted_by_hand_leaves_the_full_text_tables(site):
    number = site.add("/page", "Salt.")
    with site.database.writer.begin() as connection:
        connection.execute(text("DELETE FROM node WHERE id = :id"), {"id": number})
        for name in FULL_TEXT:
            check = f"INSERT INTO {name} ({name}, rank) VALUES ('integrity-check', 1)"
            connection.execute(text(check))
