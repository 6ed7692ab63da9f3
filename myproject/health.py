"""Whether everything works that has to: the checks of the core and of add-ons."""

from __future__ import annotations

import logging

from pyramid.config import Configurator
from sqlalchemy import select

from myproject.extend.points import HealthCheck
from myproject.registry import registry_of
from myproject.scope import Scope, Scopes
from myproject.tree.site import Site

log = logging.getLogger(__name__)


def failures(scopes: Scopes) -> dict[str, str]:
    """Carry out all checks; return the names of those that fail, and what they raised.

    The database comes first: without it no other check is asked.
    """
    failed: dict[str, str] = {}
    try:
        with scopes.reading() as scope:
            for check in scopes.registry.extensions.health_checks.values():
                _carry_out(check, scope, failed)
    except Exception as error:
        log.exception("The health checks failed")
        failed.setdefault("database", f"{type(error).__name__}: {error}")
    return failed


def _carry_out(check: HealthCheck, scope: Scope, failed: dict[str, str]) -> None:
    try:
        check.check(scope)
    except Exception as error:
        log.exception("The health check %r of %s failed", check.name, check.origin)
        failed[check.name] = f"{type(error).__name__}: {error}"


def check_database(scope: Scope) -> None:
    """Ask for the site's row."""
    scope.dbsession.connection().execute(select(Site.revision)).one()


def includeme(config: Configurator) -> None:
    """Register the core's check."""
    config.add_health_check("database", check_database)
    registry_of(config).scopes = Scopes(registry_of(config))
