"""The languages that the screens can be in: those there is a catalog for, and English."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from pyramid.interfaces import ITranslationDirectories

#: The language that the sources are written in, which needs no catalog.
SOURCE = "en"

#: The catalog that has the words of the core's screens.
CATALOG = "LC_MESSAGES/myproject.mo"

_LOCALE = re.compile(r"[a-z]{2,3}([_-][A-Za-z0-9]+)*")

#: What languages call themselves; others are shown by their code.
_NAMES: Mapping[str, str] = {
    "af": "Afrikaans",
    "ar": "العربية",
    "be": "беларуская",
    "bg": "български",
    "bn": "বাংলা",
    "ca": "català",
    "cs": "čeština",
    "cy": "Cymraeg",
    "da": "dansk",
    "de": "Deutsch",
    "el": "Ελληνικά",
    "en": "English",
    "eo": "Esperanto",
    "es": "español",
    "et": "eesti",
    "eu": "euskara",
    "fa": "فارسی",
    "fi": "suomi",
    "fr": "français",
    "ga": "Gaeilge",
    "gl": "galego",
    "he": "עברית",
    "hi": "हिन्दी",
    "hr": "hrvatski",
    "hu": "magyar",
    "hy": "հայերեն",
    "id": "Indonesia",
    "is": "íslenska",
    "it": "italiano",
    "ja": "日本語",
    "ka": "ქართული",
    "kk": "қазақ тілі",
    "ko": "한국어",
    "lt": "lietuvių",
    "lv": "latviešu",
    "mk": "македонски",
    "ms": "Melayu",
    "nb": "norsk bokmål",
    "nl": "Nederlands",
    "nn": "norsk nynorsk",
    "no": "norsk",
    "pl": "polski",
    "pt": "português",
    "ro": "română",
    "ru": "русский",
    "sk": "slovenčina",
    "sl": "slovenščina",
    "sq": "shqip",
    "sr": "српски",
    "sv": "svenska",
    "sw": "Kiswahili",
    "ta": "தமிழ்",
    "th": "ไทย",
    "tr": "Türkçe",
    "uk": "українська",
    "ur": "اردو",
    "vi": "Tiếng Việt",
    "zh": "中文",
}


def languages_of(registry: Any) -> dict[str, str]:
    """Return the locales that people can choose, each with what its language calls itself.

    English, which the screens are written in; the site's own; and those with a catalog in one of
    the folders that ``config.add_translation_dirs`` has named.
    """
    site = registry.settings["myproject.locale"]
    names = {SOURCE, site, *_with_catalog(registry)}
    return {name: language_name(name) for name in sorted(names, key=_sort_key)}


def _with_catalog(registry: Any) -> Iterator[str]:
    for folder in registry.queryUtility(ITranslationDirectories, default=()):
        for path in Path(folder).glob(f"*/{CATALOG}"):
            name = path.parent.parent.name
            if _LOCALE.fullmatch(name):
                yield name


def _sort_key(name: str) -> str:
    return language_name(name).casefold()


def language_name(locale: str) -> str:
    """Return what a locale's language calls itself: ``Deutsch``, ``português (BR)``."""
    language, _, rest = locale.replace("-", "_").partition("_")
    name = _NAMES.get(language, language)
    return f"{name} ({rest.replace('_', ', ')})" if rest else name


def language_tag(locale: str) -> str:
    """Return a locale as HTML names a language (RFC 5646): ``pt_BR`` is ``pt-BR``."""
    return locale.replace("_", "-")
