"""Links between files of a directory, and between nodes of the tree: one becomes the other.

A relative link is first read as editors and Git hosts read it, from the file's own directory, and
then as browsers read it on a site whose pages end with a slash, as most generators make them. A
link that begins with a slash is read from the top of the directory, then from the site's root;
``/../x`` climbs over the top, to what stands beside the place that is imported into. Letter case
is forgiven where only one page can be meant, because many generators make addresses lower case.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import PurePosixPath
from urllib.parse import quote, unquote

from myproject.tree.names import normalize
from myproject.tree.urls import SEGMENT_SAFE

SUFFIX = ".md"

#: What ends the name of the file ``b.draft.md``, which is the draft of the page ``b``.
DRAFT_SUFFIX = ".draft"

#: Names (in lower case) of the files that are their directory's own page, the first one counts.
INDEX_STEMS = ("_index", "index", "readme")

#: A place: the names from a top (of a directory, of the site) down.
Names = tuple[str, ...]

_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:")
_PARTS = re.compile(r"([^?#]*)(.*)", re.DOTALL)


def is_internal(destination: str) -> bool:
    """Whether a link's destination is a path on this site."""
    return not (
        not destination or destination.startswith(("#", "?", "//")) or _SCHEME.match(destination)
    )


def split_destination(destination: str) -> tuple[str, str]:
    """Return the path of a destination and what follows it (query and fragment)."""
    match = _PARTS.fullmatch(destination)
    return (match[1], match[2]) if match else (destination, "")


def split_path(path: str) -> Names:
    """Return the decoded names of an encoded absolute path; dots are followed, like in a URL."""
    return follow_path((), unquote(path)) or ()


class Resolver:
    """Finds the page that a link between files means.

    :param aliases: all places in the directory, each with the other addresses of its page.
    :param at: the place on the site that the directory's top is.
    :param on_site: whether the site has something else at a place (counted from its root).
    :param root_first: read absolute links from the site's root first, as they are meant in the
        tree; else from the directory's top, as they are meant in files.
    """

    def __init__(
        self,
        aliases: Mapping[Names, tuple[str, ...]],
        at: Names = (),
        on_site: Callable[[Names], bool] = lambda names: False,
        *,
        root_first: bool = False,
    ) -> None:
        self._places = {at + names for names in aliases} | {at}
        self._at, self._on_site = at, on_site
        self._tops = [(), at] if root_first else [at, ()]
        self._folded: dict[Names, Names | None] = {}
        for place in self._places:
            key = _fold(place)
            # None marks what two pages would claim.
            self._folded[key] = None if key in self._folded else place
        self._aliases = {
            _fold(at + split_path(alias)): at + names
            for names in aliases
            for alias in aliases[names]
            if alias.startswith("/")
        }

    def resolve(self, names: Names, file: PurePosixPath, destination: str) -> Names | None:
        """Return the place on the site that a link leads to, if any.

        :param names: where the page with the link is, below the directory's top.
        :param file: its file, relative to the directory.
        """
        path, _ = split_destination(destination)
        for candidate in self._candidates(names, file, unquote(path)):
            if candidate in self._places or self._on_site(candidate):
                return candidate
            folded = _fold(candidate)
            found = self._folded.get(folded) or self._aliases.get(folded)
            if found is not None:
                return found
        return None

    def _candidates(self, names: Names, file: PurePosixPath, path: str) -> Iterator[Names]:
        """Return the places that *path* may mean, the likeliest first."""
        bases = self._tops
        if not path.startswith("/"):
            bases = [self._at + tuple(map(normalize, file.parent.parts)), self._at + names]
        for base in bases:
            yield from _as_page(follow_path(base, path), is_directory=path.endswith("/"))


def _as_page(names: Names | None, *, is_directory: bool) -> Iterator[Names]:
    if names is None:
        return
    if names and names[-1].lower().endswith(SUFFIX) and not is_directory:
        stem = names[-1][: -len(SUFFIX)]
        if stem.lower() in INDEX_STEMS:
            yield names[:-1]
        yield (*names[:-1], stem)
    yield names


def follow_path(base: Names, path: str) -> Names | None:
    """Return where the decoded *path* leads from *base*; None where it climbs over the top."""
    names = list(base)
    for segment in path.split("/"):
        if segment == "..":
            if not names:
                return None
            names.pop()
        elif segment not in {"", "."}:
            names.append(normalize(segment))
    return tuple(names)


def _fold(names: Names) -> Names:
    return tuple(name.casefold() for name in names)


def relative_link(source: Names, target: Names, *, is_directory: bool = False) -> str:
    """Return the encoded relative link from a file in the directory *source* to *target*.

    :param is_directory: end the link with a slash; *target* is no file.
    """
    common = 0
    # The last step is always spelled out: an empty link would lead to the file it stands in.
    while common < min(len(source), len(target) - 1) and source[common] == target[common]:
        common += 1
    link = _quote((*[".."] * (len(source) - common), *target[common:]))
    if is_directory:
        link += "/"
    # A colon in the first segment would read as a scheme (RFC 3986, section 4.2).
    return f"./{link}" if ":" in link.partition("/")[0] else link


def outward_link(at: Names, target: Names) -> str:
    """Return the encoded link from anywhere in the directory that is *at* to another *target*."""
    return "/" + _quote((*[".."] * len(at), *target))


def _quote(steps: Names) -> str:
    return "/".join(quote(step, safe=SEGMENT_SAFE) for step in steps)
