"""A sitemap of everything that visitors may see, for search engines.

``/sitemap.xml`` is an index of parts, ``/sitemap-1.xml`` and so on. A part has the pages whose ids
lie in a range of ten thousand: so it is known without counting, and stays the same whatever is
written, moved or deleted elsewhere. Nothing is held in memory but a batch of pages.
"""

from __future__ import annotations

from myproject.addons.sitemap.views import SitemapAddress
from myproject.extend.configurator import SiteConfigurator
from myproject.interfaces import ISitemap


def includeme(config: SiteConfigurator) -> None:
    """Switch the sitemap on."""
    config.add_service(SitemapAddress, ISitemap)
    config.include("myproject.addons.sitemap.views")
