"""The row behind every place in the tree.

A node knows its parent, its name and its position among its siblings, and nothing of its path:
whatever is renamed or moved, one row is written.
"""

from __future__ import annotations

import datetime as dt
from typing import Any

from pyramid.i18n import TranslationStringFactory
from sqlalchemy import (
    CheckConstraint,
    ForeignKey,
    Index,
    String,
    Text,
    UniqueConstraint,
    select,
    text,
)
from sqlalchemy.orm import Mapped, Mapper, mapped_column, object_session, relationship
from zope.interface import implementer

from myproject.db.base import Base, Id, TaggedJSON, UTCDateTime, utcnow
from myproject.db.caseless import caseless
from myproject.exceptions import ConfigurationProblem
from myproject.interfaces import INode
from myproject.tree.names import normalize, problem_with

_ = TranslationStringFactory("myproject")

ROOT_ID = 1

#: Discriminator of the class that stands in for types nobody has registered.
UNAVAILABLE = "unavailable"


class _AllTypes:
    """Contains the name of every content type."""

    def __contains__(self, name: object) -> bool:
        return True


ALL_TYPES = _AllTypes()

PUBLISHED = "published"
DRAFT = "draft"
#: In the trash: nobody is shown it, nor what lies below it, but on the trash's own screen.
TRASHED = "trashed"


class PolymorphicMap(dict[Any, Mapper[Any]]):
    """Discriminator -> mapper, with a stand-in for the types of add-ons that are not installed.

    SQLAlchemy would otherwise raise on the first listing that contains such a row.
    """

    def __setitem__(self, discriminator: Any, mapper: Mapper[Any]) -> None:
        self.check_free(discriminator, mapper.class_)
        super().__setitem__(discriminator, mapper)
        if discriminator == UNAVAILABLE:
            # Rows of the stand-in say anything but its own discriminator. Were they looked for by
            # it, as those of other classes that share a table are, none could be read again.
            mapper._single_table_criteria_component = None

    def check_free(self, discriminator: Any, cls: type) -> None:
        """Raise ``ConfigurationProblem`` if another class has this discriminator."""
        if discriminator in self and self[discriminator].class_ is not cls:
            raise ConfigurationProblem(
                f"The content type {discriminator!r} has two classes, "
                f"{_dotted(self[discriminator].class_)} and {_dotted(cls)}. "
                "Give one of them another polymorphic identity."
            )

    def __missing__(self, discriminator: Any) -> Mapper[Any]:
        return self[UNAVAILABLE] if discriminator != UNAVAILABLE else self._absent()

    @staticmethod
    def _absent() -> Mapper[Any]:
        raise KeyError(UNAVAILABLE)


def _dotted(cls: type) -> str:
    return f"{cls.__module__}.{cls.__qualname__}"


def _mapper_arguments(cls: type) -> dict[str, Any]:
    """Return what a class that is not mapped yet, or a mixin of it, tells its mapper."""
    for base in cls.__mro__:
        if "__mapper__" in base.__dict__:
            break
        arguments = base.__dict__.get("__mapper_args__")
        if arguments is not None:
            # A dictionary, or SQLAlchemy's ``declared_attr``, which makes one for the class.
            return arguments.fget(cls) if hasattr(arguments, "fget") else arguments
    return {}


_discriminators = PolymorphicMap()


