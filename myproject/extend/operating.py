"""Directives about running a site: settings, migrations, commands, jobs, services, events."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from functools import wraps
from pathlib import Path
from typing import Any

import click
from pyramid.config import Configurator
from pyramid.path import AssetResolver

from myproject.db.migrations import VERSIONS
from myproject.declarations import Setting
from myproject.exceptions import ConfigurationProblem
from myproject.extend.points import Branch, HealthCheck, Job
from myproject.extend.registering import (
    absolute_spec,
    checked_name,
    extensions_of,
    origin_of,
    register,
)
from myproject.registry import registry_of
from myproject.tree.events import Committed, NodeEvent, after_commit_subscriber

_BRANCH = re.compile(r"[a-z][a-z0-9_]{0,18}[a-z_]|[a-z]")


def add_settings(config: Configurator, *settings: Setting) -> Any:
    """Declare settings of an add-on, and return their values at once.

    Example::

        size = config.add_settings(
            Setting("myproject.gallery.size", int, 12, "How many pictures a page shows.")
        )

    :param settings: their keys begin with ``myproject.`` and the add-on's name.
    :returns: the value of a single one, else a tuple of the values.
    :raises myproject.settings.SettingsError: when values are wrong (all of them are named), or a
        key is taken.
    """
    registry = registry_of(config)
    owner = registry.including or getattr(config.package, "__name__", "an add-on")
    values = registry.declared_settings.declare_all(settings, owner)
    for setting, value in zip(settings, values, strict=True):
        Configurator.add_settings(config, {setting.key: value})
        register(config, "settings", setting.key, setting, lambda: None)
    return values[0] if len(values) == 1 else values


def add_migrations(config: Configurator, branch: str, folder: str | None = None) -> None:
    """Register the migrations of an add-on: a branch of the site's one Alembic environment.

    Example::

        config.add_migrations("gallery", "gallery:migrations")

    ``myproject db upgrade`` runs them after those of the core and of the add-ons that are
    required. Each branch has a root of its own: its first revision has ``down_revision = None``
    and ``branch_labels = ("gallery",)``.

    :param branch: small letters, digits and underscores; no digit at the end. The ids of the
        revisions are the branch and a number, such as ``gallery0001``: so a database tells whose
        they are even where the add-on is not installed.
    :param folder: asset spec of the folder with the revisions; for add-ons that come with the
        core the folder of this name in ``alembic/versions``.
    :raises pyramid.exceptions.ConfigurationConflictError: when two includes claim one branch.
    :raises myproject.exceptions.ConfigurationProblem: when there is no such folder.
    """
    origin = origin_of(config)
    if not _BRANCH.fullmatch(branch) or branch == "core":
        raise ConfigurationProblem(f"{branch!r} cannot be the name of a branch: {origin}.")
    path = VERSIONS / branch
    if folder is not None:
        path = Path(AssetResolver().resolve(absolute_spec(config, folder)).abspath())
    if not path.is_dir():
        raise ConfigurationProblem(f"There is no folder {path} of migrations: {origin}.")
    value = Branch(branch, path, origin.addon)
    extensions = extensions_of(config)
    register(
        config,
        "branches of migrations",
        branch,
        value,
        lambda: extensions.branches.__setitem__(branch, value),
    )


def add_cli_command(config: Configurator, command: click.Command) -> None:
    """Add a command, or a group of them, to the command line ``myproject``.

    Example::

        @click.command()
        @click.pass_obj
        def thumbnails(context):
            \"\"\"Make small pictures of large ones.\"\"\"
            with context.scopes.writing() as scope:
                ...

        config.add_cli_command(thumbnails)

    :param command: its ``obj`` is :class:`myproject.cli.context.Context`.
    :raises pyramid.exceptions.ConfigurationConflictError: when two includes claim one name.
    :raises myproject.exceptions.ConfigurationProblem: when it has no name.
    """
    name, extensions = command.name, extensions_of(config)
    if not name:
        raise ConfigurationProblem(f"A command has no name: {origin_of(config)}.")
    register(
        config, "commands", name, command, lambda: extensions.commands.__setitem__(name, command)
    )


def add_health_check(config: Configurator, name: str, check: Callable[[Any], object]) -> None:
    """Add something that has to work for the site to be healthy.

    Example::

        def reachable(scope):
            scope.service(IStorage).ping()

        config.add_health_check("storage", reachable)

    ``/@@health`` and ``myproject health`` carry out all of them.

    :param name: small letters, digits and hyphens.
    :param check: gets a reading scope (:mod:`myproject.scope`), and raises when something is
        wrong. It should take milliseconds.
    :raises pyramid.exceptions.ConfigurationConflictError: when two includes claim one name.
    """
    checked_name(config, "health check", name)
    item, extensions = HealthCheck(name, check, origin_of(config)), extensions_of(config)
    register(
        config,
        "health checks",
        name,
        item,
        lambda: extensions.health_checks.__setitem__(name, item),
    )


def add_job(
    config: Configurator,
    name: str,
    job: Callable[[Any], str | None],
    *,
    title: Any,
    every: timedelta | None = None,
) -> None:
    """Add work that is done now and then, outside of requests.

    Example::

        def tidy(scope):
            count = scope.service(IComments).delete_spam()
            return f"{count} comments deleted"

        config.add_job("comments-tidy", tidy, title="Delete spam", every=timedelta(days=1))

    Whatever runs things on time (cron, a systemd timer, Celery, Kubernetes) runs
    ``myproject job due``, and two at once do no work twice.

    :param name: small letters, digits and hyphens.
    :param job: gets a writing scope (:mod:`myproject.scope`), whose transaction is committed when
        it returns; what it returns is recorded as what was done.
    :param title: what it is for, for operators.
    :param every: how often it is due; only when it is asked for by name when left out.
    :raises pyramid.exceptions.ConfigurationConflictError: when two includes claim one name.
    :raises myproject.exceptions.ConfigurationProblem: when the interval is none.
    """
    origin = origin_of(config)
    checked_name(config, "job", name)
    if every is not None and every <= timedelta(0):
        raise ConfigurationProblem(f"The job {name!r} is due every {every}: {origin}.")
    item, extensions = Job(name, title, job, every, origin), extensions_of(config)
    register(config, "jobs", name, item, lambda: extensions.jobs.__setitem__(name, item))


def add_service(
    config: Configurator, factory: Callable[[Any], Any], interface: Any, *, name: str = ""
) -> None:
    """Register what makes a service, for views, jobs and other add-ons to find by interface.

    Example::

        def gallery_factory(scope):
            return Gallery(scope.dbsession, scope.registry.settings["myproject.gallery.size"])

        config.add_service(gallery_factory, IGallery)
        ...
        request.service(IGallery).newest()

    :param factory: gets the request, or another scope (:mod:`myproject.scope`); called once for
        each, when the service is first asked for.
    :param interface: a ``zope.interface`` interface, or a class.
    :param name: where there are several of one interface.
    :raises pyramid.exceptions.ConfigurationConflictError: when two includes claim one interface.
    """
    extensions = extensions_of(config)
    title = getattr(interface, "__name__", str(interface))
    register(
        config,
        "services",
        (interface, name),
        factory,
        lambda: extensions.services.__setitem__((interface, name), factory),
        title=f"{title} {name}".strip(),
    )


def add_event_subscriber(
    config: Configurator,
    subscriber: Callable[[Any], object],
    event: type,
    *,
    after_commit: bool = False,
) -> None:
    """Have something called when something has happened to the tree or to content.

    Example::

        config.add_event_subscriber(index, ContentSaved)
        config.add_event_subscriber(purge_cache, NodeMoved, after_commit=True)

    In the transaction a subscriber writes with the session of ``event.node``, and vetoes the
    operation by raising. After the commit the event's values are valid, ``event.node`` is not; what
    it raises is logged and stops nothing.

    :param subscriber: gets the event.
    :param event: a class of :mod:`myproject.tree.events` or :mod:`myproject.content.events`, or a
        base class of several.
    :param after_commit: when side effects outside of the database are safe.
    :raises myproject.exceptions.ConfigurationProblem: for *after_commit* with a class that is none
        of these events: nobody would ever be told.
    """
    if after_commit:
        if not issubclass(event, NodeEvent):
            raise ConfigurationProblem(
                f"{event.__name__} is never told after the commit: {origin_of(config)}."
            )
        config.add_subscriber(after_commit_subscriber(subscriber, event), Committed)
    else:
        config.add_subscriber(_single(subscriber), event)
    register(
        config,
        "event subscribers",
        (event, subscriber, after_commit),
        subscriber,
        lambda: None,
        title=f"{event.__name__}{' after the commit' if after_commit else ''}",
        unique=False,
    )


def _single(subscriber: Callable[[Any], object]) -> Callable[[Any], object]:
    # Pyramid would take a second parameter, even one with a default, for the object of the event.
    @wraps(subscriber)
    def call(event: Any) -> object:
        return subscriber(event)

    return call
