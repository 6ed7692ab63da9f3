"""Atom and JSON feeds of any place and everything below it.

The newest pages are found in ``newest``, made into entries in ``entries``, and written by ``atom``
and ``json_feed``.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from myproject.declarations import Setting
from myproject.extend.configurator import SiteConfigurator

SETTINGS = (
    Setting(
        "myproject.feeds.size",
        Annotated[int, Field(ge=1, le=200)],
        20,
        "How many entries a feed has; older ones follow on further pages of it.",
    ),
    Setting(
        "myproject.feeds.full_text",
        bool,
        True,
        "Feeds bring the whole text of pages; otherwise their descriptions only.",
    ),
)


def includeme(config: SiteConfigurator) -> None:
    """Switch feeds on."""
    config.add_settings(*SETTINGS)
    config.add_migrations("feeds")
    config.include("myproject.addons.feeds.views")
