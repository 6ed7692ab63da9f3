"""What search engines and link previews are told: meta tags, breadcrumbs, robots.txt, noindex."""

from __future__ import annotations

from myproject.addons.seo.models import problem_with_image
from myproject.addons.seo.store import SearchEngineFilter, copy_settings
from myproject.declarations import Setting
from myproject.extend.configurator import SiteConfigurator
from myproject.interfaces import ISitemapFilter
from myproject.tree.events import NodeCopied

SETTINGS = (
    Setting(
        "myproject.seo.index",
        bool,
        True,
        "Whether search engines may show the site. Where they may not, robots.txt keeps them out "
        "and every page says so.",
    ),
    Setting(
        "myproject.seo.image",
        str,
        "",
        "The picture in previews of pages that have none: an address that begins with https:// or, "
        "on this host, with a slash.",
        check=problem_with_image,
    ),
    Setting(
        "myproject.seo.robots",
        str,
        "",
        "More lines for robots.txt, below those that the site writes by itself.",
    ),
)


def includeme(config: SiteConfigurator) -> None:
    """Tell search engines about the site."""
    config.add_settings(*SETTINGS)
    config.add_migrations("seo")
    config.add_event_subscriber(copy_settings, NodeCopied)
    config.add_service(SearchEngineFilter, ISitemapFilter, name="seo")
    config.add_static_bundle("seo", "myproject.addons.seo:static/")
    for module in ("head", "robots", "views"):
        config.include(f"myproject.addons.seo.{module}")
