"""A PostgreSQL database that a test is done with, made again what a new copy of the template is.

Making and dropping a database costs the server a checkpoint or a copy of a thousand files each, and
most tests write a few rows. So the rows go, and the database stays: its tables are emptied and
vacuumed, down to the size of a new one's, and get the template's rows back, at the same places.
Tables and indexes of add-ons go as well.

The server counts what is written to each table, rolled back or not, and these counters are zero in
a database that is new. So it is known what a test has written to, and nothing else is touched.
Whether the rest has become what it should is asked of the database in the end; where a catalog was
written to, that is everything in it that a test could change. A database that differs, in a trigger
or in one column's default, is nothing to be mended: it is dropped.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Any, LiteralString, NamedTuple, cast

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
    ]
)

# What all databases have one catalog for, which does not count by database.
_SETTINGS = sql.SQL("""
    SELECT datdba, datallowconn, datconnlimit, datacl, ARRAY(
        SELECT (setrole, setconfig)::text FROM pg_db_role_setting
        WHERE setdatabase = pg_database.oid ORDER BY setrole
    ) FROM pg_database WHERE datname = current_database()
""")

_RELATIONS = sql.SQL("""
    SELECT c.oid, c.oid::regclass::text, coalesce(indrelid, c.oid)::regclass::text, relkind,
        pg_relation_size(c.oid) / current_setting('block_size')::int,
        relpages, reltuples, relallvisible
    FROM pg_class c LEFT JOIN pg_index ON indexrelid = c.oid
    WHERE relkind IN ('r', 'i', 't') AND c.oid >= 16384
""")
_RELATIONS_OF = _RELATIONS + sql.SQL("AND coalesce(indrelid, c.oid) = ANY(%s::regclass[])")

_SEQUENCES = sql.SQL("""
    SELECT oid::regclass::text FROM pg_class WHERE relkind = 'S' AND oid >= 16384
""")

_OTHERS = sql.SQL("""
    SELECT pid FROM pg_stat_get_activity(NULL)
    WHERE datid = (SELECT oid FROM pg_database WHERE datname = current_database())
        AND pid <> pg_backend_pid() AND backend_type = 'client backend'
""")
_END_OTHERS = sql.SQL("SELECT pg_terminate_backend(pid, 5000) FROM ({}) others").format(_OTHERS)

# Vacuuming and analyzing write what the planner knows, which is counted by itself.
_WRITTEN = sql.SQL("""
    SELECT oid::regclass::text, oid < 16384 FROM pg_class
    WHERE relkind IN ('r', 't') AND NOT relisshared AND oid <> 'pg_statistic'::regclass
        AND pg_stat_get_tuples_inserted(oid) + pg_stat_get_tuples_updated(oid)
            + pg_stat_get_tuples_deleted(oid) + pg_stat_get_vacuum_count(oid)
            + pg_stat_get_analyze_count(oid) + pg_stat_get_autovacuum_count(oid)
            + pg_stat_get_autoanalyze_count(oid) > 0
""")

_SET_SEQUENCES = sql.SQL("""
    SELECT setval(name, value, called)
    FROM unnest(%s::regclass[], %s::bigint[], %s::bool[]) AS s(name, value, called)
""")

# What the planner knows of sizes, which vacuuming has changed.
_SET_KNOWN = sql.SQL("""
    UPDATE pg_class SET relpages = o.relpages, reltuples = o.reltuples,
        relallvisible = o.relallvisible
    FROM unnest(%s::oid[], %s::int[], %s::real[], %s::int[])
        AS o(oid, relpages, reltuples, relallvisible)
    WHERE pg_class.oid = o.oid AND (pg_class.relpages, pg_class.reltuples, pg_class.relallvisible)
        IS DISTINCT FROM (o.relpages, o.reltuples, o.relallvisible)
""")

_SET_UP = sql.SQL("""
    SET session_replication_role = replica; SET synchronous_commit = off; SET track_counts = off
