"""The schema's version: what the database has, what this code needs, and how to get there.

One Alembic environment, a branch for the core and one for each add-on that has tables. The ids of a
branch's revisions begin with its name, so that a database tells whose they are even where an add-on
is not installed any more; those of branches that nobody asks for stay as they are.
"""

from __future__ import annotations

import io
import re
import traceback
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from alembic.config import Config
from alembic.runtime.environment import EnvironmentContext
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError

from myproject.db.engine import Database
from myproject.exceptions import (
    ConfigurationProblem,
    DatabaseOutdated,
    MigrationFailed,
    in_words,
)

#: The migrations of a checkout lie beside the package.
SCRIPTS = Path(__file__).resolve().parent.parent.parent / "alembic"
VERSIONS = SCRIPTS / "versions"

CORE = "core"


class MigrationBranch(Protocol):
    """Where the revisions of an add-on are, :class:`myproject.extend.points.Branch`."""

    @property
    def name(self) -> str: ...

    @property
    def folder(self) -> Path: ...

    @property
    def addon(self) -> str: ...


class Pending(NamedTuple):
    """A migration that has not been run.

    :ivar addon: whose it is; empty for the core.
    :ivar sql: what it would execute; empty where that depends on the database's content.
    """

    addon: str
    revision: str
    title: str
    sql: str


def branch_of(revision: str) -> str:
    """Return the name of the branch that an id belongs to: all but the number at its end."""
    return re.sub(r"\d+$", "", revision)


def alembic_config(
    branches: Iterable[MigrationBranch] = (), connection: Connection | None = None
) -> Config:
    """Return Alembic's configuration; migrations run on *connection*."""
    config = Config()
    config.set_main_option("script_location", str(SCRIPTS))
    config.set_main_option("path_separator", "os")
    folders = [VERSIONS / CORE, *(branch.folder for branch in branches)]
    config.set_main_option("version_locations", ":".join(map(str, folders)))
    config.attributes["connection"] = connection
    return config


def load_scripts(branches: Sequence[MigrationBranch] = ()) -> ScriptDirectory:
    """Return the revisions of the core and of *branches*.

    :raises ConfigurationProblem: when those of a branch are not as they have to be.
    """
    scripts = ScriptDirectory.from_config(alembic_config(branches))
    try:
        found = list(scripts.walk_revisions())
    except (Exception, SystemExit) as error:
        raise ConfigurationProblem(f"The migrations cannot be read: {in_words(error)}") from error
    folders = {CORE: VERSIONS / CORE, **{branch.name: branch.folder for branch in branches}}
    names = {folder.resolve(): name for name, folder in folders.items()}
    for revision in found:
        own = names[Path(revision.path).resolve().parent]
        if branch_of(revision.revision) != own:
            raise ConfigurationProblem(
                f"{revision.path}: the revision {revision.revision!r} has to be named after its "
                f"branch and end with a number, such as {own}0001."
            )
    roots = {label for revision in found if revision.is_base for label in revision.branch_labels}
    heads = [branch_of(revision) for revision in scripts.get_heads()]
    for branch in branches:
        if branch.name not in roots:
            problem = f"no first revision has branch_labels = ({branch.name!r},)"
        elif heads.count(branch.name) > 1:
            problem = "there are several last revisions"
        else:
            continue
        raise ConfigurationProblem(f"{branch.folder} (add-on {branch.addon}): {problem}.")
    return scripts


def needed_heads(branches: Sequence[MigrationBranch] = ()) -> set[str]:
    """Return the newest revision of every branch."""
    return set(load_scripts(branches).get_heads())


def present_heads(database: Database) -> set[str]:
    """Return the revisions that the database has; empty for a new one.

    Those of branches that are not asked for are among them.
    """
    with database.reader.connect() as connection:
        return heads_in(connection)


def heads_in(connection: Connection) -> set[str]:
    """Return the same, of the database that a connection leads to."""
    return set(MigrationContext.configure(connection).get_current_heads())


def missing_heads(database: Database, branches: Sequence[MigrationBranch] = ()) -> set[str]:
    """Return the newest revisions that the database has not come to; empty if it is current.

    :raises DatabaseOutdated: when it has come further than this code.
    """
    scripts, present = load_scripts(branches), present_heads(database)
    _known(scripts, present)
    return set(scripts.get_heads()) - present


def upgrade(database: Database, branches: Sequence[MigrationBranch] = ()) -> None:
    """Bring the database up to date, the core first, then *branches*; all in one transaction.

    :raises DatabaseUnavailable, DatabaseOutdated:
    :raises MigrationFailed: and the database is what it was.
    """
    database.create_folder()
    database.check_reachable()
    scripts = load_scripts(branches)
    with database.writer.begin() as connection:
        for name in (CORE, *(branch.name for branch in branches)):
            _run(connection, scripts, branches, f"{name}@head", upwards=True)


def downgrade(connection: Connection, branches: Sequence[MigrationBranch], target: str) -> None:
    """Take the schema back, within the caller's transaction.

    :param target: ``base`` for nothing at all, or that of a branch: ``gallery@base``.
    :raises MigrationFailed:
    """
    _run(connection, load_scripts(branches), branches, target, upwards=False)


