"""What every add-on has to hold."""

from myproject.addons.seo.models import SECTION, PageSettings
from myproject.testing.contracts import AddonContract


class TestContract(AddonContract):
    addon = "seo"
    pages = {"/guide/part": 5, "/": 4, "/robots.txt": 0}

    def fill(self, site):
        site.add("/guide", title="Guide")
        part = site.add("/guide/part", "![A map](/map.png)", title="Part")
        with site.tree() as tree:
            tree.session.add(PageSettings(node_id=part, noindex=SECTION))
        return []
