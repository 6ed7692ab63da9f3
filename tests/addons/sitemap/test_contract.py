"""What every add-on has to hold."""

from myproject.testing.contracts import AddonContract


class TestSitemap(AddonContract):
    addon = "sitemap"
    # The root and its own columns, then the parts there are, or whether there is this one. A part
    # is read in batches of a thousand ids, here one with pages and nine empty ones.
    pages = {"/sitemap.xml": 3, "/sitemap-1.xml": 14}

    def fill(self, site):
        site.add("/docs")
        site.add("/docs/a")
        return []
