"""The registry of content types: what exists on this site, what it is called, where it may go."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from zope.interface import implementer

from myproject.content.fields import problem_with_fields
from myproject.exceptions import ConfigurationProblem, UnknownContentType
from myproject.interfaces import IContentTypes
from myproject.tree.node import Node


@dataclass(frozen=True, slots=True)
class ContentType:
    """What the site knows about a type besides its columns.

    :ivar name: the discriminator in the database, ``page``.
    :ivar cls: the mapped class.
    :ivar title: what a person calls it, translatable.
    :ivar description: one sentence for the person who chooses a type.
    :ivar addable_in: names of the types it may be added to; None for all.
    :ivar permission: what adding one takes.
    :ivar incomplete_drafts: whether drafts of it may lack required fields.
    :ivar addon: name of the add-on that registered it; empty for the core.
    """

    name: str
    cls: type[Node]
    title: str
    description: str = ""
    addable_in: frozenset[str] | None = None
    permission: str = "add"
    addon: str = ""
    incomplete_drafts: bool = False


@implementer(IContentTypes)
class ContentTypes:
    """The types of one application; each application has its own."""

    def __init__(self) -> None:
        self._types: dict[str, ContentType] = {}

    def add(self, content_type: ContentType) -> None:
        """Register a type.

        :raises ConfigurationProblem: when the name is taken by another class, and when columns of
            the class cannot be edited and exported.
        """
        if problem := problem_with_fields(content_type.cls):
            raise ConfigurationProblem(problem)
        known = self._types.setdefault(content_type.name, content_type)
        if known.cls is not content_type.cls:
            raise ConfigurationProblem(
                f"The content type {content_type.name!r} is registered twice: "
                f"by {_dotted(known.cls)} and by {_dotted(content_type.cls)}."
            )
        self._types[content_type.name] = content_type

    def get(self, name: str) -> ContentType | None:
        """Return the type called *name*, or None when none is switched on."""
        return self._types.get(name)

    def require(self, name: str) -> ContentType:
        """Return the type called *name*.

        :raises UnknownContentType:
        """
        if name not in self._types:
            raise UnknownContentType(name, tuple(sorted(self._types)))
        return self._types[name]

    def __contains__(self, name: object) -> bool:
        """Whether a type called *name* is switched on."""
        return name in self._types

    def __iter__(self) -> Iterator[ContentType]:
        return iter(self._types.values())


def _dotted(cls: type) -> str:
    return f"{cls.__module__}.{cls.__qualname__}"
