"""What a browser says of itself, in the few words by which people recognise their own."""

from __future__ import annotations

import re

#: The first that is found is it: most of them claim to be others, too.
_BROWSERS = (
    ("Edge", re.compile(r"Edg(?:e|A|iOS)?/(\d+)")),
    ("Opera", re.compile(r"OPR/(\d+)")),
    ("Samsung Internet", re.compile(r"SamsungBrowser/(\d+)")),
    ("Firefox", re.compile(r"(?:Firefox|FxiOS)/(\d+)")),
    ("Chrome", re.compile(r"(?:Chrome|CriOS)/(\d+)")),
    ("Safari", re.compile(r"Version/(\d+).* Safari/")),
)
_SYSTEMS = (
    ("Windows", re.compile("Windows")),
    ("Android", re.compile("Android")),
    ("iPhone", re.compile("iPhone")),
    ("iPad", re.compile("iPad")),
    ("macOS", re.compile("Mac OS X|Macintosh")),
    ("ChromeOS", re.compile("CrOS")),
    ("Linux", re.compile("Linux|X11")),
)
#: Characters of what nobody knows that are shown.
SHOWN = 60


def shown_agent(agent: str) -> str:
    """Return ``Firefox 140, Linux`` for the User-Agent header of that, else its beginning."""
    found = []
    for name, pattern in _BROWSERS:
        if match := pattern.search(agent):
            found.append(f"{name} {match[1]}")
            break
    found += [name for name, pattern in _SYSTEMS if pattern.search(agent)][:1]
    if found:
        return ", ".join(found)
    return agent if len(agent) <= SHOWN else agent[: SHOWN - 1] + "…"
