"""Directories of Markdown in a few words, and sites to import them into and export them from."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from myproject.content.transfer.exporter import export_directory
from myproject.content.transfer.importer import Report, import_directory
from myproject.interfaces import IContentTypes
from myproject.testing import Backend, Site
from myproject.tree.node import Node


def write_files(directory: Path, files: Mapping[str, str | bytes]) -> Path:
    """Make a directory out of ``path -> text``."""
    for name, text in files.items():
        path = directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text.encode() if isinstance(text, str) else text)
    return directory


def read_files(directory: Path) -> dict[str, bytes]:
    """Return ``path -> bytes`` of all files below a directory."""
    paths = sorted(path for path in directory.rglob("*") if path.is_file())
    return {path.relative_to(directory).as_posix(): path.read_bytes() for path in paths}


def import_files(site: Site, directory: Path, at: str = "", **options: Any) -> Report:
    """Import a directory into a site, in a transaction of its own."""
    with site.tree() as tree:
        return import_directory(
            tree,
            directory,
            types=site.registry.getUtility(IContentTypes),
            renderer=site.renderer,
            at=tuple(filter(None, at.split("/"))),
            **options,
        )


def export_files(site: Site, directory: Path, at: str = "") -> dict[str, bytes]:
    """Export a site, and return what was written."""
    with site.database.read_session() as session:
        names = tuple(filter(None, at.split("/")))
        types = site.registry.getUtility(IContentTypes)
        count = export_directory(session, directory, types=types, at=names)
    files = read_files(directory)
    assert count == len(files)
    return files


def outline(site: Site, top: str = "/") -> dict[str, Any]:
    """Return the tree below a path as nested dictionaries, in order: ``{"a": {"b": {}}}``."""
    with site.tree() as tree:
        return _outline(tree.session, site.node(tree, top))


def _outline(session: Any, node: Node) -> dict[str, Any]:
    children = session.query(Node).filter_by(parent_id=node.id)
    ordered = children.order_by(Node.position, Node.id).all()
    return {child.name: _outline(session, child) for child in ordered}


def field_of(site: Site, path: str, field: str) -> Any:
    """Return a column of the node at a path."""
    with site.tree() as tree:
        return getattr(site.node(tree, path), field)


def id_of(site: Site, path: str) -> int:
    return field_of(site, path, "id")


@pytest.fixture
def new_site(backend: Backend) -> Iterator[Callable[[], Site]]:
    """A factory of sites, each on an empty database of its own."""
    made: list[tuple[Site, Any]] = []

    def make() -> Site:
        url = backend.create()
        made.append((Site(url), url))
        return made[-1][0]

    yield make
    for site, url in made:
        site.database.dispose()
        backend.drop(url)


@pytest.fixture
def files(tmp_path: Path) -> Callable[[Mapping[str, str | bytes]], Path]:
    """``files({"a.md": "text"})`` is a directory with these files."""

    def make(content: Mapping[str, str | bytes]) -> Path:
        directory = tmp_path / f"files{len(list(tmp_path.iterdir()))}"
        directory.mkdir()
        return write_files(directory, content)

    return make
