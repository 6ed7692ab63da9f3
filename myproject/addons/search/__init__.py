"""Full-text search over everything that somebody may see, with suggestions while typing."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field
from sqlalchemy import select

from myproject.addons.search.commands import search
from myproject.addons.search.finding import search_of
from myproject.addons.search.index import Subscribers
from myproject.addons.search.interfaces import ISearch
from myproject.addons.search.models import DOCUMENT
from myproject.content.events import ContentSaved
from myproject.declarations import Setting
from myproject.extend.configurator import SiteConfigurator
from myproject.scope import Scope
from myproject.tree.events import NodeCopied

#: The configurations that PostgreSQL comes with.
LANGUAGES = Literal[
    *("simple", "arabic", "armenian", "basque", "catalan", "danish", "dutch", "english"),
    *("finnish", "french", "german", "greek", "hindi", "hungarian", "indonesian", "irish"),
    *("italian", "lithuanian", "nepali", "norwegian", "portuguese", "romanian", "russian"),
    *("serbian", "spanish", "swedish", "tamil", "turkish", "yiddish"),
]

SETTINGS = (
    Setting(
        "myproject.search.language",
        LANGUAGES,
        "simple",
        "Language of the texts, for PostgreSQL, which then finds words with other endings, too; "
        "'simple' for none. After a change run: myproject search reindex.",
    ),
    Setting(
        "myproject.search.page_size",
        Annotated[int, Field(ge=5, le=25)],
        20,
        "How many results a page shows.",
    ),
    Setting(
        "myproject.search.suggestions",
        bool,
        True,
        "Whether titles are suggested while somebody types.",
    ),
)


def can_be_asked(scope: Scope) -> None:
    """Raise if the index cannot be asked."""
    scope.dbsession.execute(select(DOCUMENT.c.node_id).limit(1))


def includeme(config: SiteConfigurator) -> None:
    """Switch the search on."""
    language, _, _ = config.add_settings(*SETTINGS)
    config.add_migrations("search")
    subscribers = Subscribers(language)
    config.add_event_subscriber(subscribers.saved, ContentSaved)
    config.add_event_subscriber(subscribers.copied, NodeCopied)
    config.add_service(search_of, ISearch)
    config.add_cli_command(search)
    config.add_health_check("search", can_be_asked)
    config.add_static_bundle(
        "search",
        "myproject.addons.search:static/",
        styles=["search.css"],
        scripts=["search.js"],
    )
    config.include("myproject.addons.search.views")
