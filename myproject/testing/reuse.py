"""A PostgreSQL database that a test is done with, made again what a new copy of the template is.

Making and dropping a database costs the server a checkpoint or a copy of a thousand files each, and
most tests write a few rows. So the rows go, and the database stays: its tables are emptied and
vacuumed, down to the size of a new one's, and get the template's rows back, at the same places.
Tables and indexes of add-ons go as well.
Whether that has led to what it should is asked of the database in the end, with everything in it
that a test could change. A database that differs, in a trigger or in one column's default, is
nothing to be mended: it is dropped.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, LiteralString, cast

import psycopg
from psycopg import sql
from sqlalchemy.engine import URL

#: Pages by which indexes may have grown. Vacuumed, they are empty, and their files as large.
SPARE_PAGES = 256

#: What describes a schema: catalog -> the column with the OID of what was made. Users' have OIDs
#: from 16384 on, and a copy keeps those of its template, so that rows can be compared as they are.
CATALOGS = {
    "pg_attrdef": "oid",
    "pg_attribute": "attrelid",
    "pg_cast": "oid",
    "pg_collation": "oid",
    "pg_constraint": "oid",
    "pg_conversion": "oid",
    "pg_default_acl": "oid",
    "pg_depend": "objid",
    "pg_description": "objoid",
    "pg_enum": "oid",
    "pg_event_trigger": "oid",
    "pg_extension": "oid",
    "pg_index": "indexrelid",
    "pg_inherits": "inhrelid",
    "pg_language": "oid",
    "pg_largeobject_metadata": "oid",
    "pg_opclass": "oid",
    "pg_operator": "oid",
    "pg_policy": "oid",
    "pg_proc": "oid",
    "pg_publication": "oid",
    "pg_rewrite": "oid",
    "pg_sequence": "seqrelid",
    "pg_statistic_ext": "oid",
    "pg_trigger": "oid",
    "pg_ts_config": "oid",
    "pg_ts_config_map": "mapcfg",
    "pg_ts_dict": "oid",
    "pg_type": "oid",
}

_ROWS = sql.SQL("""
    SELECT {name}, md5(string_agg(c::text, ',' ORDER BY c::text)) FROM {catalog} c
    WHERE {oid} >= 16384
""")

_SCHEMA = sql.SQL(" UNION ALL ").join(
    [
        *(
            _ROWS.format(name=name, catalog=sql.Identifier(name), oid=sql.Identifier(oid))
            for name, oid in CATALOGS.items()
        ),
        # But for what a row says of the relation's file: sizes are compared by themselves.
        sql.SQL("""
            SELECT 'pg_class', md5(string_agg(shown, ',' ORDER BY shown)) FROM (
                SELECT (to_jsonb(c) - '{relfilenode,relpages,reltuples,relallvisible,
                    relfrozenxid,relminmxid}'::text[])::text AS shown
                FROM pg_class c WHERE oid >= 16384
            ) relations
        """),
        # The schema "public" has a lower OID, and may have been changed as well.
        sql.SQL("""
            SELECT 'pg_namespace', md5(string_agg(c::text, ',' ORDER BY c::text))
            FROM pg_namespace c WHERE nspname !~ '^pg_(toast_)?temp'
        """),
        sql.SQL("""
            SELECT 'pg_database', md5(concat_ws(',', datdba, datallowconn, datconnlimit, datacl))
            FROM pg_database WHERE datname = current_database()
        """),
        sql.SQL("""
            SELECT 'pg_db_role_setting',
                md5(string_agg(concat_ws(',', setrole, setconfig), ',' ORDER BY setrole))
            FROM pg_db_role_setting JOIN pg_database ON pg_database.oid = setdatabase
            WHERE datname = current_database()
        """),
    ]
)

_RELATIONS = sql.SQL("""
    SELECT oid, oid::regclass::text, relkind,
        pg_relation_size(oid) / current_setting('block_size')::int,
        relpages, reltuples, relallvisible
    FROM pg_class WHERE relkind IN ('r', 'i', 't') AND oid >= 16384
