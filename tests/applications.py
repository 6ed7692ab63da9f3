"""Sites of tests one after another on the same application, which is configured once.

Configuring takes longer than most tests do. What an application keeps besides what it was
configured to be is little: which database it stands on, and what it has in memory of that one.
Both are made anew for each test, and an application that a test has changed in any other way is
not used again. Whoever asks for an add-on of a test's own gets an application of its own.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from typing import Any

from pyramid.config import Configurator
from pyramid.router import Router
from sqlalchemy import Engine, event
from sqlalchemy.engine import URL

from myproject.db.engine import Database
from myproject.extend.switching import available
from myproject.interfaces import IContentTypes, IRoles
from myproject.registry import SiteRegistry, registry_of
from myproject.security.access import PolicyCache
from myproject.security.limits import limits_from
from myproject.testing import Include, Site
from myproject.tree.hits import Hits

#: How many applications wait for a test that wants one like them.
MOST_IDLE = 8

#: Attributes of the registry that know something of the database.
_OF_THE_DATABASE = frozenset({"policies", "redirect_hits", "sign_in_limits"})


class Application:
    """A configured application, which can be moved to another database of the same kind."""

    def __init__(self, config: Configurator, app: Router) -> None:
        self.config, self.app = config, app
        self.registry = registry_of(config)
        self._state = _state_of(self.registry)
        for engine in (self.registry.database.reader, self.registry.database.writer):
            _connect_where_it_says(engine, self.registry.database)

    def move(self, url: URL) -> None:
        """Stand on another database, and remember nothing of the last one."""
        registry = self.registry
        registry.database.dispose()
        registry.database.url = url
        registry.policies = PolicyCache(registry.policies.roles)
        registry.redirect_hits = Hits(registry.database)
        registry.sign_in_limits = limits_from(registry.declared_settings)

    @property
    def is_unchanged(self) -> bool:
        """Whether it is what it was when it had been configured."""
        before, now = self._state, _state_of(self.registry)
        # Pyramid registers what it makes when that is asked for, such as localizers.
        return before.items() <= now.items()


def _state_of(registry: SiteRegistry) -> dict[Hashable, Any]:
    """Return what a test could replace, by identity, and what it could add to."""
    attributes = {
        ("attribute", name): id(value)
        for name, value in vars(registry).items()
        if name not in _OF_THE_DATABASE
    }
    settings = {("setting", key): id(value) for key, value in registry.settings.items()}
    utilities = {
        ("utility", found.provided, found.name): id(found.component)
        for found in registry.registeredUtilities()
    }
    counts = {
        "adapters": sum(1 for _ in registry.registeredAdapters()),
        "subscribers": sum(1 for _ in registry.registeredSubscriptionAdapters()),
        "handlers": sum(1 for _ in registry.registeredHandlers()),
    }
    roles = registry.getUtility(IRoles)
    registered = {
        "content types": list(registry.getUtility(IContentTypes)),
        "roles": list(roles.items()),
        "permissions": list(roles.permissions.items()),
        **{name: _copy(value) for name, value in vars(registry.extensions).items()},
    }
    return {**attributes, **settings, **utilities, **counts, **registered}


def _copy(registered: Any) -> Any:
    if isinstance(registered, dict):
        return {key: _copy(value) for key, value in registered.items()}
    return list(registered) if isinstance(registered, list) else registered


def _connect_where_it_says(engine: Engine, database: Database) -> None:
    """Have an engine connect to what its database's URL says at the time."""

    @event.listens_for(engine, "do_connect")
    def connect(dialect: Any, record: Any, arguments: list[Any], options: dict[str, Any]) -> None:
        arguments[:], where = dialect.create_connect_args(database.url)
        options.update(where)


class Applications:
    """The applications that no test uses at the moment, those that were used last at the end."""

    def __init__(self) -> None:
        self._idle: OrderedDict[Application, Hashable] = OrderedDict()

    def take(self, key: Hashable) -> Application | None:
        """Return an application of this kind; None when there is none."""
        for application, kind in self._idle.items():
            if kind == key:
                del self._idle[application]
                return application
        return None

    def give_back(self, application: Application, key: Hashable) -> None:
        """Keep an application for whoever wants one like it."""
        if application.is_unchanged:
            self._idle[application] = key
            while len(self._idle) > MOST_IDLE:
                self._idle.popitem(last=False)


class ReusedSite(Site):
    """A site whose application another one may have had before."""

    def __init__(self, url: URL, applications: Applications, **settings: str) -> None:
        self._applications = applications
        super().__init__(url, **settings)

    def _configure(self, url: URL) -> None:
        self._key = (url.get_backend_name(), frozenset(self.settings.items()))
        application = self._applications.take(self._key)
        if application is None:
            super()._configure(url)
            self._application = Application(self.config, self.app)
            return
        application.move(url)
        self._application = application
        self.config, self.registry = application.config, application.registry
        self.app, self.database = application.app, application.registry.database

    def close(self) -> None:
        super().close()
        self._applications.give_back(self._application, self._key)


@contextmanager
def reused_sites_on(url: URL, applications: Applications) -> Iterator[Callable[..., Site]]:
    """A factory of sites on one database; they are closed in the end."""
    bundled = {addon.name for addon in available().values() if addon.source == "bundled"}
    sites: list[Site] = []

    def make(include: Include | None = None, **settings: str) -> Site:
        if include is None and bundled.issuperset(settings.get("addons", "").split()):
            sites.append(ReusedSite(url, applications, **settings))
        else:
            sites.append(Site(url, include, **settings))
        return sites[-1]

    yield make
    for site in sites:
        site.close()
