"""What every add-on has to hold."""

from myproject.testing.contracts import AddonContract


class TestFeeds(AddonContract):
    addon = "feeds"
    # Traversal and the page's own columns; newest; what entries say; texts; addresses of links.
    pages = {"/@@feed.atom": 6, "/docs/@@feed.json": 6, "/docs": 4}

    def fill(self, site):
        docs = site.add("/docs", "Text.")
        site.add("/docs/a", f"[docs](node:{docs})")
        return []
