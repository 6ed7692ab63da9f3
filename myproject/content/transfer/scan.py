"""Walking a directory of Markdown: which file is which page, and what it says.

``a/_index.md``, ``a/index.md`` or ``a/README.md`` is the page ``a``; ``a/b.md`` is ``a/b``. Of
several index files in one directory the first in that order is the index, and the others are
ordinary pages. A directory with pages below it and no index is a folder. ``a/b.draft.md`` is what
is written next of the page ``a/b``, ahead of what its readers see.
"""

from __future__ import annotations

import os
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from myproject.content.transfer.document import Document, document_from
from myproject.content.transfer.frontmatter import FrontMatterError, parse
from myproject.content.transfer.links import DRAFT_SUFFIX, INDEX_STEMS, SUFFIX, Names
from myproject.exceptions import InvalidName, MyprojectError
from myproject.tree.names import check_name, title_from_name

_IMAGES = frozenset({".png", ".jpg", ".jpeg", ".gif", ".svg", ".webp", ".avif", ".ico"})

#: Directories of tools, and what has to be beside them: a page may have the same name.
_IGNORED = {
    ".git": ".git/HEAD",
    ".hg": ".hg/requires",
    ".svn": ".svn/wc.db",
    "node_modules": "package.json",
}


@dataclass(frozen=True, slots=True)
class Problem:
    """Something in a file that cannot be imported.

    :ivar file: path relative to the directory.
    :ivar line: from 1; 0 where no line is to blame.
    """

    file: str
    line: int
    reason: str

    def __str__(self) -> str:
        # Names of files may be any bytes.
        file = self.file.encode(errors="backslashreplace").decode()
        return f"{file}:{self.line}: {self.reason}" if self.line else f"{file}: {self.reason}"


@dataclass(slots=True)
class Entry:
    """A page to be: where it belongs and what its file says.

    :ivar names: its place below the import's target.
    :ivar file: path relative to the directory; a directory's for a folder without an index.
    """

    names: Names
    file: PurePosixPath
    document: Document


@dataclass(slots=True)
class Scan:
    """What a directory holds.

    :ivar entries: by place.
    :ivar drafts: the same of drafts, each of which has the place of its page.
    :ivar files: number of Markdown files.
    :ivar ignored: number of other files by kind: ``image``, ``other``, and ``link`` for symbolic
        links to directories, which could lead in circles.
    """

    directory: Path
    entries: dict[Names, Entry] = field(default_factory=dict)
    drafts: dict[Names, Entry] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    files: int = 0
    ignored: Counter[str] = field(default_factory=Counter)

    def refuse(self, file: object, reason: str, line: int = 0) -> None:
        """Note that a file cannot be imported."""
        self.problems.append(Problem(str(file), line, reason))

    def add_folders(self) -> None:
        """Make entries for directories without an index; all are then sorted, parents first."""
        for names in list(self.entries):
            for length in range(1, len(names)):
                above = names[:length]
                if above not in self.entries:
                    title = title_from_name(above[-1])
                    document = Document("folder", {"title": title}, implied=True)
                    self.entries[above] = Entry(above, PurePosixPath(*above), document)
        self.entries = dict(sorted(self.entries.items(), key=lambda item: (len(item[0]), item[0])))


class NotADirectory(MyprojectError):
    """There is no directory to import."""


def scan(directory: Path) -> Scan:
    """Read all Markdown files below *directory*.

    :returns: what they say, still without the directories that have no index.
    :raises NotADirectory: other problems are collected in the result.
    """
    if not directory.is_dir():
        raise NotADirectory(f"{directory} is not a directory.")
    found = Scan(directory)

    def unreadable(error: OSError) -> None:
        found.refuse(Path(error.filename).relative_to(directory), _reason(error))

    for folder, subfolders, files in os.walk(directory, onerror=unreadable):
        subfolders[:] = [name for name in sorted(subfolders) if _enters(found, Path(folder), name)]
        relative = PurePosixPath(Path(folder).relative_to(directory).as_posix())
        _read_folder(found, relative, sorted(files))
    return found


def _enters(found: Scan, folder: Path, name: str) -> bool:
    if (folder / name).is_symlink():
        found.ignored["link"] += 1
        return False
    return name not in _IGNORED or not (folder / _IGNORED[name]).exists()


def _read_folder(found: Scan, folder: PurePosixPath, files: list[str]) -> None:
    pages = [name for name in files if name.lower().endswith(SUFFIX)]
    for name in set(files) - set(pages):
        kind = "image" if PurePosixPath(name).suffix.lower() in _IMAGES else "other"
        found.ignored[kind] += 1
    drafts = {name: name[: -len(DRAFT_SUFFIX + SUFFIX)] for name in pages if _is_draft(name)}
    index = index_file([name for name in pages if name not in drafts])
    for name in pages:
        found.files += 1
        stem = drafts.get(name, name[: -len(SUFFIX)])
        if index is None:
            is_index = name in drafts and stem.lower() in INDEX_STEMS
        else:
            is_index = stem == index[: -len(SUFFIX)]
        parts = folder.parts if is_index else (*folder.parts, stem)
        _read_file(found, folder / name, parts, is_ahead=name in drafts)


def _is_draft(name: str) -> bool:
    end = DRAFT_SUFFIX + SUFFIX
    return name.lower().endswith(end) and len(name) > len(end)


def index_file(files: list[str]) -> str | None:
    """Return which of a directory's Markdown files is its index."""
    by_stem = {name[: -len(SUFFIX)].lower(): name for name in reversed(files)}
    return next((by_stem[stem] for stem in INDEX_STEMS if stem in by_stem), None)


def _read_file(found: Scan, file: PurePosixPath, parts: Names, *, is_ahead: bool) -> None:
    path = found.directory / file
    try:
        names = tuple(check_name(part) for part in parts)
        if not path.is_file():
            # Reading a named pipe would wait for ever.
            found.refuse(file, "is not a regular file")
            return
        text = path.read_text(encoding="utf-8")
        meta, body = parse(text)
        name = names[-1] if names else found.directory.resolve().name
        document = document_from(text, meta, body, name, is_ahead=is_ahead)
    except FrontMatterError as error:
        found.refuse(file, error.reason, error.line)
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        found.refuse(file, f"is not UTF-8 ({error.reason})", line)
    except InvalidName as error:
        found.refuse(file, str(error))
    except OSError as error:
        found.refuse(file, _reason(error))
    else:
        _add_entry(found, Entry(names, file, document), found.drafts if is_ahead else found.entries)


def _add_entry(found: Scan, entry: Entry, entries: dict[Names, Entry]) -> None:
    if entry.names in entries:
        other = entries[entry.names].file
        found.refuse(entry.file, f"has the same address as {other}: /{'/'.join(entry.names)}")
    else:
        entries[entry.names] = entry


def _reason(error: OSError) -> str:
    return f"cannot be read: {error.strerror}"