def pending(
    database: Database, branches: Sequence[MigrationBranch] = (), *, with_sql: bool = True
) -> list[Pending]:
    """Return the migrations that :func:`upgrade` would run, in order.

    :param with_sql: whether to find out what each would execute, which takes a run of its own.
    :raises DatabaseOutdated: when the database has come further than this code.
    """
    scripts = load_scripts(branches)
    heads = _known(scripts, present_heads(database))
    addons = {branch.name: branch.addon for branch in branches}
    found = []
    for name in (CORE, *addons):
        for step in scripts._upgrade_revs(f"{name}@head", heads):  # type: ignore[arg-type]
            revision = step.revision
            # What the database will have by then.
            before = step.from_revisions or (*heads, *(item.revision for item in found))[:1]
            sql = _sql_of(step, before, scripts, branches, database) if with_sql else ""
            found.append(Pending(addons.get(name, ""), revision.revision, revision.doc or "", sql))
    return found


def ensure_current(
    database: Database,
    ini_name: str,
    branches: Sequence[MigrationBranch] = (),
    *,
    migrate: bool,
) -> None:
    """Make sure that the database fits this code.

    :param ini_name: for the message.
    :param branches: the add-ons' that are switched on.
    :param migrate: bring it up to date instead of complaining.
    :raises DatabaseUnavailable, DatabaseOutdated: the second says which command to run.
    """
    if migrate:
        database.create_folder()
    elif database.file_is_missing:
        # SQLite would make an empty file, or complain that it cannot.
        raise _outdated(database, "does not exist yet", ini_name, "init")
    database.check_reachable()
    missing = missing_heads(database, branches)
    if not missing:
        return
    if migrate:
        upgrade(database, branches)
        return
    if present_heads(database):
        whose = sorted({branch_of(revision) for revision in missing} - {CORE})
        state = f"lacks tables of {', '.join(whose)}" if whose else "is of an older version"
        raise _outdated(database, state, ini_name, "db upgrade")
    raise _outdated(database, "is empty", ini_name, "init")


def _outdated(database: Database, state: str, ini_name: str, command: str) -> DatabaseOutdated:
    return DatabaseOutdated(
        f"sqlalchemy.url = {database.shown_url}: the database {state}. "
        f"Run: myproject -c {ini_name} {command}"
    )


def _known(scripts: ScriptDirectory, present: Iterable[str]) -> tuple[str, ...]:
    """Return those of the *present* revisions that Alembic is to know of.

    :raises DatabaseOutdated: for one of a branch that is here and does not have it, and where
        there are some and none is the core's.
    """
    known = {revision.revision for revision in scripts.walk_revisions()}
    names = {branch_of(revision) for revision in known}
    revisions = tuple(present)
    if revisions and CORE not in map(branch_of, revisions):
        raise DatabaseOutdated(
            f"The database holds something else ({', '.join(sorted(revisions))}). Name another one."
        )
    for revision in revisions:
        if branch_of(revision) in names and revision not in known:
            raise DatabaseOutdated(
                f"The database was made by a newer version: {revision} of {branch_of(revision)} "
                f"is not known here. Install that version, or restore an older database."
            )
    return tuple(revision for revision in revisions if revision in known)


def _run(
    connection: Connection,
    scripts: ScriptDirectory,
    branches: Sequence[MigrationBranch],
    target: str,
    *,
    upwards: bool,
) -> None:
    config = alembic_config(branches, connection)
    running: list[Any] = []

    def steps(present: Any, context: Any) -> Any:
        known = _known(scripts, present)
        revisions = scripts._upgrade_revs if upwards else scripts._downgrade_revs
        for step in revisions(target, known):  # type: ignore[arg-type]
            running[:] = [step.revision]
            yield step

    try:
        with EnvironmentContext(config, scripts, fn=steps):
            scripts.run_env()
    except DatabaseOutdated:
        raise
    except (Exception, SystemExit) as error:
        raise _failure(error, running, branches) from error


def _failure(
    error: BaseException, running: Sequence[Any], branches: Iterable[MigrationBranch]
) -> BaseException:
    """Return what to tell of a migration that raised: whose it is, file and line."""
    if not running:
        return error
    revision = running[0]
    addons = {branch.name: branch.addon for branch in branches}
    frames = traceback.extract_tb(error.__traceback__)
    line = next((f.lineno for f in reversed(frames) if f.filename == revision.path), None)
    reason = str(getattr(error, "orig", None) or error).strip().partition("\n")[0]
    kind = "" if isinstance(error, SQLAlchemyError) else f"{type(error).__name__}: "
    return MigrationFailed(
        addons.get(branch_of(revision.revision), ""),
        revision.revision,
        f"{revision.path}, line {line}" if line else revision.path,
        kind + reason,
    )


def _sql_of(
    step: Any,
    before: tuple[str, ...],
    scripts: ScriptDirectory,
    branches: Sequence[MigrationBranch],
    database: Database,
) -> str:
    """Return what one migration would execute; empty if it has to ask the database for that."""
    buffer = io.StringIO()
    config = alembic_config(branches)
    config.output_buffer = buffer
    config.attributes["dialect"] = database.url.get_dialect()()
    one: Callable[[Any, Any], list[Any]] = lambda present, context: [step]  # noqa: E731
    try:
        with EnvironmentContext(
            config, scripts, fn=one, as_sql=True, starting_rev=before or None, output_buffer=buffer
        ):
            scripts.run_env()
    except Exception:
        # It looks at what is stored, as migrations of data do.
        return ""
    return buffer.getvalue().strip()