""")

_COUNTS = sql.SQL("SELECT reset_val = 'on' FROM pg_settings WHERE name = 'track_counts'")


class Relation(NamedTuple):
    """A table, what it keeps aside (``pg_toast``), or an index.

    :param table: itself, or the table of the index.
    :param kind: ``r`` for tables, ``t`` for what they keep aside, ``i`` for indexes.
    :param pages: of its file.
    :param known: what the planner takes for its size.
    """

    oid: int
    name: str
    table: str
    kind: str
    pages: int
    known: tuple[int, float, int]


@dataclass(frozen=True)
class Tables:
    """Everything about some tables that a test can change without changing the schema.

    :param pages: table -> pages of its file.
    :param rows: table that has a file -> its rows as text, each with its place in the file.
    :param known: table -> the OIDs of it and its indexes, with what the planner takes for their
        sizes.
    """

    pages: dict[str, int]
    rows: dict[str, list[str]]
    known: dict[str, set[tuple[Any, ...]]]

    def only(self, names: Collection[str]) -> Tables:
        """Return what this says of some of them."""
        return Tables(*({k: v for k, v in of.items() if k in names} for of in vars(self).values()))


@dataclass(frozen=True)
class State:
    """Everything about a database that a test can change.

    :param settings: whose it is, who may connect, and with what settings.
    :param schema: catalog -> digest of its rows.
    :param sequences: sequence -> its last value and whether that has been given out.
    """

    settings: tuple[Any, ...]
    schema: dict[str, str | None]
    sequences: dict[str, tuple[int, bool]]
    tables: Tables


class Connection:
    """A connection outside of transactions, on which foreign keys and triggers rest.

    Tables are named as PostgreSQL spells their names, quotes included. What is written here is not
    counted.

    :param url: of a PostgreSQL database.
    :raises psycopg.Error: for whoever is no superuser, too.
    """

    def __init__(self, url: URL) -> None:
        options: dict[str, Any] = url.translate_connect_args(username="user", database="dbname")
        self._connection = psycopg.connect(autocommit=True, **{**url.query, **options})
        try:
            self.execute(_SET_UP)
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

    def end_others(self) -> bool:
        """End all other connections, after which all that they wrote is counted.

        False where one has not ended in time. One that ended by itself meanwhile has not been ended
        by this, so it is asked who is left.
        """
        return not self.execute(_END_OTHERS) or not self.execute(_OTHERS)

    def written(self) -> set[str] | None:
        """Return the tables that were written to since the counters were zero.

        None where a catalog was: there, counters do not tell everything.
        """
        written = self.execute(_WRITTEN)
        if any(is_catalog for _, is_catalog in written):
            return None
        return {table for table, _ in written}

    def forget_written(self) -> None:
        """Set the counters to zero."""
        self.execute("SELECT pg_stat_reset()")

    def relations(self, tables: Collection[str] | None = None) -> list[Relation]:
        """Return all relations that have files.

        :param tables: only these and their indexes.
        """
        if tables is None:
            rows = self.execute(_RELATIONS)
        else:
            rows = self.execute(_RELATIONS_OF, list(tables))
        return [Relation(*row[:5], known=row[5:]) for row in rows]

    def settings(self) -> tuple[Any, ...]:
        """Return what the server says of the database as a whole."""
        return self.execute(_SETTINGS)[0]

    def schema(self) -> dict[str, str | None]:
        """Return a digest of each catalog."""
        return dict(self.execute(_SCHEMA))

    def sequences(self) -> dict[str, tuple[int, bool]]:
        """Return what each sequence has come to."""
        return {name: self._sequence(name) for (name,) in self.execute(_SEQUENCES)}

    def tables(self, relations: Iterable[Relation]) -> Tables:
        """Return the state of the tables among some relations, whose indexes are among them."""
        pages = {relation.name: relation.pages for relation in relations if relation.kind != "i"}
        known: dict[str, set[tuple[Any, ...]]] = {table: set() for table in pages}
        for relation in relations:
            known[relation.table].add((relation.oid, *relation.known))
        rows = {table: self._rows(table) for table, size in pages.items() if size}
        return Tables(pages, rows, known)

    def state(self) -> State:
        """Return the state of the database."""
        tables = self.tables(self.relations())
        return State(self.settings(), self.schema(), self.sequences(), tables)

    def empty(self, tables: Collection[str]) -> None:
        """Leave nothing in the files of tables: neither rows nor the places of rows that are gone.

        :param tables: with what they keep aside.
        """
        if tables:
            own = [_name(table) for table in tables if not table.startswith("pg_toast.")]
            self.execute(sql.SQL("; ").join(map(sql.SQL("DELETE FROM {}").format, own)))
            names = sql.SQL(", ").join(map(_name, tables))
            self.execute(sql.SQL("VACUUM (INDEX_CLEANUP on, PROCESS_TOAST off) {}").format(names))

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

    def set_sequences(self, sequences: dict[str, tuple[int, bool]]) -> None:
        """Have sequences go on where they were."""
        values, called = zip(*sequences.values(), strict=True)
        self.execute(_SET_SEQUENCES, list(sequences), list(values), list(called))

    def set_known(self, tables: Tables) -> None:
        """Have the planner take tables and their indexes for what it took them for."""
        self.execute("DELETE FROM pg_statistic WHERE starelid >= 16384")
        known = [sizes for of_table in tables.known.values() for sizes in of_table]
        if known:
            self.execute(_SET_KNOWN, *map(list, zip(*known, strict=True)))

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
    :raises psycopg.Error: when whoever connects may not do what is needed, or the server does not
        count.
    """

    def __init__(self, url: URL) -> None:
        with Connection(url) as connection:
            if connection.execute(_COUNTS) != [(True,)]:
                raise psycopg.NotSupportedError("track_counts is off")
            used = [
                table.name for table in connection.relations() if table.pages and table.kind == "r"
            ]
            self._rows = {table: connection.copy_out(table) for table in used}
            # Columns that were added later have their defaults aside until a table is rewritten.
            connection.rewrite(used)
            connection.empty(used)
            self._write_rows(connection, used)
            self._indexes = _pages_of_indexes(connection.relations())
            self.state = connection.state()

    def restore(self, url: URL) -> bool:
        """Make a copy what it was when it was new; whoever is connected to it, no longer is.

        :return: False when it has become something else, and is only good for dropping.
        """
        try:
            with Connection(url) as connection:
                if connection.end_others() and self._restore(connection):
                    connection.forget_written()
                    return True
        except psycopg.Error:
            pass
        return False

    def _restore(self, connection: Connection) -> bool:
        if connection.settings() != self.state.settings:
            return False
        written = connection.written()
        if written is None:
            self._drop_new(connection)
            expected = self.state.tables
            filled = {of.name for of in connection.relations() if of.pages and of.kind != "i"}
        else:
            expected, filled = self.state.tables.only(written), written
        connection.empty(filled)
        self._write_rows(connection, expected.rows)
        connection.set_sequences(self.state.sequences)
        connection.set_known(expected)
        relations = connection.relations(written)
        return (
            not self._have_grown(relations)
            and connection.tables(relations) == expected
            and (written is not None or connection.schema() == self.state.schema)
        )

    def _drop_new(self, connection: Connection) -> None:
        # What add-ons have made, mostly. Indexes of their tables go with these.
        tables = {table.name for table in connection.relations() if table.kind == "r"}
        connection.drop("TABLE", tables - self.state.tables.pages.keys())
        indexes = _pages_of_indexes(connection.relations())
        connection.drop("INDEX", indexes.keys() - self._indexes.keys())

    def _have_grown(self, relations: list[Relation]) -> bool:
        pages = _pages_of_indexes(relations)
        return sum(pages.values()) - sum(self._indexes[name] for name in pages) > SPARE_PAGES

    def _write_rows(self, connection: Connection, tables: Iterable[str]) -> None:
        for table in tables:
            connection.copy_in(table, self._rows[table])


def _pages_of_indexes(relations: Iterable[Relation]) -> dict[str, int]:
    return {index.name: index.pages for index in relations if index.kind == "i"}
