"""Work that is done now and then, outside of requests: running it, and what became of it.

There is no scheduler here. Whatever runs things on time calls ``myproject job due``; the row of a
job is locked while the job runs, so that two calls at once do no work twice. On SQLite, which has
one writer, nobody else writes while a job runs.
"""

from __future__ import annotations

import datetime as dt
import logging
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from pyramid.config import Configurator
from pyramid.i18n import TranslationStringFactory
from sqlalchemy import String, Text, delete, insert, select
from sqlalchemy.exc import IntegrityError, OperationalError
from sqlalchemy.orm import Mapped, Session, mapped_column

from myproject.content.publishing import publish_due
from myproject.db.base import Base, UTCDateTime, utcnow
from myproject.db.transaction import mark_changed
from myproject.exceptions import LONGEST, in_words
from myproject.extend.points import Job
from myproject.scope import Scope, Scopes
from myproject.security.models import Login, OneTimeLink
from myproject.tree.lineages import load_with_lineage
from myproject.tree.site import leave_revision
from myproject.tree.trash import expired

log = logging.getLogger(__name__)

_ = TranslationStringFactory("myproject")


class JobRun(Base):
    """What became of a job when it was run last."""

    __tablename__ = "job_run"

    name: Mapped[str] = mapped_column(String(100), primary_key=True)
    started_at: Mapped[dt.datetime | None] = mapped_column(UTCDateTime)
    finished_at: Mapped[dt.datetime | None] = mapped_column(UTCDateTime)
    outcome: Mapped[str] = mapped_column(Text, default="")
    failed: Mapped[bool] = mapped_column(default=False)

    def is_due(self, every: dt.timedelta | None, asked_at: dt.datetime) -> bool:
        """Whether a job that is to be done so often has to be done now; after a failure it has.

        :param asked_at: whoever has come to an end after that has done it for the one who asks.
        """
        if every is None or (self.finished_at is not None and self.finished_at >= asked_at):
            return False
        return self.started_at is None or self.failed or self.started_at + every <= utcnow()


class Result(NamedTuple):
    """What became of a job.

    :ivar outcome: what it says was done, or what it raised.
    """

    name: str
    outcome: str
    failed: bool = False


def last_runs(session: Session) -> dict[str, JobRun]:
    """Return name -> what became of it, of every job that was run once."""
    return {run.name: run for run in session.scalars(select(JobRun)) if run.started_at}


def run_due(scopes: Scopes, jobs: Iterable[Job]) -> Iterator[Result]:
    """Run those jobs that have to be done now, and yield what becomes of each."""
    for job in jobs:
        if job.every is not None and (result := run_job(scopes, job, only_if_due=True)):
            yield result


def run_job(scopes: Scopes, job: Job, *, only_if_due: bool = False) -> Result | None:
    """Run a job in a transaction of its own, and record what became of it.

    :returns: None where it is running already, or is not due and *only_if_due*.
    """
    _make_row(scopes, job.name)
    started, called = utcnow(), False
    try:
        with scopes.writing() as scope:
            run = _lock(scope, job.name)
            if run is None or (only_if_due and not run.is_due(job.every, started)):
                leave_revision(scope.dbsession)
                return None
            called = True
            outcome = _storable(job.job(scope) or "")
            _record(scope, job.name, started, outcome)
    # Also what a program says that wants to end: jobs call other programs' code.
    except (Exception, SystemExit) as error:
        if not called:
            if isinstance(error, OperationalError) and "locked" in str(error.orig):
                # SQLite has one writer, who may well be this very job.
                return None
            raise
        log.exception("The job %r of %s failed", job.name, job.origin)
        outcome = in_words(error)
        with scopes.writing() as scope:
            leave_revision(scope.dbsession)
            _record(scope, job.name, started, outcome, failed=True)
        return Result(job.name, outcome, failed=True)
    return Result(job.name, outcome)


def _storable(outcome: object) -> str:
    return str(outcome).replace("\0", "")[:LONGEST]


def _make_row(scopes: Scopes, name: str) -> None:
    with scopes.reading() as scope:
        if scope.dbsession.get(JobRun, name) is not None:
            return
    with scopes.writing() as scope:
        session = scope.dbsession
        leave_revision(session)
        try:
            with session.begin_nested():
                session.execute(insert(JobRun).values(name=name, outcome="", failed=False))
        except IntegrityError:
            # Somebody else has just done so.
            return


def _lock(scope: Scope, name: str) -> JobRun | None:
    """Return the row of a job, locked until the transaction ends; None while somebody has it.

    On SQLite there is one writer at a time anyway.
    """
    query = select(JobRun).where(JobRun.name == name).with_for_update(skip_locked=True)
    return scope.dbsession.scalars(query).one_or_none()


def _record(
    scope: Scope, name: str, started: dt.datetime, outcome: str, *, failed: bool = False
) -> None:
    run = scope.dbsession.get_one(JobRun, name, with_for_update=True)
    if run.started_at is not None and run.started_at > started:
        # A later one has been recorded.
        return
    run.started_at, run.finished_at = started, utcnow()
    run.outcome, run.failed = outcome, failed


def tidy_accounts(scope: Scope) -> str:
    """Delete logins and one-time links that have expired."""
    session, count = scope.dbsession, 0
    leave_revision(session)
    for table in (Login, OneTimeLink):
        result: Any = session.execute(delete(table).where(table.expires_at <= utcnow()))
        count += result.rowcount
    mark_changed(session)
    return f"{count} expired logins and links deleted"


#: Pages that one operation of the job deletes, and that one run does: SQLite has one writer, who
#: must not keep others waiting for long. What is left over is done by the next run.
PURGED, PURGED_AT_ONCE = 100, 1000


def purge_trash(scope: Scope) -> str | None:
    """Delete for good what has been in the trash for as long as the setting says."""
    days = scope.registry.settings["myproject.trash_days"]
    session, count = scope.dbsession, 0
    if not days:
        leave_revision(session)
        return "Nothing is deleted by itself: myproject.trash_days is 0."
    since = utcnow() - dt.timedelta(days=days)
    while count < PURGED_AT_ONCE:
        ids = expired(session, since, PURGED)
        nodes = load_with_lineage(session, ids)
        operation = scope.journal.purge(nodes.values())
        if operation is None:
            break
        count += operation.count
    if not count:
        leave_revision(session)
    return f"{count} deleted for good after {days} days in the trash"


def publish_what_is_due(scope: Scope) -> str:
    """Publish the pages that are due, and take back from readers those that have expired."""
    work = publish_due(scope.tree, scope.renderer)
    if not work.done:
        leave_revision(scope.dbsession)
    published = sum(each.is_published for each in work.done)
    said = [f"{published} published, {len(work.done) - published} taken back from readers"]
    said += [f"{each.title} ({each.node_id}): {each.reason}" for each in work.problems]
    return "; ".join(said)


def includeme(config: Configurator) -> None:
    """Register the core's jobs."""
    config.add_job(
        "tidy-accounts",
        tidy_accounts,
        title=_("Delete expired logins and links"),
        every=dt.timedelta(days=1),
    )
    config.add_job(
        "purge-trash",
        purge_trash,
        title=_("Delete for good what has been in the trash for long"),
        every=dt.timedelta(hours=1),
    )
    config.add_job(
        "publish-due",
        publish_what_is_due,
        title=_("Publish what is due, and take back what has expired"),
        every=dt.timedelta(minutes=1),
    )