@implementer(INode)
class Node(Base):
    """A place in the tree, whatever its content type.

    Content types subclass it. A subclass without columns of its own shares this table; one with
    columns has its own table joined by ``id``. Structure (``parent_id``, ``name``, ``position``,
    ``boundary_id``) is written by :mod:`myproject.tree.operations` only.
    """

    __tablename__ = "node"

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    parent_id: Mapped[int | None] = mapped_column(Id, ForeignKey("node.id", ondelete="CASCADE"))
    name: Mapped[str] = mapped_column(String(255))
    position: Mapped[int] = mapped_column(Id, default=0)
    #: The nearest node, this one included, where permissions may change. No foreign key: the
    #: operations and the check of the tree keep it, and a database that did would look for rows
    #: that point here at each row that is deleted.
    boundary_id: Mapped[int] = mapped_column(Id, default=ROOT_ID, server_default=text(str(ROOT_ID)))
    type: Mapped[str] = mapped_column(String(50))
    title: Mapped[str] = mapped_column(String(500), info={"label": _("Title"), "key": "title"})
    #: A shorter title for navigation; empty where the title serves.
    nav_title: Mapped[str] = mapped_column(
        String(500),
        default="",
        info={
            "label": _("Title in menus"),
            "help": _("A shorter one for menus; where there is none, the title is shown."),
            "group": _("More"),
            "key": "linkTitle",
        },
    )
    summary: Mapped[str] = mapped_column(
        Text,
        default="",
        info={
            "label": _("Description"),
            "help": _("A sentence or two for lists, search engines and previews of links."),
            "rows": 3,
            "key": "description",
        },
    )
    state: Mapped[str] = mapped_column(String(20), default=PUBLISHED)
    #: The newest revision, where readers do not see it yet.
    draft_id: Mapped[int | None] = mapped_column(Id)
    #: Where the newest version stands in its workflow, as long as readers do not see it; empty for
    #: a draft like any other.
    stage: Mapped[str] = mapped_column(String(50), default="", server_default=text("''"))
    #: When the draft, or a page that is one, is published; and when readers see it no longer. What
    #: is due holds by itself: see :mod:`myproject.tree.timing`.
    publish_at: Mapped[dt.datetime | None] = mapped_column(UTCDateTime)
    expire_at: Mapped[dt.datetime | None] = mapped_column(UTCDateTime)
    created_at: Mapped[dt.datetime] = mapped_column(UTCDateTime, default=utcnow, deferred=True)
    modified_at: Mapped[dt.datetime] = mapped_column(UTCDateTime, default=utcnow)
    #: Metadata that no column claims, as it came (front matter of an import, for example).
    extra: Mapped[dict[str, Any]] = mapped_column(TaggedJSON, default=dict, deferred=True)

    parent: Mapped[Node | None] = relationship(remote_side=[id], viewonly=True)  # noqa: A003

    __mapper_args__ = {  # noqa: RUF012 - SQLAlchemy's own convention
        "polymorphic_on": "type",
        "polymorphic_identity": "node",
        "_polymorphic_map": _discriminators,
    }
    __table_args__ = (
        UniqueConstraint("parent_id", "name"),
        Index(None, "parent_id", "position", "id"),
        Index(None, "parent_id", "modified_at", "id"),
        Index(None, "name"),
        Index(None, "boundary_id"),
        # Few pages have one.
        *(
            Index(
                None,
                name,
                sqlite_where=text(f"{name} IS NOT NULL"),
                postgresql_where=text(f"{name} IS NOT NULL"),
            )
            for name in ("publish_at", "expire_at")
        ),
        Index(
            None,
            "stage",
            sqlite_where=text("stage <> ''"),
            postgresql_where=text("stage <> ''"),
        ),
        CheckConstraint(f"(parent_id IS NULL) = (id = {ROOT_ID})", name="one_root"),
        CheckConstraint("parent_id <> id", name="not_its_own_parent"),
        CheckConstraint(f"(name = '') = (id = {ROOT_ID})", name="only_root_nameless"),
        # A number is never given twice: references to deleted nodes must not find a stranger.
        {"sqlite_autoincrement": True},
    )

    def __init_subclass__(cls, **kwargs: Any) -> None:
        # Before SQLAlchemy sees the class: one that is refused later would stay half mapped, and
        # nothing in this process could load a node any more.
        identity = _mapper_arguments(cls).get("polymorphic_identity")
        if identity is not None:
            _discriminators.check_free(identity, cls)
        super().__init_subclass__(**kwargs)

    @property
    def __name__(self) -> str:  # type: ignore[override] - not a class's name
        return self.name

    @property
    def __parent__(self) -> Node | None:
        return self.parent

    def __getitem__(self, name: str) -> Node:
        """Return the child called *name*, at the cost of one statement, or raise ``KeyError``."""
        session, name, child = object_session(self), normalize(name), None
        if session is not None and problem_with(name) is None:
            query = select(Node).where(Node.parent_id == self.id, Node.name == name)
            child = session.scalars(query).one_or_none()
        if child is None:
            raise KeyError(name)
        return child

    @property
    def is_root(self) -> bool:
        """Whether this is the root of the site."""
        return self.id == ROOT_ID

    @property
    def seen_state(self) -> str:
        """The state that holds for readers now, whatever is due to be done about it."""
        return seen_state_of(self)

    @property
    def has_due_draft(self) -> bool:
        """Whether a draft is to be seen by readers now, although nobody has published it yet."""
        return self.draft_id is not None and is_draft_due(self)

    @property
    def is_ahead(self) -> bool:
        """Whether there is a draft that readers of the page do not see."""
        return is_ahead(self)

    @property
    def label(self) -> str:
        """The title as navigation shows it."""
        return self.nav_title or self.title

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.id} {self.name!r}>"


def seen_state_of(row: Any) -> str:
    """Return :attr:`Node.seen_state` of a node, or of a row with its columns."""
    if (row.publish_at is None and row.expire_at is None) or row.state == TRASHED:
        return row.state
    now = utcnow()
    if row.expire_at is not None and row.expire_at <= now:
        return DRAFT
    return PUBLISHED if row.publish_at is not None and row.publish_at <= now else row.state


def is_draft_due(row: Any) -> bool:
    """Whether the time has come at which a draft, or a page that is one, is published.

    :param row: a node, or a row with its columns.
    """
    return row.publish_at is not None and row.publish_at <= utcnow()


def is_ahead(row: Any) -> bool:
    """Return :attr:`Node.is_ahead` of a node, or of a row with its columns."""
    return row.draft_id is not None and not is_draft_due(row) and seen_state_of(row) == PUBLISHED


def has_unseen(row: Any) -> bool:
    """Whether there is something of a node that readers do not see: all of it, or a draft.

    :param row: a node, or a row with its columns.
    """
    return seen_state_of(row) != PUBLISHED or is_ahead(row)


def stage_of(row: Any) -> str:
    """Return where what readers do not see of a node stands in its workflow.

    :param row: a node, or a row with its columns.
    :returns: empty for a draft like any other, and where readers see the newest version.
    """
    return row.stage if has_unseen(row) else ""


_columns = Node.__table__.c
# Lists of contents sorted by title read one page of it, like those in the editors' own order.
Index("ix_node_parent_id_title_id", _columns.parent_id, caseless(_columns.title), _columns.id)