""")

_SEQUENCES = sql.SQL("""
    SELECT oid::regclass::text FROM pg_class WHERE relkind = 'S' AND oid >= 16384
""")

_END_OTHERS = sql.SQL("""
    SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid()
        AND backend_type = 'client backend'
""")

# What the planner knows of sizes, which vacuuming has changed.
_RESTORE_STATISTICS = sql.SQL("""
    UPDATE pg_class SET relpages = o.relpages, reltuples = o.reltuples,
        relallvisible = o.relallvisible
    FROM unnest(%s::oid[], %s::int[], %s::real[], %s::int[])
        AS o(oid, relpages, reltuples, relallvisible)
    WHERE pg_class.oid = o.oid AND (pg_class.relpages, pg_class.reltuples, pg_class.relallvisible)
        IS DISTINCT FROM (o.relpages, o.reltuples, o.relallvisible)
""")
_DROP_STATISTICS = sql.SQL("DELETE FROM pg_statistic WHERE starelid >= 16384")


@dataclass(frozen=True)
class State:
    """Everything about a database that a test can change.

    :param schema: catalog -> digest of its rows.
    :param pages: table -> pages of its file.
    :param rows: table that has a file -> its rows as text, each with its place in the file.
    :param sequences: sequence -> its last value and whether that has been given out.
    :param statistics: OID of a table or an index -> what the planner takes for its size.
    """

    schema: dict[str, str | None]
    pages: dict[str, int]
    rows: dict[str, list[str]]
    sequences: dict[str, tuple[int, bool]]
    statistics: dict[int, tuple[Any, ...]]


class Connection:
    """A connection outside of transactions, on which foreign keys and triggers rest.

    Tables are named as PostgreSQL spells their names, quotes included.

    :param url: of a PostgreSQL database.
    :raises psycopg.Error: for whoever is no superuser, too.
    """

    def __init__(self, url: URL) -> None:
        options: dict[str, Any] = url.translate_connect_args(username="user", database="dbname")
        self._connection = psycopg.connect(autocommit=True, **{**url.query, **options})
        try:
            self.execute("SET session_replication_role = replica")
            self.execute("SET synchronous_commit = off")
        except psycopg.Error:
            self._connection.close()
            raise

    def __enter__(self) -> Connection:
        return self

    def __exit__(self, *error: object) -> None:
        self._connection.close()

    def execute(self, query: sql.SQL | sql.Composed | LiteralString, *parameters: Any) -> list[Any]:
        """Execute a statement and return its rows."""
        if isinstance(query, str):
            query = sql.SQL(query)
        cursor = self._connection.execute(query, parameters or None)
        return cursor.fetchall() if cursor.description else []

    def copy_out(self, table: str) -> bytes:
        """Return the rows of a table as the database writes them."""
        query = sql.SQL("COPY {} TO STDOUT").format(_name(table))
        with self._connection.cursor().copy(query) as copy:
            return b"".join(bytes(part) for part in copy)

    def copy_in(self, table: str, rows: bytes) -> None:
        """Write rows into a table."""
        query = sql.SQL("COPY {} FROM STDIN").format(_name(table))
        with self._connection.cursor().copy(query) as copy:
            copy.write(rows)

    def pages(self, kinds: str) -> dict[str, int]:
        """Return the sizes of files.

        :param kinds: ``r`` for tables, ``t`` for what they keep aside, ``i`` for indexes.
        """
        relations = self.execute(_RELATIONS)
        return {name: pages for _, name, kind, pages, *_ in relations if kind in kinds}

    def schema(self) -> dict[str, str | None]:
        """Return a digest of each catalog."""
        return dict(self.execute(_SCHEMA))

    def state(self) -> State:
        """Return the state of the database."""
        pages = self.pages("rt")
        relations = self.execute(_RELATIONS)
        return State(
            schema=self.schema(),
            pages=pages,
            rows={table: self._rows(table) for table, size in pages.items() if size},
            sequences={name: self._sequence(name) for (name,) in self.execute(_SEQUENCES)},
            statistics={oid: tuple(statistics) for oid, _, _, _, *statistics in relations},
        )

    def empty(self) -> None:
        """Leave nothing in the tables' files: neither rows nor the places of rows that are gone."""
        used = [_name(table) for table, pages in self.pages("r").items() if pages]
        for table in used:
            self.execute(sql.SQL("DELETE FROM {}").format(table))
        self.execute(sql.SQL("VACUUM (INDEX_CLEANUP on) {}").format(sql.SQL(", ").join(used)))

    def rewrite(self, tables: Iterable[str]) -> None:
        """Write the files of tables anew."""
        for table in tables:
            self.execute(sql.SQL("VACUUM FULL {}").format(_name(table)))

    def drop(self, kind: LiteralString, names: Iterable[str]) -> None:
        """Remove relations, and what cannot be without them.

        :param kind: ``TABLE`` or ``INDEX``.
        """
        for name in names:
            self.execute(sql.SQL(f"DROP {kind} {{}} CASCADE").format(_name(name)))

    def _rows(self, table: str) -> list[str]:
        query = sql.SQL("SELECT ctid || ' ' || t::text FROM {} t ORDER BY ctid")
        return [row for (row,) in self.execute(query.format(_name(table)))]

    def _sequence(self, name: str) -> tuple[int, bool]:
        query = sql.SQL("SELECT last_value, is_called FROM {}").format(_name(name))
        return self.execute(query)[0]


