"""The messages of the product, as translators get them."""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping
from pathlib import Path

import myproject

POT = Path(myproject.__file__).parent / "locale" / "myproject.pot"

_ENTRY = re.compile(r'^msgid ((?:".*"\n)+)(?:msgid_plural ((?:".*"\n)+))?', re.MULTILINE)


def messages() -> Mapping[str, str]:
    """Return each message of the template of catalogs, with its plural or with nothing."""
    return {
        ast.literal_eval(f"({one})"): ast.literal_eval(f"({many})") if many else ""
        for one, many in _ENTRY.findall(POT.read_text())
    }


def in_brackets() -> dict[str, str]:
    """Return the catalog of a language that says everything as English does, in brackets.

    Of what has a plural the first brackets are others, so that it shows which of the two was said.
    """
    return {
        f"{one}\0{many}" if many else one: f"⟦1: {one}⟧\0⟦{many}⟧" if many else f"⟦{one}⟧"
        for one, many in messages().items()
    }
