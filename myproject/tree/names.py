"""What may be a URL segment, and how one is made from a title or a file name."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping

from anyascii import anyascii
from pyramid.i18n import TranslationStringFactory

from myproject.exceptions import InvalidName
from myproject.translation import PluralStringFactory

_ = TranslationStringFactory("myproject")
ngettext = PluralStringFactory("myproject")

#: Bytes of UTF-8. A name with ``.md`` behind it has to fit into a file name of 255 bytes.
MAX_NAME_BYTES = 240

#: Levels below the root, and so segments of an address.
MAX_DEPTH = 200

#: Bytes of a whole decoded path.
MAX_PATH_BYTES = 8192

_PLAIN = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9_.-]*")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
_LATIN_ACCENTS = re.compile(r"(?<=[a-z])[\u0300-\u036f]+")


def normalize(name: str) -> str:
    """Return *name* in Unicode's composed form (NFC), the only one that is stored."""
    return name if name.isascii() else unicodedata.normalize("NFC", name)


def problem_with(name: str) -> str | None:
    """Return why *name* can never be a segment, as a translation string; None if it can."""
    if len(name) <= MAX_NAME_BYTES and _PLAIN.fullmatch(name):
        # Nearly all are like this, and every segment of every request is looked at.
        return None
    if not name:
        return _("A name cannot be empty: it is the last part of the address.")
    if name in {".", ".."}:
        return _("A name cannot be . or ..: browsers take these for places.")
    if name.startswith("@@"):
        return _("A name cannot begin with @@.")
    if "/" in name:
        return _("A name cannot have a slash in it.")
    if _CONTROL.search(name):
        return _("There is an invisible character in it that no name can have.")
    if name != name.strip():
        return _("A name cannot begin or end with a space.")
    if len(name.encode()) > MAX_NAME_BYTES:
        return ngettext(
            "It is longer than ${n} byte.", "It is longer than ${n} bytes.", MAX_NAME_BYTES
        )
    return None


class ReservedNames(frozenset[str]):
    """Names that no child of the root may have, because a route would hide it.

    :param patterns: match further names, whole.
    """

    patterns: tuple[re.Pattern[str], ...]

    def __new__(
        cls, names: Iterable[str] = (), patterns: Iterable[re.Pattern[str]] = ()
    ) -> ReservedNames:
        made = super().__new__(cls, names)
        made.patterns = tuple(patterns)
        return made

    def __contains__(self, name: object) -> bool:
        if super().__contains__(name):
            return True
        return isinstance(name, str) and any(item.fullmatch(name) for item in self.patterns)


def check_name(name: str, reserved: frozenset[str] = frozenset()) -> str:
    """Return *name* as it is to be stored.

    :param name: what a person or a program asked for.
    :param reserved: first segments that belong to routes; give it for children of the root.
    :raises InvalidName: with the reason.
    """
    name = normalize(name)
    if reason := problem_with(name):
        raise InvalidName(name, reason)
    if name in reserved:
        reason = _("This name belongs to the site itself, at the top level.")
        raise InvalidName(name, reason)
    return name


def name_from_title(title: str, fallback: str = "page") -> str:
    """Return a readable segment for *title*: lower case, words joined by hyphens.

    Letters of every script are kept; accents are taken off Latin ones.
    """
    plain = _LATIN_ACCENTS.sub("", unicodedata.normalize("NFKD", title.casefold()))
    words = "".join(character if _belongs_to_word(character) else "-" for character in plain)
    name = re.sub("-+", "-", unicodedata.normalize("NFC", words)).strip("-")
    return _shorten(name, MAX_NAME_BYTES - 20) or fallback


#: Letters that languages spell in another way than the table of all scripts does.
_SPELLINGS: Mapping[str, Mapping[int, str]] = {
    "de": str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue"}),
    "da": str.maketrans({"å": "aa", "ø": "oe"}),
    "nb": str.maketrans({"å": "aa", "ø": "oe"}),
    "nn": str.maketrans({"å": "aa", "ø": "oe"}),
    "no": str.maketrans({"å": "aa", "ø": "oe"}),
}
_APOSTROPHES = re.compile(r"(?<=\w)['’ʼ](?=\w)")


def suggest_name(title: str, *, transliterate: bool = True, language: str = "en") -> str:
    """Return the segment that a person is offered for *title*; empty if nothing is left of it.

    :param transliterate: write it in the letters a to z, whatever its script: 北京 is
        ``beijing``. Else letters of every script are kept.
    :param language: of the site; some spell letters in their own way.
    """
    # Two words to a machine, one to a reader: "don't" is no "don-t".
    text = _APOSTROPHES.sub("", unicodedata.normalize("NFC", title).casefold())
    if transliterate:
        spelled = text.translate(_SPELLINGS.get(language[:2], {}))
        text = anyascii(spelled)
    return name_from_title(text, fallback="")


def _belongs_to_word(character: str) -> bool:
    # Marks are vowels in Hindi and Thai, and make another letter in Japanese and Cyrillic.
    return character.isalnum() or unicodedata.category(character).startswith("M")


def title_from_name(name: str) -> str:
    """Return a title for a folder that has none: ``getting-started`` is "Getting started"."""
    words = re.sub(r"[-_]+", " ", name).strip()
    return words[:1].upper() + words[1:] if words else name


def free_name(name: str, taken: set[str]) -> str:
    """Return *name*, or the first of ``name-2``, ``name-3``, ... that is not *taken*."""
    if name not in taken:
        return name
    stem = _shorten(name, MAX_NAME_BYTES - 8)
    number = 2
    while f"{stem}-{number}" in taken:
        number += 1
    return f"{stem}-{number}"


def _shorten(text: str, limit: int) -> str:
    return text.encode()[:limit].decode(errors="ignore").strip("-")
