"""What every add-on has to hold."""

from myproject.testing.contracts import AddonContract
from myproject.tree.node import DRAFT


class TestContract(AddonContract):
    addon = "review"
    # Nothing is asked for visitors, wherever they are.
    pages = {"/": 4, "/page": 4}

    def fill(self, site):
        site.add("/page", "Text.")
        site.add("/waiting", "Text.", state=DRAFT, stage="in-review")
        return []
