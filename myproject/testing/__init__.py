"""What authors of add-ons test with.

``pytest_plugins = ["myproject.testing.plugin"]`` in a project's top ``conftest.py`` brings the
fixtures; :mod:`myproject.testing.contracts` has what every add-on has to hold.
"""

from myproject.testing.commands import DEFAULTS, Run, invoke, write_ini
from myproject.testing.counting import statements
from myproject.testing.databases import Backend, PostgreSQL, SQLite, migrate, need, sqlite_only
from myproject.testing.outbox import Outbox
from myproject.testing.pages import links
from myproject.testing.people import sign_in
from myproject.testing.sites import Include, Site, sites_on

__all__ = [
    "DEFAULTS",
    "Backend",
    "Include",
    "Outbox",
    "PostgreSQL",
    "Run",
    "SQLite",
    "Site",
    "invoke",
    "links",
    "migrate",
    "need",
    "sign_in",
    "sites_on",
    "sqlite_only",
    "statements",
    "write_ini",
]
