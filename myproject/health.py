"""Whether everything works that has to: the checks of the core and of add-ons."""

from __future__ import annotations

import logging

from pyramid.config import Configurator
from sqlalchemy import select

from myproject.exceptions import in_words
from myproject.registry import registry_of
from myproject.scope import Scope, Scopes
from myproject.tree.site import Site

log = logging.getLogger(__name__)


def failures(scopes: Scopes) -> dict[str, str]:
    """Carry out all checks; return the names of those that fail, and what they raised.

    The database comes first: without it no other check is asked.
    """
    failed: dict[str, str] = {}
    for check in scopes.registry.extensions.health_checks.values():
        if "database" in failed:
            failed[check.name] = "not asked"
            continue
        try:
            # Each with a session of its own, which a failed statement spoils.
            with scopes.reading() as scope:
                check.check(scope)
        except (Exception, SystemExit) as error:
            log.exception("The health check %r of %s failed", check.name, check.origin)
            failed[check.name] = in_words(error)
    return failed


def check_database(scope: Scope) -> None:
    """Ask for the site's row."""
    scope.dbsession.connection().execute(select(Site.revision)).one()


def includeme(config: Configurator) -> None:
    """Register the core's check."""
    config.add_health_check("database", check_database)
    registry_of(config).scopes = Scopes(registry_of(config))
