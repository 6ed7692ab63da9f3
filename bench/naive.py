"""The same pages the ordinary way: a small Pyramid application with one ORM query per segment.

Written as the tutorials teach it: ``__getitem__`` traversal, lazy relationships, an ``__acl__`` and
``request.has_permission`` for each link, ``request.resource_url`` for each address, a session
registered with zope.sqlalchemy per request, pyramid_tm around every request. It renders the
site's own templates from the site's own database, so that both answer with the same page.

``naive.py URL PORT THREADS [lazy|sql]``: whether a place in a list has children is found out by
loading them, as ``if node.children`` does; or, kinder, by an expression in each SELECT.
"""

from __future__ import annotations

import datetime as dt
import re
import sys
from types import SimpleNamespace
from typing import Any

import zope.sqlalchemy
from markupsafe import Markup
from pyramid.authorization import ACLHelper, Allow, Deny, Everyone
from pyramid.config import Configurator
from sqlalchemy import ForeignKey, create_engine, exists
from sqlalchemy.orm import (
    DeclarativeBase,
    Mapped,
    aliased,
    column_property,
    mapped_column,
    object_session,
    relationship,
    sessionmaker,
)
from sqlalchemy.types import JSON
from waitress import serve

#: Siblings on each side, and children, as the site itself shows them.
WINDOW, LISTING = 30, 50


class Base(DeclarativeBase):
    """Mapped classes of this application."""


class Node(Base):
    """A place in the tree."""

    __tablename__ = "node"
    __mapper_args__ = {"polymorphic_on": "type", "polymorphic_identity": "node"}  # noqa: RUF012

    id: Mapped[int] = mapped_column(primary_key=True)
    parent_id: Mapped[int | None] = mapped_column(ForeignKey("node.id"))
    name: Mapped[str]
    position: Mapped[int]
    type: Mapped[str]
    title: Mapped[str]
    nav_title: Mapped[str]
    summary: Mapped[str]
    state: Mapped[str]
    modified_at: Mapped[dt.datetime]

    parent: Mapped[Node | None] = relationship(
        remote_side=lambda: Node.id, back_populates="children"
    )
    children: Mapped[list[Node]] = relationship(
        back_populates="parent", order_by=lambda: (Node.position, Node.id)
    )

    @property
    def __name__(self) -> str:
        return self.name

    @property
    def __parent__(self) -> Node | None:
        return self.parent

    @property
    def has_children(self) -> bool:
        return any(child.state == "published" for child in self.children)

    def __acl__(self) -> list[Any]:
        return [(Allow if self.state == "published" else Deny, Everyone, "view")]

    def __getitem__(self, name: str) -> Node:
        query = object_session(self).query(Node).filter_by(parent_id=self.id, name=name)
        child = query.one_or_none()
        if child is None:
            raise KeyError(name)
        return child


class Folder(Node):
    """A place that only holds others."""

    __mapper_args__ = {"polymorphic_identity": "folder"}  # noqa: RUF012


class Page(Node):
    """A page with a text."""

    __tablename__ = "page"
    __mapper_args__ = {"polymorphic_identity": "page"}  # noqa: RUF012

    id: Mapped[int] = mapped_column(ForeignKey("node.id"), primary_key=True)
    body_html: Mapped[str]
    toc: Mapped[list[Any]] = mapped_column(JSON)


class Policy:
    """Asks the access control lists."""

    def permits(self, request: Any, context: Any, permission: str) -> Any:
        """Walk up the lineage until an entry decides."""
        return ACLHelper().permits(context, [Everyone], permission)

    def identity(self, request: Any) -> None:
        """Nobody is logged in."""

    authenticated_userid = identity


def address(request: Any, node: Node) -> str:
    """Return a node's path, spelled as the site spells it."""
    return request.resource_url(node, app_url="").rstrip("/") or "/"


def link(request: Any, node: Node, current: Node | None = None) -> SimpleNamespace:
    """Return what a template shows of a node in a list."""
    url = address(request, node)
    return SimpleNamespace(
        title=node.nav_title or node.title,
        url=url,
        summary=node.summary,
        current=node is current,
        has_children=node.has_children,
        children=None,
        type_title="",
    )


def branch(item: SimpleNamespace) -> tuple[Any, ...]:
    """Return a link as the template takes apart those of the navigation tree."""
    children = item.children and [branch(child) for child in item.children]
    return item.title, item.url, item.current, item.has_children, children, False


