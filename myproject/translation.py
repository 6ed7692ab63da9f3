"""Messages in the language of whoever reads them: with a number in them, and with others in them.

Pyramid's translation strings are sentences with places for names. What the product refuses also
counts ("at least 12 characters") and quotes what has to be translated itself (what a field is
called); that is added here.
"""

from __future__ import annotations

from collections.abc import Mapping
from gettext import NullTranslations
from typing import Any

from pyramid.i18n import Localizer, TranslationString


class PluralString(TranslationString):
    """A message that is another one for one than for many.

    :param one: the message for one, by which it is looked up.
    :param many: the one for all other numbers in English.
    :param n: the number, which stands for ``${n}``.
    """

    __slots__ = ("many", "n")

    many: str
    n: int

    def __new__(
        cls,
        one: str,
        many: str,
        n: int,
        domain: str | None = None,
        mapping: Mapping[str, Any] | None = None,
    ) -> PluralString:
        made = super().__new__(
            cls,
            one,
            domain=domain,
            default=one if n == 1 else many,
            mapping={"n": f"{n:,}", **(mapping or {})},
        )
        made.many, made.n = many, n
        return made

    def __getstate__(self) -> tuple[Any, ...]:
        # What a copy is made with.
        return str(self), self.many, self.n, self.domain, self.mapping


class PluralStringFactory:
    """Makes plural strings of one domain, as a ``TranslationStringFactory`` makes others.

    Call it ``ngettext``: under this name the messages are collected for translators.
    """

    def __init__(self, domain: str) -> None:
        self.domain = domain

    def __call__(
        self, one: str, many: str, n: int, mapping: Mapping[str, Any] | None = None
    ) -> PluralString:
        return PluralString(one, many, n, self.domain, mapping)


def translated(localizer: Localizer, message: Any) -> str:
    """Return a message in a localizer's language.

    :param message: a text, a translation string or a plural string. What its mapping holds may be
        such messages, too, and tuples of them, which are listed.
    """
    if not message:
        # The catalog has its own head under the empty text.
        return ""
    if isinstance(message, tuple):
        return ", ".join(translated(localizer, each) for each in message)
    if not isinstance(message, TranslationString):
        return str(message)
    mapping = {
        name: translated(localizer, value) if isinstance(value, str | tuple) else value
        for name, value in (message.mapping or {}).items()
    }
    if isinstance(message, PluralString):
        return localizer.pluralize(message, message.many, message.n, message.domain, mapping)
    return localizer.translate(message, mapping=mapping)


def in_english(message: Any) -> str:
    """Return a message as the sources have it, for the command line and for logs."""
    return translated(_ENGLISH, message)


_ENGLISH = Localizer("en", NullTranslations())
