"""The database room: metadata and column types, engines and sessions, transaction rules."""

from pyramid.config import Configurator

from myproject.db.engine import Database
from myproject.interfaces import IDatabase
from myproject.registry import registry_of


def includeme(config: Configurator) -> None:
    """Make the application's database, and put requests that may write into transactions."""
    registry = registry_of(config)
    settings = registry.declared_settings
    database = Database(
        settings["sqlalchemy.url"],
        echo=settings["sqlalchemy.echo"],
        pool_size=settings["sqlalchemy.pool_size"],
        max_overflow=settings["sqlalchemy.max_overflow"],
        pool_timeout=settings["sqlalchemy.pool_timeout"],
    )
    registry.registerUtility(database, IDatabase)
    registry.database = database
    config.include("pyramid_retry")
    config.include("pyramid_tm")
