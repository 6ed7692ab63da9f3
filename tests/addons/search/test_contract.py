"""What every add-on has to hold."""

from myproject.testing.contracts import AddonContract


class TestSearch(AddonContract):
    addon = "search"
    pages = {
        "/docs": 3,
        "/@@search": 2,
        "/docs/@@search?q=text": 5,
        "/@@search-suggestions?q=do": 4,
    }

    def fill(self, site):
        site.add("/docs", "A text about something.", title="Docs")
        site.add("/docs/a", "Another text.")
        return []
