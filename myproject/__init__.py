"""A self-hosted content tree on Pyramid and SQLAlchemy: every URL is a place."""

from __future__ import annotations

import gc
import os
import sys
from pathlib import Path
from typing import Any

from pyramid.router import Router

from myproject.content import known
from myproject.db.migrations import ensure_current
from myproject.exceptions import ConfigurationProblem
from myproject.extend.configurator import SiteConfigurator
from myproject.extend.ordering import sort_once
from myproject.extend.switching import include_addons, settings_of_absent
from myproject.interfaces import IContentTypes
from myproject.registry import SiteRegistry, registry_of
from myproject.settings import Settings


def main(global_config: dict[str, str], **ini: str) -> Router:
    """Return the WSGI application; the entry point of ``pserve`` and other PasteDeploy servers.

    What is wrong with the configuration is told in plain words, all at once, and ends the process
    with status 2.
    """
    try:
        app = create_app(global_config, **ini)
    except ConfigurationProblem as problem:
        print(f"myproject cannot start:\n{problem}", file=sys.stderr)
        raise SystemExit(2) from None
    relieve_garbage_collector()
    return app


def relieve_garbage_collector() -> None:
    """Spare the collector what lives as long as the process, and have it look less often.

    A request leaves few cycles and many objects. With Python's defaults the collector runs several
    times during each one and now and then through all of the application, a tenth of its time.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(10_000, 20, 20)


def create_app(global_config: dict[str, str], **ini: str) -> Router:
    """Return the application, its database checked and brought up to date if settings say so.

    :raises ConfigurationProblem: when it cannot start as configured.
    """
    config = configure(global_config, **ini)
    registry = registry_of(config)
    prepare_database(registry, ini_name(global_config))
    return config.make_wsgi_app()


def prepare_database(registry: SiteRegistry, ini_name: str) -> None:
    """Check the database, or bring it up to date where settings say so.

    :raises DatabaseUnavailable, DatabaseOutdated:
    """
    migrate = registry.declared_settings["myproject.auto_migrate"]
    branches = registry.extensions.migrations()
    ensure_current(registry.database, ini_name, branches, migrate=migrate)
    record_types(registry)


def record_types(registry: SiteRegistry) -> None:
    """Have the database remember the content types that are on, for when they no longer are."""
    types = registry.getUtility(IContentTypes)
    with registry.database.read_session() as session:
        if not known.unrecorded(session, types):
            return
    with registry.database.transaction() as session:
        known.record_types(session, types)


def configure(global_config: dict[str, str], **ini: str) -> SiteConfigurator:
    """Return the complete, committed configuration; the database is not asked.

    :param global_config: PasteDeploy's, ``__file__`` names the ini file.
    :param ini: the application's section of the ini file.
    :raises ConfigurationProblem: with everything that is wrong with the settings.
    """
    settings = Settings.load(ini, os.environ, ini_name(global_config))
    registry = SiteRegistry("myproject")
    registry.declared_settings = settings
    sort_once(registry)
    config = SiteConfigurator(registry=registry)
    config.setup_registry(settings=pyramid_settings(settings))
    for part in ("extend", "db", "mail", "tree", "security", "content", "jobs", "health", "views"):
        config.include(f"myproject.{part}")
    config.commit()
    include_addons(config, settings["myproject.addons"])
    settings.check_unknown(but=lambda: settings_of_absent(registry.addons))
    config.include("myproject.boot")
    return config


def pyramid_settings(settings: Settings) -> dict[str, Any]:
    """Return what Pyramid and its add-ons are to be told, ours and the ini file's."""
    return {
        # Nobody is looked up at the top of a request that may not care.
        "tm.annotate_user": False,
        "tm.manager_hook": "pyramid_tm.explicit_manager",
        "tm.activate_hook": "myproject.db.transaction.is_transactional",
        "retry.attempts": settings["myproject.retry_attempts"],
        "pyramid.default_locale_name": settings["myproject.locale"],
        "pyramid.reload_templates": settings["myproject.reload_templates"],
        "jinja2.newstyle": True,
        "jinja2.undefined": "strict",
        "jinja2.i18n.domain": "myproject",
        **settings.as_dict(),
    }


def ini_name(global_config: dict[str, str]) -> str:
    """Return the ini file's name for messages."""
    return Path(global_config.get("__file__") or "the ini file").name