def visible(request: Any, nodes: list[Node]) -> list[Node]:
    """Return the nodes that may be seen."""
    return [node for node in nodes if request.has_permission("view", node)]


def with_addresses(request: Any, html: str) -> Markup:
    """Return stored HTML with addresses in place of the numbers of nodes."""

    def replaced(match: re.Match[str]) -> str:
        node = request.dbsession.get(Node, int(match[1]))
        return f'href="{address(request, node)}'

    return Markup(re.sub(r'href="node:(\d+)', replaced, html))


def page_view(context: Node, request: Any) -> dict[str, Any]:
    """Show a page among its siblings, with its children below."""
    children = visible(request, context.children)[:LISTING]
    siblings = visible(request, context.parent.children)
    here = siblings.index(context)
    window = siblings[max(0, here - WINDOW) : here + WINDOW]
    items = [link(request, node, context) for node in window]
    position = window.index(context)
    items[position].children = [link(request, node) for node in children]
    above, place = [], context.parent
    while place is not None:
        above.insert(0, link(request, place))
        place = place.parent
    return {
        **site_values(request),
        "title": context.title,
        "description": context.summary,
        "canonical": request.host_url + address(request, context),
        "crumbs": above,
        "node": context,
        "body": with_addresses(request, getattr(context, "body_html", "")),
        "toc": [
            SimpleNamespace(level=level, id=anchor, text=text)
            for level, anchor, text in getattr(context, "toc", ())
        ],
        "nav": SimpleNamespace(
            parent=above[-1],
            items=[branch(item) for item in items],
            before=here > WINDOW,
            after=here + WINDOW < len(siblings),
        ),
        "previous": items[position - 1] if position else None,
        "next": items[position + 1] if position + 1 < len(items) else None,
        "listing": [link(request, node) for node in children],
        "listing_next": None,
        "listing_first": None,
        "modified": context.modified_at.replace(tzinfo=dt.UTC),
        "source_url": f"{address(request, context)}/@@source",
    }


def site_values(request: Any) -> dict[str, Any]:
    """Return what the layout needs whatever it shows."""
    return {
        "_": request.localizer.translate,
        "csp_nonce": "",
        "mount": "",
        "account": SimpleNamespace(title="", sign_in=f"/@@sign-in?next={request.path}"),
        "restricted": False,
        **dict.fromkeys(("bar", "sidebar", "revision", "shown_draft", "flashed", "content_lang")),
        "notices": tuple,
        "local": lambda moment: moment,
        "time_zone": lambda: "UTC",
        "lang": request.locale_name,
        "site_title": "My site",
        "root_url": "/",
        "bundles": SimpleNamespace(styles=tuple, scripts=tuple),
        "slot": lambda name: "",
        "static_url": lambda name: request.static_path(f"myproject:static/{name}"),
    }


def find_children_in_sql() -> None:
    """Have every SELECT say whether a node has children."""
    below = aliased(Node, flat=True)
    expression = exists().where(below.parent_id == Node.id, below.state == "published")
    Node.has_children = column_property(expression)  # type: ignore[assignment, method-assign]


def application(url: str, has_children: str = "lazy") -> Any:
    """Return the WSGI application on a database.

    :param has_children: ``lazy`` or ``sql``.
    """
    if has_children == "sql":
        find_children_in_sql()
    factory = sessionmaker(create_engine(url))

    def dbsession(request: Any) -> Any:
        session = factory()
        zope.sqlalchemy.register(session, transaction_manager=request.tm)
        return session

    config = Configurator(
        settings={
            "tm.manager_hook": "pyramid_tm.explicit_manager",
            "jinja2.newstyle": True,
            "jinja2.undefined": "strict",
        }
    )
    for include in ("pyramid_jinja2", "pyramid_tm", "pyramid_retry"):
        config.include(include)
    config.add_jinja2_renderer(".jinja2")
    config.set_security_policy(Policy())
    config.add_request_method(dbsession, reify=True)
    config.set_root_factory(lambda request: request.dbsession.get(Node, 1))
    config.include("myproject.views.static")
    config.add_view(
        page_view, context=Node, permission="view", renderer="myproject:templates/page.jinja2"
    )
    return config.make_wsgi_app()


if __name__ == "__main__":
    url, port, threads, *how = sys.argv[1:]
    serve(application(url, *how), listen=f"127.0.0.1:{port}", threads=int(threads))
