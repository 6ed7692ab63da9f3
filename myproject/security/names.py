"""Names and mail addresses of accounts: one spelling each, whatever people type."""

from __future__ import annotations

import re
import unicodedata

from pyramid.i18n import TranslationStringFactory

from myproject.exceptions import InvalidValue, TooLong
from myproject.setting_types import address_problem

_ = TranslationStringFactory("myproject")

MAX_NAME = 100
MAX_TITLE = 200
MAX_DESCRIPTION = 500

_NAME = re.compile(r"[\w][\w.@+-]*")


def normalize_account(text: str) -> str:
    """Return the one spelling of a name or a mail address: NFKC, small letters, no space around.

    Compatibility forms are folded so that nobody can take a name that looks like another's.
    """
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold()).strip()


def account_name(text: str) -> str:
    """Return the name of an account or a group in its one spelling.

    :raises InvalidValue: when it cannot be a name.
    """
    name = normalize_account(text)
    if not name:
        raise InvalidValue("name", _("Give a name."))
    if len(name) > MAX_NAME:
        raise TooLong("name", MAX_NAME)
    if not _NAME.fullmatch(name):
        reason = _("Use letters, digits and . _ - + @ only, and begin with a letter or a digit.")
        raise InvalidValue("name", reason)
    return name


def email_address(text: str) -> str | None:
    """Return a mail address in its one spelling; None for an empty one.

    :raises InvalidValue: when it cannot be an address.
    """
    address = normalize_account(text)
    if not address:
        return None
    if address_problem(address):
        reason = _(
            "“${address}” is not a mail address such as name@example.org.",
            mapping={"address": address[:80]},
        )
        raise InvalidValue("email", reason)
    return address


def display_title(text: str, fallback: str) -> str:
    """Return how a user or a group is called: the *fallback* where nothing was given.

    :raises InvalidValue: when it is too long or has control characters.
    """
    title = " ".join(text.split()) or fallback
    if len(title) > MAX_TITLE:
        raise TooLong("title", MAX_TITLE)
    if any(unicodedata.category(character) in ("Cc", "Cs") for character in title):
        raise InvalidValue("title", _("A character in it cannot be shown; remove it."))
    return title