def _name(table: str) -> sql.SQL:
    # The database has quoted it where that is needed.
    return sql.SQL(cast(LiteralString, table))


class Template:
    """What a new database is like, and how a used one becomes like it.

    :param url: of the database that new ones are going to be copies of. Its rows are written anew,
        because migrations leave gaps between them.
    :raises psycopg.Error: when whoever connects may not do what is needed.
    """

    def __init__(self, url: URL) -> None:
        with Connection(url) as connection:
            used = [table for table, pages in connection.pages("r").items() if pages]
            self._rows = {table: connection.copy_out(table) for table in used}
            # Columns that were added later have their defaults aside until a table is rewritten.
            connection.rewrite(used)
            connection.empty()
            self._write_rows(connection)
            self._indexes = connection.pages("i")
            self.state = connection.state()

    def restore(self, url: URL) -> bool:
        """Make a copy what it was when it was new; whoever is connected to it, no longer is.

        :return: False when it has become something else, and is only good for dropping.
        """
        try:
            with Connection(url) as connection:
                connection.execute(_END_OTHERS)
                # What add-ons have made, mostly.
                connection.drop("TABLE", connection.pages("r").keys() - self.state.pages.keys())
                connection.drop("INDEX", connection.pages("i").keys() - self._indexes.keys())
                if self._is_beyond(connection):
                    return False
                connection.empty()
                self._write_rows(connection)
                self._reset_counters(connection)
                return connection.state() == self.state
        except psycopg.Error:
            return False

    def _is_beyond(self, connection: Connection) -> bool:
        return sum(connection.pages("i").values()) - sum(self._indexes.values()) > SPARE_PAGES

    def _write_rows(self, connection: Connection) -> None:
        for table, rows in self._rows.items():
            connection.copy_in(table, rows)

    def _reset_counters(self, connection: Connection) -> None:
        for sequence, (value, called) in self.state.sequences.items():
            connection.execute("SELECT setval(%s, %s, %s)", sequence, value, called)
        connection.execute(_DROP_STATISTICS)
        known = [(oid, *statistics) for oid, statistics in self.state.statistics.items()]
        connection.execute(_RESTORE_STATISTICS, *map(list, zip(*known, strict=True)))
