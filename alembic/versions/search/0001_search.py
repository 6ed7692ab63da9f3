"""What is searched: plain texts, and the full-text index of each kind of database."""

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from alembic import op

revision = "search0001"
down_revision = None
branch_labels = ("search",)
depends_on = None

Id = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
TITLES = "to_tsvector(language, title)"
WORDS = (
    "setweight(to_tsvector(language, title), 'A') || "
    "setweight(to_tsvector(language, summary), 'B') || "
    "setweight(to_tsvector(language, text), 'D')"
)

#: Full-text table -> its columns, and the lengths of beginnings of words that have an index.
FULL_TEXT = {
    "search_titles": (("title",), "1 2 3"),
    "search_index": (("title", "summary", "text"), "3 4"),
}


def upgrade() -> None:
    on_postgresql = op.get_context().dialect.name == "postgresql"
    vectors = [
        sa.Column(name, postgresql.TSVECTOR(), sa.Computed(expression, persisted=True))
        for name, expression in (("titles", TITLES), ("words", WORDS))
    ]
    op.create_table(
        "search_document",
        sa.Column("node_id", Id, autoincrement=False, nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("summary", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("shown", sa.Text(), nullable=False),
        sa.Column(
            "language",
            postgresql.REGCONFIG().with_variant(sa.String(60), "sqlite"),
            nullable=False,
        ),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("modified_at", sa.DateTime(timezone=True), nullable=False),
        *(vectors if on_postgresql else ()),
        sa.ForeignKeyConstraint(
            ["node_id"],
            ["node.id"],
            ondelete="CASCADE",
            name=op.f("fk_search_document_node_id_node"),
        ),
        sa.PrimaryKeyConstraint("node_id", name=op.f("pk_search_document")),
    )
    if on_postgresql:
        for name in ("titles", "words"):
            op.create_index(
                op.f(f"ix_search_document_{name}"),
                "search_document",
                [name],
                postgresql_using="gin",
            )
    else:
        for name, (columns, prefixes) in FULL_TEXT.items():
            create_full_text(name, columns, prefixes)
    # The root of a new site, which nobody has saved; its title is in plain letters.
    op.execute(
        "INSERT INTO search_document"
        " (node_id, title, summary, text, shown, language, version, modified_at)"
        " SELECT id, lower(title), lower(summary), '', '', 'simple', 1, modified_at FROM node"
        " WHERE id = 1 AND NOT EXISTS (SELECT 1 FROM node WHERE id > 1)"
    )


def create_full_text(name: str, columns: tuple[str, ...], prefixes: str) -> None:
    """Make a full-text table of some columns, and the triggers that keep it."""
    named = ", ".join(columns)
    old, new = (", ".join(f"{row}.{column}" for column in columns) for row in ("old", "new"))
    into = f"INSERT INTO {name}"
    op.execute(
        f"CREATE VIRTUAL TABLE {name} USING fts5({named},"
        " content='search_document', content_rowid='node_id',"
        f" tokenize='unicode61 remove_diacritics 2', prefix='{prefixes}')"
    )
    remove = f"{into} ({name}, rowid, {named}) VALUES ('delete', old.node_id, {old});"
    add = f"{into} (rowid, {named}) VALUES (new.node_id, {new});"
    for event, actions in (
        ("INSERT", add),
        ("DELETE", remove),
        ("UPDATE", f"{remove} {add}"),
    ):
        op.execute(
            f"CREATE TRIGGER {name}_{event.lower()} AFTER {event} ON search_document"
            f" BEGIN {actions} END"
        )


def downgrade() -> None:
    if op.get_context().dialect.name != "postgresql":
        # Its own first: the triggers go with the table whose rows they are about.
        for name in FULL_TEXT:
            op.execute(f"DROP TABLE {name}")
    op.drop_table("search_document")
